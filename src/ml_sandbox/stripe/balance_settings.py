"""How the account settles and pays out: negative balances, minimum balances, the schedule."""

from typing import Any

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def shown(world: World) -> Obj:
    """The settings as the API shows them."""
    now = world.settings
    schedule: Obj = {"interval": now.interval}
    if now.interval == "weekly":
        schedule["weekly_payout_days"] = now.weekly_days
    if now.interval == "monthly":
        schedule["monthly_payout_days"] = now.monthly_days
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": now.debit_negative_balances,
            "payouts": {
                "automatic_transfer_rules_by_currency": {},
                "minimum_balance_by_currency": now.minimum_balances,
                "schedule": schedule,
                "statement_descriptor": now.statement_descriptor,
                "status": "enabled",
            },
            "settlement_timing": {
                "delay_days": now.delay_days_override or world.switches.settlement_days,
                "delay_days_override": now.delay_days_override,
                "start_of_day": None,
            },
        },
    }


def fetch(world: World, _call: Call) -> Obj:
    """GET /v1/balance_settings."""
    return shown(world)


def update(world: World, call: Call) -> Obj:
    """POST /v1/balance_settings."""
    given: Obj = call.params.get("payments", {})
    now = world.settings
    if "debit_negative_balances" in given:
        now.debit_negative_balances = given["debit_negative_balances"]
    set_payouts(world, given.get("payouts", {}))
    timing: Obj = given.get("settlement_timing", {})
    if "delay_days_override" in timing:
        days = timing["delay_days_override"] or None
        if days is not None and not 2 <= days <= 31:
            raise bad("Invalid delay_days_override: from 2 to 31.", "payments[settlement_timing]")
        now.delay_days_override = days
    emit(world, "balance_settings.updated", shown(world))
    return shown(world)


def set_payouts(world: World, given: Obj) -> None:
    """Changes what is kept back and when payouts run."""
    now = world.settings
    minimums: Any = given.get("minimum_balance_by_currency", {})
    if minimums == "":
        now.minimum_balances = {}
    asked: Obj = minimums or {}
    for currency, amount in asked.items():
        world.money.check_currency(currency)
        if amount == "":
            now.minimum_balances.pop(currency, None)
        else:
            now.minimum_balances[currency] = amount
    schedule: Obj = given.get("schedule", {})
    now.interval = schedule.get("interval", now.interval)
    now.weekly_days = schedule.get("weekly_payout_days", now.weekly_days)
    now.monthly_days = schedule.get("monthly_payout_days", now.monthly_days)
    if "statement_descriptor" in given:
        now.statement_descriptor = given["statement_descriptor"] or None


ROUTES: Routes = {
    "GET /v1/balance_settings": fetch,
    "POST /v1/balance_settings": update,
}
