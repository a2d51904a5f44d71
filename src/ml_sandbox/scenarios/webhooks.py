"""Webhooks: events that come twice, late, broken, or not at all. The books must not care."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage


def events_twice(stage: Stage) -> Expected:
    """Every event is delivered twice.

    Each payment, fee and refund is booked once.
    """
    stage.webhooks(duplicate=1.0)
    stage.refund(stage.pay(stage.invoice("100.00")), "10.00")
    return Expected(payments=1, fees=1, refunds=1)


def events_in_reverse(stage: Stage) -> Expected:
    """Events arrive in any order, the refund's perhaps before the payment's.

    The order does not matter: the truth is fetched each time.
    """
    stage.webhooks(shuffle=True, seed=3)
    stage.refund(stage.pay(stage.invoice("100.00")), "10.00")
    stage.pay_out()
    return Expected(payments=1, fees=1, refunds=1, payouts=1, proven=1)


def events_never_delivered(stage: Stage) -> Expected:
    """No webhook gets through.

    The poll of events finds the payment: it is booked once.
    """
    stage.webhooks(drop=1.0)
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, fees=1)


def events_never_made(stage: Stage) -> Expected:
    """Stripe never even makes the events.

    The sweep of balance transactions finds the money.
    """
    stage.webhooks(never_generated=1.0)
    stage.pay(stage.invoice("100.00"))
    stage.pay_out()
    return Expected(payments=1, fees=1, payouts=1, proven=1)


def events_in_an_old_shape(stage: Stage) -> Expected:
    """Events come in the shape of a former API version.

    Nothing of the body is believed, so nothing changes.
    """
    stage.webhooks(legacy_shape=True)
    stage.refund(stage.pay(stage.invoice("100.00")), "10.00")
    return Expected(payments=1, fees=1, refunds=1)


def events_of_the_wrong_mode(stage: Stage) -> Expected:
    """Events claim to be from live mode, but this is a test account.

    They are refused; the poll brings what is true.
    """
    stage.webhooks(live_mode=True)
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, fees=1)


def events_signed_too_long_ago(stage: Stage) -> Expected:
    """Events carry signatures that are an hour old, as if somebody replayed them.

    They are refused; the poll brings what is true.
    """
    stage.webhooks(stale_seconds=3600)
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, fees=1)


def signing_secret_rolled(stage: Stage) -> Expected:
    """The signing secret was rolled at Stripe and the old one ended at once.

    Deliveries are refused until the new one is entered; the poll brings what is true.
    """
    invoice = stage.invoice("100.00")
    for endpoint in stage.endpoints():
        stage.stripe.post(f"webhooks/{endpoint}/secrets", {"expire": True})
    stage.pay(invoice)
    return Expected(payments=1, fees=1)


def away_for_longer_than_events_are_kept(stage: Stage) -> Expected:
    """No event gets through, and the poll starts again after 35 days, when Stripe has none.

    The sweep of balance transactions finds the money, and it is booked on its own day.
    """
    invoice = stage.invoice("100.00")
    stage.webhooks(drop=1.0)
    with stage.fault(stage.stripe, kind="status", status=503, method="GET", path="/v1/"):
        stage.pay(invoice)
        stage.pass_days(35)
    return Expected(payments=1, fees=1)


ALL = (
    events_twice,
    events_in_reverse,
    events_never_delivered,
    events_never_made,
    events_in_an_old_shape,
    events_of_the_wrong_mode,
    events_signed_too_long_ago,
    signing_secret_rolled,
    away_for_longer_than_events_are_kept,
)
