"""Any number, explained: what bears it, how far it is, and the chain both ways."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, StripeId
from ml_connector.books.postings import ArPayment
from ml_connector.flows.intake import look_all
from ml_connector.flows.mirror.left_out import why_left_out
from ml_connector.flows.repair.undo import looks_at, note_owed_again, owe_again
from ml_connector.flows.rows import document
from ml_connector.flows.signals import Kind, Look
from ml_connector.flows.writing.by_hand import GONE
from ml_connector.store import findings, links, payouts, postings, reports, transactions, troubles
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
    """The chain of a number (invoice, charge, payout, document, tag), from our own rows alone."""
    async with store.transaction() as tx:
        chain = _Chain(tx, connection)
        for found in await reports.look_up(tx, connection, number):
            await chain.add(found.what, found.name)
        await chain.follow()
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


class _Chain:
    """Walks from one record to all that belong to it, each once."""

    def __init__(self, tx: AsyncConnection, connection: ConnectionId) -> None:
        self._tx = tx
        self._id = connection
        self.links: dict[str, Link] = {}
        self.transactions: dict[str, BalanceTransactionRow] = {}
        self.postings: dict[str, PostingRow] = {}
        self.payouts: dict[str, PayoutRow] = {}

    @property
    def names(self) -> set[str]:
        """Every name under which a job may look at one of the records."""
        found = {*self.transactions, *self.payouts}
        found |= {row.source for row in self.transactions.values() if row.source}
        found |= {link.erp_ref for link in self.links.values()}
        return found

    async def add(self, what: str, name: str) -> None:
        """Takes one record in, by the kind and name that a look-up gave."""
        match what:
            case "link":
                kinds = ("customer", "invoice", "former", "intent", "besides")
                for kind in kinds:
                    for link in await links.by_erp(self._tx, self._id, kind, ErpRef(name)):
                        self.links[f"{kind}:{link.stripe_id}"] = link
            case "transaction":
                row = await transactions.get(self._tx, self._id, StripeId(name))
                if row is not None:
                    self.transactions[row.id] = row
            case "posting":
                posting = await postings.get(self._tx, self._id, PostingKey(name))
                if posting is not None:
                    self.postings[posting.key] = posting
            case _:
                payout = await payouts.get(self._tx, self._id, StripeId(name))
                if payout is not None:
                    self.payouts[payout.id] = payout

    async def follow(self) -> None:
        """From documents to their transactions and back, and to the payouts that hold them."""
        for link in list(self.links.values()):
            for key in await reports.payments_of(self._tx, self._id, link.erp_ref):
                await self.add("posting", key)
        for posting in list(self.postings.values()):
            await self.add("transaction", posting.transaction_id)
            await self.add("payout", posting.transaction_id)
        for row in list(self.transactions.values()):
            for posting in await postings.by_transaction(self._tx, self._id, row.id):
                self.postings[posting.key] = posting
            if row.fee_key:
                await self.add("posting", row.fee_key)
            if row.payout is not None:
                await self.add("payout", row.payout)
        for key in list(self.postings):
            for ref in _documents(self.postings[key]):
                await self.add("link", ref)


def _documents(row: PostingRow) -> list[ErpRef]:
    """The ERP documents that a stored payment settles."""
    paper = document(row)
    if not isinstance(paper, ArPayment):
        return []
    return [one.document for one in paper.applications]


async def replay(
    store: Store, connection: ConnectionId, number: str, *, now: datetime, actor: str = "replay"
) -> list[Look]:
    """Queues a new look at everything that a number stands for; returns what was queued.

    What was undone is owed again from then on: of a payout, everything inside it, too. A document
    that an accountant has deleted or voided is made anew: nothing else asks for that.
    """
    chain = await explain(store, connection, number)
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
            if row.failure and str(row.failure["cause"]).startswith(GONE):
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
