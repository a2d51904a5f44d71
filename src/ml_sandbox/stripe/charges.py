"""Charges: one per attempt; their money is booked seconds after they succeed."""

from decimal import Decimal

from ml_sandbox.stripe import balance
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.cards import Card
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.money import Settled, rounded
from ml_sandbox.stripe.texts import ADDRESS, apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def make(
    world: World, intent: Obj, card: Card, method: str, status: str, *, held: bool = False
) -> Obj:
    """Stores the charge of one attempt: succeeded (perhaps only held), pending or failed."""
    succeeded = status == "succeeded"
    prefix = "py" if card.bank else "ch"
    failed = status == "failed"
    charge = world.new(
        "charge",
        prefix,
        id=world.ids.new(prefix),
        amount=intent["amount"],
        amount_captured=intent["amount"] if succeeded and not held else 0,
        amount_refunded=0,
        billing_details=billing(world, intent["customer"]),
        calculated_statement_descriptor="SANDBOX",
        captured=(succeeded and not held) or status == "pending",
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        disputed=False,
        failure_code=failure(card) if failed else None,
        failure_message=card.message if failed else None,
        fraud_details={},
        metadata=dict(intent["metadata"]),
        outcome=outcome(card, status),
        paid=succeeded,
        payment_intent=intent["id"],
        payment_method=method,
        payment_method_details=details(card, intent["amount"]),
        receipt_email=intent["receipt_email"],
        refunded=False,
        status=status,
    )
    intent["latest_charge"] = charge["id"]
    return charge


def failure(card: Card) -> str:
    """The failure code that a charge shows."""
    return card.code or "card_declined"


def billing(world: World, customer_id: str | None) -> Obj:
    """Who is billed, as the customer is now."""
    customer = world.find(customer_id) if customer_id else None
    known = customer or {}
    return {
        "address": known.get("address") or dict.fromkeys(ADDRESS),
        "email": known.get("email"),
        "name": known.get("name"),
        "phone": known.get("phone"),
        "tax_id": None,
    }


def outcome(card: Card, status: str) -> Obj:
    """What the networks said."""
    failed = status == "failed"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": "01" if failed else None,
        "network_status": "declined_by_network" if failed else "approved_by_network",
        "reason": card.decline_code if failed else None,
        "risk_level": "normal",
        "risk_score": 24,
        "seller_message": declined_words(card) if failed else "Payment complete.",
        "type": "issuer_declined" if failed else "authorized",
    }


def declined_words(card: Card) -> str:
    """The seller's explanation of a decline."""
    return f"The bank returned the decline code `{card.decline_code or card.code}`."


