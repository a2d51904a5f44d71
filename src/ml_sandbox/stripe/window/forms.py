"""The forms of the window: what an operator can make happen."""

from ml_sandbox.stripe.cards import ALL
from ml_sandbox.stripe.money import exponent
from ml_sandbox.stripe.window.markup import Html, choice, field, form, joined, tag, tick
from ml_sandbox.stripe.wire import Obj

BEHAVIOURS = (
    ("4242424242424242", "Visa, succeeds"),
    ("4000000000000077", "Visa, money available at once"),
    ("4000003720000278", "Visa from abroad"),
    ("4000000000000002", "Declined"),
    ("4000000000009995", "Declined: insufficient funds"),
    ("4000000000000069", "Declined: expired card"),
    ("4000002760003184", "Asks for authentication"),
    ("4000000000000259", "Disputed afterwards"),
    ("4000000000001976", "Inquiry afterwards"),
    ("4000000000005423", "Fraud warning afterwards"),
    ("4000000000007726", "Refunds stay pending"),
    ("4000000000005126", "Refunds fail late"),
    ("000123456789", "Bank debit, succeeds after days"),
    ("000111111113", "Bank debit, account closed"),
    ("000555555559", "Bank debit, disputed"),
)
REASONS = (
    "fraudulent product_not_received product_unacceptable duplicate credit_not_processed general"
).split()
FAILURES = ("account_closed", "could_not_process", "no_account", "insufficient_funds")


def major(amount: int, currency: str) -> str:
    """Minor units as an operator types them: 1050 usd -> 10.50."""
    places = exponent(currency)
    return str(amount) if places == 0 else f"{amount / 10**places:.{places}f}"


def amount_field(label: str, amount: int, currency: str) -> Html:
    """An amount in major units, with its currency beside it."""
    text = f"{label} ({currency.upper()})"
    return field(text, "amount", major(amount, currency), inputmode="decimal", klass="small")


def pay(invoice: Obj, back: str) -> Html:
    """Pays an invoice by test card, whole or in part."""
    known = {card.number for card in ALL}
    cards = [(number, label) for number, label in BEHAVIOURS if number in known]
    currency = invoice["currency"]
    rest = amount_field("Amount", invoice["amount_remaining"], currency)
    chosen = choice("Test card", "card", cards)
    key = invoice["id"]
    return form("pay", back, "Pay", chosen, rest, invoice=key, currency=currency)


def refund(charge: Obj, back: str) -> Html:
    """Refunds a charge, whole or in part."""
    left = charge["amount"] - charge["amount_refunded"]
    why = [
        ("", "none"),
        *((r, r.replace("_", " ")) for r in ("requested_by_customer", "duplicate")),
    ]
    currency = charge["currency"]
    rest = amount_field("Amount", left, currency)
    reason = choice("Reason", "reason", why)
    return form("refund", back, "Refund", rest, reason, charge=charge["id"], currency=currency)


def dispute(charge: Obj, back: str) -> Html:
    """Opens a dispute on a charge."""
    currency = charge["currency"]
    reasons = choice("Reason", "reason", [(r, r.replace("_", " ")) for r in REASONS])
    part = amount_field("Amount", charge["amount"], currency)
    asked = tick("Inquiry only", "inquiry", on=False)
    key = charge["id"]
    return form(
        "dispute", back, "Open dispute", part, reasons, asked, charge=key, currency=currency
    )


def bank_return(charge: Obj, back: str) -> Html:
    """Lets a bank debit come back late."""
    codes = choice("Reason", "code", [(c, c.replace("_", " ")) for c in FAILURES])
    return form("return", back, "Return the debit", codes, id=charge["id"])


OUTCOMES = {
    "won": "Merchant wins", "lost": "Merchant loses", "prevented": "Prevent",
    "appeal": "Bank appeals", "escalate": "Escalate to chargeback",
}  # fmt: skip


def decide(row: Obj, back: str) -> Html:
    """The outcomes that a dispute can have now."""
    state = row["status"]
    if state == "won":
        outcomes = ["appeal"]
    elif state.startswith("warning_") and state != "warning_closed":
        outcomes = ["escalate", "lost"]
    elif state in {"lost", "prevented", "warning_closed"}:
        outcomes = []
    else:
        outcomes = ["won", "lost", "prevented"]
    words = OUTCOMES | ({"lost": "Close the inquiry"} if state.startswith("warning_") else {})
    acts = (form("decide", back, words[o], id=row["id"], outcome=o) for o in outcomes)
    return tag("div", *acts, klass="row") if outcomes else joined()


def run_payouts(back: str) -> Html:
    """Runs the automatic payouts."""
    at_once = tick("Paid at once", "instant", on=True)
    currency = field("Currency (empty: all)", "currency", klass="small")
    return form("payouts", back, "Run payouts", currency, at_once)


def fail_payout(payout: Obj, back: str) -> Html:
    """Lets the bank refuse a payout."""
    codes = choice("Reason", "failure_code", [(c, c.replace("_", " ")) for c in FAILURES])
    return form("fail_payout", back, "Fail payout", codes, id=payout["id"])


def product_fee(back: str) -> Html:
    """Bills one of Stripe's own products."""
    amount = field("Amount (USD)", "amount", "4.30", inputmode="decimal", klass="small")
    words = field("Description", "description", "Invoicing (fee)")
    return form("fee", back, "Bill product fee", amount, words, currency="usd")


def clock(back: str) -> Html:
    """Moves the clock forward, or to a moment."""
    steps = [("3600", "one hour"), ("86400", "one day"), ("259200", "three days"),
             ("604800", "a week"), ("2592000", "thirty days")]  # fmt: skip
    ahead = form("clock", back, "Move on", choice("Forward by", "advance_seconds", steps, "86400"))
    moment = field("To a moment (UTC)", "now", type="datetime-local")
    return joined(ahead, form("clock", back, "Set", moment))


def mischief(settings: Obj, back: str) -> Html:
    """How unreliable deliveries are."""
    fields = [
        tick(name.replace("_", " "), name, on=value)
        if isinstance(value, bool)
        else field(name.replace("_", " "), name, str(value), inputmode="decimal", klass="small")
        for name, value in settings.items()
    ]
    return form("mischief", back, "Set", *fields)


def faults() -> Html:
    """A rule for the layer in front of the sandbox; sent by the page's script."""
    kinds = [(k, k) for k in ("status", "delay", "reset", "cut", "redirect")]
    inputs = joined(
        choice("Kind", "kind", kinds),
        choice("When", "when", [("before", "before the work"), ("after", "after the work")]),
        choice("Method", "method", [("", "any"), *((m, m) for m in ("GET", "POST", "DELETE"))]),
        field("Path (expression)", "path", "^/v1/"),
        field("Times", "times", "1", klass="small"),
        field("Status", "status", "503", klass="small"),
        field("Seconds", "seconds", "1.0", klass="small"),
    )
    set_it = Html("<button>Add fault</button><button value='clear'>Remove all</button>")
    return Html(f"<form data-faults>{inputs}{set_it}</form><p class='hint' data-set></p>")


def switch(name: str, value: object, meaning: str, back: str) -> Html:
    """One switch of the sandbox."""
    if isinstance(value, bool):
        known = tick(meaning, "value", on=value)
    else:
        known = field(meaning, "value", str(value), klass="small")
    return form("switch", back, "Set", known, name=name)
