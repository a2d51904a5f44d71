"""What is done with an invoice: finalize, send, pay, void, write off, attach a payment."""

from ml_sandbox.stripe import (
    customer_balance,
    customers,
    intents,
    invoice_payments,
    page_address,
    payments,
)
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.invoice_lines import not_editable
from ml_sandbox.stripe.invoice_totals import lines_of, refresh
from ml_sandbox.stripe.invoices import check_number, copy_customer
from ml_sandbox.stripe.money import WHOLE_UNITS, too_large
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

REMIND_BEFORE = 7 * 86_400


def finalize(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/finalize."""
    invoice = world.get("invoice", call.id, "invoice")
    if "auto_advance" in call.params:
        invoice["auto_advance"] = call.params["auto_advance"]
    finalized(world, invoice)
    return invoice


def finalized(world: World, invoice: Obj) -> None:
    """Turns a draft into an open invoice, or a paid one when there is nothing to collect."""
    if invoice["status"] != "draft":
        text = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise bad(text, code="invoice_not_editable")
    if not lines_of(world, invoice):
        text = "You cannot finalize an invoice without line items."
        raise bad(text, code="invoice_no_customer_line_items")
    check_number(world, invoice["number"], invoice["id"])
    customer = customers.living(world, invoice["customer"])
    before = world.wire.frozen(invoice)
    copy_customer(world, invoice, customer)
    refresh(world, invoice)
    moved = take_balance(world, invoice, customer)
    number(invoice, customer)
    publish(world, invoice)
    if invoice["amount_due"] == 0:
        mark_paid(world, invoice)
    else:
        open_payment(world, invoice)
    announce_finalized(world, invoice, before)
    if moved:
        emit(world, "customer.updated", customer, {"balance": invoice["starting_balance"]})
    plan_lateness(world, invoice)


def take_balance(world: World, invoice: Obj, customer: Obj) -> bool:
    """Applies the customer's balance; small, huge and uneven amounts go onto it instead."""
    due, total, currency = invoice["amount_due"], invoice["total"], invoice["currency"]
    kind = "applied_to_invoice"
    if due and world.money.too_small(due, currency):
        due, kind = 0, "invoice_too_small"
    elif too_large(due, currency):
        due, kind = 0, "invoice_too_large"
    elif currency in WHOLE_UNITS:
        due -= due % 100
    invoice["amount_due"] = invoice["amount_remaining"] = due
    invoice["ending_balance"] = invoice["starting_balance"] + total - due
    move = total - due
    if move:
        customer_balance.move(world, customer, move, currency, kind, invoice=invoice["id"])
    return move != 0


def number(invoice: Obj, customer: Obj) -> None:
    """Gives the invoice its number unless it brought one."""
    if invoice["number"] is not None:
        return
    sequence = customer["next_invoice_sequence"]
    invoice["number"] = f"{customer['invoice_prefix']}-{sequence:04d}"
    customer["next_invoice_sequence"] = sequence + 1


def publish(world: World, invoice: Obj) -> None:
    """Opens the hosted page and freezes the document."""
    page_address.give(world, invoice)
    invoice["status"] = "open"
    invoice["status_transitions"]["finalized_at"] = world.now()
    if invoice["effective_at"] is None:
        invoice["effective_at"] = world.now()


def mark_paid(world: World, invoice: Obj) -> None:
    """Nothing (more) is due."""
    invoice["status"] = "paid"
    invoice["attempted"] = True
    invoice["status_transitions"]["paid_at"] = world.now()


def open_payment(world: World, invoice: Obj) -> None:
    """Makes the default payment: an intent over the amount due and its invoice payment."""
    types = invoice["payment_settings"]["payment_method_types"] or ["card"]
    intent = intents.make(
        world,
        invoice["amount_due"],
        invoice["currency"],
        invoice["customer"],
        description="Payment for Invoice",
        payment_method_types=types,
        receipt_email=invoice["customer_email"],
    )
    invoice_payments.attach(world, invoice, intent, invoice["amount_due"], default=True)


def announce_finalized(world: World, invoice: Obj, before: Obj) -> None:
    """The events of finalizing, in the observed order."""
    emit(world, "invoice.finalized", invoice)
    if invoice["status"] == "open":
        emit(world, "invoice.updated", invoice, changes(world, before, invoice))
        return
    emit(world, "invoice.paid", invoice)
    if world.switches.zero_invoice_emits_payment_succeeded:
        emit(world, "invoice.payment_succeeded", invoice)


def plan_lateness(world: World, invoice: Obj) -> None:
    """When the due date passes unpaid, invoice.overdue is told; nothing else changes."""
    if invoice["due_date"] is None or invoice["status"] != "open":
        return

    def overdue() -> None:
        if invoice["status"] == "open":
            emit(world, "invoice.overdue", invoice)

    def soon() -> None:
        if invoice["status"] == "open":
            emit(world, "invoice.will_be_due", invoice)

    world.schedule.at(world.at(invoice["due_date"]), overdue)
    reminder = invoice["due_date"] - REMIND_BEFORE
    if reminder > world.now():
        world.schedule.at(world.at(reminder), soon)


def send(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/send: finalizes a draft first; mails nothing."""
    invoice = world.get("invoice", call.id, "invoice")
    if invoice["collection_method"] != "send_invoice":
        text = "You can only send an invoice whose collection_method is send_invoice."
        raise bad(text, code="invoice_not_editable")
    if invoice["status"] == "draft":
        finalized(world, invoice)
    if invoice["status"] not in {"open", "paid"}:
        raise wrong_state(invoice, "sent")
    emit(world, "invoice.sent", invoice)
    return invoice


def wrong_state(invoice: Obj, what: str) -> StripeError:
    """The invoice's state does not allow an action."""
    text = f"Invoice {invoice['id']} cannot be {what} because its status is {invoice['status']}."
    return bad(text, code="status_transition_invalid")


def pay(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/pay: with a payment method, or outside Stripe."""
    invoice = world.get("invoice", call.id, "invoice")
    if invoice["status"] == "draft":
        finalized(world, invoice)
    if invoice["status"] == "paid":
        raise bad("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise wrong_state(invoice, "paid")
    if call.params.get("paid_out_of_band"):
        pay_outside(world, invoice)
    else:
        charge_now(world, invoice, call.params)
    return invoice


def pay_outside(world: World, invoice: Obj) -> None:
    """Marks the whole rest as paid elsewhere; no cash arrives here."""
    before = world.wire.frozen(invoice)
    rest = invoice["amount_remaining"]
    invoice["amount_paid"] += rest
    invoice["amount_paid_off_stripe"] = invoice.get("amount_paid_off_stripe", 0) + rest
    invoice["amount_remaining"] = 0
    mark_paid(world, invoice)
    emit(world, "invoice.paid", invoice)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    invoice_payments.follow_remaining(world, invoice)


def charge_now(world: World, invoice: Obj, params: Obj) -> None:
    """Charges the default payment with the named or the stored payment method."""
    customer = world.get("customer", invoice["customer"])
    given = (
        params.get("payment_method")
        or params.get("source")
        or invoice["default_payment_method"]
        or customer.get("invoice_settings", {}).get("default_payment_method")
    )
    if given is None:
        text = (
            f"There is no `default_payment_method` set on this Customer or Invoice. Please set a "
            f"`default_payment_method` or pass a `payment_method` to pay {invoice['id']}."
        )
        raise bad(text, code="resource_missing")
    intent = invoice_payments.default_intent(world, invoice)
    if intent is None:
        raise wrong_state(invoice, "paid")
    method, card = payments.chosen_method(world, given, invoice["customer"])
    charge = payments.attempt(world, intent, method, card)
    if charge is None:
        text = "This payment requires additional user action before it can be completed."
        raise StripeError(402, text, kind="card_error", code=NEEDS_ACTION, payment_intent=intent)
    if charge["status"] == "failed":
        raise payments.decline_error(world, intent, charge)


NEEDS_ACTION = "invoice_payment_intent_requires_action"


def void(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/void: never with attached open or paid payments."""
    invoice = world.get("invoice", call.id, "invoice")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise wrong_state(invoice, "voided")
    refuse_attached(world, invoice, {"open", "paid"}, "voided")
    before = world.wire.frozen(invoice)
    intent = invoice_payments.default_intent(world, invoice)
    if intent is not None:
        intents.cancel(world, intent, "void_invoice")
    invoice["status"] = "void"
    invoice["status_transitions"]["voided_at"] = world.now()
    moved = invoice["total"] - before["amount_due"] - invoice["pre_payment_credit_notes_amount"]
    if moved:
        customer = world.get("customer", invoice["customer"])
        customer_balance.announced(
            world,
            customer,
            -moved,
            invoice["currency"],
            "unapplied_from_invoice",
            invoice=invoice["id"],
        )
    emit(world, "invoice.voided", invoice)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    return invoice


def refuse_attached(world: World, invoice: Obj, states: set[str], what: str) -> None:
    """Raises StripeError when payments other than the untouched default one stand in the way."""
    for payment in invoice_payments.of_invoice(world, invoice):
        untouched = payment["is_default"] and payment["status"] == "open"
        if payment["status"] in states and not untouched:
            text = (
                f"This invoice cannot be {what} because it has attached payments "
                f"({payment['id']} is {payment['status']})."
            )
            raise bad(text, code="invoice_not_editable")


def mark_uncollectible(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/mark_uncollectible."""
    invoice = world.get("invoice", call.id, "invoice")
    if invoice["status"] != "open":
        raise wrong_state(invoice, "marked uncollectible")
    refuse_attached(world, invoice, {"open"}, "marked uncollectible")
    before = world.wire.frozen(invoice)
    invoice["status"] = "uncollectible"
    invoice["status_transitions"]["marked_uncollectible_at"] = world.now()
    emit(world, "invoice.marked_uncollectible", invoice)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    return invoice


def attach_payment(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}/attach_payment: a PaymentIntent or a payment record."""
    invoice, params = world.get("invoice", call.id, "invoice"), call.params
    if ("payment_intent" in params) == ("payment_record" in params):
        raise bad("You must pass exactly one of payment_intent, payment_record.", "payment_intent")
    if invoice["status"] not in {"open", "uncollectible"}:
        raise not_editable() if invoice["status"] == "draft" else wrong_state(invoice, "paid")
    if "payment_intent" in params:
        attach_intent(world, invoice, params["payment_intent"])
    else:
        attach_record(world, invoice, params["payment_record"])
    return invoice


def attach_intent(world: World, invoice: Obj, key: str) -> None:
    """Attaches a separate intent; one that already succeeded is credited at once."""
    intent = world.get("payment_intent", key, "payment_intent", 400)
    if intent["customer"] != invoice["customer"] or intent["currency"] != invoice["currency"]:
        text = "The PaymentIntent must have the customer and the currency of the invoice."
        raise bad(text, "payment_intent")
    if intents.payment_of(world, intent) is not None or intent["status"] == "canceled":
        raise bad("This PaymentIntent cannot be attached to the invoice.", "payment_intent")
    if intent["amount"] > invoice["amount_remaining"]:
        text = "The PaymentIntent's amount must not exceed the invoice's amount_remaining."
        raise bad(text, "payment_intent", "amount_too_large")
    payment = invoice_payments.attach(world, invoice, intent, intent["amount"])
    if intent["status"] == "succeeded":
        given = invoice_payments.credit(world, payment, intent["amount_received"])
        invoice_payments.announce(world, given, charged=True)


def attach_record(world: World, invoice: Obj, key: str) -> None:
    """Attaches a payment reported from outside Stripe."""
    record = world.get("payment_record", key, "payment_record", 400)
    amount: int = record["amount_guaranteed"]["value"]
    if record["amount_guaranteed"]["currency"] != invoice["currency"]:
        raise bad("The payment record has another currency.", "payment_record")
    if amount > invoice["amount_remaining"]:
        text = "The payment record's amount must not exceed the invoice's amount_remaining."
        raise bad(text, "payment_record", "amount_too_large")
    payment = invoice_payments.attach(world, invoice, record, amount)
    invoice["amount_paid_off_stripe"] = invoice.get("amount_paid_off_stripe", 0) + amount
    invoice_payments.announce(world, invoice_payments.credit(world, payment, amount), charged=False)


ROUTES: Routes = {
    "POST /v1/invoices/{invoice}/finalize": finalize,
    "POST /v1/invoices/{invoice}/send": send,
    "POST /v1/invoices/{invoice}/pay": pay,
    "POST /v1/invoices/{invoice}/void": void,
    "POST /v1/invoices/{invoice}/mark_uncollectible": mark_uncollectible,
    "POST /v1/invoices/{invoice}/attach_payment": attach_payment,
}
