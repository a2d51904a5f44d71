"""The signed proof of a payout: gathered from our own rows, sealed line by line."""

from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_keys, erp_ref
from ml_connector.basics.money import Money, total
from ml_connector.books.certificate import (
    FORMAT,
    Around,
    Certificate,
    Document,
    Entry,
    LastTieOut,
    carried_by,
    lines,
)
from ml_connector.books.entries import On, sides
from ml_connector.books.opening_paper import FORMAT as OPENING
from ml_connector.books.opening_paper import recount_opening
from ml_connector.books.postings import ArPayment, ArRefund, Purpose, State, Voiding
from ml_connector.books.proof import Carried, Proof
from ml_connector.books.recount import recount
from ml_connector.books.sealed import Paper, format_of, opened, sealed
from ml_connector.flows.cash.payouts import try_proof
from ml_connector.flows.connected import Connected
from ml_connector.flows.promise.opening import opening_shares
from ml_connector.flows.rows import clearing_account, document
from ml_connector.store import clearing, fees, payouts, postings, tie_outs
from ml_connector.store.postings import PostingRow
from ml_connector.vault.signing import SigningKey, genuine

RECOUNTS = {FORMAT: recount, OPENING: recount_opening}
"""How the sums of each kind of paper are computed again."""


async def certificate(c: Connected, payout_id: StripeId) -> Certificate | None:
    """Everything that the paper of a payout says, from our own rows; None when never seen."""
    proof = await try_proof(c, payout_id)
    async with c.store.transaction() as tx:
        row = await payouts.get(tx, c.id, payout_id)
        if row is None or proof is None:
            return None
        papers = await _documents(c, tx, proof)
        return Certificate(
            connection=c.id,
            proof=proof,
            arrival=row.arrival_date,
            at=c.clock.now(),
            documents=tuple(papers),
            around=await _around(c, tx, proof, papers),
            tie_out=await _last_tie_out(c, tx, proof.amount.currency),
            mappings=tuple(sorted({one.mapping_version or 0 for one in papers})),
        )


def signed(paper: Certificate, key: SigningKey) -> str:
    """The paper as a signed JSON text."""
    return sealed(FORMAT, paper.name, key.public, lines(paper), key.sign)


def checked(text: str) -> Paper:
    """Reads a signed paper of any kind and checks signatures and sums, without any installation.

    The complaints name the line. Raises NotAPaper, and BadPublicKey for a key that is none.
    """
    said = format_of(text)
    kind = said if said in RECOUNTS else FORMAT
    paper = opened(text, kind, genuine)
    found = (*paper.complaints, *RECOUNTS[kind](paper.lines))
    return replace(paper, complaints=found)


async def arrived(c: Connected, since: date | None) -> list[StripeId]:
    """The payouts that arrive on a day or later, all by default; the first to arrive first."""
    async with c.store.statement() as tx:
        rows = await payouts.every(tx, c.id)
    chosen = [row for row in reversed(rows) if since is None or row.arrival_date >= since]
    return [row.id for row in chosen]


async def _documents(c: Connected, tx: AsyncConnection, proof: Proof) -> list[Document]:
    taken = {one.key: one.missing for one in proof.changed}
    found: list[Document] = []
    for one in carried_by(proof.every):
        row = await postings.get(tx, c.id, one.key)
        here = total((share for share in _shares(proof, one.key)), proof.amount.currency)
        if row is None:
            found.append(_held_before(one, here))
            continue
        paper = await described(c, tx, row)
        whole = await _shared_whole(c, tx, row)
        if whole is not None:
            paper = replace(paper, for_others=whole - here)
        elif one.key in taken:
            paper = replace(paper, taken_off=taken[one.key])
        found.append(paper)
    return found


def _shares(proof: Proof, key: PostingKey) -> list[Money]:
    """What the members of a payout have of a document."""
    return [one.clearing for member in proof.every for one in member.carried if one.key == key]


