"""What Acumatica made of what we sent: each code that we sent is compared, and no other."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from build.troubled import sold, stuck
from build.world import World
from ml_connector.acumatica.documents import ErpJournal, ErpJournalLine, ErpPayment
from ml_connector.basics.ids import PostingKey, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import Application, ArPayment, ArRefund, Journal, Line
from ml_connector.flows.writing.read_back import (
    journal_differences,
    payment_differences,
    refund_differences,
)
from ml_connector.store import postings, transactions

DAY, AT = date(2026, 3, 30), datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
MEMO = erp_ref("Credit Memo", "000007")
NOT_TOLD = ""


def usd(minor: int) -> Money:
    return Money(minor, "USD")


SENT = Journal(DAY, "HQ", "Stripe fee", (
    Line("61100", "000-000", usd(320), "fee"), Line("10650", "000-000", usd(-320), "fee"),
))  # fmt: skip
READ = ErpJournal(
    id="1", ref=erp_ref("GL", "000001"), status="Posted", branch="HQ", ledger="ACTUAL",
    currency="USD", day=DAY, description="Stripe fee", modified=AT, lines=tuple(
        ErpJournalLine(one.account, one.subaccount, "HQ", one.amount, one.text, "") for one in
        SENT.lines
    ),
)  # fmt: skip
PAID = ArPayment("C1", "STRIPE", "10650ST", "HQ", DAY, usd(10_000), "ch_1", "txn_1", "text", ())
GIVEN = ArRefund("C1", "STRIPE", "10650ST", "HQ", DAY, usd(10_000), "ch_1", "txn_1", "text",
                 PostingKey("credit_memo:re_1"))  # fmt: skip
STANDS = ErpPayment(
    id="2", ref=erp_ref("Payment", "000002"), status="Closed", customer_id="C1",
    payment_method="STRIPE", cash_account="10650ST", branch="HQ", day=DAY, amount=usd(10_000),
    unapplied=None, payment_ref="ch_1", external_ref="txn_1", description="text",
    applications=(), modified=AT,
)  # fmt: skip


def on(**changes: str) -> tuple[ErpJournalLine, ...]:
    return tuple(replace(one, **changes) for one in READ.lines)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"lines": on(subaccount="000000")}, []),  # what only the mask shows
        ({"branch": "hq ", "ledger": "Actual"}, []),
        ({"branch": NOT_TOLD, "ledger": NOT_TOLD, "lines": on(branch=NOT_TOLD)}, []),
        ({"branch": "WEST"}, ["Its branch is WEST, not HQ."]),
        ({"lines": on(branch="WEST")}, ["Its lines' branch is WEST, not HQ."]),
        ({"ledger": "BUDGET"}, ["Its ledger is BUDGET, not ACTUAL."]),
        ({"lines": (replace(READ.lines[0], subaccount="000-009"), READ.lines[1])},
         ["Its account 61100 000000 is 0.00 USD, not 3.20 USD.",
          "Its account 61100 000009 is 3.20 USD, not 0.00 USD."]),
    ],
)  # fmt: skip
def test_a_journal_on_another_subaccount_branch_or_ledger_is_not_what_was_sent(
    changes: dict[str, Any], found: list[str]
) -> None:
    assert journal_differences(SENT, replace(READ, **changes), "ACTUAL") == found


def test_what_a_journal_leaves_to_acumatica_is_not_compared() -> None:
    lines = tuple(replace(one, subaccount="") for one in SENT.lines)
    assert journal_differences(replace(SENT, branch="", lines=lines), READ, "") == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"payment_method": "Stripe", "branch": NOT_TOLD}, []),
        ({"payment_method": "CHECK"}, ["Its payment method is CHECK, not STRIPE."]),
        ({"branch": "WEST"}, ["Its branch is WEST, not HQ."]),
    ],
)
def test_a_payment_or_refund_by_another_method_or_branch_is_not_what_was_sent(
    changes: dict[str, Any], found: list[str]
) -> None:
    assert payment_differences(PAID, replace(STANDS, **changes)) == found
    applied = replace(STANDS, applications=(Application(MEMO, usd(10_000)),), **changes)
    assert refund_differences(GIVEN, MEMO, applied) == found


def test_what_a_payment_leaves_to_acumatica_is_not_compared() -> None:
    assert payment_differences(replace(PAID, branch=""), STANDS) == []


@pytest.mark.anyio
async def test_a_document_moved_to_another_branch_before_its_release_is_no_proof(
    world: World,
) -> None:
    """A clerk moves what was made and could not be released at once."""
    await sold(world)
    refused = {"kind": "status", "status": 503, "path": "/Release", "times": 9}
    await world.erp.spoil(refused)
    await world.live()
    (payment,) = await world.documents("Payment")
    assert payment["Status"] == "Balanced"
    keys = {"Type": "Payment", "ReferenceNbr": payment["ReferenceNbr"]}
    await world.enter("Payment", keys | {"Branch": "RETAIL"})
    await world.erp.mend()
    await world.wait_for_cure()
    await stuck(world, payment["ReferenceNbr"], "Its branch is RETAIL, not HEADOFFICE.")
    assert "verified" not in {
        state for key, state in (await states(world)).items() if key.startswith("payment:")
    }


async def states(world: World) -> dict[str, str]:
    async with world.store.transaction() as tx:
        (bt,) = [row.id for row in await transactions.unposted(tx, world.id)]
        return {row.key: row.state for row in await postings.by_transaction(tx, world.id, bt)}
