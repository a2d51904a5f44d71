"""What buyers, banks and the back office do at Stripe with the payments of invoices."""

from ml_sandbox.month.sandboxes import CannotGoOn, Json
from ml_sandbox.year.fates import CONVERTED, REFUND_THAT_FAILS
from ml_sandbox.year.life import Charged, Life
from ml_sandbox.year.plan import Step
from ml_sandbox.year.tally import as_text

_ODD = 1717
"""Minor units that no invoice is of."""


def pay(life: Life, step: Step) -> None:
    """A buyer pays at the invoice page, once it asks for what is left."""
    invoice = life.asked_for(step.about)
    amount, left = life.share_of(step.about, step.share), life.left[step.about]
    asked: Json = {"invoice": invoice, "card": step.card}
    if step.share != 100:
        asked["amount"] = amount
    life.settle(step.about, str(life.stage.stripe.post("pay", asked)["charge"]), amount)
    if amount > left:
        _clear_credit(life, step, amount - left)


def _clear_credit(life: Life, step: Step, credit: int) -> None:
    """What was paid too much is on account in the ERP: a person takes it off Stripe's account.

    Stripe would lower the customer's next invoice by it.
    """
    issued = life.issued[step.about]
    customer = life.stage.stripe_customer(issued.customer)
    taken = {"amount": str(credit), "currency": issued.currency.lower()}
    life.stage.at_the_dashboard(f"customers/{customer}/balance_transactions", taken)


def try_in_vain(life: Life, step: Step) -> None:
    """A card is declined at once, or a bank refuses a debit days later: no money moves."""
    asked: Json = {"invoice": life.asked_for(step.about), "card": step.card}
    if life.stage.stripe.attempt("pay", asked) is None:
        life.tally.counts["declined"] += 1
    else:
        life.tally.counts["unsettled"] += 1


def pay_by_metadata(life: Life, step: Step) -> None:
    """One payment over this invoice and the next one, which it names in its metadata."""
    both = (step.about, step.about + 1)
    for key in both:
        life.asked_for(key)
    numbers = ",".join(life.issued[key].number for key in both)
    amounts = [life.left[key] for key in both]
    charge = _paid_outside(life, step, sum(amounts), {"metadata[erp_invoice]": numbers})
    for key, amount in zip(both, amounts, strict=True):
        life.left[key] -= amount
        life.tally.money[life.issued[key].currency, "paid"] += amount
    life.charged[step.about] = charge
    life.tally.counts["settled"] += 1
    life.tally.counts["converted"] += charge.currency == CONVERTED
    life.tally.counts["by_evidence"] += 1


def pay_by_number(life: Life, step: Step) -> None:
    """The buyer writes the invoice's number."""
    said = {"description": f"Payment of {life.issued[step.about].number}, thank you"}
    _paid_whole(life, step, said)


def pay_by_amount(life: Life, step: Step) -> None:
    """A known buyer pays exactly what one invoice asks for.

    Should two of the buyer's invoices be owed with the same amount, nobody could tell; amounts
    are drawn so finely that the number is written too then.
    """
    issued, left = life.issued[step.about], life.left[step.about]
    alike = [key for key, one in life.issued.items()
             if one.customer == issued.customer and life.left[key] == left]  # fmt: skip
    if len(alike) > 1:
        pay_by_number(life, step)
    else:
        _paid_whole(life, step, {"customer": life.stage.stripe_customer(issued.customer)})


def _paid_whole(life: Life, step: Step, said: dict[str, str]) -> None:
    life.asked_for(step.about)
    amount = life.left[step.about]
    charge = _paid_outside(life, step, amount, said)
    life.settle(step.about, charge.charge, amount)
    life.tally.counts["by_evidence"] += 1


def _paid_outside(life: Life, step: Step, amount: int, said: dict[str, str]) -> Charged:
    currency = life.issued[step.about].currency
    return Charged(outside(life, amount, currency, said), currency, amount)


