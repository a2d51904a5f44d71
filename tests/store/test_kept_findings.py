"""What people changed, as it is kept: found again among the documents of the largest payout."""

import pytest

from build.stored import MAIN, NOON
from ml_connector.basics.ids import ErpRef, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.books.guardian import Edit, Grade
from ml_connector.store import findings
from ml_connector.store.engine import Store
from ml_connector.store.findings import Decision, NewFinding

pytestmark = pytest.mark.anyio

MORE_THAN_PARAMETERS = 70_000
"""PostgreSQL takes 65,535 of them in one question at most."""


async def test_the_findings_of_a_payout_of_any_size_are_found(store: Store) -> None:
    keys = [PostingKey(f"payment:ch_{number}") for number in range(MORE_THAN_PARAMETERS)]
    new = NewFinding(
        connection=MAIN, key=keys[-1], transaction_id=StripeId("txn_1"),
        document=ErpRef("Payment|000001"), other=None, grade=Grade.EXPLAINED,
        edits=[Edit.REENTERED], sentence="It was voided.", missing=Money.zero("USD"),
        stake=Money(100, "USD"), seen=None,
    )  # fmt: skip
    async with store.transaction() as tx:
        added = await findings.add(tx, new, Decision.OPEN, NOON)
        assert await findings.of_keys(tx, MAIN, keys) == [added]
        assert await findings.of_keys(tx, MAIN, keys[:-1]) == []
        assert await findings.of_keys(tx, MAIN, []) == []
