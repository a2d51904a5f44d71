"""Charges made directly from a token, as before PaymentIntents: no intent stands behind them."""

from ml_sandbox.stripe import charges, customers, payments
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.cards import Card, card_of
from ml_sandbox.stripe.errors import StripeError, bad, missing, required
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def create(world: World, call: Call) -> Obj:
    """POST /v1/charges: by a token, or the default card of a customer."""
    params = call.params
    for name in ("amount", "currency"):
        if name not in params:
            raise required(name)
    currency = params["currency"].lower()
    world.money.check_amount(params["amount"], currency)
    customer = customers.living(world, params["customer"]) if "customer" in params else None
    card = chosen(params.get("source") or (customer or {}).get("default_source"))
    source = stored(world, card, customer)
    metadata: Obj = {"metadata": {}}
    merge_metadata(metadata, params)
    order: Obj = {
        "id": None,
        "amount": params["amount"],
        "currency": currency,
        "customer": customer["id"] if customer else None,
        "description": params.get("description"),
        "receipt_email": params.get("receipt_email"),
        **metadata,
    }
    return attempt(world, order, card, source, params)


def attempt(world: World, order: Obj, card: Card, source: Obj, params: Obj) -> Obj:
    """Charges the card; raises the 402 of a decline, whose charge stays on record."""
    held = params.get("capture") is False
    status = "failed" if card.code else "succeeded"
    made = charges.make(world, order, card, source["id"], status, held=held)
    made["source"] = source
    apply(made, params, ("statement_descriptor", "statement_descriptor_suffix", "transfer_group"))
    if card.code:
        emit(world, "charge.failed", made)
        raise StripeError(
            402,
            made["failure_message"],
            kind="card_error",
            code=made["failure_code"],
            decline_code=card.decline_code,
            charge=made["id"],
        )
    emit(world, "charge.succeeded", made)
    if not held:
        charges.plan_settlement(world, made, card)
        payments.plan_trouble(world, made, card)
    return made


def chosen(token: str | None) -> Card:
    """The card behind a token."""
    if token is None:
        raise bad("Must provide source or customer.", "source", "parameter_missing")
    card = card_of(token) if token.startswith("tok_") else None
    if card is None:
        raise missing("token", token, "source", 400)
    return card


def stored(world: World, card: Card, customer: Obj | None) -> Obj:
    """The card as a source object."""
    shown = charges.card_details(card)
    names = ("country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    source = world.new(
        "card",
        "card",
        brand=card.brand.capitalize(),
        customer=customer["id"] if customer else None,
        cvc_check=shown["checks"]["cvc_check"],
        regulated_status="unregulated",
        **{name: shown[name] for name in names},
    )
    world.notes.cards[source["id"]] = card.number
    return source


ROUTES: Routes = {"POST /v1/charges": create}