def details(card: Card, amount: int) -> Obj:
    """The payment method as it was used."""
    if card.bank:
        return {"type": "us_bank_account", "us_bank_account": bank_details(card)}
    shown = {
        "amount_authorized": amount,
        "authorization_code": None if card.code else "123456",
        **card_details(card),
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": f"{int(card.number) % 10**15:015d}",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }
    return {"card": shown, "type": "card"}


def card_details(card: Card) -> Obj:
    """What is printed on the card."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "fail" if card.code == "incorrect_cvc" else "pass",
        },
        "country": "GB" if card.international else "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{card.number[-8:]}",
        "funding": "credit",
        "last4": card.last4,
        "regulated_status": "unregulated",
    }


def stored_card(card: Card) -> Obj:
    """A card as a payment method keeps it."""
    return {
        **card_details(card),
        "display_brand": card.brand,
        "generated_from": None,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def stored_bank(card: Card) -> Obj:
    """A bank account as a payment method keeps it."""
    shown = bank_details(card)
    del shown["mandate"], shown["payment_reference"]
    return {
        **shown,
        "financial_connections_account": None,
        "networks": {"preferred": None, "supported": ["ach"]},
        "status_details": {},
    }


def bank_details(card: Card) -> Obj:
    """The bank account as it was used."""
    return {
        "account_holder_type": "company",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "fingerprint": f"fp{card.number[-8:]}",
        "last4": card.last4,
        "mandate": None,
        "payment_reference": None,
        "routing_number": "110000000",
    }


def plan_settlement(world: World, charge: Obj, card: Card) -> None:
    """Books a succeeded charge: at once, or 2 to 10 seconds later as the real service does."""

    def settle_now() -> None:
        if world.notes.unsettled.pop(charge["id"], None) is not None:
            settle(world, charge, card)

    world.notes.unsettled[charge["id"]] = settle_now
    if world.switches.async_capture:
        world.schedule.after(world.random.uniform(2, 10), settle_now)
    else:
        settle_now()


def ensure_settled(world: World, charge: Obj) -> None:
    """Books the charge now if that has not happened yet."""
    settle_now = world.notes.unsettled.get(charge["id"])
    if settle_now is not None:
        settle_now()


def settle(world: World, charge: Obj, card: Card) -> None:
    """Books the balance transaction of a charge and announces charge.updated."""
    settled = world.money.settle(charge["amount"], charge["currency"])
    fee = price(world, settled, card)
    days = world.settings.delay_days_override or world.switches.settlement_days
    due = None if card.bypass_pending else balance.business_days_later(world, days)
    before = world.wire.frozen(charge)
    row = balance.book(
        world,
        kind="payment" if card.bank else "charge",
        category="charge",
        amount=settled.amount,
        fee=with_vat(world, fee),
        currency=settled.currency,
        source=charge["id"],
        description=charge["description"],
        rate=settled.rate,
        available_on=due,
    )
    charge["balance_transaction"] = row["id"]
    book_conversion(world, charge, settled)
    book_released(world, charge, card, due)
    charge["receipt_url"] = f"https://pay.stripe.com/receipts/payment/{world.ids.text(40)}"
    emit(world, "charge.updated", charge, changes(world, before, charge))


def price(world: World, settled: Settled, card: Card) -> int:
    """The fee on a settled amount, without the conversion part when that is a row of its own."""
    alone = world.switches.fx_fee_row
    return world.money.fee(settled, international=card.international, conversion=not alone)


def book_conversion(world: World, charge: Obj, settled: Settled) -> None:
    """The conversion fee as its own row, when switched on."""
    if settled.rate is None or not world.switches.fx_fee_row:
        return
    balance.book(
        world,
        kind="stripe_fx_fee",
        category="fee",
        amount=-world.money.conversion_fee(settled),
        currency=settled.currency,
        source=charge["id"],
        description="Currency conversion fee",
    )


def book_released(world: World, charge: Obj, card: Card, due: int | None) -> None:
    """Takes the part that was not captured out again, with the fee on it."""
    key = world.notes.released.get(charge["id"])
    if key is None:
        return
    whole = world.money.settle(charge["amount"], charge["currency"])
    taken = world.money.settle(charge["amount_captured"], charge["currency"])
    fee = 0
    if world.switches.partial_capture_returns_fee:
        fee = with_vat(world, price(world, taken, card)) - with_vat(
            world, price(world, whole, card)
        )
    row = balance.book(
        world,
        kind="refund",
        category="partial_capture_reversal",
        amount=taken.amount - whole.amount,
        fee=fee,
        currency=whole.currency,
        source=key,
        description="Partial capture reversal",
        rate=whole.rate,
        available_on=due,
    )
    world.get("refund", key)["balance_transaction"] = row["id"]


def book_return(world: World, charge: Obj) -> Obj:
    """Takes the money of a returned bank debit off the balance; its fee stays."""
    taken = world.get("balance_transaction", charge["balance_transaction"])
    amount, rate = taken["amount"], taken["exchange_rate"]
    if world.switches.returns_at_todays_rate:
        today = world.money.settle(charge["amount"], charge["currency"])
        amount, rate = today.amount, today.rate
    return balance.book(
        world,
        kind="payment_failure_refund",
        category="charge_failure",
        amount=-amount,
        currency=taken["currency"],
        source=charge["id"],
        description=f"Payment failure refund for {charge['id']}",
        rate=rate,
    )


def release(world: World, charge: Obj, amount: int, reason: str | None) -> Obj:
    """Lets go of held money: a refund that moves no cash by itself."""
    refund = world.new(
        "refund",
        "re",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        customer=charge["customer"],
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=reason,
        status="succeeded",
    )
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    emit(world, "refund.created", refund)
    emit(world, "charge.refunded", charge)
    return refund


def with_vat(world: World, fee: int) -> int:
    """The fee with the tax on it, when that is switched on."""
    percent = Decimal(world.switches.vat_percent_on_fees)
    return rounded(Decimal(fee) * (100 + percent) / 100)


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/charges/{charge}."""
    return world.get("charge", call.id)


def update(world: World, call: Call) -> Obj:
    """POST /v1/charges/{charge}."""
    charge = world.get("charge", call.id)
    before = world.wire.frozen(charge)
    apply(charge, call.params, ("description", "receipt_email", "transfer_group", "shipping"))
    merge_metadata(charge, call.params)
    former = changes(world, before, charge)
    if former:
        emit(world, "charge.updated", charge, former)
    return charge


def listed(world: World, call: Call) -> Obj:
    """GET /v1/charges: by customer, payment intent, transfer group."""
    names = ("payment_intent", "customer", "transfer_group")
    wanted = {k: call.params[k] for k in names if k in call.params}
    table = world.tables["charge"]
    first = next((k for k in ("payment_intent", "customer") if k in wanted), None)
    ids = None if first is None else table.ids(first, wanted[first])
    return page(call, table, ids, lambda c: all(c[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "GET /v1/charges": listed,
    "GET /v1/charges/{charge}": fetch,
    "POST /v1/charges/{charge}": update,
}
