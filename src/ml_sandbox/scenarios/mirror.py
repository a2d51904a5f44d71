"""The mirror: invoices that are not as simple as they should be, on either side."""

from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage


def invoice_of_251_lines(stage: Stage) -> Expected:
    """An invoice has one line more than Stripe takes.

    It is sent as one line for its balance, paid and booked; the totals agree.
    """
    stage.pay(stage.invoice(*["1.99"] * 251))
    return Expected(payments=1, fees=1)


def invoice_with_tax(stage: Stage) -> Expected:
    """An invoice with the tax that the ERP has computed is paid.

    What Stripe asks for is the ERP's total to the cent.
    """
    lines = [{"TransactionDescription": "Work", "Qty": 3, "UnitPrice": 33, "Account": "40000"}]
    taxed = [line | {"TaxCategory": "TAXABLE"} for line in lines]
    stage.pay(stage.invoice(customer="HMBAKERY", Details=taxed))
    return Expected(payments=1, fees=1)


def invoice_below_the_minimum(stage: Stage) -> Expected:
    """An invoice of 0.30 is less than Stripe can charge.

    It is not sent, as Stripe would mark it paid without any money; a person is asked.
    """
    stage.invoice("0.30", sent=False)
    return Expected(owed={"USD": "0.30"}, held={"invoice.below_minimum": 1}, mirrored={})


def customer_with_a_balance(stage: Stage) -> Expected:
    """The Stripe customer holds a credit of 10.00, which would lower what the buyer pays.

    The invoice is withdrawn and waits, and a person is told whose balance it is.
    """
    customer = stage.stripe_customer("FRUITICO")
    credit = {"amount": "-1000", "currency": "usd"}
    stage.at_the_dashboard(f"customers/{customer}/balance_transactions", credit)
    stage.invoice("100.00", customer="FRUITICO", sent=False)
    return Expected(owed={"USD": "100.00"}, held={"invoice.customer_balance": 1})


def customer_deleted_at_stripe(stage: Stage) -> Expected:
    """Somebody deletes a customer at Stripe; then an invoice is written.

    The customer is made anew, and the invoice goes to it.
    """
    stage.deletes("customers/" + stage.stripe_customer("FRUITICO"))
    stage.invoice("100.00", customer="FRUITICO", sent=False)
    return Expected(owed={"USD": "100.00"}, mirrored={"open": 1})


def invoice_number_taken(stage: Stage) -> Expected:
    """The next invoice number is already used at Stripe by an invoice made by hand.

    The ERP invoice cannot be sent under its number; a person is asked.
    """
    first = stage.invoice("10.00")
    taken = f"{int(first.number) + 1:0{len(first.number)}d}"
    customer = stage.stripe_customer("GOODFOOD")
    stage.at_the_dashboard("invoices", {"customer": customer, "number": taken})
    stage.invoice("100.00", sent=False)
    return Expected(owed={"USD": "110.00"}, held={"stripe.number_taken": 1})


def voided_at_stripe_by_hand(stage: Stage) -> Expected:
    """Somebody voids the Stripe invoice; the ERP still owes it.

    No money moved and nothing is booked; a person is told that nobody can pay it any more.
    """
    invoice = stage.invoice("100.00")
    stage.at_the_dashboard(f"invoices/{stage.mirrored(invoice)['id']}/void")
    return Expected(owed={"USD": "100.00"}, held={"invoice.voided": 1}, mirrored={"void": 1})


def paid_out_of_band(stage: Stage) -> Expected:
    """Somebody marks the Stripe invoice as paid outside Stripe.

    No cash has come to Stripe, so none is booked; a person is told that the ERP still owes it.
    """
    invoice = stage.invoice("100.00")
    paid = {"paid_out_of_band": "true"}
    stage.at_the_dashboard(f"invoices/{stage.mirrored(invoice)['id']}/pay", paid)
    held = {"invoice.asks_too_little": 1}
    return Expected(owed={"USD": "100.00"}, held=held, mirrored={"paid": 1})


