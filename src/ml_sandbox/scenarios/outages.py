"""Outages: services that are away, slow or confused, and doors that were shut."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage


def stripe_limits_the_rate(stage: Stage) -> Expected:
    """Stripe turns calls away for coming too fast.

    They are repeated: the invoice arrives once, the payment is booked once.
    """
    with stage.fault(
        stage.stripe,
        kind="status",
        status=429,
        times=4,
        path="/v1/invoices",
        body='{"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "No"}}',
    ):
        invoice = stage.invoice("100.00")
    stage.pay(invoice)
    return Expected(payments=1, fees=1, mirrored={"paid": 1})


def stripe_locks_the_object(stage: Stage) -> Expected:
    """Stripe answers `lock_timeout` to the first writes, as another request holds the object.

    They are repeated with the same key; the invoice arrives once.
    """
    stage.stripe.post("switches", {"lock_timeouts": 2})
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, fees=1, mirrored={"paid": 1})


def stripe_key_in_use(stage: Stage) -> Expected:
    """Stripe answers 409 as the same request is still running there.

    It is repeated a moment later; the invoice arrives once.
    """
    with stage.fault(
        stage.stripe,
        kind="status",
        status=409,
        times=2,
        method="POST",
        body='{"error": {"type": "idempotency_error", "code": "idempotency_key_in_use",'
        ' "message": "There is another request in progress with this key"}}',
    ):
        invoice = stage.invoice("100.00")
    stage.pay(invoice)
    return Expected(payments=1, fees=1, mirrored={"paid": 1})


def stripe_fails_after_its_work(stage: Stage) -> Expected:
    """Stripe makes the invoice, but its answer is a 500.

    It is found again by what it carries: there is one invoice, not two.
    """
    stage.stripe.post("switches", {"fail_after_commit": 1})
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, fees=1, mirrored={"paid": 1})


def erp_answer_lost(stage: Stage) -> Expected:
    """The ERP saves the payment, but the connection breaks before its answer.

    It is searched for by its mark after the quiet time: one payment, not two.
    """
    invoice = stage.invoice("100.00")
    with stage.fault(
        stage.erp, kind="reset", when="after", method="PUT", path="/Payment$", times=1
    ):
        stage.booked(stage.pay(invoice))
    return Expected(payments=1, fees=1)


def erp_away_for_a_while(stage: Stage) -> Expected:
    """The ERP answers 503 while buyers pay.

    Nothing is lost: both payments are booked when it is back.
    """
    one, two = stage.invoice("100.00"), stage.invoice("50.00")
    with stage.fault(stage.erp, kind="status", status=503, path="/entity/"):
        stage.pay(one)
        stage.pay(two)
        stage.struck(stage.erp, 2)
    return Expected(payments=2, fees=2)


def stripe_key_revoked(stage: Stage) -> Expected:
    """Somebody revokes the key at Stripe; a buyer pays meanwhile; the key is restored.

    The payment waits with that cause and is booked by itself when the key works.
    """
    invoice = stage.invoice("100.00")
    stage.key(revoked=True)
    stage.pay(invoice)
    stage.a_while()
    stage.key(revoked=False)
    return Expected(payments=1, fees=1)


def stripe_key_may_not_read_charges(stage: Stage) -> Expected:
    """The key at Stripe loses a permission: it may not read charges any more.

    The payment waits; a person is told which permission is missing, and the money is named.
    """
    invoice = stage.invoice("100.00")
    allowed = "customers invoices balance payouts events account".split()
    stage.key(dict.fromkeys(allowed, "write"))
    stage.pay(invoice)
    return Expected(
        owed={"USD": "100.00"}, unposted={"USD": "96.80"}, held={"stripe.permission": 1}
    )


def period_closed(stage: Stage) -> Expected:
    """The accountant has closed October; a buyer pays on the 5th of October.

    Payment and fee wait, named, until somebody opens the period.
    """
    invoice = stage.invoice("100.00")
    stage.clerk.period("102026", closed=True)
    stage.pay(invoice)
    return Expected(
        owed={"USD": "100.00"}, unposted={"USD": "96.80"}, held={"acumatica.period_closed": 1}
    )


def period_closed_and_moved_on(stage: Stage) -> Expected:
    """The same where the firm books on the first open day, with the true date in the description.

    Payment and fee stand in November, and nothing waits.
    """
    invoice = stage.invoice("100.00")
    stage.clerk.period("102026", closed=True)
    stage.pay(invoice)
    return Expected(payments=1, fees=1)


def period_opened_again(stage: Stage) -> Expected:
    """A payment meets a closed period, which is then opened again.

    It goes on by itself: payment and fee are booked on their own day.
    """
    invoice = stage.invoice("100.00")
    stage.clerk.period("102026", closed=True)
    stage.pay(invoice)
    stage.a_while()
    stage.clerk.period("102026", closed=False)
    return Expected(payments=1, fees=1)


def sign_in_expired(stage: Stage) -> Expected:
    """Every sign-in to the ERP ends at once; a buyer pays.

    The connector signs in again and nobody notices.
    """
    invoice = stage.invoice("100.00")
    stage.erp.post("tokens", {"expire": "access"})
    stage.pay(invoice)
    return Expected(payments=1, fees=1)


def account_switched_off(stage: Stage) -> Expected:
    """Somebody deactivates the account for fees.

    The payment is booked, its fee waits and is named, and a person is asked.
    """
    stage.erp.post("accounts/61100", {"active": False})
    stage.pay(stage.invoice("100.00"))
    return Expected(payments=1, unposted={"USD": "-3.20"}, held={"acumatica.account_inactive": 1})


ALL = (
    stripe_limits_the_rate,
    stripe_locks_the_object,
    stripe_key_in_use,
    stripe_fails_after_its_work,
    erp_answer_lost,
    erp_away_for_a_while,
    stripe_key_revoked,
    stripe_key_may_not_read_charges,
    period_closed,
    period_closed_and_moved_on,
    period_opened_again,
    sign_in_expired,
    account_switched_off,
)
