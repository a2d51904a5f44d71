"""Troubles: counted while they last, gone with their cause, grouped for whoever mends them."""

from datetime import timedelta

import pytest

from build.stored import MAIN, NOON
from ml_connector.basics.errors import AskAPerson, ConnectorError
from ml_connector.basics.money import Money
from ml_connector.store import troubles
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio
LATER = NOON + timedelta(hours=1)
CLOSED = AskAPerson("Period 03-2026 is closed.", cause="period.closed", remedy="Open it.")


async def test_a_trouble_counts_its_tries_until_it_is_closed(store: Store) -> None:
    async with store.transaction() as tx:
        first = await troubles.raise_(tx, MAIN, "refund", "re_1", CLOSED, Money(500, "USD"), NOON)
        again = await troubles.raise_(tx, MAIN, "refund", "re_1", CLOSED, None, LATER)
        assert (first.tries, again.tries, again.first_seen, again.last_seen) == (1, 2, NOON, LATER)
        assert (first.filed, first.money, again.money) == (
            "ask_a_person",
            Money(500, "USD"),
            None,
        )
        assert await troubles.close(tx, MAIN, "refund", "re_1")
        assert not await troubles.close(tx, MAIN, "refund", "re_1")
        assert await troubles.open_ones(tx, MAIN) == []
        closed = await troubles.get(tx, MAIN, "refund", "re_1")
        assert closed is not None
        assert not closed.open
        back = await troubles.raise_(tx, MAIN, "refund", "re_1", CLOSED, None, LATER)
    assert (back.tries, back.first_seen, back.open) == (1, LATER, True)


async def test_troubles_of_one_cause_stand_together_with_their_money(store: Store) -> None:
    other = AskAPerson("No account for ZZZ.", cause="mapping.missing", remedy="Map it.")
    newer = AskAPerson("Period 04-2026 is closed.", cause="period.closed", remedy="Open it.")
    rows: list[tuple[str, ConnectorError, Money | None]] = [
        ("re_1", CLOSED, Money(500, "USD")),
        ("re_2", CLOSED, Money(250, "USD")),
        ("re_3", CLOSED, Money(900, "JPY")),
        ("re_4", newer, None),
        ("re_5", other, Money(100, "USD")),
    ]
    async with store.transaction() as tx:
        for number, (resource, error, money) in enumerate(rows):
            at = NOON + timedelta(minutes=number)
            await troubles.raise_(tx, MAIN, "refund", resource, error, money, at)
        closed, missing = await troubles.grouped(tx, MAIN)
    assert (closed.cause, closed.count, closed.first_seen) == ("period.closed", 4, NOON)
    assert closed.sentence == "Period 04-2026 is closed."
    assert closed.money == (Money(750, "USD"), Money(900, "JPY"))
    assert (missing.count, missing.money, missing.remedy) == (1, (Money(100, "USD"),), "Map it.")
