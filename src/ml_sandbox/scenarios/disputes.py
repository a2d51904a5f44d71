"""Disputes: what a bank takes, and what it gives back."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage


def dispute_inquiry(stage: Stage) -> Expected:
    """A bank asks about a payment, without taking money.

    Nothing is booked but the payment and its fee.
    """
    stage.dispute(stage.pay(stage.invoice("100.00")), inquiry=True)
    return Expected(payments=1, fees=1)


def dispute_won(stage: Stage) -> Expected:
    """A dispute is opened and won.

    The money goes to the disputed funds and comes back; the dispute's fee stays an expense.
    """
    dispute = stage.dispute(stage.pay(stage.invoice("100.00")))
    stage.journals("Stripe dispute")
    stage.decide(dispute, "won")
    return Expected(payments=1, fees=2, disputes=2)


def dispute_won_after_payout(stage: Stage) -> Expected:
    """The payment was paid out before it was disputed; the dispute is won a week later.

    The balance goes below zero and comes back; the first payout stays proven.
    """
    charge = stage.pay(stage.invoice("100.00"))
    stage.booked(charge)
    (payout,) = stage.pay_out()
    stage.journals(f"Stripe payout {payout}")
    dispute = stage.dispute(charge)
    stage.journals("Stripe dispute")
    stage.pass_days(7)
    stage.decide(dispute, "won")
    return Expected(payments=1, fees=2, disputes=2, payouts=1, proven=1)


def dispute_lost(stage: Stage) -> Expected:
    """A dispute is opened and lost.

    Stripe moves no more money; the disputed funds become a loss.
    """
    dispute = stage.dispute(stage.pay(stage.invoice("100.00")))
    stage.journals("Stripe dispute")
    stage.decide(dispute, "lost")
    return Expected(payments=1, fees=2, disputes=1, losses=1)


def dispute_of_a_part(stage: Stage) -> Expected:
    """Only 30.00 of a payment are disputed, and won.

    30.00 go to the disputed funds and come back.
    """
    dispute = stage.dispute(stage.pay(stage.invoice("100.00")), "30.00")
    stage.journals("Stripe dispute")
    stage.decide(dispute, "won")
    return Expected(payments=1, fees=2, disputes=2)


def dispute_in_another_currency(stage: Stage) -> Expected:
    """A payment in Canadian dollars, settled in US dollars, is disputed.

    The dispute is booked in US dollars; without transit accounts the payment itself is named and
    waits for a person.
    """
    customer = stage.clerk.customer("Lavoie", "CAD")
    stage.dispute(stage.pay(stage.invoice("100.00", customer=customer, currency="CAD")))
    return Expected(
        disputes=1,
        fees=1,
        owed={"CAD": "100.00"},
        unposted={"USD": "69.85"},
        held={"rules.fx": 1},
    )


def dispute_in_another_currency_by_transit(stage: Stage) -> Expected:
    """The same with transit accounts for Canadian dollars: the payment stands, too.

    The dispute is booked in US dollars, as Stripe took it.
    """
    customer = stage.clerk.customer("Lavoie", "CAD")
    stage.dispute(stage.pay(stage.invoice("100.00", customer=customer, currency="CAD")))
    return Expected(payments=1, conversions=1, fees=2, disputes=1)


def dispute_countered_for_a_fee(stage: Stage) -> Expected:
    """Evidence is handed in, for which Stripe takes a fee in a row that names no source.

    The fee is an expense of its own; the dispute is won, and the fee comes back.
    """
    stage.stripe.post("switches", {"countered_fee": 1500})
    dispute = stage.dispute(stage.pay(stage.invoice("100.00")))
    stage.at_the_dashboard(
        f"disputes/{dispute}",
        {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"},
    )
    return Expected(payments=1, fees=2, disputes=2, bills=2)


ALL = (
    dispute_inquiry,
    dispute_won,
    dispute_won_after_payout,
    dispute_lost,
    dispute_of_a_part,
    dispute_in_another_currency,
    dispute_in_another_currency_by_transit,
    dispute_countered_for_a_fee,
)
