"""What we would have posted beside what people posted on the clearing accounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ml_connector.acumatica.documents import LedgerLine
from ml_connector.basics.clock import day_in, start_of_day
from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.basics.ids import erp_keys
from ml_connector.basics.money import Money, total
from ml_connector.books.entries import On, sides
from ml_connector.books.modes import OF_PURPOSE, Mode
from ml_connector.books.postings import ArPayment, ArRefund, Booked, Purpose, State, Voiding
from ml_connector.books.shadow import Comparison, Ours, Theirs, compare
from ml_connector.books.tieout import Unposted
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.writing.periods import periods_between
from ml_connector.store import fees, postings, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow

RECEIVABLES = "AR"
CREDIT_MEMO = "Credit Memo"


@dataclass(frozen=True, slots=True)
class Shadow:
    """The comparison of each currency, and what could not be planned and so not compared."""

    since: date
    comparisons: tuple[Comparison, ...]
    rest: tuple[Unposted, ...]
    unread: str = ""
    """Why it is not told which invoices payments settled; empty when it is."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What receivables documents say that the ledger does not, by their number."""

    quoted: Mapping[str, str]
    settled: Mapping[str, Mapping[str, Decimal]] | None
    unread: str = ""

    def settles(self, number: str, currency: str) -> dict[str, int] | None:
        """What a payment settles of each document; None where that could not be read."""
        if self.settled is None:
            return None
        return {
            ref: Money.of(amount, currency).minor
            for ref, amount in self.settled.get(number, {}).items()
        }


async def shadow(c: Connected, since: date) -> Shadow:
    """Compares what is planned in shadow mode with what stands in Acumatica from a day on.

    From our own rows and, per financial period, one call for the ledger; one more for the payments,
    and one for each page of the invoices that were touched, which tell what was settled by whom.
    """
    until = day_in(c.clock.now(), c.mapping.zone)
    ours, rest = await _ours(c, since)
    lines = await _lines(c, since, max([until, *(one.day for one, _ in ours)]))
    beside = Beside(await _quoted(c, since), *await _settled(c, since))
    mine = await _our_documents(c)
    comparisons = [
        compare(
            code,
            [one for one, currency in ours if currency == code],
            _theirs(lines, accounts.clearing, code, mine, beside),
        )
        for code, accounts in c.mapping.currencies.items()
    ]
    return Shadow(since, tuple(comparisons), tuple(rest), beside.unread)


async def _lines(c: Connected, first: date, last: date) -> list[LedgerLine]:
    """The ledger from one day to another: one call for each financial period."""
    periods = await periods_between(c, first, last)
    read = [await c.acumatica.ledger_lines(one.id) for one in periods]
    return [line for lines in read for line in lines if first <= line.day <= last]


async def _ours(c: Connected, since: date) -> tuple[list[tuple[Ours, str]], list[Unposted]]:
    """What would have been posted, with its currency; and what is not planned at all."""
    found: list[tuple[Ours, str]] = []
    rest: list[Unposted] = []
    async with c.store.transaction() as tx:
        for bt in await transactions.unposted(tx, c.id):
            rows = await postings.by_transaction(tx, c.id, bt.id)
            if not rows:
                rest.append(Unposted(bt.id, bt.net, bt.reason or "It is not looked at yet."))
            planned = [row for row in rows if _is_shadow(c, row)]
            found += [(await _of_movement(c, bt, row), row.currency) for row in planned]
        for row in await postings.of_purpose(tx, c.id, Purpose.FEES_OF_PAYOUT):
            if _is_shadow(c, row):
                members = await fees.carried_by(tx, c.id, row.key)
                found.append((_of_payout(c, row, members), row.currency))
    return [(one, currency) for one, currency in found if one.day >= since], rest


def _is_shadow(c: Connected, row: PostingRow) -> bool:
    mode = c.mapping.modes.of(OF_PURPOSE[Purpose(row.purpose)])
    return mode is Mode.SHADOW and row.state in {State.PLANNED, State.FAILED} and not row.taken


async def _customer_of(c: Connected, row: PostingRow) -> str:
    """Whose receivables a document moves; empty for a journal."""
    paper = document(row)
    if not isinstance(paper, Voiding | Booked):
        return next((side.name for side in sides(paper) if side.on is On.CUSTOMER), "")
    kind, number = erp_keys(paper.payment)
    async with c.store.transaction() as tx:
        paid = [document(one) for one in await postings.by_erp(tx, c.id, kind, number)]
    return next((one.customer_id for one in paid if isinstance(one, ArPayment | ArRefund)), "")


async def _of_movement(c: Connected, bt: BalanceTransactionRow, row: PostingRow) -> Ours:
    words = {str(bt.id), str(bt.source or bt.id)}
    day = day_in(bt.created, c.mapping.zone)
    return _planned(c, row, words, day, await _customer_of(c, row))


