"""Modes, plans and a person's word on them, as the stories use them."""

from collections.abc import Sequence

from build.policies import mapping_with
from build.world import World
from ml_connector.books.plans import Plan, PlannedDocument
from ml_connector.flows.review import apply as applying
from ml_connector.flows.review.drawing_up import draw_up, plan_hash
from ml_connector.flows.signals import Kind
from ml_connector.store import audit
from ml_connector.store.troubles import Trouble

PERSON = "controller"


async def set_modes(world: World, policies: dict[str, str] | None = None, **modes: str) -> None:
    """A person sets the modes of kinds of record; those not named are automatic."""
    said = "".join(f'{kind} = "{mode}"\n' for kind, mode in modes.items())
    await world.change(
        mapping_text=mapping_with(f"[modes]\n{said}", accounts=None, **(policies or {}))
    )


async def a_plan(world: World) -> Plan:
    """What a person is shown now."""
    c = await world.connected()
    made = await draw_up(c)
    await applying.keep(c, made)
    return made


async def apply(
    world: World, plan: Plan, only: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[PlannedDocument, ...]:
    """A person applies a plan, or a part of it, and what it queued is done."""
    stored = await applying.stored_plan(world.store, world.id, plan_hash(plan)[:12])
    documents = applying.chosen(stored, only, without)
    done = await applying.apply(await world.connected(), stored, documents, PERSON)
    assert done.plan == plan_hash(plan)
    await world.settle()
    return documents


def keys(plan: Plan) -> list[str]:
    return [one.key for one in plan.documents]


async def acts(world: World, subject: str) -> list[str]:
    """Who did what to one thing, oldest first."""
    async with world.store.transaction() as tx:
        return [f"{one.actor} {one.action}" for one in await audit.show(tx, world.id, subject)]


async def a_sent_invoice(world: World, price: str = "100.00") -> str:
    ref = await world.an_invoice(price)
    await world.mirror()
    return ref


async def waiting(world: World, kind: Kind) -> list[Trouble]:
    return [one for one in await world.troubles() if one.kind == kind]
