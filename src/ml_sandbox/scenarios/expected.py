"""What the books must show when a scenario is over."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Documents that stand in the ERP's ledger by kind, and what is left open, with its cause.

    What is not named must not be there. Beyond this every scenario demands that the clearing
    account equals the Stripe balance but for what is named, and that nothing stands twice.
    """

    payments: int = 0
    """Released AR payments that carry a Stripe charge, voided ones left out."""
    fees: int = 0
    refunds: int = 0
    refund_failures: int = 0
    disputes: int = 0
    """Journals of disputes: money taken and money given back."""
    losses: int = 0
    """Journals of disputes that were lost for good."""
    loss_reversals: int = 0
    disputes_undone: int = 0
    suspense: int = 0
    """Journals of money that nobody can name."""
    conversions: int = 0
    """Journals of payments in another currency than they settled in."""
    topups: int = 0
    bills: int = 0
    """Journals of what Stripe charges for its own services."""
    payouts: int = 0
    payout_reversals: int = 0
    reserves: int = 0
    proven: int = 0
    """Payouts that are proven to the cent."""
    owed: Mapping[str, str] = field(default_factory=dict[str, str])
    """What customers still owe in the ERP, by currency, as decimal text."""
    unposted: Mapping[str, str] = field(default_factory=dict[str, str])
    """Money that is not in the ledger, named with its reason, by currency, as decimal text."""
    held: Mapping[str, int] = field(default_factory=dict[str, int])
    """What waits for a person, by the beginning of its cause."""
    mirrored: Mapping[str, int] | None = None
    """Invoices at Stripe by status; None when that is not the point."""

    def facts(self) -> dict[str, Any]:
        """The same as one JSON object."""
        return asdict(self)
