"""What Stripe does by itself, and what people do at its Dashboard with the balance."""

from ml_sandbox.month.sandboxes import Json
from ml_sandbox.year.life import Life
from ml_sandbox.year.plan import Step

_LEAST = 500
"""Minor units that are moved by hand, where so much is available."""


def top_up(life: Life, step: Step) -> None:
    """Money is brought from the bank; it is there a day later."""
    form = {"amount": "10000", "currency": life.settles_in(step.about).lower()}
    life.topup = str(life.stage.at_the_dashboard("topups", form)["id"])


def top_up_back(life: Life, _step: Step) -> None:
    """The bank takes the newest top-up back."""
    life.stage.stripe.post(f"topups/{life.topup}", {"outcome": "failed"})


def bill(life: Life, step: Step) -> None:
    """A product fee and the tax on it, neither of which any event tells."""
    currency = life.settles_in(step.about).lower()
    what: Json = {"currency": currency, "description": f"Billing - Usage Fee ({step.day:%Y-%m})"}
    life.stage.stripe.post("fees", {"amount": 1234} | what)
    _row(life, "tax_fee", "tax", -234, currency)


def adjust(life: Life, step: Step) -> None:
    """A correction."""
    _row(life, "adjustment", "fee", -321, life.settles_in(step.about).lower())


def bill_late(life: Life) -> None:
    """On the last day of a month, after its closing, Stripe bills something."""
    _row(life, "adjustment", "fee", -111, "usd")


def unheard(life: Life, _step: Step) -> None:
    """Money moves under a name that nobody has heard of."""
    _row(life, "contribution", "contribution", -1234, "usd")
    life.tally.counts["unheard"] += 1


def _row(life: Life, kind: str, category: str, amount: int, currency: str) -> None:
    asked: Json = {"type": kind, "reporting_category": category}
    life.stage.stripe.post("adjust", asked | {"amount": amount, "currency": currency})


def tax_fees(life: Life, step: Step) -> None:
    """From now on fees carry so many percent of tax."""
    life.stage.stripe.post("switches", {"vat_percent_on_fees": str(step.share)})


def reserve(life: Life, step: Step) -> None:
    """Money is held aside for five days."""
    asked: Json = {"amount": 2000, "currency": life.settles_in(step.about).lower(), "days": 5}
    life.stage.stripe.post("reserves", asked)


def pay_out(life: Life, _step: Step) -> None:
    """All that is available is paid out, a payout a currency; they arrive on the next day."""
    life.payouts = _run(life, {})


def negative_payout(life: Life, step: Step) -> None:
    """After the payouts a bill in euros comes, for which Stripe debits the bank."""
    what = f"Radar ({step.day:%Y-%m})"
    life.stage.stripe.post("fees", {"amount": 750, "currency": "eur", "description": what})
    _run(life, {"currency": "eur"})


def _run(life: Life, asked: Json) -> list[str]:
    made: list[Json] = life.stage.stripe.post("payouts/run", asked | {"instant": False})["payouts"]
    life.tally.counts["payouts"] += len(made)
    return [str(one["id"]) for one in made]


def payout_fails(life: Life, _step: Step) -> None:
    """The bank returns the first payout of the newest run, days after it was paid."""
    for payout in life.payouts[:1]:
        life.stage.stripe.post(f"payouts/{payout}/fail", {})


def pay_out_by_hand(life: Life, _step: Step) -> None:
    """Somebody pays a little out, in the first currency that has it."""
    _by_hand(life)


def payout_cancelled(life: Life, _step: Step) -> None:
    """Somebody pays a little out and cancels it at once."""
    for payout in _by_hand(life):
        life.stage.at_the_dashboard(f"payouts/{payout}/cancel")


def _by_hand(life: Life) -> list[str]:
    held: dict[str, Json] = life.stage.stripe.get("books")["currencies"]
    rich = [code for code, one in sorted(held.items()) if one["available"] >= _LEAST]
    if not rich:
        return []
    form = {"amount": str(_LEAST), "currency": rich[0]}
    life.tally.counts["payouts_by_hand"] += 1
    return [str(life.stage.at_the_dashboard("payouts", form)["id"])]
