"""The few things that a record works out by itself."""

import pytest

from build.records import a_payout, an_invoice


@pytest.mark.parametrize(
    ("status", "finalized"),
    [
        ("Open", True),
        ("Reserved", True),
        ("Closed", True),
        ("Balanced", False),
        ("On Hold", False),
        ("Pending Approval", False),
        ("Voided", False),
    ],
)
def test_an_invoice_is_finalized_when_it_is_in_the_ledger(status: str, finalized: bool) -> None:
    assert an_invoice(status=status).finalized is finalized


def test_a_person_quotes_an_invoice_by_its_number_alone() -> None:
    assert an_invoice(ref="Invoice|000123").number == "000123"


@pytest.mark.parametrize(
    ("automatic", "reconciliation", "composed"),
    [
        (True, "completed", True),
        (True, "in_progress", False),
        (True, "not_applicable", False),
        (False, "completed", False),
        (False, "not_applicable", False),
    ],
)
def test_stripe_names_the_members_of_reconciled_automatic_payouts_only(
    automatic: bool, reconciliation: str, composed: bool
) -> None:
    assert a_payout(automatic=automatic, reconciliation=reconciliation).composed is composed
