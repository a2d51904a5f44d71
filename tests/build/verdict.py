"""What must hold at the end of any life, when everything is told and waits are waited for.

Both sides' own books are asked, beside what the connector says of itself.
"""

from collections import defaultdict
from decimal import Decimal

from build.life_base import DAY, Bill, minor
from build.living import Living
from build.sandboxes import Json
from build.world import World
from ml_connector.basics.ids import StripeId
from ml_connector.books.postings import VOIDED
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.writing.timing import WAITS
from ml_connector.store import transactions
from ml_connector.store.transactions import TransactionState

ROUNDS = 15
LONGEST = 7 * 60
"""Minutes after which every cause has been tried once more."""
CLEARING = {"USD": "10650ST", "EUR": "10670ST", "GBP": "10690ST", "JPY": "10660ST"}
STANDS = ("Open", "Closed")
ASKS = frozenset({"open", "uncollectible"})


async def comes_to_rest(one: Living) -> None:
    """Nothing goes wrong any more, everything is told, and nobody does anything but release."""
    world = one.world
    world.through = one.always
    await world.stripe.mend()
    await world.erp.mend()
    await one.opens_every_month(0, 0)
    await world.pass_minutes(12 * DAY)  # debits succeed, money becomes available
    await world.stripe.ask_for("payouts/run", {})
    written, before = ["no round yet"], ["no round yet"]
    for _ in range(ROUNDS):
        written, before = await _a_round(one), written
        if not written and not before:  # what a quiet round has put off is seen in the next
            return
    raise AssertionError(f"After {ROUNDS} rounds there is still {written}: {await told(world)}")


async def told(world: World) -> list[str]:
    """What the open troubles say."""
    return [trouble.sentence for trouble in await world.troubles()]


async def _a_round(one: Living) -> list[str]:
    """Looks at everything, after the longest wait; the calls that wrote something."""
    world = one.world
    await world.stripe.reset_calls()
    await world.erp.reset_calls()
    await world.live()
    await world.sync()
    await one.releases_what_is_left(0, 0)
    await world.pass_minutes(LONGEST)
    await world.settle()
    return await writes(world)


async def writes(world: World) -> list[str]:
    """The calls since the last reset that may have changed something."""
    calls = {**await world.stripe.calls(), **await world.erp.calls()}
    return [
        c for c in calls if not c.startswith("GET") and not c.endswith(("token", "/auth/login"))
    ]


async def all_is_well(one: Living) -> None:
    """Every promise of the connector, one after the other."""
    await one.world.books_agree()
    await clearing_is_the_balance(one)
    await every_movement_is_posted_or_named(one)
    await each_invoice_is_owed_what_is_unpaid(one)
    await nobody_can_pay_more_than_is_owed(one)
    await once_more_changes_nothing(one)


async def clearing_is_the_balance(one: Living) -> None:
    """By both sides' own books: the cash account and what is named are the balance at Stripe."""
    named: dict[str, Decimal] = defaultdict(Decimal)
    for found in await measure(await one.world.connected()):
        named[found.currency] += found.named.decimal
    for code, account in CLEARING.items():
        there = await one.world.at_stripe(code.lower())
        here = await one.world.cash(account) + named[code]
        assert minor(here, code) == there, (code, here, there)


async def every_movement_is_posted_or_named(one: Living) -> None:
    """Each balance transaction is known; what is not posted has its reason and its remedy."""
    world = one.world
    remedies = {trouble.cause: trouble.remedy for trouble in await world.troubles()}
    assert all(remedies.values()), remedies
    for row in await world.transactions():
        assert row.reason, row
        assert row.cause == WAITS or row.cause in remedies, (row, remedies)
    async with world.store.transaction() as tx:
        for row in one.rows("balance_transaction"):
            assert await transactions.get(tx, world.id, StripeId(row["id"])), row


