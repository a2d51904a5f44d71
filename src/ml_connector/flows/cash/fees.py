"""Fees that wait for their payout: who carries each, decided once and never twice.

Booking a transaction and composing a payout hold the transaction's row while they decide, so that
a fee is either among the transaction's own documents or in one payout's journal, whatever the
policy is at either moment.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.clock import day_in
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import total
from ml_connector.books import rules
from ml_connector.books.fees import Kept, fees_of_payout
from ml_connector.books.mapping import Mapping
from ml_connector.books.policies import FeesPosted
from ml_connector.books.postings import Purpose, posting_key
from ml_connector.books.records import BalanceTransaction, Payout
from ml_connector.books.rules import Story
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import posting_row
from ml_connector.flows.writing.carry_out import carry_out
from ml_connector.flows.writing.editions import standing_of
from ml_connector.store import fees, postings
from ml_connector.store.transactions import BalanceTransactionRow


def followed(c: Connected) -> Mapping:
    """The mapping as far as the endpoint can follow it: an older one knows no payment charges."""
    policies = c.mapping.policies
    rides = policies.fees is FeesPosted.PAYMENT_CHARGE
    if not rides or c.acumatica.version.supports("Payment.Charges"):
        return c.mapping
    return replace(c.mapping, policies=replace(policies, fees=FeesPosted.TRANSACTION))


async def with_its_fee(
    c: Connected, tx: AsyncConnection, bt: BalanceTransaction, story: Story
) -> Story:
    """The story with what is decided of the fee; the transaction's row is held from here on."""
    row = await fees.hold(tx, c.id, bt.id)
    if row is None:
        return story
    rides = story.booked is not None and story.booked.charges
    if row.fee_key and not (rides and row.fee_key == fees.NOBODY):
        return replace(story, fee_apart=True)
    return replace(story, fee_apart=False) if row.payout is not None else story


async def remember(c: Connected, tx: AsyncConnection, bt: BalanceTransaction) -> None:
    """Stores whether the documents as they are planned now leave the fee to a payout."""
    row = await fees.hold(tx, c.id, bt.id)
    if row is None or row.fee_key or not (bt.fee and bt.amount):
        return
    planned = await standing_of(c, tx, bt.id)
    whole = total((one.clearing for one in planned), bt.amount.currency)
    await fees.carry(tx, c.id, [bt.id], fees.NOBODY if whole == bt.amount else None)


async def take_of_members(
    c: Connected, tx: AsyncConnection, payout: Payout, ids: Sequence[StripeId]
) -> None:
    """Plans the journal of the fees of a payout's members that nobody else carries."""
    await _take(c, tx, payout, await fees.hold_members(tx, c.id, ids))


async def take_of_available(c: Connected, payout: Payout) -> None:
    """Plans that of a payout whose members Stripe does not name: by what could be in it."""
    async with c.store.transaction() as tx:
        if await postings.get(tx, c.id, posting_key(Purpose.FEES_OF_PAYOUT, payout.id)) is None:
            code, until = payout.amount.currency, payout.created
            await _take(c, tx, payout, await fees.hold_available(tx, c.id, code, until))


async def _take(
    c: Connected, tx: AsyncConnection, payout: Payout, rows: Sequence[BalanceTransactionRow]
) -> None:
    planned = await fees.planned_among(tx, c.id, [row.id for row in rows])
    found = [_kept(c, row) for row in rows if _is_free(c, row, planned=row.id in planned)]
    members = [one for one in found if one is not None]
    if not members:
        return
    posting = fees_of_payout(payout, members, c.mapping)
    await postings.plan(tx, [posting_row(c.id, posting, c.mapping.version)], now=c.clock.now())
    await fees.carry(tx, c.id, [one.transaction.id for one in members], posting.key)


def _is_free(c: Connected, row: BalanceTransactionRow, *, planned: bool) -> bool:
    """Whether a payout may take the fee: left to it when booked, or not booked at all yet."""
    if row.fee_key is not None:
        return True
    in_time = day_in(row.created, c.mapping.zone) >= c.record.start_date
    return c.mapping.policies.fees is FeesPosted.PAYOUT and in_time and not planned


def _kept(c: Connected, row: BalanceTransactionRow) -> Kept | None:
    """The fee of a stored transaction; None of one that bears it itself."""
    transaction = msgspec.convert(row.body, BalanceTransaction)
    if not rules.fee_may_wait(transaction, c.mapping):
        return None
    return Kept(transaction, rules.fee_role(transaction, c.mapping))


async def carry_out_of(c: Connected, payout: StripeId) -> None:
    """Brings the journal of a payout's fees into the ledger, where there is one."""
    key = posting_key(Purpose.FEES_OF_PAYOUT, payout)
    async with c.store.statement() as tx:
        row = await postings.get(tx, c.id, key)
    if row is not None:
        await carry_out(c, key)
