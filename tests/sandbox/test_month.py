"""A tiny month acted out against both sandboxes, with a stand-in for the connector."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import httpx2
import pytest

from ml_sandbox.up import Addresses, Wishes, start
from sandbox.commands import ended
from sandbox.stand_in_mirror import mirror

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
SIZE = ("--customers", "5", "--invoices", "8", "--seed", "3")


@asynccontextmanager
async def mirroring(addresses: Addresses, *, at_most: int = 1000) -> AsyncGenerator[None]:
    async def work() -> None:
        await mirror(addresses, at_most=at_most)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        yield
        tasks.cancel_scope.cancel()


def month(addresses: Addresses, *options: str) -> tuple[str, ...]:
    stripe, erp = addresses["stripe"]["url"], addresses["acumatica"]["url"]
    return ("month", "--stripe", stripe, "--acumatica", erp, *SIZE, *options)


async def control(addresses: Addresses, side: str, path: str) -> Any:
    root = httpx2.URL(addresses[side]["url"]).join(f"/_sandbox/{path}")
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
        return (await http.get(root)).json()


async def lived(addresses: Addresses, *options: str) -> list[Json]:
    async with mirroring(addresses):
        code, out, complaint = await ended(*month(addresses, "--json", *options))
    assert (code, complaint) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


async def test_a_month_tells_each_day_and_then_what_both_books_must_show(pair: Addresses) -> None:
    *told, last = await lived(pair, "--disputes", "1")
    assert [row["day"] for row in told] == [f"2026-10-{day:02d}" for day in range(1, 32)]
    assert [row["invoices"] for row in told] == sorted(row["invoices"] for row in told)
    assert last["done"] is True
    facts = last["expected"]
    assert (facts["customers"], facts["invoices"], facts["disputes"]) == (5, 8, 1)

    books = await control(pair, "stripe", "books")
    kinds = [books["currencies"][c]["by_kind"] for c in books["currencies"]]
    seen = {name: sum(k[name]["count"] for k in kinds if name in k) for name in set().union(*kinds)}
    assert seen == {
        "charge/charge": facts["payments"],
        "refund/refund": facts["refunds"],
        "adjustment/dispute": 1,
        "payout/payout": facts["payouts"],
        "stripe_fee/fee": facts["stripe_bills"],
    }
    assert facts["fees"] == facts["payments"]
    assert books["invariant_violations"] == []
    assert books["invoices_by_status"]["paid"] == told[-1]["paid"]
    assert all(p["member_sum"] == p["amount"] and p["status"] == "paid" for p in books["payouts"])
    for currency, places in (("USD", 100), ("JPY", 1)):
        rows, money = books["currencies"][currency.lower()]["by_kind"], last["money"][currency]
        for flow, kind in (("paid", "charge/charge"), ("paid_out", "payout/payout")):
            moved = rows[kind]["amount"] if kind in rows else 0
            assert Decimal(money[flow]) * places == abs(moved)


async def test_the_clerk_releases_taxed_invoices_without_api_calls(pair: Addresses) -> None:
    _, _, complaint = await ended(*month(pair, "--patience", "0.3"))
    assert "Is the connector running" in complaint
    invoices = await control(pair, "acumatica", "documents?type=Invoice")
    assert {row["Status"]["value"] for row in invoices} == {"Open"}
    assert any(row["TaxTotal"]["value"] > 0 for row in invoices)
    assert (await control(pair, "acumatica", "calls"))["total"] == 0
    assert (await control(pair, "stripe", "calls"))["total"] == 0
    found = await control(pair, "stripe", "webhooks")
    assert found["shuffle"]
    assert all(found[name] > 0 for name in ("duplicate", "drop", "never_generated"))


async def test_the_same_seed_moves_the_same_money(pair: Addresses) -> None:
    first = await lived(pair)
    async with AsyncExitStack() as stack:
        second = await lived(await start(stack, Wishes(seed=99)))
    assert second == first


async def test_a_connector_that_stalls_is_named_with_what_is_missing(pair: Addresses) -> None:
    async with mirroring(pair, at_most=2):
        code, _, complaint = await ended(*month(pair, "--patience", "0.5"))
    assert code == 3
    assert "Nothing was mirrored to Stripe for 0.5 seconds" in complaint
    assert "Invoice|000003" in complaint
    assert "Invoice|000001" not in complaint


async def test_sandboxes_with_two_clocks_are_refused(pair: Addresses) -> None:
    async with AsyncExitStack() as stack:
        other = await start(stack, Wishes())
        mixed = {"stripe": pair["stripe"], "acumatica": other["acumatica"]}
        code, _, complaint = await ended(*month(mixed))
    assert code == 1
    assert "do not share one clock" in complaint


async def test_a_sandbox_out_of_reach_is_named(pair: Addresses) -> None:
    gone = {"stripe": {"url": "http://127.0.0.1:9"}, "acumatica": pair["acumatica"]}
    code, _, complaint = await ended(*month(gone))
    assert code == 1
    assert "The Stripe sandbox does not answer" in complaint
