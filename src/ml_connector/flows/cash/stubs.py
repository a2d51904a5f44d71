"""Charges of before the cut-over: which ERP payment, that others booked, stands for one."""

from ml_connector.acumatica.documents import ErpPayment
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, StripeId
from ml_connector.books.postings import Voiding
from ml_connector.books.records import Charge
from ml_connector.flows.connected import Connected
from ml_connector.flows.writing.elsewhere import riding
from ml_connector.flows.writing.paper import DEAD
from ml_connector.store import audit, links
from ml_connector.store.links import Link
from ml_connector.store.rows import JsonObject

STUB = "stub"


class NoStub(AskAPerson):
    """A charge of before the cut-over has no payment in the ERP that could be undone."""

    def __init__(self, charge: Charge, why: str) -> None:
        super().__init__(
            f"The payment {charge.id} of {charge.amount} is from before our books began. {why}",
            cause=f"stub.none:{charge.id}",
            remedy="Name its payment: `ml-connector opening --stub"
            f" {charge.id}=NUMBER` with the number that it has in Acumatica.",
        )


async def undone_by(c: Connected, charge_id: StripeId) -> Voiding | None:
    """How the ERP payment of an old charge is undone; None for a charge of our own books.

    The link is kept once it is found. Raises NoStub when no payment stands for the charge.
    """
    charge = await c.stripe.charge(charge_id)
    if charge.transaction is None or charge.transaction.created >= c.begins:
        return None
    async with c.store.statement() as tx:
        known = await links.by_stripe(tx, c.id, STUB, charge.id)
    ref = await _found(c, charge) if known is None else known.erp_ref
    payment = await c.acumatica.payment(ref)
    _refuse_another(c, charge, payment)
    if known is None:
        await _keep(c, charge, payment, "reference", "connector")
    return Voiding(payment.ref, payment.payment_ref, payment.amount, riding(c, payment))


async def name(c: Connected, charge_id: StripeId, number: str, actor: str) -> Link:
    """A person says which payment stands for an old charge; raises NoStub when it cannot be."""
    charge = await c.stripe.charge(charge_id)
    payment = await c.acumatica.payment(ErpRef(f"Payment|{number}"))
    _refuse_another(c, charge, payment)
    return await _keep(c, charge, payment, "by hand", actor)


async def _found(c: Connected, charge: Charge) -> ErpRef:
    """The one payment that bears the charge's number or its intent's; never one by amount alone."""
    found: list[ErpRef] = []
    for mark in (charge.id, charge.payment_intent):
        if mark is not None:
            documents = await c.acumatica.find_payments(mark)
            found += [one.ref for one in documents if one.status not in DEAD]
    standing = sorted({ref for ref in found if ref.startswith("Payment|")})
    if len(standing) != 1:
        numbers = ", ".join(ref.partition("|")[2] for ref in standing)
        raise NoStub(charge, f"Several payments bear its number: {numbers}." if standing else
                     "No payment in Acumatica bears its number.")  # fmt: skip
    return standing[0]


def _refuse_another(c: Connected, charge: Charge, payment: ErpPayment) -> None:
    """Undoing it must move the clearing account by exactly what the bank took."""
    code, number = charge.amount.currency, payment.ref.partition("|")[2]
    cash = c.mapping.currencies[code].clearing_cash if code in c.mapping.currencies else ""
    if payment.amount != charge.amount:
        raise NoStub(charge, f"Payment {number} is of {payment.amount}.")
    if payment.cash_account != cash:
        raise NoStub(
            charge, f"Payment {number} is on the cash account {payment.cash_account}, not {cash}."
        )


async def _keep(c: Connected, charge: Charge, payment: ErpPayment, how: str, actor: str) -> Link:
    detail: JsonObject = {"amount": str(charge.amount), "payment_ref": payment.payment_ref}
    now = c.clock.now()
    async with c.store.transaction() as tx:
        link = await links.add(tx, Link(c.id, STUB, charge.id, payment.ref, how, detail), now=now)
        await audit.write(tx, c.id, actor, "stub kept", charge.id, detail, now)
    return link
