"""The chain of a number: from one record to all that belong to it, each once, both ways.

customer - invoices - payments - what was given back of them - fees - payouts - the bank
"""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef
from ml_connector.books.postings import settles
from ml_connector.flows.mirror.mirrored import CUSTOMER
from ml_connector.flows.rows import document
from ml_connector.store import chains
from ml_connector.store.links import Link
from ml_connector.store.payouts import PayoutRow
from ml_connector.store.postings import PostingRow
from ml_connector.store.reports import Found
from ml_connector.store.transactions import BalanceTransactionRow


class Chain:
    """Walks over stored rows alone; each step asks for a whole set, and for nothing twice."""

    def __init__(self, tx: AsyncConnection, connection: ConnectionId) -> None:
        self._tx = tx
        self._id = connection
        self._asked: set[tuple[str, str]] = set()
        self.links: dict[str, Link] = {}
        self.transactions: dict[str, BalanceTransactionRow] = {}
        self.postings: dict[str, PostingRow] = {}
        self.payouts: dict[str, PayoutRow] = {}

    @property
    def names(self) -> set[str]:
        """Every name under which a job may look at one of the records."""
        found = {*self.transactions, *self.payouts}
        found |= {row.source for row in self.transactions.values() if row.source}
        return found | {link.erp_ref for link in self.links.values()}

    async def begin(self, found: Sequence[Found]) -> None:
        """Takes in what a look-up gave, and nothing else."""
        named = {what: [one.name for one in found if one.what == what] for what in KINDS}
        self._take_links(await chains.links_of(self._tx, self._id, refs=named["link"]))
        self._take_transactions(
            await chains.transactions_of(self._tx, self._id, ids=named["transaction"])
        )
        self._take_postings(await chains.postings_of(self._tx, self._id, keys=named["posting"]))
        self._take_payouts(await chains.payouts_of(self._tx, self._id, named["payout"]))

    async def near(self) -> None:
        """What a number stands for: its documents, their transactions, and what holds these."""
        for step in (self._payments, self._moves, self._documents, self._ends, self._settled):
            await step()

    async def whole(self) -> None:
        """All that hangs together with it: what is inside it, then every way to both ends.

        Only of the number's own customer, payouts and batches of fees is everything inside taken
        in: through those, all money would hang together.
        """
        await self._moves()
        await self._inside()
        steps = (
            self._payments, self._moves, self._given_back, self._documents, self._ends,
            self._settled, self._customers,
        )  # fmt: skip
        while sum([await step() for step in steps]):
            pass

    async def _inside(self) -> None:
        customers = {one.erp_ref for one in self.links.values() if one.kind == CUSTOMER}
        own = {row.source for row in self.transactions.values() if row.source}
        self._take_payouts(await chains.payouts_of(self._tx, self._id, own))
        self._take_links(await chains.links_of(self._tx, self._id, customers=customers))
        self._take_transactions(
            await chains.transactions_of(
                self._tx, self._id, inside=[*self.payouts], fee_keys=[*self.postings]
            )
        )

    async def _payments(self) -> bool:
        """From invoices to the payments that settle them."""
        refs = self._new("payments", (link.erp_ref for link in self.links.values()))
        self._take_postings(await chains.payments_settling(self._tx, self._id, refs))
        return bool(refs)

    async def _moves(self) -> bool:
        """From documents to the transactions that they are for."""
        ids = self._new("moves", (row.transaction_id for row in self.postings.values()))
        self._take_transactions(await chains.transactions_of(self._tx, self._id, ids=ids))
        return bool(ids)

    async def _given_back(self) -> bool:
        """From a payment to what was given back of it, from that to the payment; to a transfer."""
        rows = self.transactions.values()
        objects = [*self.payouts, *(one for row in rows for one in (row.source, row.charge) if one)]
        objects += [link.stripe_id for link in self.links.values()]
        new = self._new("objects", objects)
        self._take_transactions(await chains.transactions_of(self._tx, self._id, objects=new))
        return bool(new)

    async def _documents(self) -> bool:
        """From transactions to their documents, and to that which carries their fee."""
        subjects = self._new("documents", self.transactions)
        keys = (row.fee_key for row in self.transactions.values() if row.fee_key)
        carrying = self._new("keys", keys)
        self._take_postings(
            await chains.postings_of(self._tx, self._id, keys=carrying, subjects=subjects)
        )
        return bool(subjects or carrying)

    async def _ends(self) -> bool:
        """To the payouts that hold the transactions, or that documents are for."""
        ids = {row.payout for row in self.transactions.values() if row.payout}
        ids |= {row.source for row in self.transactions.values() if row.source}
        ids |= {row.transaction_id for row in self.postings.values()}
        new = self._new("payouts", ids)
        self._take_payouts(await chains.payouts_of(self._tx, self._id, new))
        return bool(new)

    async def _settled(self) -> bool:
        """From payments to what they settle."""
        return await self._take_refs(one for row in self.postings.values() for one in _settled(row))

    async def _customers(self) -> bool:
        """From invoices to their customers."""
        details = (link.detail for link in self.links.values() if link.kind != CUSTOMER)
        return await self._take_refs(
            str(one["customer_id"]) for one in details if "customer_id" in one
        )

    async def _take_refs(self, refs: Iterable[str]) -> bool:
        new = self._new("refs", refs)
        self._take_links(await chains.links_of(self._tx, self._id, refs=new))
        return bool(new)

    def _new(self, what: str, names: Iterable[str]) -> list[str]:
        """The names that this step has not asked for yet."""
        fresh = sorted({name for name in names if (what, name) not in self._asked})
        self._asked |= {(what, name) for name in fresh}
        return fresh

    def _take_links(self, rows: Iterable[Link]) -> None:
        for row in rows:
            self.links.setdefault(f"{row.kind}:{row.stripe_id}", row)

    def _take_transactions(self, rows: Iterable[BalanceTransactionRow]) -> None:
        for row in rows:
            self.transactions.setdefault(row.id, row)

    def _take_postings(self, rows: Iterable[PostingRow]) -> None:
        for row in rows:
            self.postings.setdefault(row.key, row)

    def _take_payouts(self, rows: Iterable[PayoutRow]) -> None:
        for row in rows:
            self.payouts.setdefault(row.id, row)


KINDS = ("link", "transaction", "posting", "payout")
"""What a look-up may find."""


def _settled(row: PostingRow) -> list[ErpRef]:
    """The ERP documents that a stored payment settles, or was to settle."""
    return settles(document(row))
