"""Which choice of the mapping is in force in which month of a year, and what shows its use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ml_connector.books.postings import Purpose
from ml_connector.flows.mirror.customers import BY_EMAIL
from ml_connector.flows.writing.amends import PERIOD_CLOSED
from ml_connector.flows.writing.by_hand import RELEASE
from ml_connector.store.usage import Documents

BASE = Path(__file__).with_name("year.toml")
UNHEARD = "contribution/contribution"
"""The pair that has no rule: it moves in the second of three months, is mapped in the third."""
RECEIPTS = frozenset({"charge/charge", "payment/charge"})
FOUND_BY_MARK = "found again"
NO_INVOICE = "payment.no_invoice"
OWED_AGAIN = "invoice.reopened"
WAITED_FOR = (NO_INVOICE, PERIOD_CLOSED, RELEASE, OWED_AGAIN)
"""The beginnings of the causes that are counted."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was done under one version of the mapping, as the connector's own tables say."""

    documents: Sequence[Documents] = ()
    customers: Mapping[str, int] = field(default_factory=dict[str, int])
    """By how each was found or made."""
    waited: Mapping[str, int] = field(default_factory=dict[str, int])
    """What began to wait, by cause."""
    sent: int = 0
    """Invoices that Stripe mailed."""
    read_as_sales: int = 0
    """Looks at an invoice through the form of sales invoices."""
    asked_anew: int = 0
    """Invoices that were asked for once more, since their money came back."""
    links_written: int = 0
    """Payment links that were written onto an invoice in Acumatica."""
    deferred: int = 0
    """Movements that waited for their moment by policy, on the day when most did."""

    def made(self, *purposes: Purpose, pairs: frozenset[str] = frozenset()) -> int:
        """Documents of these purposes, of these kinds of movement where any is named."""
        return sum(
            one.count
            for one in self.documents
            if one.purpose in purposes and (not pairs or one.pair in pairs)
        )

    @property
    def on_account(self) -> int:
        """Payments that settle no invoice."""
        return sum(one.count for one in self.documents if one.on_account)

    @property
    def charged(self) -> int:
        """Payments that carry their own fee."""
        return sum(one.count for one in self.documents if one.charged)

    @property
    def late(self) -> int:
        """Documents that were moved to an open day."""
        return sum(one.count for one in self.documents if one.late)


Evidence = Callable[[Used], int]


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of the mapping: its table, and its values in turn, one a month.

    `shown` counts, by value, what shows that it was used.
    """

    table: str
    word: str
    turns: tuple[str, ...]
    shown: Mapping[str, Evidence]

    def at(self, month: int) -> str:
        """The value in a month, counted from 0."""
        return self.turns[month % len(self.turns)]

    def line(self, month: int) -> str:
        """The line of the mapping's file."""
        value = self.at(month)
        return (
            f"{self.word} = {value}" if value in {"true", "false"} else f'{self.word} = "{value}"'
        )


def _invoices_paid(used: Used) -> int:
    return used.made(Purpose.PAYMENT)


