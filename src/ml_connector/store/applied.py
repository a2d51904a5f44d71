"""What our payments settle of one ERP document, by how far each of them has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import msgspec
from sqlalchemy import Select, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import IN_THE_LEDGER, Application, ArPayment, Purpose, State
from ml_connector.store.rows import JsonObject
from ml_connector.store.tables import links, postings

ON_THE_WAY = (State.SENDING, State.CREATED)
BESIDES = "besides"
"""The kind of link of a charge that settles documents without having paid a Stripe invoice."""


@dataclass(frozen=True, slots=True)
class Made:
    """A payment that Acumatica has and that is not in its ledger as far as we know."""

    ref: ErpRef
    amount: Money
    """What it settles of the document in question."""
    besides: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What our payments settle of one ERP document: in the ledger, and perhaps soon in it.

    Of what is `on_the_way` nobody can say whether it is in the ERP's balance. `besides` is the
    part of `in_the_ledger` that was not paid through a Stripe invoice, `claimed` what will be
    such a part, or was to be one, `coming` what Acumatica has of the others or may have;
    `returned` was paid through one, booked, and went back since (a bounced debit, a lost dispute).
    What a person has undone did not go back: it is paid and not booked, as before it was.
    """

    in_the_ledger: Money
    on_the_way: Money
    besides: Money
    returned: Money
    coming: Money
    claimed: Money
    made: tuple[Made, ...] = ()

    @property
    def still_moves(self) -> bool:
        """Whether a payment that we know of may still change the ERP's balance."""
        return bool(self.on_the_way or self.claimed or self.made)


async def applied_to(
    tx: AsyncConnection,
    connection: ConnectionId,
    ref: ErpRef,
    currency: str,
    *,
    besides: StripeId | None = None,
) -> Applied:
    """How much of an invoice our own payments settle, by how far they have come.

    One charge may be left out: `besides` it, so much is settled.
    """
    found = await _payments(tx, connection, ref, besides)
    ledger = [one for one in found if one.end is None and one.state in IN_THE_LEDGER]
    coming = [one for one in found if one.end is None and one.state not in IN_THE_LEDGER]
    leaving = [one for one in found if one.end is Undone.UNDER_WAY]
    back = [one for one in found if one.end is Undone.WENT_BACK and not one.besides]
    sent = [one for one in coming if one.state == State.SENDING]
    there = [one for one in coming if not one.besides and (one.ref or one in sent)]

    def money(*minor: int) -> Money:
        return Money(sum(minor), currency)

    return Applied(
        in_the_ledger=money(*(one.amount for one in ledger)),
        on_the_way=money(*(one.amount for one in (*leaving, *sent))),
        besides=money(*(one.amount for one in ledger if one.besides)),
        returned=money(*(one.amount for one in back)),
        coming=money(*(one.amount for one in (*leaving, *there))),
        claimed=money(
            await _claimed(tx, connection, ref, besides),
            *(one.more for one in ledger if one.besides),
            *(one.amount + one.more for one in coming if one.besides),
        ),
        made=tuple(
            Made(one.ref, money(one.amount), one.besides) for one in coming if one.ref is not None
        ),
    )


class Undone(Enum):
    """How far a payment is undone, and why."""

    UNDER_WAY = "under_way"
    BY_A_PERSON = "by_a_person"
    WENT_BACK = "went_back"


@dataclass(frozen=True, slots=True)
class _Payment:
    """A payment of ours for one document; minor units, `more` is what it was to settle besides."""

    state: State
    amount: int
    more: int
    ref: ErpRef | None
    besides: bool
    end: Undone | None


async def _payments(
    tx: AsyncConnection, connection: ConnectionId, ref: ErpRef, besides: StripeId | None
) -> list[_Payment]:
    rows = list(await tx.execute(_settling(connection, ref, besides)))
    found: list[_Payment] = []
    for state, body, kind, number, apart in rows:
        amount, more = _applied(body, ref)
        made = erp_ref(kind, number) if kind and number else None
        end = await _undone(tx, connection, made) if made else None
        found.append(_Payment(State(state), amount, more, made, apart, end))
    return found


