"""`python -m ml_sandbox up`: ready, reachable, stoppable, and clear about what it cannot do."""

import json
import signal
import socket

import httpx2
import pytest

from ml_sandbox.up import Addresses
from sandbox.commands import ended, started

pytestmark = pytest.mark.anyio


async def test_up_prints_one_line_of_json_and_stops_on_sigterm() -> None:
    async with started("up", "--json", "--seed", "5", "--at", "2026-10-01T06:00:00Z") as process:
        assert process.stdout
        found = json.loads(await process.stdout.readline())
        assert found.keys() == {"stripe", "acumatica"}
        assert found["stripe"].keys() == {"url", "key", "webhook_secret"}
        assert found["acumatica"].keys() == set(
            "url endpoint tenant user password client_id client_secret".split()
        )
        async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
            stripe, erp = found["stripe"], found["acumatica"]
            account = await http.get(f"{stripe['url']}/v1/account", auth=(stripe["key"], ""))
            assert account.status_code == 200
            versions = (await http.get(f"{erp['url']}/entity")).json()
            listed = [f"{row['name']}/{row['version']}" for row in versions["endpoints"]]
            assert erp["endpoint"] in listed
        process.send_signal(signal.SIGTERM)
        rest, complaints = await process.communicate()
    assert (process.returncode, rest, complaints) == (0, b"", b"")


async def test_up_stops_when_its_parent_is_gone() -> None:
    async with started("up", "--json", "--with-parent") as process:
        assert process.stdout
        await process.stdout.readline()
        assert process.stdin
        process.stdin.close()  # as the system does for a parent that died
        _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")


async def test_up_without_json_says_what_to_do_next() -> None:
    async with started("up") as process:
        assert process.stdout
        shown = b""
        while b"ml_sandbox month --stripe http://" not in shown:
            line = await process.stdout.readline()
            assert line
            shown += line
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("option", ["--stripe-port", "--acumatica-port"])
async def test_a_port_in_use_is_named_and_ends_with_2(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, complaint = await ended("up", option, str(port))
    assert (code, out) == (2, "")
    assert complaint == (
        f"Port {port} is already in use; choose another with {option},"
        " or leave it out for a free one.\n"
    )


@pytest.mark.parametrize(
    ("option", "value"), [("--stripe-port", "70000"), ("--stripe-port", "x"), ("--at", "soon")]
)
async def test_a_senseless_option_is_refused_with_its_name(option: str, value: str) -> None:
    code, _, complaint = await ended("up", option, value)
    assert code == 2
    assert f"argument {option}: {value} is not a " in complaint


@pytest.mark.parametrize("moved", ["stripe", "acumatica"])
async def test_moving_one_clock_moves_both(pair: Addresses, moved: str) -> None:
    roots = {
        name: httpx2.URL(rows["url"]).copy_with(path="/_sandbox/clock")
        for name, rows in pair.items()
    }
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
        await http.post(roots[moved], json={"now": "2026-10-17T12:00:00+00:00"})
        for root in roots.values():
            assert (await http.get(root)).json()["now"].startswith("2026-10-17T12:00:0")
