"""Turns on a form: calls side by side, an action alone and not overtaken."""

import asyncio

import pytest

from ml_connector.acumatica.turns import Turns

pytestmark = pytest.mark.anyio


class Room:
    """Who is on the form now, and what happened in which order."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.calls = 0
        self.most_calls = 0
        self.actions = 0
        self.order: list[str] = []

    async def call(self, name: str = "call", form: str = "Payment") -> None:
        async with self.turns.ordinary(form):
            assert not (self.actions and form == "Payment")
            self.calls += 1
            self.most_calls = max(self.most_calls, self.calls)
            self.order.append(name)
            await asyncio.sleep(0)
            self.calls -= 1

    async def act(self, name: str = "action") -> None:
        async with self.turns.alone("Payment"):
            assert self.calls == 0
            assert self.actions == 0
            self.actions += 1
            self.order.append(name)
            for _ in range(3):
                await asyncio.sleep(0)
            self.actions -= 1


async def test_calls_run_side_by_side_and_actions_alone() -> None:
    room = Room()
    await asyncio.gather(*(room.call() for _ in range(5)), *(room.act() for _ in range(3)))
    assert room.most_calls > 1
    assert room.order.count("action") == 3


async def test_an_action_is_not_overtaken_by_calls_that_come_later() -> None:
    room = Room()
    first = asyncio.create_task(room.call("before"))
    action = asyncio.create_task(room.act())
    late = [asyncio.create_task(room.call("after")) for _ in range(5)]
    await asyncio.gather(first, action, *late)
    assert room.order == ["before", "action", *["after"] * 5]


async def test_another_form_does_not_wait() -> None:
    room = Room()
    async with room.turns.alone("Payment"):
        await room.call("other", form="JournalTransaction")
    assert room.order == ["other"]


async def test_cancelled_calls_and_actions_give_their_turns_back() -> None:
    room = Room()
    started = [asyncio.create_task(room.act()) for _ in range(3)]
    started += [asyncio.create_task(room.call()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)
    room.actions = room.calls = 0
    await asyncio.wait_for(asyncio.gather(room.act("last"), room.call("later")), 5)
    assert room.order[-2:] == ["last", "later"]
