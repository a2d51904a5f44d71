"""Both sandboxes over TCP and the connector between them, on one clock that a test moves."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from build.dying import Died
from build.sandboxes import Json, Sandbox, unwrapped, wrapped
from build.sides import MAIN, sides
from ml_connector.assemble import Installation, Switchboard
from ml_connector.basics.ids import ConnectionId, ErpRef
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows import desk, intake
from ml_connector.flows.connected import Connected
from ml_connector.flows.connections.set_up import set_up
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.rounds.catch_up import STREAMS
from ml_connector.flows.signals import Kind, Look
from ml_connector.settings import Settings
from ml_connector.store import jobs, postings, transactions, troubles
from ml_connector.store.connections import (
    NewConnection,
)
from ml_connector.store.engine import Store
from ml_connector.store.jobs import Job
from ml_connector.store.troubles import Trouble
from ml_connector.stripe.webhooks import hint
from ml_connector.vault.keyring import KeyRing
from ml_sandbox.acumatica.app import AcumaticaSandbox
from ml_sandbox.acumatica.app import create_app as create_acumatica
from ml_sandbox.clock import SandboxClock
from ml_sandbox.faults import Faults
from ml_sandbox.server import address, listen, serving
from ml_sandbox.stripe.app import StripeSandbox
from ml_sandbox.stripe.app import create_app as create_stripe

SITE = "/AcumaticaERP"
CUSTOMER = "GOODFOOD"
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
"""A Monday; the month has enough days left for every payout to arrive in it."""
MOST_JOBS = 2000
PRESENT = frozenset({"open", "paid"})

_TAKE = text("""
    UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= :now)
        ORDER BY priority DESC, id LIMIT 1)
    RETURNING id, task_name, args
""")
_GIVE_BACK = text("""
    UPDATE procrastinate_jobs AS job SET status = CASE
        WHEN EXISTS (SELECT FROM procrastinate_jobs AS later
                     WHERE later.queueing_lock = job.queueing_lock AND later.status = 'todo')
        THEN 'aborted'::procrastinate_job_status ELSE 'todo' END
    WHERE id = :id
