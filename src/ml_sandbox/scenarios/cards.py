"""Cards and bank debits: how money comes in."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import BANK_DEBIT, Stage


def paid_by_card(stage: Stage) -> Expected:
    """A buyer pays an invoice by card.

    One payment on the invoice, one fee; nothing is owed and clearing equals Stripe.
    """
    stage.pay(stage.invoice("100.00", "23.45"))
    return Expected(payments=1, fees=1)


def declined_then_paid(stage: Stage) -> Expected:
    """A card is declined, the next one pays: two charges on one payment intent.

    Only the second one moved money, so there is one payment.
    """
    invoice = stage.invoice("80.00")
    stage.declined(invoice)
    stage.pay(invoice)
    return Expected(payments=1, fees=1)


def paid_in_two_parts(stage: Stage) -> Expected:
    """A buyer pays 30.00 of 100.00 today and the rest tomorrow.

    Two payments on one invoice, which is then closed.
    """
    invoice = stage.invoice("100.00")
    stage.booked(stage.pay(invoice, "30.00"))
    stage.pass_days(1)
    stage.pay(invoice)
    return Expected(payments=2, fees=2)


def overpaid(stage: Stage) -> Expected:
    """A buyer transfers 120.00 for an invoice of 100.00.

    The payment is 120.00; the invoice is closed and 20.00 stand on the customer's account.
    """
    invoice = stage.invoice("100.00")
    stage.pay(invoice, "120.00")
    return Expected(payments=1, fees=1, owed={"USD": "-20.00"})


def overpaid_in_two_parts(stage: Stage) -> Expected:
    """After 60.00 of 100.00, a buyer pays another 60.00.

    The second payment settles the 40.00 that are left; 20.00 stand on the customer's account.
    """
    invoice = stage.invoice("100.00")
    stage.booked(stage.pay(invoice, "60.00"))
    stage.pay(invoice, "60.00")
    return Expected(payments=2, fees=2, owed={"USD": "-20.00"})


def charge_without_invoice(stage: Stage) -> Expected:
    """Somebody pays 42.00 outside invoicing.

    Nobody knows whose it is: nothing is booked, its net is named, and a person is asked.
    """
    stage.charge("42.00")
    return Expected(unposted={"USD": "40.48"}, held={"payment.no_invoice": 1})


def booked_late_by_stripe(stage: Stage) -> Expected:
    """Stripe tells of a payment before it has booked it; the balance transaction comes later.

    Nothing is posted until it is there; then one payment and one fee.
    """
    invoice = stage.invoice("100.00")
    stage.webhooks(delay_scale=1000)
    stage.pay(invoice)
    stage.pass_days(0.01)
    stage.webhooks(delay_scale=0.01)
    return Expected(payments=1, fees=1)


def bank_debit_paid(stage: Stage) -> Expected:
    """A buyer pays by bank debit (ACH), which takes days.

    Booked like a card payment, once the bank has said yes.
    """
    invoice = stage.invoice("100.00")
    stage.booked(stage.pay(invoice, card=BANK_DEBIT))
    return Expected(payments=1, fees=1)


def bank_debit_refused(stage: Stage) -> Expected:
    """The bank refuses a debit (insufficient funds).

    No money moved: the invoice is owed as before and nothing is booked.
    """
    invoice = stage.invoice("100.00")
    stage.pay(invoice, card="000222222227")
    return Expected(owed={"USD": "100.00"}, mirrored={"open": 1})


def bank_debit_returned_late(stage: Stage) -> Expected:
    """A debit is booked and paid; a week later the bank takes it back.

    The AR payment is voided: the invoice is owed again; Stripe keeps its fee. The paid Stripe
    invoice cannot ask again, and a person is told.
    """
    invoice = stage.invoice("100.00")
    charge = stage.pay(invoice, card=BANK_DEBIT)
    stage.booked(charge)
    stage.pass_days(7)
    stage.returned(charge)
    return Expected(fees=1, owed={"USD": "100.00"}, held={"invoice.reopened": 1})


def bank_debit_returned_at_once(stage: Stage) -> Expected:
    """The bank takes a debit back before anybody has booked it.

    Both movements count: the payment is booked and voided, the invoice is owed again, and a
    person is told that Stripe does not ask for it any more.
    """
    charge = stage.pay(stage.invoice("100.00"), card=BANK_DEBIT)
    stage.pass_days(0.01)
    stage.returned(charge)
    return Expected(fees=1, owed={"USD": "100.00"}, held={"invoice.reopened": 1})


def bank_debit_disputed(stage: Stage) -> Expected:
    """A debit succeeds and its owner says at once that it was never authorised.

    The payment stands; the disputed money is an asset, its fee an expense.
    """
    invoice = stage.invoice("100.00")
    stage.booked(stage.pay(invoice, card="000555555559"))
    return Expected(payments=1, fees=2, disputes=1)


def yen_kronur_and_dinars(stage: Stage) -> Expected:
    """Currencies without decimals, with two that must be zero, and with three.

    The invoice in yen is booked in whole yen; Icelandic kronur and Kuwaiti dinars have no
    accounts, so both are named to their last decimal.
    """
    rates = {"settlement": ["usd", "eur", "jpy", "isk", "kwd"]}
    fees = {"isk": {"percent": "2", "fixed": 0}, "kwd": {"percent": "2", "fixed": 0}}
    stage.stripe.post("rates", rates | {"fees": fees})
    customer = stage.clerk.customer("Tanaka", "JPY")
    stage.pay(stage.invoice("12000", "345", customer=customer, currency="JPY"))
    stage.charge("500.00", "ISK")
    stage.charge("12.340", "KWD")
    return Expected(
        payments=1,
        fees=1,
        unposted={"ISK": "490.00", "KWD": "12.093"},
        held={"payment.no_invoice": 2},
    )


def paid_in_another_currency(stage: Stage) -> Expected:
    """A Canadian invoice is paid; Stripe settles it in US dollars. Half of it is refunded.

    Without transit accounts the payment is never converted by guess: it is named in dollars and a
    person is asked. The refund of what is not in the books waits with it.
    """
    customer = stage.clerk.customer("Lavoie", "CAD")
    charge = stage.pay(stage.invoice("100.00", customer=customer, currency="CAD"))
    stage.refund(charge, "50.00")
    return Expected(owed={"CAD": "100.00"}, unposted={"USD": "33.35"}, held={"rules.fx": 2})


def paid_in_another_currency_by_transit(stage: Stage) -> Expected:
    """The same with transit accounts for Canadian dollars: both sides meet there.

    The invoice is paid in its own currency, a journal brings what Stripe settled to the clearing
    account; the refund is booked at what it took.
    """
    customer = stage.clerk.customer("Lavoie", "CAD")
    charge = stage.pay(stage.invoice("100.00", customer=customer, currency="CAD"))
    stage.refund(charge, "50.00")
    return Expected(payments=1, conversions=1, fees=1, refunds=1)


def two_branches_one_account(stage: Stage) -> Expected:
    """Head office and the retail branch both bill by the one Stripe account.

    Both payments are booked on their invoices, into the one clearing account.
    """
    stage.pay(stage.invoice("100.00"))
    stage.pay(stage.invoice("70.00", LinkBranch="RETAIL"))
    return Expected(payments=2, fees=2)


ALL = (
    paid_by_card,
    declined_then_paid,
    paid_in_two_parts,
    overpaid,
    overpaid_in_two_parts,
    charge_without_invoice,
    booked_late_by_stripe,
    bank_debit_paid,
    bank_debit_refused,
    bank_debit_returned_late,
    bank_debit_returned_at_once,
    bank_debit_disputed,
    yen_kronur_and_dinars,
    paid_in_another_currency,
    paid_in_another_currency_by_transit,
    two_branches_one_account,
)
