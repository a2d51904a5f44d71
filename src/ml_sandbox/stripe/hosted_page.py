"""The hosted invoice page: shows an invoice and takes a test card, by form or by JSON."""

from html import escape

import msgspec

from ml_sandbox.stripe import forms, invoice_payments, page_address, payments
from ml_sandbox.stripe.api import Answer, Request
from ml_sandbox.stripe.cards import card_of
from ml_sandbox.stripe.errors import StripeError, bad, missing
from ml_sandbox.stripe.invoice_totals import lines_of
from ml_sandbox.stripe.money import shown
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1a1f36;background:#f6f8fa;margin:0}
main{max-width:42rem;margin:3rem auto;background:#fff;border:1px solid #e3e8ee;border-radius:8px;
padding:2rem}
h1{font-size:2rem;margin:0}table{width:100%;border-collapse:collapse;margin:1.5rem 0}
td,th{padding:.5rem 0;border-bottom:1px solid #e3e8ee;text-align:left}
td:last-child,th:last-child{text-align:right;font-variant-numeric:tabular-nums}
input{font:inherit;padding:.5rem;border:1px solid #a3acb9;border-radius:4px;width:16rem}
button{font:inherit;padding:.5rem 1.5rem;border:0;border-radius:4px;background:#3b5bdb;color:#fff}
.status{display:inline-block;padding:0 .6rem;border-radius:1rem;background:#e3e8ee}
.problem{color:#b3093c}.done{color:#0e6245}
"""


class HostedPage:
    """Answers GET and POST on /i/{token}."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: Request) -> Answer:
        """The page, or what came of a payment."""
        json = "json" in request.headers.get("content-type", "")
        try:
            invoice = self._invoice(request.path.removeprefix("/i/"))
            if request.method == "POST":
                return self._paid(invoice, request, json=json)
        except StripeError as error:
            return self._problem(error, json=json)
        return page(self._world, invoice)

    def _invoice(self, token: str) -> Obj:
        key = self._world.notes.tokens.get(token)
        if key is None:
            raise missing("invoice", token, "token")
        invoice = self._world.get("invoice", key)
        if page_address.ends(self._world, invoice, token) < self._world.now():
            raise missing("invoice", token, "token")
        return invoice

    def _paid(self, invoice: Obj, request: Request, *, json: bool) -> Answer:
        """Pays with the posted card; a decline is shown and leaves the invoice open."""
        given = posted(request, json=json)
        problem: StripeError | None = None
        try:
            pay(self._world, invoice, given.get("card", ""), given.get("authentication"))
        except StripeError as error:
            problem = error
        if json:
            if problem is not None:
                return self._problem(problem, json=True)
            body = self._world.wire.encode({"invoice": invoice["id"], "status": invoice["status"]})
            return Answer(200, body, {})
        return page(self._world, invoice, problem)

    def _problem(self, error: StripeError, *, json: bool) -> Answer:
        if json:
            return Answer(error.status, self._world.wire.encode({"error": error.error}), {})
        return html(error.status, f"<h1>Not found</h1><p>{escape(str(error))}</p>")


def posted(request: Request, *, json: bool) -> dict[str, str]:
    """The posted fields; StripeError (400) when they cannot be read."""
    if not json:
        tree = forms.parse(request.body.decode("utf-8", "replace"))
        return {name: value for name, value in tree.items() if isinstance(value, str)}
    try:
        return msgspec.json.decode(request.body, type=dict[str, str])
    except msgspec.DecodeError:
        raise bad("The body must be a JSON object of texts.") from None


def pay(world: World, invoice: Obj, number: str, authentication: str | None) -> Obj:
    """Pays the rest of an invoice by card; the charge.

    Raises StripeError for declines and wrong states.
    """
    intent = invoice_payments.default_intent(world, invoice)
    if intent is None or invoice["status"] not in {"open", "uncollectible"}:
        raise bad(f"This invoice cannot be paid: it is {invoice['status']}.")
    card = card_of(number)
    if card is None:
        raise StripeError(
            402, "Your card number is incorrect.", kind="card_error", code="incorrect_number"
        )
    method = payments.method_for(world, card, invoice["customer"])
    charge = payments.attempt(
        world, intent, method, card, authenticated=authentication == "complete"
    )
    if charge is None:
        text = "The bank wants to authenticate you. Send the form again with authentication."
        raise StripeError(402, text, kind="card_error", code="authentication_required")
    if charge["status"] == "failed":
        raise payments.decline_error(world, intent, charge)
    return charge


def page(world: World, invoice: Obj, problem: StripeError | None = None) -> Answer:
    """The invoice as a plain page."""
    currency = invoice["currency"]
    rows = "".join(
        row(line["description"] or "Item", line["amount"], currency)
        for line in lines_of(world, invoice)
    )
    exclusive = [t for t in invoice["total_taxes"] if t["tax_behavior"] == "exclusive"]
    rows += "".join(row(tax_name(world, tax), tax["amount"], currency) for tax in exclusive)
    rows += row("Total", invoice["total"], currency)
    if invoice["amount_remaining"] != invoice["total"]:
        rows += row("Still to be paid", invoice["amount_remaining"], currency)
    body = (
        f"<h1>{escape(shown(invoice['amount_remaining'], currency))}</h1>"
        f"<p>Invoice {escape(invoice['number'] or '')} "
        f"for {escape(invoice['customer_name'] or '')} "
        f"<span class='status'>{invoice['status']}</span></p>"
        f"<p>{escape(invoice['description'] or '')}</p>"
        f"<table><tr><th>Description</th><th>Amount</th></tr>{rows}</table>"
    )
    return html(402 if problem else 200, body + foot(invoice, problem))


def tax_name(world: World, tax: Obj) -> str:
    """The name of the rate behind a tax."""
    rate = world.find(tax["tax_rate_details"]["tax_rate"])
    return str(rate["display_name"]) if rate else "Tax"


def row(text: str, amount: int, currency: str) -> str:
    """One table row."""
    return f"<tr><td>{escape(text)}</td><td>{escape(shown(amount, currency))}</td></tr>"


def foot(invoice: Obj, problem: StripeError | None) -> str:
    """The payment form while something can be paid, else what happened."""
    if invoice["status"] not in {"open", "uncollectible"}:
        word = "Paid. Thank you." if invoice["status"] == "paid" else "Nothing can be paid here."
        return f"<p class='done'>{word}</p>"
    trouble = f"<p class='problem' role='alert'>{escape(str(problem))}</p>" if problem else ""
    extra = ""
    if problem is not None and problem.error.get("code") == "authentication_required":
        extra = "<input type='hidden' name='authentication' value='complete'>"
    return (
        f"{trouble}<form method='post'><label>Card number "
        f"<input name='card' inputmode='numeric' autocomplete='off' value='4242424242424242'>"
        f"</label> {extra}<button>Pay</button></form>"
    )


def html(status: int, body: str) -> Answer:
    """A whole page."""
    text = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Invoice</title>"
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return Answer(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})
