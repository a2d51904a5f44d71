"""A lost dispute in T-accounts: a loss, a loss taken back, or the invoice owed again."""

from dataclasses import replace

import pytest

from build.examples import shows
from build.ledger import DISPUTED, RECEIVABLE, t_accounts
from build.records import ACCOUNTS, CLEARING, NOON, a_mapping, money
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.books.disputes import CannotReopen, Lost, as_loss, as_loss_reversed, as_reopened
from ml_connector.books.mapping import NotMapped, Role
from ml_connector.books.policies import WhenLost
from ml_connector.books.postings import Purpose, Voiding

LOST = Lost(StripeId("du_1"), "ch_1", money("50.00 USD"), StripeId("txn_2"), NOON.date())
LOSS = ACCOUNTS[Role.CHARGEBACK_LOSS]
PAYMENT = Voiding(erp_ref("Payment", "000078"), "ch_1", money("50.00 USD"))


@shows(WhenLost.LOSS, Purpose.DISPUTE_LOSS)
def test_a_loss_moves_the_asset_to_the_expense_and_leaves_clearing_alone() -> None:
    """50.00 are lost.

    chargeback loss | disputed
    50.00   |       |        | 50.00
    """
    made = as_loss(LOST, a_mapping())
    assert (made.key, made.transaction) == ("dispute_loss:du_1", "txn_2")
    assert t_accounts([made]) == {LOSS: "50.00 USD", DISPUTED: "-50.00 USD"}
    assert not made.clearing


@shows(Purpose.LOSS_REVERSAL)
def test_a_loss_that_was_won_after_all_is_its_exact_reverse() -> None:
    """50.00 were lost, and an appeal won them; what the bank pays back is a dispute reversal.

    chargeback loss | disputed
    50.00   |       |        | 50.00       lost
            | 50.00 | 50.00  |             taken back
    """
    both = [as_loss(LOST, a_mapping()), as_loss_reversed(LOST, a_mapping())]
    assert t_accounts(both) == {LOSS: "0.00 USD", DISPUTED: "0.00 USD"}
    assert both[0].key != both[1].key


@shows(WhenLost.REOPEN, Purpose.VOID, Purpose.DISPUTE_UNDONE)
def test_reopening_makes_the_customer_owe_again_and_leaves_clearing_alone() -> None:
    """50.00 are lost and asked for again.

    receivable    | disputed     | clearing
    50.00  |      |      | 50.00 | 50.00 | 50.00
    """
    made = as_reopened(LOST, PAYMENT, a_mapping())
    assert [one.key for one in made] == ["void:ch_1", "dispute_undone:du_1"]
    assert t_accounts(made) == {
        CLEARING: "0.00 USD",
        RECEIVABLE: "50.00 USD",
        DISPUTED: "-50.00 USD",
    }
    assert sum(one.clearing.minor for one in made) == 0


@pytest.mark.parametrize("paid", ["50.01 USD", "100.00 USD", "50.00 EUR"])
def test_a_part_of_a_payment_reopens_nothing(paid: str) -> None:
    with pytest.raises(CannotReopen, match="cannot reopen its invoice") as why:
        as_reopened(LOST, replace(PAYMENT, amount=money(paid)), a_mapping())
    assert why.value.cause == "dispute.cannot_reopen:du_1"


@pytest.mark.parametrize("role", [Role.CHARGEBACK_LOSS, Role.DISPUTED])
def test_a_loss_without_an_account_is_asked_for(role: Role) -> None:
    accounts = {key: value for key, value in ACCOUNTS.items() if key != role}
    with pytest.raises(NotMapped, match=str(role)):
        as_loss(LOST, a_mapping(accounts=accounts))
