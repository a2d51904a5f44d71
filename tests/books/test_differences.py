"""A dispute that was given back at another rate than it was taken at, in T-accounts."""

from build.examples import shows
from build.ledger import DISPUTED, t_accounts
from build.records import ACCOUNTS, CLEARING, NOON, a_balance_transaction, a_mapping, money
from ml_connector.basics.ids import StripeId
from ml_connector.books.differences import difference
from ml_connector.books.legs import Leg
from ml_connector.books.mapping import Role
from ml_connector.books.postings import Posting, Purpose
from ml_connector.books.rules import Story, postings

GAIN_LOSS = ACCOUNTS[Role.FX_GAIN_LOSS]


def moved(settled: str) -> list[Posting]:
    """A dispute over 10.00 EUR, as Stripe moves it in dollars."""
    back = "" if settled.startswith("-") else "_reversal"
    bt = a_balance_transaction(f"adjustment/dispute{back}", settled, id=f"txn{back}")
    return postings(bt, Story("du_1"), a_mapping())


def rest(amount: str) -> Posting:
    left = Leg(DISPUTED, "000-000", "HQ", money(amount))
    what, day = "dispute du_1 of ch_1", NOON.date()
    return difference(
        Purpose.DISPUTE_EXCHANGE, StripeId("txn_reversal"), what, left, day, a_mapping()
    )


@shows(Purpose.DISPUTE_EXCHANGE)
def test_a_dispute_that_is_won_at_a_lower_rate_leaves_a_loss_and_no_asset() -> None:
    """10.00 EUR are taken as 11.10 USD and given back as 10.90 USD.

    clearing            | disputed funds      | gain or loss
           |    11.10   | 11.10  |            |      |         taken
    10.90  |            |        | 10.90      |      |         given back
           |            |        |  0.20      | 0.20 |
    """
    made = [*moved("-11.10 USD"), *moved("10.90 USD"), rest("0.20 USD")]
    assert made[-1].key == "dispute_exchange:txn_reversal"
    assert t_accounts(made) == {
        DISPUTED: "0.00 USD",
        CLEARING: "-0.20 USD",
        GAIN_LOSS: "0.20 USD",
    }


def test_one_that_is_won_at_a_higher_rate_leaves_a_gain() -> None:
    made = [*moved("-11.10 USD"), *moved("11.40 USD"), rest("-0.30 USD")]
    assert t_accounts(made) == {
        DISPUTED: "0.00 USD",
        CLEARING: "0.30 USD",
        GAIN_LOSS: "-0.30 USD",
    }
