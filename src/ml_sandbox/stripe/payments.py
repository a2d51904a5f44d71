"""Paying: what happens when a PaymentIntent is charged with a test card."""

from ml_sandbox.stripe import charges, disputes, intents, invoice_payments
from ml_sandbox.stripe.cards import Card, card_of
from ml_sandbox.stripe.errors import StripeError, bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.schedule import Effect
from ml_sandbox.stripe.texts import ADDRESS
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

TROUBLE_AFTER = 1.0


def method_for(world: World, card: Card, customer: str | None) -> Obj:
    """Stores a payment method for a card or bank account."""
    kind = "us_bank_account" if card.bank else "card"
    own = charges.bank_details(card) if card.bank else charges.card_details(card)
    method = world.new(
        "payment_method",
        "pm",
        allow_redisplay="unspecified",
        billing_details={
            "address": dict.fromkeys(ADDRESS),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        customer=customer,
        type=kind,
        **{kind: own},
    )
    world.notes.cards[method["id"]] = card.number
    return method


def chosen_method(world: World, given: str, customer: str | None) -> tuple[Obj, Card]:
    """The payment method named by an id, a pm_card_... name or a card number."""
    number = world.notes.cards.get(given)
    card = card_of(number or given)
    if card is None:
        raise StripeError(
            400,
            f"No such PaymentMethod: '{given}'",
            param="payment_method",
            code="resource_missing",
        )
    if number is not None:
        return world.get("payment_method", given, "payment_method", 400), card
    return method_for(world, card, customer), card


def attempt(
    world: World, intent: Obj, method: Obj, card: Card, *, authenticated: bool = False
) -> Obj | None:
    """Charges an intent once; returns the charge, or None while the payer must act.

    A declined card leaves the intent waiting for another method: see `decline_error`.
    """
    if intent["status"] not in intents.UNFINISHED:
        text = f"This PaymentIntent's state is {intent['status']} and cannot be confirmed."
        raise bad(text, code="payment_intent_unexpected_state", payment_intent=intent)
    intent["payment_method"] = method["id"]
    if card.needs_authentication and not authenticated:
        ask_payer(world, intent)
        return None
    intent["next_action"] = None
    if card.bank:
        return start_debit(world, intent, method, card)
    if card.code is not None:
        return fail(world, intent, method, card)
    charge = charges.make(world, intent, card, method["id"], "succeeded")
    succeed(world, intent, charge, card)
    return charge


def ask_payer(world: World, intent: Obj) -> None:
    """The issuer wants authentication: nothing is charged yet."""
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect"},
    }
    emit(world, "payment_intent.requires_action", intent)
    payment = intents.payment_of(world, intent)
    if payment is not None:
        invoice = world.get("invoice", payment["invoice"])
        emit(world, "invoice.payment_action_required", invoice)


def succeed(world: World, intent: Obj, charge: Obj, card: Card) -> None:
    """Records a success on intent and invoice, then announces it in the observed order."""
    intent["status"] = "succeeded"
    intent["amount_received"] = charge["amount"]
    intent["last_payment_error"] = None
    intent["processing"] = None
    payment = intents.payment_of(world, intent)
    given = None
    if payment is not None:
        given = invoice_payments.credit(world, payment, charge["amount"])
        given.invoice["attempt_count"] += 1
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.succeeded", intent)
    if given is not None:
        invoice_payments.announce(world, given, charged=True)
    charges.plan_settlement(world, charge, card)
    plan_trouble(world, charge, card)


def plan_trouble(world: World, charge: Obj, card: Card) -> None:
    """Disputes and fraud warnings that the card brings, a moment after the success."""
    for reason in card.disputes:
        world.schedule.after(TROUBLE_AFTER, dispute_later(world, charge, card, reason))
    if card.fraud_warning:
        world.schedule.after(TROUBLE_AFTER, lambda: disputes.warn(world, charge))


def dispute_later(world: World, charge: Obj, card: Card, reason: str) -> Effect:
    """Opens one of the card's disputes over its share of the charge."""
    share = charge["amount"] // len(card.disputes)

    def effect() -> None:
        disputes.open_on(world, charge, share, reason, inquiry=card.inquiry)

    return effect


def fail(world: World, intent: Obj, method: Obj, card: Card) -> Obj:
    """Records a decline: a failed charge, and the intent waits for another method."""
    charge = charges.make(world, intent, card, method["id"], "failed")
    refuse(world, intent, charge, method, card)
    return charge


def refuse(world: World, intent: Obj, charge: Obj, method: Obj, card: Card) -> None:
    """Puts intent and invoice back after a failed charge and announces that."""
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["processing"] = None
    intent["last_payment_error"] = {
        "charge": charge["id"],
        "code": charge["failure_code"],
        "decline_code": card.decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{(card.code or '').replace('_', '-')}",
        "message": charge["failure_message"],
        "payment_method": method,
        "type": "card_error",
    }
    emit(world, "charge.failed", charge)
    emit(world, "payment_intent.payment_failed", intent)
    payment = intents.payment_of(world, intent)
    if payment is None:
        return
    invoice = world.get("invoice", payment["invoice"])
    before = world.wire.frozen(invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    emit(world, "invoice.payment_failed", invoice)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))


def decline_error(world: World, intent: Obj, charge: Obj) -> StripeError:
    """The 402 for a declined charge."""
    error: Obj = intent["last_payment_error"]
    return StripeError(
        402,
        error["message"],
        kind="card_error",
        code=error["code"],
        decline_code=error["decline_code"],
        charge=charge["id"],
        payment_intent=world.wire.frozen(intent),
        payment_method=error["payment_method"],
    )


def start_debit(world: World, intent: Obj, method: Obj, card: Card) -> Obj:
    """A bank debit: pending for days on the real service, for seconds here."""
    charge = charges.make(world, intent, card, method["id"], "pending")
    intent["status"] = "processing"
    intent["processing"] = {"card": None, "type": "us_bank_account"}
    emit(world, "payment_intent.processing", intent)
    emit(world, "charge.pending", charge)
    if card.bank != "processing":
        seconds = world.switches.bank_debit_seconds
        world.schedule.after(seconds, lambda: end_debit(world, intent, charge, method, card))
    return charge


def end_debit(world: World, intent: Obj, charge: Obj, method: Obj, card: Card) -> None:
    """The bank has decided."""
    if card.bank in {"succeeded", "dispute"}:
        charge |= {"status": "succeeded", "paid": True, "amount_captured": charge["amount"]}
        charge["captured"] = True
        succeed(world, intent, charge, card)
        if card.bank == "dispute":
            disputes.open_on(world, charge, charge["amount"], "debit_not_authorized")
        return
    charge["status"] = "failed"
    charge["failure_code"] = card.bank
    charge["failure_message"] = "The bank returned the debit."
    refuse(world, intent, charge, method, card)
