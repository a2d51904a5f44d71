"""Trouble on request: what the client sees, and whether the sandbox has done the work."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
import pytest

from ml_sandbox.up import Addresses
from sandbox.stand_in_mirror import signed_in

pytestmark = pytest.mark.anyio
Json = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One sandbox: a write, how many such records it has, and its control plane."""

    write: Callable[[], Awaitable[httpx2.Response]]
    count: Callable[[], Awaitable[int]]
    control: httpx2.AsyncClient
    path: str

    async def spoil(self, **rule: Any) -> None:
        answer = await self.control.post("faults", json=[{"path": self.path, **rule}])
        assert answer.status_code == 200, answer.text

    async def fired(self) -> list[int]:
        return [row["fired"] for row in (await self.control.get("faults")).json()]


def control_of(url: str) -> httpx2.AsyncClient:
    root = httpx2.URL(url).copy_with(path="/_sandbox/")
    return httpx2.AsyncClient(base_url=root, trust_env=False, verify=False)


@pytest.fixture(params=["stripe", "acumatica"])
async def side(request: pytest.FixtureRequest, pair: Addresses) -> AsyncGenerator[Side]:
    rows = pair[request.param]
    async with control_of(rows["url"]) as control:
        if request.param == "stripe":
            auth = (rows["key"], "")
            async with httpx2.AsyncClient(
                base_url=rows["url"], auth=auth, trust_env=False, verify=False
            ) as api:

                async def create() -> httpx2.Response:
                    return await api.post("/v1/customers", data={"name": "Žižek"})

                async def customers() -> int:
                    return (await control.get("books")).json()["counts"]["customer"]

                yield Side(create, customers, control, "/v1/customers$")
        else:
            async with signed_in(rows) as erp:

                async def put() -> httpx2.Response:
                    return await erp.put("Customer", json={"CustomerName": {"value": "Žižek"}})

                async def entered() -> int:
                    records = (await control.get("documents?type=Customer")).json()
                    return sum(row["CustomerName"]["value"] == "Žižek" for row in records)

                yield Side(put, entered, control, "/Customer$")


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
async def test_a_reset_connection_may_have_done_the_work(side: Side, when: str, done: int) -> None:
    await side.spoil(kind="reset", when=when, times=1)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await side.write()
    assert await side.count() == done
    assert (await side.write()).status_code == 200
    assert await side.count() == done + 1


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
async def test_a_503_page_may_hide_the_work(side: Side, when: str, done: int) -> None:
    await side.spoil(kind="status", when=when, times=1, headers={"Retry-After": "1"})
    answer = await side.write()
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html")
    assert answer.headers["retry-after"] == "1"
    assert await side.count() == done


@pytest.mark.parametrize(("when", "done"), [("before", 0), ("after", 1)])
async def test_a_redirect_to_the_error_page_may_hide_the_work(
    side: Side, when: str, done: int
) -> None:
    await side.spoil(kind="redirect", when=when, times=1)
    answer = await side.write()
    assert (answer.status_code, answer.headers["location"]) == (302, "/ui/error")
    assert await side.count() == done


async def test_an_answer_cut_in_the_middle_has_done_the_work(side: Side) -> None:
    await side.spoil(kind="cut", when="after", times=1)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await side.write()
    assert await side.count() == 1


async def test_a_delay_longer_than_patience_does_nothing_by_then(side: Side) -> None:
    await side.spoil(kind="delay", seconds=30, times=1)
    with pytest.raises(TimeoutError), anyio.fail_after(0.2):
        await side.write()
    assert await side.count() == 0
    assert (await side.write()).status_code == 200


async def test_a_body_of_ones_own_is_sent_as_json(side: Side) -> None:
    await side.spoil(kind="status", status=429, body='{"message": "slow down"}')
    answer = await side.write()
    assert (answer.status_code, answer.json()) == (429, {"message": "slow down"})


async def test_trouble_strikes_only_what_it_names_and_so_often(side: Side) -> None:
    await side.spoil(kind="status", method="DELETE")
    await side.spoil(kind="status", path="/nothing/like/it")
    await side.spoil(kind="status", times=2)
    codes = [(await side.write()).status_code for _ in range(4)]
    assert codes == [503, 503, 200, 200]
    assert await side.fired() == [0, 0, 2]


async def test_a_chance_follows_its_seed(side: Side) -> None:
    async def struck() -> list[int]:
        await side.control.delete("faults")
        await side.spoil(kind="status", probability=0.5, seed=3)
        return [(await side.write()).status_code for _ in range(12)]

    first = await struck()
    assert set(first) == {200, 503}
    assert await struck() == first


async def test_faults_can_be_taken_back_and_never_touch_the_control_plane(side: Side) -> None:
    await side.spoil(kind="status", path=".")
    assert (await side.control.get("clock")).status_code == 200
    assert (await side.write()).status_code == 503
    assert (await side.control.delete("faults")).json() == []
    assert (await side.write()).status_code == 200


@pytest.mark.parametrize(
    "rule", [{"kind": "plague"}, {"kind": "reset", "when": "never"}, {"kind": "reset", "x": 1}]
)
async def test_a_rule_that_makes_no_sense_is_refused(side: Side, rule: Json) -> None:
    answer = await side.control.post("faults", json=rule)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert await side.fired() == []
