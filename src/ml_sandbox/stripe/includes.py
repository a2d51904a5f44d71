"""The fields that exist only when a request expands them."""

from collections.abc import Mapping

from ml_sandbox.stripe import cash_balance, customer_balance, invoice_payments, invoices
from ml_sandbox.stripe.listing import whole
from ml_sandbox.stripe.render import Include
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def refunds(world: World, charge: Obj) -> Obj:
    """charge.refunds, newest first."""
    rows = world.tables["refund"].where("charge", charge["id"])
    return whole(f"/v1/charges/{charge['id']}/refunds", list(reversed(rows)))


def secret(world: World, invoice: Obj) -> Obj | None:
    """invoice.confirmation_secret: the client secret of the default payment."""
    intent = invoice_payments.default_intent(world, invoice)
    if intent is None:
        return None
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def credit(world: World, customer: Obj) -> Obj:
    """customer.invoice_credit_balance: the customer's balance per currency."""
    return {
        currency: customer_balance.held(world, owner, currency)
        for owner, currency in world.notes.balances
        if owner == customer["id"]
    }


def nothing(_world: World, customer: Obj) -> Obj:
    """Sub-lists of a customer that this sandbox never fills."""
    return whole(f"/v1/customers/{customer['id']}", [])


def tax_ids(world: World, customer: Obj) -> Obj:
    """customer.tax_ids, newest first."""
    rows = world.tables["tax_id"].where("customer", customer["id"])
    return whole(f"/v1/customers/{customer['id']}/tax_ids", list(reversed(rows)))


INCLUDES: Mapping[tuple[str, str], Include] = {
    ("invoice", "payments"): invoices.payments,
    ("invoice", "confirmation_secret"): secret,
    ("charge", "refunds"): refunds,
    ("customer", "invoice_credit_balance"): credit,
    ("customer", "sources"): nothing,
    ("customer", "subscriptions"): nothing,
    ("customer", "tax_ids"): tax_ids,
    ("customer", "cash_balance"): cash_balance.shown,
}
