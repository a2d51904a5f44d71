"""What was posted before a column came is read from what was posted."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from build.stored import MAIN, a_posting, a_transaction
from ml_connector.basics.ids import StripeId
from ml_connector.store import postings, transactions
from ml_connector.store.engine import Store
from ml_connector.store.schema import MIGRATIONS

pytestmark = pytest.mark.anyio


def there_and_back(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, "0006_signing_keys")
    command.upgrade(config, "0007_chains")


async def test_refunds_that_were_posted_before_learn_which_payment_they_are_of(
    store_of_its_own: Store,
) -> None:
    store = store_of_its_own
    texts = {
        ("txn_1", "re_1"): "Refund txn_1 of ch_1",
        ("txn_2", "ch_2"): "Stripe payment ch_2 of ch_9",
        ("txn_3", "du_3"): "Dispute txn_3 of py_3 returned",
    }
    async with store.transaction() as tx:
        for (one, source), said in texts.items():
            row = a_transaction(one, source=StripeId(source))
            await transactions.remember(tx, MAIN, [row])
            body: dict[str, object] = {"description": said}
            paper = a_posting(f"x:{one}", transaction_id=StripeId(one), body=body)
            await postings.plan(tx, [paper])
        await tx.run_sync(there_and_back)
        rows = [await transactions.get(tx, MAIN, StripeId(one)) for one, _ in texts]
    assert [row.charge for row in rows if row is not None] == ["ch_1", None, "py_3"]