def _settling(
    connection: ConnectionId, ref: ErpRef, besides: StripeId | None
) -> Select[str, JsonObject, str | None, str | None, bool]:
    """State, body and keys of each payment that settles a document, and if it went besides."""
    applied: JsonObject = {"applications": [{"document": ref}]}
    wanted: JsonObject = {"wanted": [{"document": ref}]}
    paid_with = postings.c.body["payment_ref"].astext
    apart = exists().where(
        links.c.connection == connection,
        links.c.kind == BESIDES,
        links.c.stripe_id == paid_with,
    )
    return select(
        postings.c.state, postings.c.body, postings.c.erp_type, postings.c.erp_number, apart
    ).where(
        postings.c.connection == connection,
        postings.c.kind == "payment",
        or_(postings.c.body.contains(applied), postings.c.body.contains(wanted)),
        paid_with.is_distinct_from(besides),
    )


async def _claimed(
    tx: AsyncConnection, connection: ConnectionId, ref: ErpRef, besides: StripeId | None
) -> int:
    """The minor units of payments besides a Stripe invoice that are not due in the books yet.

    One that a person has undone is not in the books, either: it claims what it was matched with
    last, which may be another document by now.
    """
    wanted: JsonObject = {"claims": [{"document": ref}]}
    voids = postings.alias("voids")
    undone = exists().where(
        voids.c.connection == connection,
        voids.c.purpose == Purpose.UNDO,
        voids.c.state.in_(IN_THE_LEDGER),
        voids.c.body["payment"].astext == postings.c.erp_type + "|" + postings.c.erp_number,
    )
    planned = exists().where(
        postings.c.connection == connection,
        postings.c.kind == "payment",
        postings.c.body["payment_ref"].astext == links.c.stripe_id,
        ~undone,
    )
    question = select(links.c.detail).where(
        links.c.connection == connection,
        links.c.kind == BESIDES,
        links.c.detail.contains(wanted),
        links.c.stripe_id.is_distinct_from(besides),
        ~planned,
    )
    found = [msgspec.convert(row, _Claims) for (row,) in await tx.execute(question)]
    return sum(one.minor for row in found for one in row.claims if one.document == ref)


class _Claim(msgspec.Struct, frozen=True):
    document: str
    minor: int


class _Claims(msgspec.Struct, frozen=True):
    """What a link of the kind `BESIDES` keeps of the documents that its charge settles."""

    claims: list[_Claim]


def claimed_in(detail: JsonObject) -> set[ErpRef]:
    """The documents that a link of the kind `BESIDES` claims, by its detail."""
    return {ErpRef(one.document) for one in msgspec.convert(detail, _Claims).claims}


def claims_of(applications: Iterable[Application]) -> JsonObject:
    """The detail of a link of the kind `BESIDES`: what its charge settles, booked or not."""
    return {"claims": [{"document": a.document, "minor": a.amount.minor} for a in applications]}


async def _undone(tx: AsyncConnection, connection: ConnectionId, payment: ErpRef) -> Undone | None:
    """How far we have come with voiding a payment; None when we never began."""
    wanted: JsonObject = {"payment": payment}
    question = select(postings.c.state, postings.c.purpose).where(
        postings.c.connection == connection,
        postings.c.kind == "void",
        postings.c.body.contains(wanted),
        postings.c.state.in_((*ON_THE_WAY, *IN_THE_LEDGER)),
    )
    # An undo and a bank may both void it: the one that has come furthest counts.
    found = {_how_undone(State(state), purpose) for state, purpose in await tx.execute(question)}
    return next((one for one in reversed(Undone) if one in found), None)


def _how_undone(state: State, purpose: str) -> Undone:
    if state not in IN_THE_LEDGER:
        return Undone.UNDER_WAY
    return Undone.BY_A_PERSON if purpose == Purpose.UNDO else Undone.WENT_BACK


def _applied(body: JsonObject, ref: ErpRef) -> tuple[int, int]:
    """What a stored payment applies to one document, and what it was to apply to it besides."""
    payment = msgspec.convert(body, ArPayment)
    applied, wanted = (
        sum(one.amount.minor for one in each if one.document == ref)
        for each in (payment.applications, payment.wanted or payment.applications)
    )
    return applied, wanted - applied