def _of_payout(c: Connected, row: PostingRow, members: Iterable[BalanceTransactionRow]) -> Ours:
    """The fees of a payout: a person may quote it, or what a fee in it is of."""
    words = {str(one) for bt in members for one in (bt.id, bt.source) if one is not None}
    return _planned(c, row, words, day_in(row.created_at, c.mapping.zone), "")


def _planned(c: Connected, row: PostingRow, words: set[str], seen: date, customer: str) -> Ours:
    """A document as it would be posted; `seen` is its day where it has none of its own."""
    paper = document(row)
    clearing = c.mapping.of_currency(row.currency).clearing
    named = {On.ACCOUNT: "", On.CUSTOMER: _receivable(customer)}
    others = _by_account(
        (named[side.on] or side.name, side.amount)
        for side in sides(paper)
        if side.on is not On.CASH and side.name != clearing
    )
    dated = not isinstance(paper, Voiding | Booked)
    day = paper.day if dated else seen
    names = frozenset({*words, row.key.partition(":")[2]})
    settles = (
        {str(one.document): one.amount.minor for one in paper.applications}
        if isinstance(paper, ArPayment)
        else None
    )
    return Ours(row.key, row.purpose, row.transaction_id, day, row.clearing, others, names, settles)


def _receivable(customer: str) -> str:
    return f"customer {customer}"


def _by_account(sides: Iterable[tuple[str, Money]]) -> dict[str, int]:
    """The sum of each account in minor units, without those that come to nothing."""
    sums: dict[str, int] = {}
    for account, amount in sides:
        sums[account] = sums.get(account, 0) + amount.minor
    return {account: minor for account, minor in sums.items() if minor}


async def _quoted(c: Connected, since: date) -> dict[str, str]:
    """What each payment quotes, by its number."""
    found = await c.acumatica.quoted_payments(start_of_day(since, c.mapping.zone))
    return {erp_keys(one.ref)[-1]: one.text for one in found}


async def _settled(c: Connected, since: date) -> tuple[dict[str, dict[str, Decimal]] | None, str]:
    """What each payment settles, by its number; None with the reason where no list tells it."""
    try:
        found = await c.acumatica.settled(start_of_day(since, c.mapping.zone))
    except TryAgain:
        raise
    except ConnectorError as error:
        return None, error.sentence
    settled: dict[str, dict[str, Decimal]] = {}
    for one in found:
        kind, number = erp_keys(one.payment)
        if kind == CREDIT_MEMO:  # numbered apart from payments
            continue
        documents = settled.setdefault(number, {})
        documents[one.document] = documents.get(one.document, Decimal(0)) + one.amount
    return settled, ""


async def _our_documents(c: Connected) -> set[tuple[str, str]]:
    """Module and number of what we have posted ourselves."""
    async with c.store.transaction() as tx:
        known = await postings.documents(tx, c.id)
    journals = {"GL"}
    return {(kind if kind in journals else RECEIVABLES, number) for kind, number in known}


def _theirs(
    lines: Sequence[LedgerLine],
    clearing: str,
    code: str,
    mine: set[tuple[str, str]],
    beside: Beside,
) -> list[Theirs]:
    """What people have posted on a clearing account, a document each."""
    papers: dict[str, list[LedgerLine]] = {}
    for line in lines:
        if line.amount.currency == code and _number(line) not in mine:
            papers.setdefault(_name(line), []).append(line)
    return [
        _document(name, own, clearing, code, beside)
        for name, own in papers.items()
        if any(line.account == clearing for line in own)
    ]


def _number(line: LedgerLine) -> tuple[str, str]:
    """Module and number under which one of our own documents would be known."""
    return line.module, line.reference if line.module == RECEIVABLES else line.batch


def _name(line: LedgerLine) -> str:
    """A document of another module has its own number; a journal is its batch."""
    if line.module == "GL" or not line.reference:
        return f"{line.module} batch {line.batch}"
    return f"{line.module} {line.type} {line.reference} (batch {line.batch})".replace("  ", " ")


def _document(
    name: str, lines: list[LedgerLine], clearing: str, code: str, beside: Beside
) -> Theirs:
    moved = total((line.amount for line in lines if line.account == clearing), code)
    others = _by_account((line.account, line.amount) for line in lines if line.account != clearing)
    first = lines[0]
    texts = [f"{line.text} {line.reference}" for line in lines]
    settles: dict[str, int] | None = None
    if first.module == RECEIVABLES:
        texts.append(beside.quoted.get(first.reference, ""))
        others = _as_customer(others, first.customer_id)
        settles = beside.settles(first.reference, code)
    return Theirs(name, first.day, moved, others, " ".join(texts), settles)


def _as_customer(others: dict[str, int], customer: str) -> dict[str, int]:
    """The largest side of a receivables document is the customer's account, whatever its number."""
    if not others or not customer:
        return others
    account = max(others, key=lambda one: (abs(others[one]), one))
    rest = {name: minor for name, minor in others.items() if name != account}
    return {_receivable(customer): others[account], **rest}
