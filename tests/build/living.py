"""Lives a drawn life in a world: each act is one thing that somebody does on either side.

An act that cannot be done (nobody owes, nothing was paid, the other side refuses) does nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from build.dying import Dying
from build.life_market import Market
from build.life_office import Office
from build.lives import Act, Life, mapping_of
from build.sandboxes import Json
from build.world import World
from ml_connector.flows.connected import Connected
from ml_connector.stripe.webhooks import hint

STEPS = (
    ("acumatica", "put_payment"), ("acumatica", "release_payment"), ("acumatica", "payment"),
    ("acumatica", "put_journal"), ("acumatica", "release_journal"), ("acumatica", "journal"),
    ("acumatica", "void_payment"), ("acumatica", "put_memo"), ("acumatica", "release_memo"),
    ("acumatica", "put_refund"), ("acumatica", "apply_payment"), ("stripe", "create_customer"),
    ("stripe", "create_invoice"), ("stripe", "add_lines"), ("stripe", "finalize_invoice"),
    ("stripe", "credit_note"), ("stripe", "void_invoice"), ("stripe", "pay_out_of_band"),
)  # fmt: skip
TROUBLES: Sequence[Json] = (
    {"kind": "status", "when": "before", "status": 503, "times": 2},
    {"kind": "status", "when": "before", "status": 429, "body": "", "times": 3},
    {"kind": "reset", "when": "after", "method": "PUT", "times": 1},
    {"kind": "reset", "when": "before", "method": "PUT", "times": 1},
    {"kind": "status", "when": "after", "status": 500, "method": "POST", "times": 1},
    {"kind": "cut", "method": "POST", "times": 1},
)


@dataclass
class Living(Office, Market):
    """Everybody, what goes wrong, and what the connector does meanwhile."""

    # -- what goes wrong

    async def a_worker_dies(self, which: int, part: int) -> None:
        """The next call of one kind is the last of its worker, before or after it took effect."""
        side, step = STEPS[(which * 10 + part) % len(STEPS)]
        killed: list[Dying] = []

        def through(c: Connected) -> Any:
            whole = self.always(c)
            if not killed:
                killed.append(Dying(getattr(whole, side), step, "before" if part % 2 else "after"))
            return replace(whole, **{side: killed[0]})

        self.world.through = through

    async def a_line_breaks(self, which: int, part: int) -> None:
        """One side cannot be reached for some calls, or its answer is lost."""
        side = self.world.erp if which % 2 else self.world.stripe
        await side.spoil(TROUBLES[part % len(TROUBLES)])

    async def time_passes(self, which: int, part: int) -> None:
        """Hours or days go by."""
        await self.world.pass_minutes(60 * part if which % 2 else 3 * part)

    # -- what the connector does meanwhile

    async def works(self) -> None:
        """Events arrive, the quick polls run, what is due is done."""
        await self.world.live()
        await self.world.mirror()

    async def hears(self) -> None:
        """Events arrive, and what they lead to is done."""
        await self.world.live()

    async def hears_badly(self) -> None:
        """Events arrive twice, the newest first."""
        await self.world.deliver(times=2, backwards=True)
        await self.world.settle()

    async def misses_the_news(self) -> None:
        """Events never arrive."""
        await self.world.stripe.ask("settled")
        self.world.delivered |= {hint(body).id for body in self.world.bodies()}

    async def polls(self) -> None:
        """Every stream is looked at; no event has arrived."""
        await self.world.sync()

    async def rests(self) -> None:
        """Nothing is done; events wait."""


ACTS = (
    "invoices", "pays", "refunds", "settles_by_check", "credits", "pays_out", "disputes",
    "decides_a_dispute", "pays_too_much", "pays_outside", "returns_a_debit", "ends_a_refund",
    "marks_paid_at_stripe", "pays_out_by_hand", "returns_a_payout", "tops_up", "bills_its_own",
    "holds_a_reserve", "edits_a_customer", "voids_a_payment_of_ours", "applies_a_rest_of_ours",
    "redates_a_payment_of_ours", "restores_what_was_changed", "accepts_what_was_changed",
    "undoes_a_movement", "posts_again", "releases_what_is_left",
    "changes_a_policy", "closes_the_month", "opens_every_month", "time_passes", "a_worker_dies",
    "a_line_breaks",
)  # fmt: skip
OFTEN = ("invoices", "invoices", "pays", "pays", "pays", "refunds", "disputes", "decides_a_dispute")
"""Without these the others would find nothing to do."""


async def begin(
    world: World, life: Life, always: Callable[[Connected], Connected] = lambda c: c
) -> Living:
    """Before anything happens: policies are chosen, the customers are in Stripe."""
    settled = ["usd", "eur", "gbp", "jpy"]
    await world.stripe.tell("rates", {"settlement": settled})
    await world.change(mapping_text=mapping_of(life.policies))
    await world.mirror()
    world.through = always
    return Living(world, dict(life.policies), always)


async def live(one: Living, acts: Sequence[Act]) -> None:
    """Everything happens in its turn."""
    for act in acts:
        await getattr(one, act.what)(act.which, act.part)
        await getattr(one, act.then)()
