"""What a person is shown before it is written, and what has moved since it was shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ml_connector.basics.money import Money, totals
from ml_connector.books.entries import On, Side, sides
from ml_connector.books.mapping import Mapping as Accounts
from ml_connector.books.modes import RecordType
from ml_connector.books.postings import Posting

RECEIVABLE = "accounts receivable"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a document does to one account: a positive amount debits it."""

    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One document as it would be written; `body_hash` covers it whole.

    `standing` is the mode of its kind, or `declined`. `facts` are what it rests on at both sides
    (amounts of the movement, balances of invoices). `kind` and `resource` say whose look carries
    it out, `transaction` to which movement it belongs (empty for a write to Stripe).
    """

    key: str
    record_type: RecordType
    standing: str
    title: str
    kind: str
    resource: str
    transaction: str
    body_hash: str
    body: Mapping[str, object]
    entries: tuple[Entry, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class NotPlanned:
    """What cannot be written as things stand, with its money, the reason and the cure."""

    subject: str
    amount: Money | None
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be written now, under one version of the mapping, and why not the rest."""

    connection: str
    mapping_version: int
    documents: tuple[PlannedDocument, ...]
    rest: tuple[NotPlanned, ...] = ()


def entries_of(posting: Posting, mapping: Accounts) -> tuple[Entry, ...]:
    """What a posting does to the general ledger; receivables are one account by name."""
    return tuple(
        Entry(_account(side, posting, mapping), side.amount) for side in sides(posting.document)
    )


def _account(side: Side, posting: Posting, mapping: Accounts) -> str:
    if side.on is On.ACCOUNT:
        return side.name
    if side.on is On.CUSTOMER:
        return RECEIVABLE
    if side.name:
        return _behind(side.name, mapping)
    return _cash_of(side.amount.currency, posting, mapping)


def _behind(cash_account: str, mapping: Accounts) -> str:
    """The general ledger account behind a cash account of the mapping."""
    found = {one.clearing_cash: one.clearing for one in mapping.currencies.values()}
    found |= {one.cash: one.account for one in mapping.transit.values()}
    return found.get(cash_account, cash_account)


def _cash_of(currency: str, posting: Posting, mapping: Accounts) -> str:
    """Where the cash of a payment that is undone stands: the transit when it was converted."""
    if not posting.clearing and currency in mapping.transit:
        return mapping.transit[currency].account
    return mapping.of_currency(currency).clearing


def by_account(documents: Iterable[PlannedDocument]) -> list[Entry]:
    """The sum on each account and currency, by account."""
    sums: dict[str, list[Money]] = {}
    for document in documents:
        for entry in document.entries:
            sums.setdefault(entry.account, []).append(entry.amount)
    return [
        Entry(account, amount)
        for account in sorted(sums)
        for amount in totals(sums[account]).values()
    ]


def moved(
    shown: Sequence[PlannedDocument], now: Mapping[str, PlannedDocument], gone: Mapping[str, str]
) -> list[str]:
    """What is not any more as it was shown, a sentence each; empty when all is.

    `gone` tells by key why a document is not planned any more.
    """
    found: list[str] = []
    for document in shown:
        today = now.get(document.key)
        if today is None:
            found.append(f"{document.key}: {gone.get(document.key, 'it is not planned any more.')}")
        elif today != document:
            found.append(f"{document.key}: {_what_moved(document, today)}")
    return found


def _what_moved(shown: PlannedDocument, today: PlannedDocument) -> str:
    names = [*shown.facts, *(name for name in today.facts if name not in shown.facts)]
    changed = [
        f"{name} was {shown.facts.get(name, 'not known')}"
        f" and is {today.facts.get(name, 'not known')}"
        for name in names
        if shown.facts.get(name) != today.facts.get(name)
    ]
    if shown.standing != today.standing:
        changed.append(f"it stood as {shown.standing} and stands as {today.standing}")
    if shown.entries != today.entries:
        changed.append(f"it posted {_said(shown)} and would post {_said(today)}")
    elif shown.body_hash != today.body_hash and not changed:
        changed.append("its document is another one now")
    return f"{'; '.join(changed) or 'it is described otherwise now'}."


def _said(document: PlannedDocument) -> str:
    sides = (f"{one.amount} on {one.account}" for one in document.entries)
    return ", ".join(sides) or "nothing"
