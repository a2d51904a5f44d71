"""Questions that span tables: what the flows, the commands and the screens ask."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.ids import ConnectionId, ErpRef, PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import IN_THE_LEDGER, Application, ArPayment, Purpose, State
from ml_connector.books.records import PAYOUT_ENDED
from ml_connector.store.postings import PostingRow
from ml_connector.store.rows import JsonObject, records
from ml_connector.store.tables import balance_transactions, links, payouts, postings, troubles

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


async def troubled_by(
    tx: AsyncConnection, connection: ConnectionId, cause: str
) -> list[tuple[str, str]]:
    """The kind and resource of each open trouble with a cause, in order."""
    question = (
        select(troubles.c.kind, troubles.c.resource)
        .where(troubles.c.connection == connection, troubles.c.cause == cause, troubles.c.open)
        .order_by(troubles.c.kind, troubles.c.resource)
    )
    return [(kind, resource) for kind, resource in await tx.execute(question)]


async def probed_by_another(
    tx: AsyncConnection, connection: ConnectionId, cause: str, resource: str, *, until: datetime
) -> bool:
    """Whether another resource with the same cause is tried again by then, and so probes for it."""
    question = select(
        exists().where(
            troubles.c.connection == connection,
            troubles.c.cause == cause,
            troubles.c.open,
            troubles.c.resource != resource,
            troubles.c.next_try <= until,
        )
    )
    return bool((await tx.execute(question)).scalar_one())


async def unproven_payouts(tx: AsyncConnection, connection: ConnectionId) -> list[StripeId]:
    """The payouts whose proof may still come, in order.

    Stripe never names the members of a payout made by hand: once it has ended nothing comes of
    another look, and should it fail later, that is money which the sweep finds.
    """
    by_hand = and_(payouts.c.automatic.is_(False), payouts.c.status.in_(PAYOUT_ENDED))
    question = (
        select(payouts.c.id)
        .where(payouts.c.connection == connection, payouts.c.proven_at.is_(None), ~by_hand)
        .order_by(payouts.c.id)
    )
    return [StripeId(row) for (row,) in await tx.execute(question)]


async def open_disputes(tx: AsyncConnection, connection: ConnectionId) -> list[StripeId]:
    """The disputes whose money is away and whose end is not in our books, in order.

    What came back at another rate is not away.
    """
    moved = balance_transactions
    ended = exists().where(
        postings.c.connection == moved.c.connection,
        postings.c.transaction_id == moved.c.id,
        postings.c.purpose.in_((Purpose.DISPUTE_LOSS, Purpose.DISPUTE_UNDONE)),
    )
    back_otherwise = exists().where(
        postings.c.connection == moved.c.connection,
        postings.c.transaction_id == moved.c.id,
        postings.c.purpose == Purpose.DISPUTE_EXCHANGE,
    )
    returned = func.count().filter(moved.c.amount_minor > 0)
    away = returned * 2 < func.count()
    question = (
        select(moved.c.source)
        .where(
            moved.c.connection == connection,
            moved.c.category.in_(("dispute", "dispute_reversal")),
            moved.c.source.is_not(None),
        )
        .group_by(moved.c.source)
        .having(func.sum(moved.c.amount_minor) < 0)
        .having(~func.bool_or(ended.correlate(moved)))
        .having(or_(away, ~func.bool_or(back_otherwise.correlate(moved))))
        .order_by(moved.c.source)
    )
    return [StripeId(str(row)) for (row,) in await tx.execute(question)]


async def payouts_in(
    tx: AsyncConnection, connection: ConnectionId, statuses: Collection[str]
) -> frozenset[StripeId]:
    """The payouts that stand in one of these statuses at Stripe."""
    question = select(payouts.c.id).where(
        payouts.c.connection == connection, payouts.c.status.in_(statuses)
    )
    return frozenset(StripeId(row) for (row,) in await tx.execute(question))


async def last_drawn(
    tx: AsyncConnection, connection: ConnectionId, statuses: Collection[str]
) -> dict[str, datetime]:
    """When, by currency, the last payout in these statuses was made that has no members."""
    transfer = balance_transactions
    question = (
        select(payouts.c.currency, func.max(transfer.c.created).label("drawn"))
        .join(
            transfer,
            and_(
                transfer.c.connection == payouts.c.connection,
                transfer.c.source == payouts.c.id,
                transfer.c.type == "payout",
            ),
        )
        .where(
            payouts.c.connection == connection,
            payouts.c.status.in_(statuses),
            payouts.c.automatic.is_(False),
        )
        .group_by(payouts.c.currency)
    )
    found = await tx.execute(question)
    return {str(row.currency): row.drawn for row in found}


@dataclass(frozen=True, slots=True)
class Found:
    """Where a number that somebody typed occurs: the kind of record and its own name."""

    what: str
    name: str


async def look_up(tx: AsyncConnection, connection: ConnectionId, number: str) -> list[Found]:
    """Every record that bears a number: of either side, whole or without its type."""
    found: list[Found] = []
    for what, name, condition in (
        ("link", links.c.erp_ref, or_(links.c.stripe_id == number, _refers(links.c.erp_ref, number),
                                      links.c.detail["number"].astext == number)),
        ("transaction", balance_transactions.c.id,
         or_(balance_transactions.c.id == number, balance_transactions.c.source == number)),
        ("posting", postings.c.key,
         or_(postings.c.erp_number == number, postings.c.key == number,
             postings.c.tag == number, postings.c.key.endswith(f":{number}"))),
        ("payout", payouts.c.id, payouts.c.id == number),
    ):  # fmt: skip
        table = name.table
        question = select(name).where(table.c.connection == connection, condition).distinct()
        found += [Found(what, str(row)) for (row,) in await tx.execute(question.order_by(name))]
    return found


def _refers(column: ColumnElement[str], number: str) -> ColumnElement[bool]:
    """Whether a reference of joined keys (`Invoice|000123`) is a number, whole or by its last."""
    return or_(column == number, func.split_part(column, "|", 2) == number)


async def payments_of(
    tx: AsyncConnection, connection: ConnectionId, ref: ErpRef
) -> list[PostingKey]:
    """The keys of our payments that settle an ERP document, in order."""
    wanted: JsonObject = {"applications": [{"document": ref}]}
    question = select(postings.c.key).where(
        postings.c.connection == connection, postings.c.body.contains(wanted)
    )
    return [PostingKey(key) for (key,) in await tx.execute(question.order_by(postings.c.key))]


async def posted_on(
    tx: AsyncConnection, connection: ConnectionId, account: str, currency: str, clearing: str
) -> list[PostingRow]:
    """The postings that touch an account in a currency; of the clearing account, all that move it.

    Documents that are no journals name a cash account, which stands for the clearing account.
    """
    wanted: JsonObject = {"lines": [{"account": account}]}
    touches = postings.c.body.contains(wanted)
    if account == clearing:
        touches = or_(touches, and_(postings.c.kind != "journal", postings.c.clearing_minor != 0))
    question = select(postings).where(
        postings.c.connection == connection, postings.c.currency == currency, touches
    )
    return records(PostingRow, (await tx.execute(question)).mappings())