def credited_to_zero_at_stripe(stage: Stage) -> Expected:
    """A credit note over the whole amount makes the Stripe invoice paid without any cash.

    Nothing is booked; a person is told that the ERP still owes it.
    """
    invoice = stage.invoice("100.00")
    note = {"invoice": stage.mirrored(invoice)["id"], "amount": "10000"}
    stage.at_the_dashboard("credit_notes", note)
    held = {"invoice.asks_too_little": 1}
    return Expected(owed={"USD": "100.00"}, held=held, mirrored={"paid": 1})


def check_after_sending(stage: Stage) -> Expected:
    """A check over the whole amount is recorded in the ERP after the invoice was sent.

    The Stripe invoice is closed as paid elsewhere, so that the buyer does not pay twice.
    """
    stage.clerk.check(stage.invoice("100.00"), "100.00")
    return Expected(mirrored={"paid": 1})


def check_for_a_part(stage: Stage) -> Expected:
    """A check over 40.00 is recorded in the ERP after the invoice of 100.00 was sent.

    A credit note at Stripe takes 40.00 off; 60.00 are owed and asked for.
    """
    stage.clerk.check(stage.invoice("100.00"), "40.00")
    return Expected(owed={"USD": "60.00"}, mirrored={"open": 1})


def check_and_card_at_once(stage: Stage) -> Expected:
    """A check over 100.00 is recorded while the buyer pays the same invoice by card.

    The money is there twice: the card payment stands on the customer's account, applied to
    nothing, and a person is told what to give back.
    """
    invoice = stage.invoice("100.00")
    stage.clerk.check(invoice, "100.00")
    stage.pay(invoice)
    return Expected(payments=1, fees=1, owed={"USD": "-100.00"}, held={"invoice.paid_twice": 1})


def credit_memo_after_sending(stage: Stage) -> Expected:
    """A credit memo over 25.00 is applied in the ERP after the invoice was sent.

    A credit note at Stripe takes off the same; 75.00 are owed and asked for.
    """
    stage.clerk.credit_memo(stage.invoice("100.00"), "25.00")
    return Expected(owed={"USD": "75.00"}, mirrored={"open": 1})


def part_paid_then_voided_in_the_erp(stage: Stage) -> Expected:
    """A buyer pays 40.00 of 100.00 by card; a clerk voids that payment in the ERP by mistake.

    The money is at Stripe and not in clearing: the voided payment is named as what is missing.
    """
    charge = stage.pay(stage.invoice("100.00"), "40.00")
    stage.journals("Stripe fee")
    stage.clerk.void_payment(str(stage.booked(charge)["ReferenceNbr"]))
    held = {"invoice.asks_too_little": 1}
    return Expected(fees=1, owed={"USD": "100.00"}, unposted={"USD": "40.00"}, held=held)


def void_refused_because_part_is_paid(stage: Stage) -> Expected:
    """A part-paid invoice gets a credit memo over the rest; Stripe would refuse to void it.

    The payment stays; a credit note at Stripe closes the rest.
    """
    invoice = stage.invoice("100.00")
    stage.booked(stage.pay(invoice, "40.00"))
    stage.turned_away(f"invoices/{stage.mirrored(invoice)['id']}/void")
    stage.clerk.credit_memo(invoice, "60.00")
    return Expected(payments=1, fees=1, mirrored={"paid": 1})


def customer_with_a_coupon(stage: Stage) -> Expected:
    """The Stripe customer has a coupon for a tenth off, which would lower what the buyer pays.

    The invoice does not inherit it: the buyer pays what the ERP is owed.
    """
    customer = stage.stripe_customer("FRUITICO")
    coupon = stage.at_the_dashboard("coupons", {"percent_off": "10", "duration": "forever"})
    stage.stripe.post(f"customers/{customer}/coupon", {"coupon": coupon["id"]})
    stage.pay(stage.invoice("100.00", customer="FRUITICO"))
    return Expected(payments=1, fees=1)


ALL = (
    invoice_of_251_lines,
    invoice_with_tax,
    invoice_below_the_minimum,
    customer_with_a_balance,
    customer_with_a_coupon,
    customer_deleted_at_stripe,
    invoice_number_taken,
    voided_at_stripe_by_hand,
    paid_out_of_band,
    credited_to_zero_at_stripe,
    check_after_sending,
    check_for_a_part,
    check_and_card_at_once,
    credit_memo_after_sending,
    part_paid_then_voided_in_the_erp,
    void_refused_because_part_is_paid,
)
