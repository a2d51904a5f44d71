"""Payouts and everything else that Stripe itself moves."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage


def payout_of_a_week(stage: Stage) -> Expected:
    """Two payments and a refund are paid out.

    A journal to the bank, proven to the cent; clearing is zero.
    """
    charge = stage.pay(stage.invoice("100.00"))
    stage.pay(stage.invoice("50.00"))
    stage.refund(charge, "20.00")
    stage.pay_out()
    return Expected(payments=2, fees=2, refunds=1, payouts=1, proven=1)


def payout_negative(stage: Stage) -> Expected:
    """After a payout all is refunded; Stripe debits the bank account for what it lacks.

    The second payout is a journal the other way round, and proven too.
    """
    stage.stripe.post("switches", {"negative_payouts": True})
    charge = stage.pay(stage.invoice("100.00"))
    stage.booked(charge)
    stage.pay_out()
    stage.refund(charge)
    stage.pay_out()
    return Expected(payments=1, fees=1, refunds=1, payouts=2, proven=2)


def payout_failed_after_it_was_paid(stage: Stage) -> Expected:
    """The bank returns a payout days after it was paid.

    The journal and its reverse: the money is in clearing again, as it is at Stripe.
    """
    stage.pay(stage.invoice("100.00"))
    (payout,) = stage.pay_out()
    stage.journals(f"Stripe payout {payout}")
    stage.stripe.post(f"payouts/{payout}/fail", {})
    return Expected(payments=1, fees=1, payouts=1, payout_reversals=1, proven=1)


def payout_by_hand(stage: Stage) -> Expected:
    """Somebody pays 50.00 out by hand at the Dashboard.

    The transfer is booked. Stripe keeps no list of what is inside, so there is no proof of it.
    """
    stage.pay(stage.invoice("100.00"))
    stage.make_available()
    stage.at_the_dashboard("payouts", {"amount": "5000", "currency": "usd"})
    return Expected(payments=1, fees=1, payouts=1)


def payout_with_a_stranger_inside(stage: Stage) -> Expected:
    """A payout holds a row of a kind that nobody has heard of.

    The row is named and waits for an account; the payout is booked, but not proven.
    """
    stage.pay(stage.invoice("100.00"))
    stage.adjust("brand_new", "brand_new_kind", "7.00")
    stage.pay_out()
    return Expected(
        payments=1, fees=1, payouts=1, unposted={"USD": "7.00"}, held={"rules.unknown_pair": 1}
    )


def unknown_movement(stage: Stage) -> Expected:
    """Stripe moves money under a name that has no rule.

    Never guessed: named with its amount, and a person is asked for an account.
    """
    stage.adjust("brand_new", "brand_new_kind", "-12.34")
    return Expected(unposted={"USD": "-12.34"}, held={"rules.unknown_pair": 1})


def bill_of_stripe(stage: Stage) -> Expected:
    """Stripe charges for a product and for tax on it, without any event.

    The sweep of balance transactions finds both: two journals.
    """
    stage.bill("12.50")
    stage.adjust("tax_fee", "tax", "-2.38")
    return Expected(bills=2)


def reserve_held_and_released(stage: Stage) -> Expected:
    """Stripe holds 20.00 aside for risk, and sets them free.

    Two journals to and from the reserve account.
    """
    stage.pay(stage.invoice("100.00"))
    stage.make_available()
    hold = stage.stripe.post("reserves", {"amount": 2000})
    stage.stripe.post(f"reserves/{hold['id']}/release", {})
    return Expected(payments=1, fees=1, reserves=2)


ALL = (
    payout_of_a_week,
    payout_negative,
    payout_failed_after_it_was_paid,
    payout_by_hand,
    payout_with_a_stranger_inside,
    unknown_movement,
    bill_of_stripe,
    reserve_held_and_released,
)
