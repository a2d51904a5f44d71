"""Any number, explained: what bears it, how far it is, and the chain both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.flows.intake import look_all
from ml_connector.flows.mirror.left_out import why_left_out
from ml_connector.flows.questions.chain import Chain
from ml_connector.flows.repair.undo import looks_at, note_owed_again, owe_again
from ml_connector.flows.signals import Kind, Look
from ml_connector.store import findings, postings, reports, transactions, troubles
from ml_connector.store.engine import Store
from ml_connector.store.findings import Finding
from ml_connector.store.links import Link
from ml_connector.store.payouts import PayoutRow
from ml_connector.store.postings import PostingRow
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState
from ml_connector.store.troubles import Trouble


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that hangs together with a number: both sides, documents and troubles."""

    number: str
    links: Sequence[Link]
    transactions: Sequence[BalanceTransactionRow]
    postings: Sequence[PostingRow]
    payouts: Sequence[PayoutRow]
    troubles: Sequence[Trouble]
    left_out: str = ""
    """Why the mirror leaves it out by the firm's own choice; empty when it does not."""
    findings: Sequence[Finding] = ()

    @property
    def empty(self) -> bool:
        """Whether nobody knows the number."""
        known = self.links or self.transactions or self.postings or self.payouts
        return not (known or self.left_out)


async def explain(store: Store, connection: ConnectionId, number: str) -> Explanation:
    """The whole chain of a number (invoice, charge, payout, document), from our own rows alone."""
    return await _explained(store, connection, number, whole=True)


async def _explained(
    store: Store, connection: ConnectionId, number: str, *, whole: bool
) -> Explanation:
    """All that hangs together with a number, or only what the number stands for."""
    async with store.transaction() as tx:
        chain = Chain(tx, connection)
        await chain.begin(await reports.look_up(tx, connection, number))
        await (chain.whole() if whole else chain.near())
        waiting = [
            one
            for one in await troubles.open_ones(tx, connection)
            if one.resource in chain.names or one.resource == number
        ]
        changed = await findings.of_keys(
            tx, connection, [PostingKey(key) for key in chain.postings]
        )
        left_out = await why_left_out(tx, connection, number)
    return Explanation(
        number,
        list(chain.links.values()),
        sorted(chain.transactions.values(), key=lambda row: (row.created, row.id)),
        list(chain.postings.values()),
        list(chain.payouts.values()),
        waiting,
        left_out,
        changed,
    )


async def replay(
    store: Store, connection: ConnectionId, number: str, *, now: datetime, actor: str = "replay"
) -> list[Look]:
    """Queues a new look at everything that a number stands for; returns what was queued.

    What was undone is owed again from then on: of a payout, everything inside it, too. A document
    that an accountant has deleted or voided is made anew: nothing else asks for that.
    """
    chain = await _explained(store, connection, number, whole=False)
    looks = {Look(Kind(one.kind), one.resource) for one in chain.troubles}
    looks |= looks_at(chain.transactions)
    looks |= {Look(Kind.PAYOUT, row.id) for row in chain.payouts}
    looks |= {Look(Kind.INVOICE, one.erp_ref) for one in chain.links if one.kind == "invoice"}
    looks |= {Look(Kind.CUSTOMER, one.erp_ref) for one in chain.links if one.kind == "customer"}
    async with store.transaction() as tx:
        rows = await _undone(tx, connection, number, chain)
        again = await owe_again(tx, connection, rows, now)
        looks |= looks_at(again)
        for row in chain.postings:
            if row.gone:
                await postings.make_anew(tx, connection, row.key)
        await look_all(tx, connection, looks)
        await note_owed_again(tx, connection, again, actor, now)
    return sorted(looks)


async def _undone(
    tx: AsyncConnection, connection: ConnectionId, number: str, chain: Explanation
) -> list[BalanceTransactionRow]:
    """What was undone of a number: of a payout, everything inside it, too."""
    rows = list(chain.transactions)
    if any(one.id == number for one in chain.payouts):
        rows += await transactions.of_payout(tx, connection, StripeId(number))
    return [row for row in rows if row.state is TransactionState.UNDONE]