def outside(life: Life, amount: int, currency: str, said: dict[str, str]) -> str:
    """A payment by card beside all invoices; its charge."""
    form = {"amount": str(amount), "currency": currency.lower(), "confirm": "true"}
    form |= {"payment_method": "pm_card_visa"} | said
    return str(life.stage.at_the_dashboard("payment_intents", form)["latest_charge"])


def bounce(life: Life, step: Step) -> None:
    """The bank takes a debit back: the invoice is owed again."""
    paid = life.charged[step.about]
    life.stage.stripe.post(f"charges/{paid.charge}/return", {})
    life.left[step.about] += paid.amount
    life.tally.add("bounced", "bounced", paid.currency, paid.amount)


def refund(life: Life, step: Step) -> None:
    """A share of a payment is given back; 100 is all that is left of it."""
    paid = life.charged[step.about]
    part: Json = {} if step.share == 100 else {"amount": paid.amount * step.share // 100}
    life.stage.stripe.post("refund", {"charge": paid.charge, **part})
    if life.year.fates[step.about] == REFUND_THAT_FAILS and paid.currency != CONVERTED:
        life.tally.add("failing", "failing", paid.currency, part["amount"])


def dispute(life: Life, step: Step) -> None:
    """A cardholder disputes a share of a payment."""
    paid = life.charged[step.about]
    asked: Json = {"charge": paid.charge, "amount": paid.amount * step.share // 100}
    life.disputes[step.about] = str(life.stage.stripe.post("disputes", asked)["id"])
    life.tally.counts["disputed"] += 1


def inquire(life: Life, step: Step) -> None:
    """A bank asks about a payment."""
    asked: Json = {"charge": life.charged[step.about].charge, "inquiry": True}
    life.disputes[step.about] = str(life.stage.stripe.post("disputes", asked)["id"])


def escalate(life: Life, step: Step) -> None:
    """An inquiry becomes a dispute: now the bank takes the money."""
    decide(life, step, "escalate")
    life.tally.counts["disputed"] += 1


def decide(life: Life, step: Step, outcome: str) -> None:
    """A dispute goes on, or ends."""
    life.stage.stripe.post(f"disputes/{life.disputes[step.about]}", {"outcome": outcome})


def lose(life: Life, step: Step) -> None:
    """The bank decides against the firm."""
    decide(life, step, "lost")
    paid = life.charged[step.about]
    life.tally.add("lost", "lost", paid.currency, paid.amount)


def void_there(life: Life, step: Step) -> None:
    """Somebody voids the Stripe invoice."""
    life.stage.at_the_dashboard(f"invoices/{life.asked_for(step.about)}/void")


def paid_elsewhere(life: Life, step: Step) -> None:
    """Somebody marks the Stripe invoice as paid outside Stripe."""
    said = {"paid_out_of_band": "true"}
    life.stage.at_the_dashboard(f"invoices/{life.asked_for(step.about)}/pay", said)


def stranger(life: Life, step: Step) -> None:
    """Somebody unknown pays for nothing that is known."""
    currency = life.settles_in(step.about)
    outside(life, _ODD, currency, {})
    life.tally.add("strangers", "strange", currency, _ODD)


def acquaintance(life: Life, step: Step) -> None:
    """A known customer pays an amount that none of the own invoices is of."""
    customer = life.customers[step.about]
    currency = life.year.clients[step.about].currency
    amount = _ODD + step.day.month
    owed = [life.left[key] for key, one in life.issued.items() if one.customer == customer]
    if amount in owed:
        raise CannotGoOn(f"An invoice of {as_text(amount, currency)} {currency} is owed already.")
    outside(life, amount, currency, {"customer": life.stage.stripe_customer(customer)})
    life.tally.add("acquaintances", "acquainted", currency, amount)
    life.tally.counts["acquaintances_converted"] += currency == CONVERTED
