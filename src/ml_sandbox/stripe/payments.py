"""Paying: what happens when a PaymentIntent is charged with a test card."""

from datetime import timedelta

from ml_sandbox.stripe import charges, disputes, fraud_warnings, intents, invoice_payments
from ml_sandbox.stripe.cards import Card, card_of
from ml_sandbox.stripe.errors import StripeError, bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.schedule import Effect
from ml_sandbox.stripe.texts import ADDRESS, address, apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

TROUBLE_AFTER = 1.0
HELD_FOR = timedelta(days=7)


def method_for(world: World, card: Card, customer: str | None) -> Obj:
    """Stores a payment method for a card or bank account."""
    kind = "us_bank_account" if card.bank else "card"
    own = charges.stored_bank(card) if card.bank else charges.stored_card(card)
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


def with_details(world: World, method: Obj, given: Obj) -> None:
    """Puts a payer's details, and metadata, onto a payment method."""
    billing: Obj = given.get("billing_details") or {}
    apply(method["billing_details"], billing, ("email", "name", "phone", "tax_id"))
    if "address" in billing:
        method["billing_details"]["address"] = address(billing["address"]) or dict.fromkeys(ADDRESS)
    apply(method, given, ("allow_redisplay",))
    merge_metadata(method, given)
    world.changed(method)


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
        return debit(world, intent, method, card)
    if card.code is not None:
        return fail(world, intent, method, card)
    held = intent["capture_method"] == "manual"
    charge = charges.make(world, intent, card, method["id"], "succeeded", held=held)
    if held:
        hold(world, intent, charge)
    else:
        succeed(world, intent, charge, card)
    return charge


def hold(world: World, intent: Obj, charge: Obj) -> None:
    """The money is only authorized: it waits seven days for its capture."""
    intent["status"] = "requires_capture"
    intent["amount_capturable"] = charge["amount"]
    intent["last_payment_error"] = None
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.amount_capturable_updated", intent)

    def expire() -> None:
        if intent["status"] == "requires_capture":
            emit(world, "charge.expired", charge)
            intents.cancel(world, intent, "automatic")

    world.schedule.at(world.moment() + HELD_FOR, expire)


def card_behind(world: World, charge: Obj) -> Card:
    """The test card that was charged."""
    found = card_of(world.notes.cards.get(charge["payment_method"] or "", ""))
    return found or Card("4242424242424242")


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


def succeed(world: World, intent: Obj, charge: Obj, card: Card, *, announced: bool = False) -> None:
    """Records a success on intent and invoice, then announces it in the observed order.

    `announced` means that the charge's own success was told before (when it was held).
    """
    intent["status"] = "succeeded"
    intent["amount_received"] = charge["amount_captured"]
    intent["last_payment_error"] = None
    intent["processing"] = None
    payment = intents.payment_of(world, intent)
    given = None
    if payment is not None:
        given = invoice_payments.credit(world, payment, charge["amount_captured"])
        given.invoice["attempt_count"] += 1
    if not announced:
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
        world.schedule.after(TROUBLE_AFTER, lambda: fraud_warnings.warn(world, charge))


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


def debit(world: World, intent: Obj, method: Obj, card: Card) -> Obj | None:
    """Debits a bank account, at once or after the payer told the two small deposits."""
    options: Obj = intent["payment_method_options"].get("us_bank_account") or {}
    if "us_bank_account" not in intent["payment_method_types"]:
        intent["payment_method_types"] = [*intent["payment_method_types"], "us_bank_account"]
    if options.get("verification_method") != "microdeposits":
        return start_debit(world, intent, method, card)
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": world.now() + 2 * 86_400,
            "hosted_verification_url": f"https://payments.stripe.com/microdeposit/{intent['id']}",
            "microdeposit_type": "amounts",
        },
    }
    world.notes.suspended[intent["id"]] = lambda: start_debit(world, intent, method, card)
    emit(world, "payment_intent.requires_action", intent)
    return None


def start_debit(world: World, intent: Obj, method: Obj, card: Card) -> Obj:
    """A bank debit: pending for days on the real service, for seconds here."""
    charge = charges.make(world, intent, card, method["id"], "pending")
    intent["status"] = "processing"
    intent["next_action"] = None
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
    charge["captured"] = False
    charge["failure_code"] = card.bank
    charge["failure_message"] = "The bank returned the debit."
    refuse(world, intent, charge, method, card)


def bounce(world: World, charge: Obj, code: str) -> None:
    """A bank debit that had succeeded is returned days later: the money goes out again."""
    if not charge["id"].startswith("py_") or charge["status"] != "succeeded":
        raise bad("Only a bank debit that succeeded can be returned.", "charge")
    charges.ensure_settled(world, charge)
    before = world.wire.frozen(charge)
    row = charges.book_return(world, charge)
    charge |= {
        "status": "failed",
        "paid": False,
        "failure_code": code,
        "failure_message": "The bank returned the debit after it had succeeded.",
        "failure_balance_transaction": row["id"],
    }
    emit(world, "charge.failed", charge)
    emit(world, "charge.updated", charge, changes(world, before, charge))
    intent = world.find(charge["payment_intent"] or "")
    if intent is not None:
        emit(world, "payment_intent.payment_failed", intent)