CHOICES: tuple[Choice, ...] = (
    # What waits in one month goes to suspense in the next one, before its period is closed.
    Choice(
        "policies",
        "unmatched",
        ("hold", "suspense", "unapplied", "suspense"),
        {
            "hold": lambda used: used.waited.get(NO_INVOICE, 0),
            "suspense": lambda used: used.made(Purpose.SUSPENSE, pairs=RECEIPTS),
            "unapplied": lambda used: used.on_account,
        },
    ),
    Choice(
        "policies",
        "dispute_lost",
        ("loss", "loss", "reopen", "reopen"),
        {
            "loss": lambda used: used.made(Purpose.DISPUTE_LOSS),
            "reopen": lambda used: used.made(Purpose.DISPUTE_UNDONE),
        },
    ),
    Choice(
        "policies",
        "fx",
        ("list", "list", "gain_loss", "gain_loss"),
        {
            "list": lambda used: used.made(Purpose.CONVERSION) - used.made(Purpose.EXCHANGE),
            "gain_loss": lambda used: used.made(Purpose.EXCHANGE),
        },
    ),
    Choice(
        "policies",
        "fees",
        ("transaction", "payout", "payment_charge"),
        {
            "transaction": lambda used: used.made(Purpose.FEE, pairs=RECEIPTS),
            "payout": lambda used: used.made(Purpose.FEES_OF_PAYOUT),
            "payment_charge": lambda used: used.charged,
        },
    ),
    Choice(
        "policies",
        "refunds",
        ("credit_memo", "credit_memo", "journal", "journal"),
        {
            "journal": lambda used: used.made(Purpose.REFUND),
            "credit_memo": lambda used: used.made(Purpose.CREDIT_MEMO),
        },
    ),
    # What waits for its moment is booked in the next month: there the policies above must be the
    # same as in the month before.
    Choice(
        "policies",
        "post_when",
        (*("captured",) * 4, "paid_out", *("captured",) * 3, "available", *("captured",) * 3),
        {
            "captured": _invoices_paid,
            "available": _invoices_paid,
            "paid_out": lambda used: used.deferred,
        },
    ),
    Choice(
        "policies",
        "closed_period",
        ("next_open", "hold"),
        {
            "next_open": lambda used: used.late,
            "hold": lambda used: used.waited.get(PERIOD_CLOSED, 0),
        },
    ),
    Choice(
        "policies",
        "release",
        ("true", "false", *("true",) * 10),
        {
            "true": _invoices_paid,
            "false": lambda used: used.waited.get(RELEASE, 0),
        },
    ),
    Choice(
        "mirror",
        "reopened",
        ("ask", "again"),
        {
            "ask": lambda used: used.waited.get(OWED_AGAIN, 0),
            "again": lambda used: used.asked_anew,
        },
    ),
    Choice(
        "mirror",
        "write_link",
        ("none", "none", "note"),
        {"none": _invoices_paid, "note": lambda used: used.links_written},
    ),
    Choice(
        "mirror",
        "adopt",
        ("automatic", "never", "ask"),
        {
            "automatic": lambda used: used.customers.get(BY_EMAIL, 0),
            "never": lambda used: used.customers.get("created", 0),
            "ask": lambda used: used.customers.get(FOUND_BY_MARK, 0),
        },
    ),
    Choice(
        "mirror",
        "send",
        ("false", "true"),
        {"false": _invoices_paid, "true": lambda used: used.sent},
    ),
    Choice(
        "mirror",
        "source",
        ("Invoice", "SalesInvoice"),
        {"Invoice": _invoices_paid, "SalesInvoice": lambda used: used.read_as_sales},
    ),
)
"""Every choice of the mapping; a new one is a row here and, where it makes other documents, a line
in `year_expected`."""


def in_month(month: int) -> dict[str, str]:
    """The value of each choice in a month, counted from 0."""
    return {choice.word: choice.at(month) for choice in CHOICES}


def maps_the_unheard(month: int) -> bool:
    """Whether the pair without a rule has an account in a month, counted from 0."""
    return month % 3 == 2  # noqa: PLR2004 - the third of three months


def mapping_of(month: int) -> str:
    """The mapping's file of a month, counted from 0."""
    text = [BASE.read_text("utf-8")]
    for table in dict.fromkeys(choice.table for choice in CHOICES):
        lines = [choice.line(month) for choice in CHOICES if choice.table == table]
        text += ["", f"[{table}]", *lines]
    if maps_the_unheard(month):
        text += ["", "[pairs]", f'"{UNHEARD}" = "81000"']
    return "\n".join(text) + "\n"


def exercised(by_month: Sequence[Used]) -> list[tuple[str, str, int]]:
    """Each value of each choice with how often it was really used in the months of its turn."""
    return [
        (choice.word, value, sum(evidence(used) for used in _turns(choice, value, by_month)))
        for choice in CHOICES
        for value, evidence in choice.shown.items()
    ]


def _turns(choice: Choice, value: str, by_month: Sequence[Used]) -> list[Used]:
    return [used for month, used in enumerate(by_month) if choice.at(month) == value]