""")
_END = text("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = :id")


@dataclass
class World:
    """A firm with its two systems and the connector, ready to live through a story."""

    clock: SandboxClock
    stripe: Sandbox
    erp: Sandbox
    stripe_app: StripeSandbox
    erp_app: AcumaticaSandbox
    place: Installation
    board: Switchboard
    new: NewConnection
    delivered: set[str] = field(default_factory=set[str])
    through: Callable[[Connected], Connected] = lambda c: c
    id: ConnectionId = MAIN

    @property
    def store(self) -> Store:
        return self.place.store

    async def connected(self) -> Connected:
        return await self.board.connected(self.id)

    # -- what people do

    async def a_customer(self, name: str, currency: str, **facts: object) -> str:
        """A new customer, entered at the ERP's form; its id."""
        contact = {"Email": f"{name.lower()}@example.com"}
        body: Json = {"CustomerName": name, "CurrencyID": currency, "MainContact": contact}
        return str((await self.enter("Customer", body | facts))["CustomerID"])

    async def enter(self, entity: str, body: Json, *, release: bool = False) -> Json:
        """What a clerk saves on a form, and perhaps releases; the record's own values."""
        asked = {"entity": entity, "body": wrapped(body), "release": release}
        return unwrapped(await self.erp.tell("write", asked))

    async def an_invoice(
        self, *prices: str, customer: str = CUSTOMER, release: bool = True, **facts: object
    ) -> ErpRef:
        """An invoice with a line for each price (100.00 alone), released in the ERP."""
        lines = [
            {"TransactionDescription": f"Service {n}", "Account": "40000", "Qty": 1,
             "UnitPrice": Decimal(price), "TaxCategory": "EXEMPT"}
            for n, price in enumerate(prices or ("100.00",), start=1)
        ]  # fmt: skip
        body: Json = {"Type": "Invoice", "Customer": customer, "Hold": False,
                      "Date": self.clock.now().date(), "Details": lines}  # fmt: skip
        made = await self.enter("Invoice", body | facts, release=release)
        return ErpRef(f"{made['Type']}|{made['ReferenceNbr']}")

    async def pay(self, ref: ErpRef, amount: int | None = None, card: str = "") -> str | None:
        """The buyer pays at Stripe; the charge, or None when the card was declined."""
        body: Json = {"invoice": (await self.mirrored(ref))["id"]}
        body |= ({"amount": amount} if amount else {}) | ({"card": card} if card else {})
        if card and (await self.stripe.attempt("pay", body)) == 402:
            return None
        answer = await self.stripe.tell("pay", body) if not card else None
        charges = list(self.stripe_app.world.tables["charge"])
        return str(answer["charge"] if answer else charges[-1]["id"])

    async def refund(self, charge: str | None, amount: int | None = None) -> str:
        """The back office gives money back."""
        made = await self.stripe.tell("refund", {"charge": charge, "amount": amount})
        return str(made["id"])

    async def run_payouts(self) -> list[Json]:
        """Three working days pass, the money becomes available, and Stripe pays it out."""
        await self.pass_time(timedelta(days=4))
        return list((await self.stripe.tell("payouts/run"))["payouts"])

    async def pass_time(self, by: timedelta) -> None:
        """The one clock of all jumps; what is due at Stripe happens."""
        await self.stripe.tell("clock", {"advance_seconds": by.total_seconds()})

    async def pass_minutes(self, minutes: float) -> None:
        """Time passes."""
        await self.pass_time(timedelta(minutes=minutes))

    async def stripe_api(self, path: str, **form: str) -> Json:
        """What the account's owner does through Stripe's own API or Dashboard."""
        secret = self.new.secrets.stripe_key
        made: Json = await self.stripe.post(f"/v1/{path}", form, secret)
        return made

    # -- what reaches the connector

    def bodies(self) -> list[bytes]:
        """Every event that Stripe has made so far, as the body of its webhook."""
        world = self.stripe_app.world
        return [world.wire.encode(event) for event in world.tables["event"]]

    async def deliver(self, *, times: int = 1, backwards: bool = False) -> int:
        """Takes in the events that are new since the last delivery; returns how many."""
        await self.stripe.ask("settled")
        new = [body for body in self.bodies() if hint(body).id not in self.delivered]
        for body in reversed(new) if backwards else new:
            for _ in range(times):
                await self.receive(body)
        return len(new)

    async def deliver_again(self) -> None:
        """Every event there ever was, once more; and the work of it, if any."""
        for body in self.bodies():
            await self.receive(body)
        await self.settle()

    async def receive(self, body: bytes) -> bool:
        """Takes one event in; False when it is known."""
        now = self.clock.now()
        self.delivered.add(hint(body).id)
        async with self.store.transaction() as tx:
            return await intake.stripe_event(tx, self.id, hint(body), source="webhook", now=now)

    async def sync(self, *streams: str) -> None:
        """Looks at streams, at all of them by default, and settles."""
        async with self.store.transaction() as tx:
            for stream in sorted(streams or STREAMS):
                await intake.look(tx, self.id, Look(Kind.STREAM, stream))
        await self.settle()

    async def look(self, kind: Kind, resource: str) -> None:
        """Looks at one resource now, and settles."""
        async with self.store.transaction() as tx:
            await intake.look(tx, self.id, Look(kind, resource))
        await self.settle()

    async def look_at_charge(self, charge: str | None) -> None:
        """Looks at a charge now, and settles."""
        await self.look(Kind.CHARGE, str(charge))

    async def mirror(self) -> None:
        """The ERP's polls run, and what they find is done."""
        await self.sync("acumatica.customers", "acumatica.invoices")
        await self.pass_time(timedelta(seconds=3))  # who waited for a customer comes again
        await self.settle()

    async def settle(self) -> int:
        """Runs due jobs, one after the other, until none is due; returns how many ran."""
        for ran in range(MOST_JOBS):
            async with self.store.statement() as tx:
                row = (await tx.execute(_TAKE, {"now": self.clock.now()})).one_or_none()
            if row is None:
                return ran
            try:
                await self._run(Job(self.id, row.task_name, row.args["resource"]))
            except Died:
                await self._rescue(row.id)  # as another worker does when heartbeats stop
            else:
                async with self.store.statement() as tx:
                    await tx.execute(_END, {"id": row.id})
        raise AssertionError(f"After {MOST_JOBS} jobs there was still work; something goes round.")

    async def _run(self, job: Job) -> None:
        """As the worker of `assemble.work` does it."""
        try:
            opened = self.through(await self.connected())
        except desk.ConnectorError as error:
            await desk.troubled(self.store, self.clock, job, error)
        else:
            await desk.work(opened, job)

    async def _rescue(self, row: int) -> None:
        """Gives a dead worker's job back; a later look that waits already stands for both."""
        async with self.store.transaction() as tx:
            await tx.execute(_GIVE_BACK, {"id": row})

    async def live(self) -> None:
        """Events arrive and everything due is done, until nothing new happens."""
        await self.deliver()
        await self.settle()

    async def wait_for_cure(self, *, at_most: int = 12) -> None:
        """Lets time pass to each next try until no trouble is open, `at_most` so many times."""
        for _ in range(at_most):
            waiting = [one.next_try for one in await self.troubles() if one.next_try]
            if not waiting:
                return
            await self.pass_time(max(min(waiting) - self.clock.now(), timedelta(0)))
            await self.settle()

    async def change(self, **changes: Any) -> None:
        """A person changes the connection (`mapping_text` with it, when given)."""
        written = changes.pop("mapping_text", None)
        self.new = replace(self.new, **changes)
        await set_up(
            self.store, self.place.keyring, self.clock, self.new,
            mapping_text=written, actor="a person",
        )  # fmt: skip

    # -- what the books say

    async def mirrored(self, ref: ErpRef) -> Json:
        """The one live Stripe invoice of an ERP invoice."""
        rows = [one for one in await self.stripe_invoices(ref) if one["status"] in PRESENT]
        assert len(rows) == 1, f"{len(rows)} live invoices for {ref}"
        return rows[0]

    async def stripe_invoices(self, ref: ErpRef) -> list[Json]:
        """Every Stripe invoice of an ERP invoice, whatever its status."""
        rows = (await self.stripe.ask("invoices"))["invoices"]
        return [row for row in rows if row["metadata"].get("erp_ref") == ref]

    async def documents(self, kind: str) -> list[Json]:
        """Every ERP document of a type, values unwrapped."""
        rows = await self.erp.ask(f"documents?type={kind}")
        return [unwrapped(row) for row in rows]

    async def balance_due(self, ref: ErpRef) -> Decimal:
        """What an ERP invoice is still owed, by the ERP."""
        number = ref.partition("|")[2]
        rows = [one for one in await self.documents("Invoice") if one["ReferenceNbr"] == number]
        return Decimal(str(rows[0]["Balance"]))

    async def cash(self, code: str = "10650ST") -> Decimal:
        """The balance of a cash account, by the ERP's ledger."""
        return Decimal(str((await self.erp.ask("cash-accounts"))[code]["balance"]))

    async def at_stripe(self, currency: str = "usd") -> int:
        """The whole balance at Stripe, in minor units, by Stripe's own books."""
        return int(
            (await self.stripe.ask("books"))["currencies"].get(currency, {"total": 0})["total"]
        )

    async def ledger(self, account: str, currency: str = "USD") -> Decimal:
        """What an account holds in one currency, by the ERP's own trial balance."""
        rows = (await self.erp.ask("ledger"))["rows"]
        mine = [r for r in rows if r["account"] == account and r["currency"] == currency]
        return sum((Decimal(str(row["balance"])) for row in mine), Decimal(0))

    async def books_agree(self) -> None:
        """Both sides' own books are sound, nothing stands twice, and the tie-out holds."""
        stripe, erp = await self.stripe.ask("books"), await self.erp.ask("books")
        assert stripe["invariant_violations"] == []
        assert erp["duplicates"] == {"payments": [], "journals": []}
        assert erp["receivables_difference"] == 0
        assert erp["trial_balance"] == 0
        for found in await measure(await self.connected()):
            assert found.holds, found

    async def all_posted(self) -> None:
        """The books agree with nothing left to name, and no half-made document stands around."""
        await self.books_agree()
        for found in await measure(await self.connected()):
            assert not found.unposted, found.unposted
        for kind in ("Payment", "JournalTransaction"):
            for one in await self.documents(kind):
                assert one["Status"] in {"Open", "Closed", "Posted", "Voided"}, one

    async def troubles(self) -> list[Trouble]:
        """What asks for a person or for patience."""
        async with self.store.transaction() as tx:
            return await troubles.open_ones(tx, self.id)

    async def trouble(self) -> Trouble:
        """The one thing that is wrong."""
        found = await self.troubles()
        assert len(found) == 1, found
        return found[0]

    async def transactions(self) -> Iterable[transactions.BalanceTransactionRow]:
        """The balance transactions that are not in the ledger."""
        async with self.store.transaction() as tx:
            return await transactions.unposted(tx, self.id)

    async def states(self) -> set[str]:
        """The states in which postings stand."""
        async with self.store.transaction() as tx:
            return {str(one.state) for one in await postings.sums(tx, self.id)}

    async def idle(self) -> bool:
        """Whether no job is due and none runs."""
        async with self.store.transaction() as tx:
            return await jobs.idle(tx, self.id)

    async def waiting(self) -> int:
        """How many jobs wait, due or not."""
        async with self.store.transaction() as tx:
            return sum(one.due + one.later for one in await jobs.waiting(tx, self.id))


