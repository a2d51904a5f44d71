"""Where the first leg of a story stands, by our own stored documents: without any call.

Only what Acumatica has, or may have, is a leg: what is merely planned follows the mapping still.
"""

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.conversion import Converted
from ml_connector.books.legs import Leg, back, leg, mapped, other_leg
from ml_connector.books.mapping import Role
from ml_connector.books.opening import opening_key
from ml_connector.books.postings import Journal, Purpose
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import is_reserve, is_transfer
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.mapping_text import mapping_of
from ml_connector.flows.promise.opening import opened
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing, standing_of
from ml_connector.store import editions, mapping, postings, transactions
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState


async def leg_of(c: Connected, purpose: Purpose, subject: str) -> tuple[Leg, ...]:
    """Where a document stands besides clearing; empty while none does."""
    row = await standing(c, purpose, subject)
    return () if row is None else leg_in(row)


def leg_in(row: PostingRow) -> tuple[Leg, ...]:
    """Where a stored document stands besides clearing; empty of one that is no such journal."""
    paper = document(row)
    found = other_leg(paper, row.clearing) if row.taken and isinstance(paper, Journal) else None
    return () if found is None else (found,)


async def leg_of_row(
    c: Connected, row: BalanceTransactionRow, purpose: Purpose, role: Role | None
) -> tuple[Leg, ...]:
    """Where a movement stands: in a document of its own, or in the opening, by what it is for."""
    if row.state is TransactionState.OPENING and role is not None:
        return await opening_legs(c, row.currency, role)
    return await leg_of(c, purpose, row.id)


async def opening_legs(c: Connected, currency: str, role: Role) -> tuple[Leg, ...]:
    """Where the opening entry has put what was under way, by the mapping of that time."""
    async with c.store.statement() as tx:
        row = await postings.get(tx, c.id, opening_key(currency))
        if row is None or not row.taken or row.mapping_version is None:
            return ()
        version = await mapping.get(tx, c.id, row.mapping_version)
    if version is None:
        return ()
    books = mapping_of(version.body, version.version, c.record.time_zone)
    account = books.accounts.get(role)
    return (mapped(account, Money.zero(currency), books),) if account else ()


async def legs_before(
    c: Connected, bt: BalanceTransaction, purpose: Purpose, role: Role | None = None
) -> tuple[Leg, ...]:
    """Where the last movement of the same Stripe object stands that went the other way."""
    if bt.source is None:
        return ()
    async with c.store.statement() as tx:
        rows = await transactions.by_source(tx, c.id, bt.source)
    earlier = [
        row for row in rows if row.created <= bt.created and row.amount_minor * bt.amount.minor < 0
    ]
    for row in sorted(earlier, key=lambda one: (one.created, one.id), reverse=True):
        found = await leg_of_row(c, row, purpose, role)
        if found:
            return found
    return ()


async def legs_of_movement(c: Connected, bt: BalanceTransaction) -> tuple[Leg, ...]:
    """The legs of a movement without a flow of its own."""
    if is_reserve(bt):
        return await _reserved(c, bt) if bt.amount.minor > 0 else ()
    return await legs_before(c, bt, Purpose.TOPUP) if is_transfer(bt) else ()


async def _reserved(c: Connected, bt: BalanceTransaction) -> tuple[Leg, ...]:
    """Every place where something of the reserves stands; Stripe's releases name no hold."""
    code, nothing = bt.amount.currency, Money.zero(bt.amount.currency)
    opening = await opened(c, code)
    held = nothing if opening is None else opening.position.reserved
    stood = {back(one, nothing): held for one in await opening_legs(c, code, Role.RESERVE)}
    async with c.store.statement() as tx:
        places = await editions.standing_places(tx, c.id, Purpose.RESERVE, code, besides=bt.id)
    for one in places:
        place = Leg(one.account, one.subaccount, one.branch, nothing)
        stood[place] = stood.get(place, nothing) + Money(one.minor, code)
    return tuple(back(place, amount) for place, amount in stood.items())


async def payout_legs(c: Connected, payout: StripeId) -> tuple[Leg, ...]:
    """The bank account that a payout went to; of one from before our books, where it arrived."""
    sent = await leg_of(c, Purpose.PAYOUT, payout)
    arrived = None if sent else await standing(c, Purpose.ARRIVAL, payout)
    if arrived is None or not arrived.taken:
        return sent
    paper = document(arrived)
    return (leg(paper.lines[0], paper),) if isinstance(paper, Journal) else ()


async def converted(c: Connected, receipt: PostingRow) -> Converted | None:
    """How a payment in the books was converted; None where it was not."""
    async with c.store.transaction() as tx:
        rows = {row.purpose: row for row in await standing_of(c, tx, receipt.transaction_id)}
    journal, emptied = rows.get(Purpose.CONVERSION), rows.get(Purpose.EXCHANGE)
    other = () if journal is None else leg_in(journal)
    paper = None if emptied is None else document(emptied)
    return Converted(other[0], paper if isinstance(paper, Journal) else None) if other else None
