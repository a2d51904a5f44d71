"""What an undo takes in, in which order, and what stands in its way: from our rows alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, StripeId, erp_ref, in_words
from ml_connector.basics.money import Money
from ml_connector.books.editions import edition_of
from ml_connector.books.guardian import Edit, restorable
from ml_connector.books.legs import places
from ml_connector.books.postings import Journal, Posting, Purpose, State, Voiding, posting_key
from ml_connector.books.undo import (
    REST_ON_A_CHARGE,
    CannotUndo,
    Stands,
    effect,
    rank,
    reversal,
)
from ml_connector.flows.rows import document
from ml_connector.store import editions, fees, findings, payouts, postings, reports, transactions
from ml_connector.store.engine import Store
from ml_connector.store.findings import Decision, Finding
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import to_json
from ml_connector.store.transactions import BalanceTransactionRow, TransactionState

CAME_IN = frozenset({Purpose.PAYMENT, Purpose.SUSPENSE, Purpose.TOPUP})
"""What the first movement of a story is for where its money came in."""
CHARGE = re.compile(r"\b(?:ch|py)_\w+")


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be undone: a number of either side, a mapping version, or a range of days.

    `along` takes with it what rests on it; `skip` leaves out what cannot be undone;
    `others` voids even what somebody else has booked; `anew` says that it is posted again at once,
    so what rests on it stays, and so does a fee that the journal of its payout carries.
    """

    number: str = ""
    mapping_version: int | None = None
    first: date | None = None
    last: date | None = None
    along: bool = False
    skip: bool = False
    others: bool = False
    anew: bool = False

    @property
    def named(self) -> str:
        """The choice in words."""
        if self.number:
            return self.number
        if self.mapping_version is not None:
            return f"mapping version {self.mapping_version}"
        return f"documents dated {self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Item:
    """One document and the one that will reverse it; `adopted` stands there by a person's hand."""

    stands: Stands
    reverses: Posting
    mapping_version: int | None
    created: datetime
    adopted: Finding | None = None


@dataclass(frozen=True, slots=True)
class Undoing:
    """What an undo will do, in its order, and what it will not do and why."""

    choice: Choice
    items: Sequence[Item]
    transactions: Sequence[BalanceTransactionRow]
    refused: Sequence[str]
    unproven: Sequence[StripeId]

    @property
    def shared(self) -> list[Item]:
        """The journals among them that carry the fees of a whole payout."""
        return [one for one in self.items if one.stands.purpose == Purpose.FEES_OF_PAYOUT]

    @property
    def keys(self) -> list[PostingKey]:
        """The keys of the reversing documents, in their order."""
        return [item.reverses.key for item in self.items]

    @property
    def effects(self) -> dict[tuple[str, str], Money]:
        """What the reversing documents change, by account and currency; debits are positive."""
        sums: dict[tuple[str, str], Money] = {}
        for item in self.items:
            for account, amount in effect(item.stands.document):
                at = (account, amount.currency)
                sums[at] = sums.get(at, Money.zero(amount.currency)) - amount
        return {at: amount for at, amount in sorted(sums.items()) if amount}


class NothingToUndo(AskAPerson):
    """Nothing of what was named stands in the books."""


async def foresee(store: Store, connection: ConnectionId, choice: Choice) -> Undoing:
    """What an undo would do now, from our own rows alone; nothing is written.

    Raises NothingToUndo when the choice leads to no document.
    """
    async with store.transaction() as tx:
        return await Foresight(tx, connection, choice).all()


