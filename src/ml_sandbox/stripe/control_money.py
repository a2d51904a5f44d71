"""Control plane, money part: pay, charge, pay out, dispute, book fees and odd rows."""

from collections.abc import Callable, Mapping

from ml_sandbox.stripe import (
    balance,
    coupons,
    customers,
    disputes,
    hosted_page,
    intents,
    invoice_payments,
    payments,
    payouts,
    refunds,
    reserves,
    topups,
)
from ml_sandbox.stripe.cards import card_of
from ml_sandbox.stripe.errors import bad
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

DEFAULT_CARD = "4242424242424242"


def pay(world: World, given: Obj) -> Obj:
    """Pays an invoice by card: all of it, or `amount` by a separate, attached payment."""
    invoice = world.get("invoice", given["invoice"])
    card = str(given.get("card", DEFAULT_CARD))
    if given.get("amount") is None:
        paid = hosted_page.pay(world, invoice, card, given.get("authentication", "complete"))
        return {"invoice": invoice["id"], "status": invoice["status"], "charge": paid["id"]}
    intent = intents.make(world, given["amount"], invoice["currency"], invoice["customer"])
    asked = min(given["amount"], invoice["amount_remaining"])
    if invoice["status"] not in {"open", "uncollectible"}:
        raise bad(f"Invoice {invoice['id']} is {invoice['status']}.")
    payment = invoice_payments.attach(world, invoice, intent, asked)
    charge_intent(world, intent, card)
    return {
        "invoice": invoice["id"],
        "status": invoice["status"],
        "payment_intent": intent["id"],
        "charge": intent["latest_charge"],
        "invoice_payment": payment["id"],
    }


def charge_intent(world: World, intent: Obj, number: str) -> None:
    """Charges an intent by card; raises the 402 of a decline."""
    card = card_of(number)
    if card is None:
        raise bad(f"Unknown test card: {number}", "card")
    method = payments.method_for(world, card, intent["customer"])
    charge = payments.attempt(world, intent, method, card, authenticated=True)
    if charge is not None and charge["status"] == "failed":
        raise payments.decline_error(world, intent, charge)


def charge(world: World, given: Obj) -> Obj:
    """A payment outside invoicing."""
    currency = str(given.get("currency", "usd")).lower()
    world.money.check_amount(given["amount"], currency)
    description = given.get("description")
    intent = intents.make(
        world, given["amount"], currency, given.get("customer"), description=description
    )
    charge_intent(world, intent, str(given.get("card", DEFAULT_CARD)))
    return {"payment_intent": intent["id"], "charge": intent["latest_charge"]}


def invoices(world: World, _given: Obj) -> Obj:
    """Every invoice in short, drafts included, oldest first; amounts in minor units."""
    names = ("id", "number", "status", "currency", "amount_due", "amount_remaining", "metadata")
    return {
        "invoices": [
            {name: row[name] for name in names} | {"hosted_url": row["hosted_invoice_url"]}
            for row in world.tables["invoice"]
        ]
    }


def refund(world: World, given: Obj) -> Obj:
    """Refunds `amount` of a charge, or all that is left, as its owner does by hand."""
    charged = world.get("charge", given["charge"])
    left = charged["amount"] - charged["amount_refunded"]
    amount = given.get("amount") or left
    refunds.check(charged, amount, left)
    return refunds.make(world, charged, amount, {"reason": given.get("reason")})


def run_payouts(world: World, given: Obj) -> Obj:
    """Runs the automatic payouts of one or all currencies."""
    made = payouts.run(world, given.get("currency"), instant=given.get("instant", True))
    return {"payouts": made}


def fail_payout(world: World, given: Obj) -> Obj:
    """The bank refuses a payout, also after it was paid."""
    payout = world.get("payout", given["id"])
    return payouts.fail(world, payout, given.get("failure_code", "account_closed"))


def open_dispute(world: World, given: Obj) -> Obj:
    """Opens a dispute on a charge, whole or in part, or as an inquiry."""
    charged = world.get("charge", given["charge"])
    return disputes.open_on(
        world,
        charged,
        given.get("amount") or charged["amount"],
        given.get("reason", "fraudulent"),
        inquiry=given.get("inquiry", False),
    )


