"""Refunds: money given back, at once, later, or in vain."""

from datetime import timedelta

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import REFUND_FAILS, REFUND_PENDS, Stage


def refunded_in_part(stage: Stage) -> Expected:
    """A quarter of a payment is given back.

    A journal against refunds; the payment and the invoice stay as they are.
    """
    stage.refund(stage.pay(stage.invoice("100.00")), "25.00")
    return Expected(payments=1, fees=1, refunds=1)


def refunded_in_full(stage: Stage) -> Expected:
    """A payment is given back whole, in two refunds.

    Two journals; Stripe keeps its fee, so clearing is below zero by exactly that.
    """
    charge = stage.pay(stage.invoice("100.00"))
    stage.refund(charge, "40.00")
    stage.refund(charge)
    return Expected(payments=1, fees=1, refunds=2)


def refund_pending(stage: Stage) -> Expected:
    """A refund is pending for days and then goes out.

    Nothing is booked while it is pending; then one journal.
    """
    charge = stage.pay(stage.invoice("100.00"), card=REFUND_PENDS)
    stage.booked(charge)
    stage.webhooks(delay_scale=1000)
    refund = stage.refund(charge, "40.00")
    stage.end_refund(refund, "succeeded")
    stage.webhooks(delay_scale=0.01)
    return Expected(payments=1, fees=1, refunds=1)


def refund_fails_late(stage: Stage) -> Expected:
    """A refund goes out and, weeks later, comes back: the card was closed.

    The refund's journal and its reverse; nothing is left on the refunds account.
    """
    charge = stage.pay(stage.invoice("100.00"), card=REFUND_FAILS)
    stage.booked(charge)
    stage.refund(charge, "40.00")
    return Expected(payments=1, fees=1, refunds=1, refund_failures=1)


def refund_of_an_old_charge(stage: Stage) -> Expected:
    """A payment of last month, already paid out, is given back after its period was closed.

    The refund is booked today, in the open period; the old month is not touched.
    """
    charge = stage.pay(stage.invoice("100.00"))
    stage.booked(charge)
    (payout,) = stage.pay_out()
    stage.journals(f"Stripe payout {payout}")
    stage.journals("Stripe fee")
    stage.pass_days(33)
    stage.clerk.period("102026", closed=True)
    stage.refund(charge)
    return Expected(payments=1, fees=1, payouts=1, refunds=1, proven=1)


def refund_of_a_charge_before_the_start(stage: Stage) -> Expected:
    """A payment from before the connection's first day is refunded.

    Its money came in by the opening balance, which the clerk has entered; the refund is booked.
    """
    present = stage.today
    stage.move_to(present - timedelta(days=20))
    charge = stage.charge("100.00")
    stage.pass_days(1)
    stage.clerk.opening_balance("96.80", stage.today)
    stage.move_to(present)
    stage.refund(charge)
    return Expected(refunds=1)


ALL = (
    refunded_in_part,
    refunded_in_full,
    refund_pending,
    refund_fails_late,
    refund_of_an_old_charge,
    refund_of_a_charge_before_the_start,
)
