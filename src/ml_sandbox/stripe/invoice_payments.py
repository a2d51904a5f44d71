"""InvoicePayments: the only link between an invoice and the money paid on it."""

from dataclasses import dataclass

from ml_sandbox.stripe import customer_balance, intents
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def attach(world: World, invoice: Obj, payment: Obj, amount: int, *, default: bool = False) -> Obj:
    """Stores an open invoice payment for a PaymentIntent or payment record."""
    kind: str = payment["object"]
    return world.new(
        "invoice_payment",
        "inpay",
        amount_requested=amount,
        currency=invoice["currency"],
        invoice=invoice["id"],
        is_default=default,
        payment={
            "charge": None,
            "payment_intent": payment["id"] if kind == "payment_intent" else None,
            "payment_record": payment["id"] if kind == "payment_record" else None,
            "type": kind,
        },
        status="open",
        status_transitions={"canceled_at": None, "paid_at": None},
    )


def of_invoice(world: World, invoice: Obj) -> list[Obj]:
    """All payments of an invoice, oldest first."""
    return world.tables["invoice_payment"].where("invoice", invoice["id"])


def default_intent(world: World, invoice: Obj) -> Obj | None:
    """The unfinished PaymentIntent that finalizing made, or None."""
    for payment in of_invoice(world, invoice):
        if payment["is_default"] and payment["status"] == "open":
            return world.get("payment_intent", payment["payment"]["payment_intent"])
    return None


@dataclass(frozen=True)
class Credit:
    """What a payment did to an invoice, to be announced after the payment itself."""

    invoice: Obj
    before: Obj
    payment: Obj
    over: int

    @property
    def completes(self) -> bool:
        """Whether nothing remains to be paid."""
        return self.invoice["status"] == "paid" and self.before["status"] != "paid"


def credit(world: World, payment: Obj, received: int) -> Credit:
    """Takes received money onto the invoice; what exceeds the rest is an overpayment."""
    invoice = world.get("invoice", payment["invoice"])
    before = world.wire.frozen(invoice)
    credited = min(received, invoice["amount_remaining"])
    payment["amount_paid"] = credited
    payment["status"] = "paid"
    payment["status_transitions"]["paid_at"] = world.now()
    invoice["amount_paid"] += credited
    invoice["amount_overpaid"] += received - credited
    lower_remaining(world, invoice, credited)
    invoice["attempted"] = True
    return Credit(invoice, before, payment, received - credited)


def lower_remaining(world: World, invoice: Obj, by: int) -> None:
    """Takes an amount off the rest; at zero the invoice is paid."""
    invoice["amount_remaining"] -= by
    if invoice["amount_remaining"] == 0:
        invoice["status"] = "paid"
        invoice["status_transitions"]["paid_at"] = world.now()
    if invoice["amount_remaining"] < 0:
        world.violated(f"{invoice['id']}: more credited than was remaining")


def announce(world: World, credit_given: Credit, *, charged: bool) -> None:
    """The invoice's events after a payment; invoice_payment.paid follows 1 to 21 s later."""
    invoice, payment = credit_given.invoice, credit_given.payment
    emit(world, "invoice.updated", invoice, changes(world, credit_given.before, invoice))
    if credit_given.completes:
        emit(world, "invoice.paid", invoice)
        if charged:
            emit(world, "invoice.payment_succeeded", invoice)
    if credit_given.over:
        emit(world, "invoice.overpaid", invoice)
        customer = world.get("customer", invoice["customer"])
        customer_balance.announced(
            world,
            customer,
            -credit_given.over,
            invoice["currency"],
            "invoice_overpaid",
            invoice=invoice["id"],
        )
    follow_remaining(world, invoice)
    world.schedule.after(
        world.random.uniform(1, 21), lambda: emit(world, "invoice_payment.paid", payment)
    )


def follow_remaining(world: World, invoice: Obj) -> None:
    """Keeps the default payment at the rest of the invoice; cancels it when nothing is left."""
    intent = default_intent(world, invoice)
    if intent is None:
        return
    if invoice["amount_remaining"] == 0 or invoice["status"] not in {"open", "uncollectible"}:
        if intent["status"] in intents.UNFINISHED:
            intents.cancel(world, intent, "automatic")
        return
    payment = intents.payment_of(world, intent)
    if payment is not None:
        payment["amount_requested"] = invoice["amount_remaining"]
    intents.reprice(world, intent, invoice["amount_remaining"])


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/invoice_payments/{invoice_payment}."""
    return world.get("invoice_payment", call.id)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/invoice_payments: by invoice, payment, status."""
    table, params = world.tables["invoice_payment"], call.params
    asked: Obj = params.get("payment", {})
    ids = None
    for kind in ("payment_intent", "payment_record"):
        if kind in asked:
            ids = table.ids(f"payment.{kind}", asked[kind])
    if "invoice" in params:
        world.get("invoice", params["invoice"], "invoice", 400)
        ids = table.ids("invoice", params["invoice"]) if ids is None else ids

    def keep(row: Obj) -> bool:
        return (
            params.get("invoice", row["invoice"]) == row["invoice"]
            and params.get("status", row["status"]) == row["status"]
            and all(row["payment"][name] == value for name, value in asked.items())
        )

    return page(call, table, ids, keep)


ROUTES: Routes = {
    "GET /v1/invoice_payments": listed,
    "GET /v1/invoice_payments/{invoice_payment}": fetch,
}