def close_dispute(world: World, given: Obj) -> Obj:
    """Decides a dispute; of a won one only so much comes back as `returned` says."""
    outcome = given.get("outcome")
    if outcome not in OUTCOMES:
        raise bad(f"outcome must be one of {', '.join(OUTCOMES)}", "outcome")
    if outcome == "appeal":
        return disputes.appeal(world, world.get("dispute", given["id"]))
    dispute = disputes.unresolved(world, given["id"])
    if outcome == "prevented":
        return disputes.prevent(world, dispute)
    if outcome == "escalate":
        if dispute["status"] not in disputes.INQUIRIES:
            raise bad("Only an inquiry escalates.", "outcome")
        disputes.escalate(world, dispute)
    else:
        won = outcome == "won"
        disputes.resolve(world, dispute, won=won, returned=given.get("returned"))
    return dispute


OUTCOMES = ("won", "lost", "prevented", "appeal", "escalate")


def end_refund(world: World, given: Obj) -> Obj:
    """Lets a pending refund succeed, or any refund fail."""
    refund = world.get("refund", given["id"])
    if given.get("outcome") == "failed":
        refunds.fail(world, refund, given.get("failure_reason", "unknown"))
    else:
        refunds.conclude(world, refund)
    return refund


def fee(world: World, given: Obj) -> Obj:
    """Bills one of Stripe's own products: a row without a source, and no event."""
    return balance.book(
        world,
        kind="stripe_fee",
        category="fee",
        amount=-abs(given["amount"]),
        currency=given.get("currency", "usd"),
        description=given.get("description", "Invoicing (fee)"),
    )


def adjust(world: World, given: Obj) -> Obj:
    """Books any row, also of a type nobody knows; `fee_kinds` are the parts of its fee by kind."""
    currency = given.get("currency", "usd")
    kinds: dict[str, int] = given.get("fee_kinds", {})
    return balance.book(
        world,
        kind=given["type"],
        category=given["reporting_category"],
        amount=given["amount"],
        fee=sum(kinds.values()) if kinds else given.get("fee", 0),
        fee_details=[balance.fee_row(kinds[one], currency, one, one) for one in kinds],
        currency=currency,
        source=given.get("source"),
        description=given.get("description"),
        balance_type=given.get("balance_type", balance.PAYMENTS),
    )


def give_coupon(world: World, given: Obj) -> Obj:
    """Gives a customer a coupon that later invoices inherit."""
    customer = customers.living(world, given["id"], "customer", 404)
    return coupons.give(world, customer, given["coupon"])


def bounce(world: World, given: Obj) -> Obj:
    """A bank debit comes back days after it succeeded."""
    charged = world.get("charge", given["id"])
    payments.bounce(world, charged, given.get("code", "insufficient_funds"))
    return charged


def hold_reserve(world: World, given: Obj) -> Obj:
    """Holds a part of the balance back as a reserve, with `days` for so long."""
    currency = given.get("currency", "usd")
    return reserves.hold(world, given["amount"], currency, given.get("days"))


def release_reserve(world: World, given: Obj) -> Obj:
    """Releases a reserve."""
    return reserves.release(world, world.get("reserve.hold", given["id"]))


def end_topup(world: World, given: Obj) -> Obj:
    """Lets a top-up succeed at once, fail, or be reversed after it succeeded."""
    topup = world.get("topup", given["id"])
    if given.get("outcome") == "failed":
        return topups.fail(world, topup)
    topups.succeed(world, topup)
    return topup


MONEY: Mapping[str, Callable[[World, Obj], Obj]] = {
    "GET /_sandbox/invoices": invoices,
    "POST /_sandbox/pay": pay,
    "POST /_sandbox/refund": refund,
    "POST /_sandbox/charge": charge,
    "POST /_sandbox/payouts/run": run_payouts,
    "POST /_sandbox/payouts/{id}/fail": fail_payout,
    "POST /_sandbox/disputes": open_dispute,
    "POST /_sandbox/disputes/{id}": close_dispute,
    "POST /_sandbox/refunds/{id}": end_refund,
    "POST /_sandbox/fees": fee,
    "POST /_sandbox/adjust": adjust,
    "POST /_sandbox/customers/{id}/coupon": give_coupon,
    "POST /_sandbox/charges/{id}/return": bounce,
    "POST /_sandbox/reserves": hold_reserve,
    "POST /_sandbox/reserves/{id}/release": release_reserve,
    "POST /_sandbox/topups/{id}": end_topup,
}
