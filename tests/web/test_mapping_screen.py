"""The screen does what the commands do, loses nothing of the text, and lets nobody else in."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from build.world import SANDBOX_MAPPING, World, a_world
from ml_connector.assemble.switchboard import switchboard
from ml_connector.flows.mapping.mapping_change import propose, put_in_force, version_of
from ml_connector.flows.mapping.mapping_edit import put
from ml_connector.store.engine import Store
from ml_connector.web.mapping_screen import Screen, create_screen
from ml_sandbox.server import listen, serving

pytestmark = pytest.mark.anyio


@dataclass
class Sitting:
    """A browser before the screen, and the world behind it."""

    world: World
    screen: Screen
    http: httpx2.AsyncClient
    url: str

    async def enter(self) -> httpx2.Response:
        return await self.http.get(f"/?ticket={self.screen.ticket}", follow_redirects=True)

    async def press(self, act: str, **fields: str) -> httpx2.Response:
        form = {"csrf": self.screen.csrf, "act": act, **fields}
        return await self.http.post("/", data=form)

    async def in_force(self) -> tuple[int, str]:
        found = await version_of(self.world.store, self.world.id)
        return found.version, found.text

    async def by_command(self, text: str) -> None:
        """What somebody else puts in force meanwhile."""
        store, clock = self.world.store, self.world.clock
        proposal = await propose(store, self.world.id, text)
        await put_in_force(store, clock, proposal, author="bob")


def typed(page: str) -> str:
    """The text in the editor, as a browser reads it."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


@asynccontextmanager
async def a_sitting(world: World) -> AsyncGenerator[Sitting]:
    async with switchboard(world.place) as board:
        screen = Screen(world.place, board, world.id, "ann", frozenset())
        async with serving(create_screen(screen), listen()) as url:
            screen.hosts = frozenset({url.removeprefix("http://")})
            async with httpx2.AsyncClient(base_url=url, timeout=30, verify=False) as http:
                yield Sitting(world, screen, http, url)


@pytest.fixture
async def sitting(store: Store) -> AsyncGenerator[Sitting]:
    async with a_world(store, at=None) as world, a_sitting(world) as before:
        yield before


async def test_the_text_goes_to_the_screen_and_back_and_to_the_commands_without_a_loss(
    sitting: Sitting,
) -> None:
    page = (await sitting.enter()).text
    first, text = await sitting.in_force()
    assert typed(page) == text == SANDBOX_MAPPING.read_text("utf-8")
    odd = put(text, "policies.unmatched", "unapplied") + '\n# <b>kept</b> & \u00e4 "quoted"\n\n\n'
    as_sent = odd.replace("\n", "\r\n")  # as browsers do
    done = await sitting.press("put", text=as_sent, base=str(first), note="by screen")
    assert "is in force" in done.text
    assert await sitting.in_force() == (first + 1, odd)
    assert typed((await sitting.http.get("/")).text) == odd
    by_command = put(odd, "policies.unmatched", "hold")
    await sitting.by_command(by_command)
    assert typed((await sitting.http.get("/")).text) == by_command
    found = await version_of(sitting.world.store, sitting.world.id, first + 1)
    assert (found.author, found.note) == ("ann", "by screen")


async def test_what_fails_in_the_lint_is_not_put_in_force_and_the_line_is_named(
    sitting: Sitting,
) -> None:
    await sitting.enter()
    first, text = await sitting.in_force()
    wrong = put(text, "accounts.fees", "99999")
    number = next(n for n, line in enumerate(wrong.splitlines(), 1) if "99999" in line)
    done = await sitting.press("put", text=wrong, base=str(first))
    assert "Not put in force" in done.text
    assert f"<code>accounts.fees</code>, line {number}" in done.text
    assert typed(done.text) == wrong
    assert (await sitting.in_force())[0] == first
    slip = text.replace("[accounts]", "[acounts]")
    refused = await sitting.press("check", text=slip, base=str(first))
    assert (refused.status_code, typed(refused.text)) == (409, slip)
    assert "acounts" in refused.text


async def test_a_text_made_from_a_version_that_is_no_more_in_force_is_refused_and_kept(
    sitting: Sitting,
) -> None:
    await sitting.enter()
    first, text = await sitting.in_force()
    other = put(text, "policies.unmatched", "unapplied")
    await sitting.by_command(other)
    mine = put(text, "policies.post_when", "available")
    done = await sitting.press("put", text=mine, base=str(first))
    assert (done.status_code, typed(done.text)) == (409, mine)
    assert "came in force meanwhile" in done.text
    assert f"Begin anew from version {first + 1}" in done.text
    assert await sitting.in_force() == (first + 1, other)


async def test_an_older_version_is_compared_and_put_back_and_what_if_answers(
    sitting: Sitting,
) -> None:
    await sitting.enter()
    first, text = await sitting.in_force()
    other = put(text, "policies.unmatched", "unapplied")
    await sitting.press("put", text=other, base=str(first))
    asked = await sitting.press("what_if", text=text, base=str(first + 1))
    assert "0 of 0 movements of 90 days differ." in asked.text
    assert "policies.unmatched" in asked.text
    compared = (await sitting.http.get(f"/version/{first}")).text
    assert f"Back to version {first}" in compared
    await sitting.press("back", version=str(first), base=str(first + 1))
    assert await sitting.in_force() == (first + 2, text)


async def test_the_address_is_good_once_and_only_for_the_browser_that_opened_it(
    sitting: Sitting,
) -> None:
    ticket = sitting.screen.ticket
    assert (await sitting.http.get("/")).status_code == 403
    entered = await sitting.http.get(f"/?ticket={ticket}")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    policy = (await sitting.http.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    async with httpx2.AsyncClient(base_url=sitting.url, verify=False) as stranger:
        for path in (f"/?ticket={ticket}", "/", "/version/1"):
            assert (await stranger.get(path)).status_code == 403


async def test_another_host_name_or_a_form_of_another_page_changes_nothing(
    sitting: Sitting,
) -> None:
    await sitting.enter()
    first, text = await sitting.in_force()
    rebound = await sitting.http.get("/", headers={"host": "evil.example"})
    assert rebound.status_code == 403
    other = put(text, "policies.unmatched", "unapplied")
    forged = {"act": "put", "text": other, "base": str(first), "csrf": "guessed"}
    assert (await sitting.http.post("/", data=forged)).status_code == 403
    assert await sitting.in_force() == (first, text)


async def test_it_ends_when_told_and_when_nobody_uses_it(sitting: Sitting) -> None:
    await sitting.screen.until_ended(idle=0.01)
    await sitting.enter()
    assert not sitting.screen.ended.is_set()
    assert "Closed" in (await sitting.press("end")).text
    await sitting.screen.until_ended()
