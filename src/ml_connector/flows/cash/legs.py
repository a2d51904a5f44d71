"""Where the first leg of a story stands, by our own stored documents: without any call.

Only what Acumatica has, or may have, is a leg: what is merely planned follows the mapping still. Of
reserves, what is planned counts, too, as two releases must not be planned off one hold.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.conversion import Converted
from ml_connector.books.legs import Leg, back, leg, mapped, other_leg
from ml_connector.books.mapping import Role
from ml_connector.books.opening import opening_key
from ml_connector.books.postings import Journal, Purpose
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import RULES, SET_ASIDE, Story, is_reserve, is_transfer
from ml_connector.flows.connected import Connected
from ml_connector.flows.mapping.mapping_text import mapping_of
from ml_connector.flows.promise.opening import opened
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing, standing_of
from ml_connector.store import editions, mapping, postings, transactions
from ml_connector.store.locks import one_at_a_time
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


COMES_BACK_AS = {
    Purpose.PAYOUT: Purpose.PAYOUT_REVERSAL,
    Purpose.REFUND: Purpose.REFUND_FAILURE,
    Purpose.DISPUTE: Purpose.DISPUTE,
    Purpose.TOPUP: Purpose.TOPUP,
    Purpose.SUSPENSE: Purpose.SUSPENSE,
}
"""What a first leg is for, and what its return is for."""


async def met(c: Connected, tx: AsyncConnection, bt: BalanceTransaction, story: Story) -> Story:
    """The story of a first leg, which goes where its return stands if that was posted before it.

    So it is of one that a person had restored meanwhile, or that was held back: on the accounts of
    today the two would never meet. A refund whose failure is a journal is one, too.
    """
    if is_reserve(bt):
        return await _reserved(c, tx, bt, story)
    rule = SET_ASIDE if story.aside else RULES.get((bt.type, bt.category))
    returns = COMES_BACK_AS.get(rule.purpose) if rule is not None else None
    if story.legs or returns is None:
        return story
    rows = await editions.gone_back(tx, c.id, bt)
    mine = [row for row in rows if row.purpose == returns]
    legs = leg_in(mine[0]) if mine else ()
    return replace(story, legs=legs, customer_id=None, unapplied=None) if legs else story


async def legs_of_movement(c: Connected, bt: BalanceTransaction) -> tuple[Leg, ...]:
    """The legs of a movement without a flow of its own."""
    if is_reserve(bt):
        return await _reserved_before(c, bt) if bt.amount.minor > 0 else ()
    return await legs_before(c, bt, Purpose.TOPUP) if is_transfer(bt) else ()


async def _reserved_before(c: Connected, bt: BalanceTransaction) -> tuple[Leg, ...]:
    """Where the opening entry has put what Stripe held aside then."""
    opening = await opened(c, bt.amount.currency)
    held = Money.zero(bt.amount.currency) if opening is None else opening.position.reserved
    legs = await opening_legs(c, bt.amount.currency, Role.RESERVE)
    return tuple(back(one, held) for one in legs)


async def _reserved(
    c: Connected, tx: AsyncConnection, bt: BalanceTransaction, story: Story
) -> Story:
    """The story with every place where something of the reserves stands, or is planned to.

    Stripe's releases name no hold. One at a time, or two would be taken off the same hold. A hold
    goes by the mapping, unless releases that came after it are in the books already.
    """
    code, nothing = bt.amount.currency, Money.zero(bt.amount.currency)
    await one_at_a_time(tx, f"{c.id}/planning/{Purpose.RESERVE}/{code}")
    holds = bt.amount.minor < 0
    if holds and not await editions.gone_back(tx, c.id, bt, purpose=Purpose.RESERVE):
        return story
    stood = {back(one, nothing): one.amount for one in story.legs}
    for one in await editions.standing_places(tx, c.id, Purpose.RESERVE, code, besides=bt.id):
        place = Leg(one.account, one.subaccount, one.branch, nothing)
        stood[place] = stood.get(place, nothing) + Money(one.minor, code)
    return replace(story, legs=tuple(back(place, amount) for place, amount in stood.items()))


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
