"""Facts about the real service that are not certain, or faults on demand, as named switches."""

from dataclasses import Field, dataclass, field, fields
from decimal import Decimal
from typing import Any

from ml_sandbox.stripe.wire import API_VERSION, Obj


def switch(default: Any, sentence: str) -> Any:
    """A switch with its default and what it means."""
    return field(default=default, metadata={"sentence": sentence})


@dataclass
class Switches:
    """Everything an operator of the sandbox may turn while it runs."""

    search_lag_seconds: float = switch(2.0, "Search sees a change only after this many seconds.")
    rate_limit: bool = switch(False, "Requests above 25 per second are answered 429.")
    lock_timeouts: int = switch(0, "So many coming writes are answered 429 lock_timeout.")
    fail_before_commit: int = switch(0, "So many coming writes are answered 500 and do nothing.")
    fail_after_commit: int = switch(0, "So many coming writes take effect but are answered 500.")
    execution_seconds: float = switch(0.0, "Each write takes this long (its key is in use).")
    conflict_type: str = switch("idempotency_error", "Error type of a 409 for a key in use.")
    payout_lists_own_row: bool = switch(True, "Listing a payout's rows includes its own row.")
    negative_payouts: bool = switch(False, "A negative balance is debited from the bank.")
    async_capture: bool = switch(True, "The balance transaction of a charge appears seconds later.")
    pending_refund_moves_money: bool = switch(
        False, "A pending refund has its balance transaction at once."
    )
    refunds_need_balance: bool = switch(
        False, "A refund above the available balance stays pending (insufficient_funds)."
    )
    due_date_frozen: bool = switch(False, "A finalized invoice keeps its due date.")
    past_due_date_refused: bool = switch(True, "A due_date in the past is refused.")
    countered_fee: int = switch(0, "Fee (minor units) booked when evidence is submitted; 0: none.")
    dispute_fee: int = switch(1500, "Fee (minor units) inside a dispute's balance transaction.")
    dispute_win_returns_fee: bool = switch(False, "A won dispute gives its fee back too.")
    vat_percent_on_fees: str = switch("0", "Percent of tax added to fees as a fee detail row.")
    credit_note_to_zero_emits_paid: bool = switch(
        True, "Crediting an open invoice to zero emits invoice.paid."
    )
    zero_invoice_emits_payment_succeeded: bool = switch(
        True, "An invoice finalized without debt emits invoice.payment_succeeded."
    )
    fx_fee_row: bool = switch(False, "The conversion fee is a stripe_fx_fee row of its own.")
    returns_at_todays_rate: bool = switch(
        False, "A won dispute or a returned debit is converted at today's rate, not at its own."
    )
    reserve_rows_on_both_sides: bool = switch(
        False, "A reserve has a row of the balance risk_reserved beside that of payments."
    )
    partial_capture_returns_fee: bool = switch(
        True, "The row of a partial capture's rest gives the fee on that rest back."
    )
    dispute_deadlines: bool = switch(
        True, "A dispute that nobody answered in time is lost; an inquiry closes."
    )
    automatic_tax_percent: str = switch(
        "", "Percent that automatic tax charges; empty: the account has no tax settings (error)."
    )
    webhook_retries: str = switch("test", "Retries of deliveries: test (3) or live (3 days).")
    default_api_version: str = switch(
        API_VERSION, "Version in which the account renders /v1/events (an older one: old shapes)."
    )
    settlement_days: int = switch(2, "Business days until the money of a charge is available.")
    late_refund_failure_seconds: float = switch(20.0, "When a failing refund fails (scaled).")
    pending_refund_seconds: float = switch(10.0, "When a pending refund succeeds (scaled).")
    bank_debit_seconds: float = switch(15.0, "When a bank debit is decided (scaled).")
    webhook_timeout_seconds: float = switch(10.0, "How long a webhook receiver may take.")

    def described(self) -> Obj:
        """Every switch with its value and sentence."""
        return {
            f.name: {"value": getattr(self, f.name), "meaning": f.metadata["sentence"]}
            for f in fields(self)
        }

    def set(self, values: Obj) -> None:
        """Turns switches; raises ValueError for an unknown name or a value of another type."""
        known: dict[str, Field[Any]] = {f.name: f for f in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"there is no switch {name!r}")
            setattr(self, name, fitting(name, getattr(self, name), value))


def fitting(name: str, present: Any, value: Any) -> Any:
    """The value in the type of the present one."""
    if isinstance(present, bool) or isinstance(value, bool):
        if isinstance(present, bool) and isinstance(value, bool):
            return value
    elif isinstance(present, float) and isinstance(value, int | float | Decimal):
        return float(value)
    elif isinstance(value, type(present)):
        return value
    raise ValueError(f"switch {name!r} takes {type(present).__name__}, not {value!r}")
