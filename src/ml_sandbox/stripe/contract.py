"""The machine-readable contract: parameters per route and fields per object, read from JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from ml_sandbox.stripe.wire import Obj, is_obj

# Keys that are missing unless they have a value; all others are always sent, null when empty.
SOMETIMES_ABSENT: Mapping[str, frozenset[str]] = {
    "customer": frozenset(
        "sources subscriptions tax tax_ids cash_balance invoice_credit_balance business_name "
        "individual_name customer_account deleted".split()
    ),
    "invoice": frozenset(
        "payments confirmation_secret amount_paid_off_stripe status_details threshold_reason "
        "deleted".split()
    ),
    "invoiceitem": frozenset(
        "frozen_fields invoicing_rules net_amount proration_details deleted".split()
    ),
    "payment_intent": frozenset(
        ["amount_details", "hooks", "payment_details", "presentment_details"]
    ),
    "charge": frozenset(
        "refunds authorization_code level3 presentment_details radar_options transfer".split()
    ),
    "refund": frozenset(
        "failure_balance_transaction failure_reason pending_reason next_action description "
        "destination_details instructions_email presentment_details".split()
    ),
    "dispute": frozenset(["network_reason_code", "payment_method_details"]),
    "event": frozenset(["account", "context", "reason"]),
    "webhook_endpoint": frozenset(["secret", "deleted"]),
    "test_helpers.test_clock": frozenset(["deleted"]),
    "coupon": frozenset(["applies_to", "currency_options", "deleted"]),
    "discount": frozenset(["deleted"]),
    "product": frozenset(["deleted"]),
    "price": frozenset(["currency_options", "deleted", "tiers"]),
    "tax_id": frozenset(["deleted"]),
    "bank_account": frozenset(
        "account available_payout_methods default_for_currency deleted future_requirements "
        "requirements".split()
    ),
    "card": frozenset(
        "account allow_redisplay available_payout_methods currency default_for_currency deleted "
        "iin issuer description networks status benefits".split()
    ),
    "topup": frozenset(["payment_method", "payment_method_options"]),
    "customer_cash_balance_transaction": frozenset(
        "adjusted_for_overdraft applied_to_payment funded refunded_from_payment "
        "transferred_to_balance unapplied_from_payment".split()
    ),
    "reserve.hold": frozenset(["amount_releasable", "release_details"]),
    "v2.core.event": frozenset(["changes", "snapshot_event"]),
    "v2.core.event_destination": frozenset(["amazon_eventbridge", "azure_event_grid"]),
}
# Kinds with one hash per payment method type: only these keys are sent, plus those with a value.
ALWAYS: Mapping[str, frozenset[str]] = {
    "payment_method": frozenset(
        "id object allow_redisplay billing_details created customer customer_account livemode "
        "metadata type".split()
    ),
    "account": frozenset(["id", "object"]),
    "balance": frozenset(["object"]),
}
INCLUDABLE: Mapping[str, frozenset[str]] = {
    "customer": frozenset(
        "sources subscriptions tax tax_ids cash_balance invoice_credit_balance".split()
    ),
    "invoice": frozenset(["payments", "confirmation_secret"]),
    "charge": frozenset(["refunds"]),
    "coupon": frozenset(["applies_to", "currency_options"]),
    "price": frozenset(["currency_options", "tiers"]),
    "search_result": frozenset(["total_count"]),
}


@dataclass(frozen=True)
class RouteContract:
    """What one route accepts and answers."""

    params: Obj
    required: tuple[str, ...]
    shape: str
    kind: str


class Contract:
    """Parameters per "METHOD /path/{template}" and fields per object name."""

    def __init__(self) -> None:
        folder = files("ml_sandbox.stripe") / "contract"
        self.objects: dict[str, Obj] = msgspec.json.decode((folder / "objects.json").read_bytes())
        raw: dict[str, Any] = msgspec.json.decode((folder / "params.json").read_bytes())
        self._routes = {key: route_contract(row) for key, row in raw.items()}

    def route(self, key: str) -> RouteContract:
        """The contract of one route; KeyError when the official package has no such call."""
        return self._routes[key]

    def new(self, kind: str, values: Obj) -> Obj:
        """An object with all fields of its kind: given, null, or absent where that is the rule.

        Raises ValueError when a field that is never null has no value, or one is not a field.
        """
        fields = self.objects[kind]
        if unknown := values.keys() - fields.keys():
            raise ValueError(f"{kind} has no fields {sorted(unknown)}")
        absent = SOMETIMES_ABSENT.get(kind, frozenset())
        always = ALWAYS.get(kind, fields.keys())
        made: Obj = {"id": values.get("id"), "object": kind}
        for name, about in fields.items():
            if name in values:
                made[name] = values[name]
            elif name in absent or name in made or name not in always:
                continue
            elif nullable(about):
                made[name] = None
            else:
                raise ValueError(f"{kind}.{name} is never null")
        return made


@cache
def official() -> Contract:
    """The contract as the package's data files say, read once."""
    return Contract()


def nullable(about: Any) -> bool:
    """Whether a field may be null."""
    return about == "value?" or (is_obj(about) and "null" in about)


def route_contract(row: Obj) -> RouteContract:
    """One row of params.json."""
    params: Obj = dict(row["params"])
    required = tuple(params.pop(""))
    shape, kind = row["returns"]
    return RouteContract(params, required, shape, kind)