@dataclass(slots=True)
class Foresight:
    """Finds what an undo takes in, and what stands in its way."""

    tx: AsyncConnection
    id: ConnectionId
    choice: Choice
    locked: bool = False
    rows: dict[StripeId, BalanceTransactionRow] = field(
        default_factory=dict[StripeId, BalanceTransactionRow]
    )
    items: dict[StripeId, list[Item]] = field(default_factory=dict[StripeId, list[Item]])
    refused: list[str] = field(default_factory=list[str])
    resting: dict[str, list[PostingRow]] = field(default_factory=dict[str, list[PostingRow]])
    voids: list[PostingRow] = field(default_factory=list[PostingRow])
    shared: dict[PostingKey, Item] = field(default_factory=dict[PostingKey, Item])

    async def all(self) -> Undoing:
        """Everything at one moment; raises NothingToUndo."""
        await self._learn_what_rests()
        chosen = sorted(await self._chosen())
        while chosen or await self._left_with_others():
            for transaction in chosen:
                await self._take(transaction)
            chosen = await self._more()
        if not self.items and not self.refused:
            raise NothingToUndo(
                f"Nothing of {self.choice.named} stands in the books.",
                cause="undo.nothing",
                remedy="Look it up with `ml-connector explain`.",
            )
        ordered = sorted(
            (item for items in (*self.items.values(), self.shared.values()) for item in items),
            key=lambda one: (rank(one.stands.purpose), -one.created.timestamp(), one.stands.key),
        )
        kept = [self.rows[one] for one in sorted(self.items)]
        return Undoing(self.choice, ordered, kept, self.refused, await self._unproven(kept))

    async def _chosen(self) -> set[StripeId]:
        choice = self.choice
        if choice.mapping_version is not None:
            return set(await editions.made_by_mapping(self.tx, self.id, choice.mapping_version))
        if choice.first is not None and choice.last is not None:
            first, last = choice.first.isoformat(), choice.last.isoformat()
            return set(await editions.dated(self.tx, self.id, first, last))
        found: set[StripeId] = set()
        for one in await reports.look_up(self.tx, self.id, choice.number):
            if one.what == "transaction":
                found.add(StripeId(one.name))
            elif one.what == "posting":
                row = await postings.get(self.tx, self.id, PostingKey(one.name))
                found |= {row.transaction_id} if row is not None else set()
            elif one.what == "payout":
                inside = await transactions.of_payout(self.tx, self.id, StripeId(one.name))
                found |= {row.id for row in inside}
        return found

    async def _learn_what_rests(self) -> None:
        """The later documents by the charge that each of them names."""
        for row in await editions.with_purposes(self.tx, self.id, sorted(REST_ON_A_CHARGE)):
            if row.purpose == Purpose.VOID and row.taken:
                self.voids.append(row)
            for charge in set(CHARGE.findall(to_json(row.body))):
                self.resting.setdefault(charge, []).append(row)

    async def _take(self, transaction: StripeId) -> None:
        """One balance transaction as a whole, or the sentences why not."""
        if transaction in self.rows:
            return
        get = editions.locked if self.locked else transactions.get
        row = await get(self.tx, self.id, transaction)
        if row is None:
            await self._take_behind(transaction)
            return
        known = await postings.by_transaction(self.tx, self.id, transaction)
        taken = [
            one
            for one in known
            if one.taken and one.purpose != Purpose.UNDO and edition_of(one.key) == row.edition
        ]
        self.rows[transaction] = row
        if row.state is TransactionState.UNDONE:
            self.refused.append(f"{transaction} is undone already.")
        elif row.state is TransactionState.OPENING:
            self.refused.append(
                f"{transaction} moved before our books began: it is in the opening position."
            )
        elif taken:
            try:
                self.items[transaction] = [await self._item(row.created, one) for one in taken]
            except CannotUndo as why:
                self.refused.append(f"{transaction} is left as it is: {why.sentence}")

    async def _take_behind(self, subject: StripeId) -> None:
        """What stands for many: those whose fees the journal of a payout carries."""
        if subject.startswith(f"{Purpose.OPENING}:"):
            self.refused.append(f"{subject} is the opening position: everything since rests on it.")
        for one in await fees.carried_by(
            self.tx, self.id, posting_key(Purpose.FEES_OF_PAYOUT, subject)
        ):
            await self._take(one.id)

    async def _item(self, created: datetime, one: PostingRow) -> Item:
        """How one document is reversed; raises CannotUndo."""
        if one.state is not State.VERIFIED or one.erp_type is None or one.erp_number is None:
            raise CannotUndo(f"Its document {one.key} is {one.state}: let it finish first.")
        ref = erp_ref(one.erp_type, one.erp_number)
        paper = document(one)
        stands = Stands(one.key, one.purpose, one.transaction_id, ref, paper, one.clearing)
        finding = await findings.current(self.tx, self.id, one.key)
        voided = finding is not None and Edit.VOIDED in finding.edits
        reverses = reversal(stands, voided=voided, others=self.choice.others)
        if isinstance(reverses.document, Voiding) and self._voided(ref):
            raise CannotUndo(f"{in_words(ref)} was taken back by the bank and is voided.")
        adopted = _adopted(finding)
        if adopted is not None and isinstance(reverses.document, Journal):
            day = date.fromisoformat(str((adopted.seen or {})["day"]))
            reverses = replace(reverses, document=replace(reverses.document, day=day))
        return Item(stands, reverses, one.mapping_version, created, adopted)

    def _voided(self, payment: ErpRef) -> bool:
        return any(row.body.get("payment") == payment for row in self.voids)

    async def _left_with_others(self) -> bool:
        """Takes in the journals of payouts' fees; whether one stands with others, and its members.

        Its sum cannot be parted: it goes as a whole with everybody in it, or nobody goes.
        """
        self.shared.clear()
        if self.choice.anew:
            return False
        keys = {self.rows[one].fee_key for one in self.items}
        left = [await self._takes_along(key) for key in sorted(key for key in keys if key)]
        return any(not taken for taken in left)

    async def _takes_along(self, key: PostingKey) -> bool:
        journal = await postings.get(self.tx, self.id, key)
        members = [one.id for one in await fees.carried_by(self.tx, self.id, key)]
        whole = [one for one in members if one not in self.items and await self._has_papers(one)]
        if journal is not None and not whole:
            try:
                created = min(self.rows[one].created for one in members if one in self.items)
                self.shared[key] = await self._item(created, journal)
            except CannotUndo as why:
                self._leave(members, why.sentence)
                return False
            return True
        payout = key.partition(":")[2]
        self._leave(
            members,
            f"its fee stands with others' in {key} of the payout {payout}; undo them together:"
            f" ml-connector undo {key}.",
        )
        return False

    async def _has_papers(self, transaction: StripeId) -> bool:
        known = await postings.by_transaction(self.tx, self.id, transaction)
        row = await transactions.get(self.tx, self.id, transaction)
        edition = 1 if row is None else row.edition
        return any(one.taken and edition_of(one.key) == edition for one in known)

    def _leave(self, members: Sequence[StripeId], why: str) -> None:
        for one in members:
            if self.items.pop(one, None) is not None:
                self.refused.append(f"{one} is left as it is: {why}")

    async def _more(self) -> list[StripeId]:
        """What rests on the movements taken in: taken along next, or it stands in the way."""
        more: set[StripeId] = set()
        for transaction in list(self.items):
            on = await self._on(transaction)
            resting = [one for one in on if one.transaction_id not in self.items]
            known = any(one.transaction_id in self.rows for one in resting)
            if resting and (known or not self.choice.along):
                names = ", ".join(_with_number(one) for one in resting)
                self.refused.append(f"{transaction} is left as it is: {names} rests on it.")
                del self.items[transaction]
            else:
                more |= {one.transaction_id for one in resting}
        return sorted(more)

    async def _on(self, transaction: StripeId) -> list[PostingRow]:
        """The later documents of other movements that rest on one: none when it is posted anew.

        What came in is where money goes back of; what went out is where it comes back to.
        """
        row, found = self.rows[transaction], list[PostingRow]()
        purposes = {item.stands.purpose for item in self.items[transaction]}
        came_in, went_out = purposes & CAME_IN and row.amount_minor > 0, row.amount_minor < 0
        if self.choice.anew or not (came_in or went_out):
            return []
        if came_in:
            found += [one for one in self.resting.get(row.source or "", []) if one.taken]
        elif Purpose.RESERVE in purposes:
            found += await self._released(transaction)
        found += await editions.gone_back(self.tx, self.id, row)
        others = {one.key: one for one in found if one.transaction_id != transaction}
        return [others[key] for key in sorted(others)]

    async def _released(self, hold: StripeId) -> list[PostingRow]:
        """The later releases of reserves that were taken off the place of a hold."""
        papers = [(item.stands.document, item.stands.clearing) for item in self.items[hold]]
        held = {at for paper, moved in papers for at in places(paper, moved)}
        row, why = self.rows[hold], Purpose.RESERVE
        later = await editions.gone_back(self.tx, self.id, row, purpose=why)
        return [one for one in later if held & places(document(one), one.clearing)]

    async def _unproven(self, rows: Sequence[BalanceTransactionRow]) -> list[StripeId]:
        """The proven payouts that lose their proof."""
        found: set[StripeId] = set()
        for row in rows:
            for name in (row.payout, row.source):
                payout = await payouts.get(self.tx, self.id, name) if name else None
                if payout is not None and payout.proven_at is not None:
                    found.add(payout.id)
        return sorted(found)


def _with_number(row: PostingRow) -> str:
    return f"{row.key} ({row.erp_type} {row.erp_number})"


def _adopted(finding: Finding | None) -> Finding | None:
    """A person's own reversal, which is taken as ours; raises CannotUndo for other changes."""
    if finding is None or not finding.grade.asks or _takes_back_all(finding):
        return None
    if not restorable(finding.edits) or (finding.other and "," in finding.other):
        raise CannotUndo(
            f"{in_words(finding.document)} was changed by people (finding {finding.id});"
            " settle that first."
        )
    return finding if Edit.REVERSED in finding.edits else None


def _takes_back_all(finding: Finding) -> bool:
    """Whether voiding still takes back everything: an accepted change of a payment that stands."""
    return (
        finding.state is Decision.ACCEPTED
        and finding.document.startswith("Payment|")
        and not finding.missing
        and Edit.REENTERED not in finding.edits
    )