async def each_invoice_is_owed_what_is_unpaid(one: Living) -> None:
    """Its balance is its total less what settled it; more only where money is on account."""
    for bill in one.bills:
        paid = sum(c["amount"] for c in await booked_of(one, bill))
        most = max(0, bill.total - bill.settled_in_erp - paid)
        least = max(0, most - await _besides(one, bill))
        owed = minor(await one.world.balance_due(bill.ref), bill.currency)
        spare = minor(await _on_account(one, bill.customer), bill.currency)
        assert least <= owed <= most + spare, (bill, owed, least, most, spare)


async def _on_account(one: Living, customer: str) -> Decimal:
    """What a customer has paid, or was credited, that settles nothing yet."""
    payments = [
        Decimal(str(p["AvailableBalance"]))
        for p in await one.world.documents("Payment")
        if p["Type"] == "Payment" and p["Status"] == "Open" and p["CustomerID"] == customer
    ]
    memos = [
        Decimal(str(m["Balance"]))
        for m in await one.world.documents("Credit Memo")
        if m.get("Customer") == customer
    ]
    return sum([*payments, *memos], Decimal(0))


async def booked_of(one: Living, bill: Bill) -> list[Json]:
    """The payments through a bill's Stripe invoices that stand in the ERP."""
    standing = await _standing(one)
    return [c for c in charges_of(one, bill) if c["id"] in standing]


async def _besides(one: Living, bill: Bill) -> int:
    """What stands in the ERP of the customer's other payments by card; in minor units."""
    standing, own = await _standing(one), {c["id"] for c in charges_of(one, bill)}
    theirs = {c for c, customer in standing.items() if customer == bill.customer}
    return sum(c["amount"] for c in one.rows("charge") if c["id"] in theirs - own)


async def _standing(one: Living, *states: str) -> dict[str, str]:
    """The charges whose payment is in the ERP's ledger, or in these states; with its customer."""
    return {
        str(p.get("PaymentRef")): str(p["CustomerID"])
        for p in await one.world.documents("Payment")
        if p["Type"] == "Payment" and p["Status"] in (states or STANDS)
    }


def charges_of(one: Living, bill: Bill) -> list[Json]:
    """The payments that succeeded through a bill's Stripe invoices."""
    theirs = {r["id"] for r in one.rows("invoice") if r["metadata"].get("erp_ref") == bill.ref}
    paid = {
        r["payment"]["payment_intent"]
        for r in one.rows("invoice_payment")
        if r["invoice"] in theirs
    }
    return [
        c for c in one.rows("charge")
        if c["payment_intent"] in paid and c["status"] == "succeeded"
    ]  # fmt: skip


async def nobody_can_pay_more_than_is_owed(one: Living) -> None:
    """Stripe asks for what is owed and not paid already; for less only where a person knows.

    A payment that was voided before it was proven, or undone, waits for a person's word, like one
    that is not booked.
    """
    world = one.world
    troubles = await world.troubles()
    told = " ".join(f"{t.cause} {t.resource}" for t in troubles)
    unproven = {t.resource for t in troubles if t.cause.startswith(VOIDED)}
    undone = {r.source for r in await world.transactions() if r.state is TransactionState.UNDONE}
    booked = {*await _standing(one, *STANDS, "Voided")} - unproven - undone
    rows = (await world.stripe.ask("invoices"))["invoices"]
    for bill in one.bills:
        asked = sum(
            r["amount_remaining"] for r in rows
            if r["metadata"].get("erp_ref") == bill.ref and r["status"] in ASKS
        )  # fmt: skip
        owed = minor(await world.balance_due(bill.ref), bill.currency)
        waiting = {c["id"]: c["amount"] for c in charges_of(one, bill) if c["id"] not in booked}
        taken = sum(cents for charge, cents in waiting.items() if charge not in one.disturbed)
        still = max(0, owed - taken)
        assert asked <= still, (bill, asked, owed, waiting)
        assert asked == still or bill.ref in told or waiting, (bill, asked, owed, told)


async def once_more_changes_nothing(one: Living) -> None:
    """Every event again, every stream again: the same ledger, and no call that writes."""
    world = one.world
    before = await world.erp.ask("ledger")
    await world.stripe.reset_calls()
    await world.erp.reset_calls()
    await world.deliver_again()
    await world.sync()
    assert await writes(world) == []
    assert await world.erp.ask("ledger") == before