async def _shared_whole(c: Connected, tx: AsyncConnection, row: PostingRow) -> Money | None:
    """The stored shares of all movements in a document; None where it is of one alone."""
    if row.purpose == Purpose.FEES_OF_PAYOUT:
        return -await fees.shares(tx, c.id, row.key, row.currency)
    if row.purpose == Purpose.OPENING:
        return await opening_shares(c, tx, row)
    return None


def _held_before(one: Carried, here: Money) -> Document:
    """What the ledger held when our books began, so that no entry was made."""
    nothing = Money.zero(here.currency)
    return Document(
        key=one.key,
        ref=None,
        state=one.state,
        effect=nothing,
        read_back=one.read_back,
        verified_at=None,
        mapping_version=None,
        entries=(),
        for_others=-here,
        taken_off=nothing,
    )


async def described(c: Connected, tx: AsyncConnection, row: PostingRow) -> Document:
    """A document of ours as a paper tells it."""
    nothing = Money.zero(row.currency)
    ref: ErpRef | None = None
    if row.erp_type is not None and row.erp_number is not None:
        ref = erp_ref(row.erp_type, row.erp_number)
    return Document(
        key=row.key,
        ref=ref,
        state=State(row.state),
        effect=row.clearing,
        read_back=row.read_back_hash or "",
        verified_at=row.verified_at,
        mapping_version=row.mapping_version,
        entries=tuple(await _entries(c, tx, row)),
        for_others=nothing,
        taken_off=nothing,
    )


async def _entries(c: Connected, tx: AsyncConnection, row: PostingRow) -> list[Entry]:
    """What a document does to each account; the read-back has found it to be so."""
    paper = document(row)
    own = clearing_account(row, c.mapping)
    found: list[Entry] = []
    for side in sides(paper):
        if side.on is On.ACCOUNT:
            found.append(Entry(side.name, side.amount, side.name == own))
            continue
        name = side.name or await _undone_side(c, tx, row, side.on)
        if side.on is On.CASH:
            found.append(Entry(name, side.amount, row.clearing == side.amount))
        else:
            found.append(Entry(f"AR of {name}", side.amount, clearing=False))
    return _added_up(found)


async def _undone_side(c: Connected, tx: AsyncConnection, row: PostingRow, on: On) -> str:
    """The cash account or the customer of the payment that a voiding undoes."""
    paper = document(row)
    if isinstance(paper, Voiding):
        for undone in await postings.by_erp(tx, c.id, *erp_keys(paper.payment)):
            first = document(undone)
            if isinstance(first, ArPayment | ArRefund):
                return first.cash_account if on is On.CASH else first.customer_id
    return ""


def _added_up(entries: list[Entry]) -> list[Entry]:
    """One entry for each account; those that cancel out are left out."""
    found: dict[str, Entry] = {}
    for one in entries:
        known = found.get(one.account)
        amount = one.amount if known is None else known.amount + one.amount
        found[one.account] = Entry(one.account, amount, one.clearing)
    return [one for one in found.values() if one.amount]


async def _around(
    c: Connected, tx: AsyncConnection, proof: Proof, papers: list[Document]
) -> Around | None:
    """Clearing before and after the transfer; None before the transfer was read back."""
    if proof.transfer is None or proof.gap_of(proof.transfer):
        return None
    keys = {one.key for one in proof.transfer.carried}
    moments = [one.verified_at for one in papers if one.key in keys and one.verified_at]
    if not moments:
        return None
    currency = proof.amount.currency
    return Around(await clearing.before(tx, c.id, currency, min(moments)), proof.transfer.net)


async def _last_tie_out(c: Connected, tx: AsyncConnection, currency: str) -> LastTieOut | None:
    for one in await tie_outs.recent(tx, c.id, currency, limit=1):
        return LastTieOut(one.at, one.clearing, one.stripe, one.named, one.difference)
    return None