async def briefly(seconds: float) -> None:
    """No test waits for what takes seconds in life."""
    await asyncio.sleep(min(seconds, 0.003))


def url_of(store: Store) -> str:
    """The address of a store's database, as the queue needs it."""
    return store.engine.url.render_as_string(hide_password=False)


def _http(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, timeout=30, verify=False)


@asynccontextmanager
async def a_world(store: Store, *, at: datetime | None = NOON) -> AsyncGenerator[World]:
    """A fresh tenant and account, connected; `at` is where their clock starts, None for now."""
    clock = SandboxClock(at)
    async with AsyncExitStack() as stack:
        stripe_socket, erp_socket = listen(), listen()
        stripe = create_stripe(clock, base_url=address(stripe_socket))
        erp = create_acumatica(clock, site=SITE)
        stripe.world.schedule.rescale(0)
        erp.world.switches.change({"operation_ms": 0})
        stripe_url = await stack.enter_async_context(serving(Faults(stripe.asgi), stripe_socket))
        erp_url = await stack.enter_async_context(serving(Faults(erp.asgi), erp_socket))
        new = sides(stripe_url, stripe.credentials(), erp_url + SITE, erp.credentials())
        settings = Settings(Path("nowhere"), None, None, "127.0.0.1", 0, "warning")
        place = Installation(settings, store, url_of(store), KeyRing.generate(), clock)
        board = Switchboard(place, sleep=briefly)
        stack.push_async_callback(board.aclose)
        world = World(
            clock=clock,
            stripe=Sandbox(await stack.enter_async_context(_http(stripe_url))),
            erp=Sandbox(await stack.enter_async_context(_http(erp_url))),
            stripe_app=stripe, erp_app=erp, place=place, board=board, new=new,
        )  # fmt: skip
        await world.change(mapping_text=SANDBOX_MAPPING.read_text("utf-8"))
        yield world
