"""A charge that somebody else has booked in Acumatica, such as its own Stripe plug-in."""

from ml_connector.acumatica.documents import ErpPayment
from ml_connector.basics.errors import AskAPerson
from ml_connector.basics.ids import ErpRef, StripeId, erp_keys, in_words
from ml_connector.books.mapping import Role
from ml_connector.books.matching import settled
from ml_connector.books.postings import Booked, PaymentCharge, Purpose
from ml_connector.books.records import BalanceTransaction, Charge
from ml_connector.flows.connected import Connected
from ml_connector.flows.rows import document
from ml_connector.flows.writing.editions import standing
from ml_connector.flows.writing.paper import DEAD
from ml_connector.flows.writing.read_back import booked_differences
from ml_connector.store import postings

MONEY_IN = frozenset({"Payment", "Prepayment"})
"""The types of documents by which a customer's money comes in."""


class BookedElsewhere(AskAPerson):
    """Somebody else has booked a charge, and not as it moved the Stripe balance."""

    def __init__(self, charge: StripeId, refs: list[ErpRef], why: str) -> None:
        listed = " and ".join(in_words(ref) for ref in refs)
        super().__init__(
            f"The payment {charge} was booked by somebody else as {listed}. {why}",
            cause=f"payment.booked_elsewhere:{charge}",
            remedy="Void it in Acumatica, and it is booked anew; or correct it, and it counts.",
        )


async def booked_elsewhere(c: Connected, charge: Charge) -> Booked | None:
    """The payment of somebody else that carries a charge; None when there is none.

    One call, and one more for what is found. Raises BookedElsewhere when it does not move the
    clearing account by what the charge moved the Stripe balance.
    """
    own = await standing(c, Purpose.PAYMENT, charge.id)
    if own is not None and own.taken:
        paper = document(own)
        return paper if isinstance(paper, Booked) else None
    return await carried_by_others(c, charge)


async def carried_by_others(c: Connected, charge: Charge) -> Booked | None:
    """The same, whatever stands of our own."""
    found = await _found(c, charge)
    if not found:
        return None
    if len(found) > 1:
        raise BookedElsewhere(charge.id, found, "It can stand only once.")
    return await _if_it_carries(c, charge, found[0])


async def _found(c: Connected, charge: Charge) -> list[ErpRef]:
    """The live payments that bear the charge or its payment intent and are not our own."""
    references = [one for one in (charge.id, charge.payment_intent) if one is not None]
    live: list[ErpRef] = []
    for one in await c.acumatica.payments_bearing(*references):
        kind, number = erp_keys(one.ref)
        async with c.store.statement() as tx:
            ours = await postings.by_erp(tx, c.id, kind, number)
        if kind in MONEY_IN and one.status not in DEAD and not ours:
            live.append(one.ref)
    return live


async def _if_it_carries(c: Connected, charge: Charge, ref: ErpRef) -> Booked | None:
    """The payment, when it does to the clearing account what Stripe did; None for one of ours."""
    bt, payment = settled(charge), await c.acumatica.payment(ref)
    if payment.external_ref == bt.id:
        return None  # our own mark: its posting is looked for by that
    clearing = c.mapping.of_currency(bt.amount.currency).clearing_cash
    booked = Booked(ref, payment.payment_ref, clearing, bt.amount, riding(c, payment))
    differences = booked_differences(booked, payment, released=False)
    differences += await _fee_differences(c, bt, booked)
    if differences:
        raise BookedElsewhere(charge.id, [ref], " ".join(differences))
    return booked


async def _fee_differences(c: Connected, bt: BalanceTransaction, booked: Booked) -> list[str]:
    """Why the charges on a payment are not the fee; what rides on it must be that, or nothing."""
    if not booked.charges:
        return []
    charged = booked.amount - booked.cash
    if charged != bt.fee:
        return [f"Its charges are {charged}, not the fee of {bt.fee}."]
    own = await standing(c, Purpose.FEE, bt.id)
    return ["Its charges are the fee, which is booked already."] if own and own.taken else []


def riding(c: Connected, payment: ErpPayment) -> tuple[PaymentCharge, ...]:
    """The charges on somebody else's payment, with the account where ours stand. Raises NotMapped.

    That is where they are booked again when the payment is undone and Stripe keeps its fee.
    """
    return tuple(
        PaymentCharge(one.entry_type, c.mapping.account(Role.FEES), one.amount)
        for one in payment.charges
    )
