"""Acts a scenario out in a world: the story in a thread, the connector at its every pause."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import anyio.from_thread
import anyio.to_thread
import httpx2
import msgspec

from build.service import Service, served
from build.world import SITE, World, a_world
from ml_connector.cli.books import tie_out_facts
from ml_connector.cli.standing import facts
from ml_connector.cli.trials.choices import mapping_of_choice
from ml_connector.cli.trials.findings import collect, complaints
from ml_connector.flows.promise.tie_out import measure
from ml_connector.flows.questions.standing import standing
from ml_connector.store.engine import Store
from ml_sandbox.scenarios.registry import Scenario
from ml_sandbox.scenarios.stage import on_stage

Json = dict[str, Any]
PATIENCE = 20.0
TRIES = 8
A_MOMENT = 0.2


@dataclass
class Theatre:
    """A world whose webhooks arrive over HTTP, and a connector that works when asked."""

    world: World
    service: Service

    async def act(self, scenario: Scenario) -> Json:
        """Lives through the story; what the books must show then."""
        if scenario.choice:
            await self.world.change(mapping_text=mapping_of_choice(scenario.choice))
        return await anyio.to_thread.run_sync(self._act, scenario)

    def _act(self, scenario: Scenario) -> Json:
        new = self.world.new
        with on_stage(
            new.stripe.url,
            new.acumatica.url,
            key=new.secrets.stripe_key,
            pause=self._pause,
            patience=PATIENCE,
            delays=0,
        ) as stage:
            return scenario.act(stage).facts()

    def _pause(self) -> None:
        anyio.from_thread.run(self.work)

    async def work(self) -> None:
        """What is due is done; where nothing was, every stream is looked at."""
        await self._arrivals()
        if not await self.world.settle():
            await self.world.sync()

    async def look_everywhere(self) -> None:
        """What is due is done, then every stream is looked at."""
        await self._arrivals()
        await self.world.settle()
        await self.world.sync()

    async def _arrivals(self) -> None:
        """Webhooks arrive."""
        give_up = time.monotonic() + A_MOMENT
        while not (await self.world.stripe.ask("settled"))["idle"]:
            if time.monotonic() > give_up:
                break
            await asyncio.sleep(0.005)

    async def settle(self, expected: Json) -> list[str]:
        """Works until the books are as they must be, waiting for next tries; what is wrong.

        What is right must stay right when everything is looked at once more.
        """
        await self.look_everywhere()
        for _ in range(TRIES):
            if not await self.complaints(expected):
                break
            await self.next_try()
            await self.look_everywhere()
        await self.look_everywhere()
        return await self.complaints(expected)

    async def next_try(self) -> None:
        """Time passes to the next moment at which something is tried again."""
        now = self.world.clock.now()
        waiting = [one.next_try for one in await self.world.troubles() if one.next_try]
        await self.world.pass_time(max(min(waiting, default=now) - now, timedelta(seconds=30)))

    async def complaints(self, expected: Json) -> list[str]:
        """What is not as it must be."""
        shown = facts(await standing(self.world.store, self.world.id))
        tie_outs = [tie_out_facts(one) for one in await measure(await self.world.connected())]

        def ask(side: str, what: str) -> Any:
            root = self.world.new.stripe.url
            if side == "acumatica":
                root = self.world.new.acumatica.url.removesuffix(SITE)
            answer = httpx2.get(f"{root}/_sandbox/{what}", timeout=30, verify=False)
            return msgspec.json.Decoder(float_hook=Decimal).decode(answer.content)

        def look() -> list[str]:
            return complaints(expected, collect(shown, tie_outs, ask))

        return await anyio.to_thread.run_sync(look)


@asynccontextmanager
async def a_theatre(store: Store) -> AsyncGenerator[Theatre]:
    """A fresh pair of sandboxes, connected, with the connector's own web server."""
    async with a_world(store) as world, served(world) as service:
        await service.register()
        yield Theatre(world, service)
