"""What brings a Stripe invoice level with its ERP document again, once the buyer has it."""

from dataclasses import dataclass

from ml_connector.basics.currencies import least_charge
from ml_connector.basics.money import Money
from ml_connector.books.records import ErpInvoice, StripeInvoice


@dataclass(frozen=True, slots=True)
class PayOutOfBand:
    """Marks the whole rest as paid elsewhere."""


@dataclass(frozen=True, slots=True)
class Void:
    """Withdraws the invoice for good; only while nothing of it is paid."""


@dataclass(frozen=True, slots=True)
class CreditNote:
    """Lowers what is open by an amount."""

    amount: Money


@dataclass(frozen=True, slots=True)
class TellAPerson:
    """Nothing that we may do makes it level; `why` groups equal cases."""

    why: str
    sentence: str
    remedy: str


PAID_TWICE = "paid_twice"
"""Why a person is told that more was paid than was owed."""

Action = PayOutOfBand | Void | CreditNote | TellAPerson


def level(erp: ErpInvoice, stripe: StripeInvoice, on_the_way: Money) -> list[Action]:
    """What makes Stripe ask for exactly what the ERP is still owed; empty when it does.

    `on_the_way` is what was paid in Stripe and is not in the ERP's balance yet. Stripe is only
    ever lowered: a payer can never be asked for more than is owed, nor for it twice.
    """
    if stripe.status == "draft":
        return []
    expected = erp.balance - on_the_way
    owed = max(expected, Money.zero(expected.currency))
    found: list[Action] = []
    if owed < stripe.payable:
        found.append(_lower(erp, stripe, owed))
    if expected < owed:
        found.append(_paid_too_much(erp, owed - expected))
    elif stripe.payable < owed:
        found.append(_asks_too_little(erp, stripe, owed))
    elif stripe.status == "uncollectible" and stripe.payable == owed:
        found.append(_given_up(erp, stripe))
    return found


def reopened(
    erp: ErpInvoice, stripe: StripeInvoice, on_the_way: Money, came_back: Money
) -> TellAPerson | None:
    """That Stripe asks for too little only because money came back; None when it is not so.

    Only then may the buyer be asked again: all that was paid in Stripe is in the ERP or undone,
    so that nobody pays twice.
    """
    shortage = erp.balance - stripe.payable
    if on_the_way or stripe.status not in {"open", "paid"}:
        return None
    if not Money.zero(shortage.currency) < shortage or came_back < shortage:
        return None
    return TellAPerson(
        "reopened",
        f"Invoice {erp.number} is owed {erp.balance} again in Acumatica, since a payment of it"
        f" came back; {stripe.number} in Stripe asks for {stripe.payable} only.",
        'Collect it another way, or set reopened = "again" under [mirror], so that a new Stripe'
        " invoice asks for the balance.",
    )


def is_below_minimum(owed: Money, *, converted: bool) -> bool:
    """Whether something is owed that Stripe may refuse to charge, as it is so little."""
    code = owed.currency
    least = Money(least_charge(code, converted=converted), code)
    return Money.zero(code) < owed < least


def too_small_a_rest(
    erp: ErpInvoice, owed: Money, *, converted: bool = False
) -> TellAPerson | None:
    """That what is left of a sent invoice is below what Stripe can charge; None when it is not.

    `converted`: by the mapping, its currency settles in another one, whose minimum is what counts.
    """
    code = owed.currency
    least = Money(least_charge(code), code)
    safe = Money(least_charge(code, converted=converted), code)
    if not is_below_minimum(owed, converted=converted):
        return None
    why = f"below Stripe's minimum charge of {least}: its buyer cannot pay it there."
    if not owed < least:
        why = (
            f"which may be below Stripe's minimum charge: {code} settles in another currency, and"
            f" only from {safe} on is it surely above that. Its buyer may not be able to pay it."
        )
    return TellAPerson(
        "rest_below_minimum",
        f"Of invoice {erp.number} {owed} is left, {why}",
        "Collect it another way or write it off in Acumatica; Stripe's side is then closed by"
        " itself.",
    )


def _lower(erp: ErpInvoice, stripe: StripeInvoice, owed: Money) -> Action:
    if owed:
        # Stripe takes no credit note on an invoice that was given up.
        if stripe.status == "uncollectible":
            return _given_up(erp, stripe)
        return CreditNote(stripe.payable - owed)
    if not _cancelled(erp, stripe):
        return PayOutOfBand()
    if not stripe.amount_paid:
        return Void()
    return PayOutOfBand() if stripe.status == "uncollectible" else CreditNote(stripe.payable)


def _cancelled(erp: ErpInvoice, stripe: StripeInvoice) -> bool:
    """Whether credit memos, and no payment outside Stripe, have settled what was asked for."""
    credited = erp.credited
    return bool(credited) and not credited < stripe.total - stripe.paid_by_charges


def _paid_too_much(erp: ErpInvoice, excess: Money) -> TellAPerson:
    return TellAPerson(
        PAID_TWICE,
        f"Invoice {erp.number} was paid in Stripe with {excess} more than Acumatica is still owed"
        f" ({erp.balance}).",
        f"Refund {excess} in Stripe, or reverse what else settled it in Acumatica.",
    )


def _asks_too_little(erp: ErpInvoice, stripe: StripeInvoice, owed: Money) -> TellAPerson:
    if stripe.status == "void":
        return TellAPerson(
            "voided",
            f"Invoice {erp.number} is owed {owed} in Acumatica, but {stripe.number} was voided"
            " in Stripe.",
            "Cancel it in Acumatica with a credit memo as well, or collect it another way.",
        )
    return TellAPerson(
        "asks_too_little",
        f"Invoice {erp.number} is owed {owed} in Acumatica, but {stripe.number} in Stripe asks"
        f" for {stripe.payable} only.",
        "If it was credited or marked as paid in Stripe, book the same in Acumatica. If it was"
        " re-opened or raised in Acumatica, invoice the difference anew or collect it another way.",
    )


def _given_up(erp: ErpInvoice, stripe: StripeInvoice) -> TellAPerson:
    return TellAPerson(
        "uncollectible",
        f"Invoice {erp.number} is owed {erp.balance} in Acumatica, but {stripe.number} was marked"
        " uncollectible in Stripe.",
        "Write it off in Acumatica; the rest in Stripe is then closed by itself.",
    )
