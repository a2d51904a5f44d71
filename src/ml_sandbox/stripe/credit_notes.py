"""Credit notes: they lower what is open, or say how an already paid part was given back."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ml_sandbox.stripe import customer_balance, invoice_payments, refunds
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.discounts import totals
from ml_sandbox.stripe.errors import StripeError, bad
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.invoice_totals import joined
from ml_sandbox.stripe.listing import page, whole
from ml_sandbox.stripe.money import rounded
from ml_sandbox.stripe.tax_rates import tax_row
from ml_sandbox.stripe.texts import apply, merge_metadata, rows
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


@dataclass
class Draft:
    """What a credit note credits: its lines, and the amounts before and after payment."""

    lines: list[Obj]
    subtotal: int
    taxes: list[Obj]
    pre: int = 0
    post: int = 0
    shipping: int = 0

    @property
    def discount(self) -> int:
        """What the invoice's discounts had taken off the credited lines."""
        return sum(row["discount_amount"] for row in self.lines)

    @property
    def total(self) -> int:
        """Without discounts, with shipping and exclusive taxes."""
        extra = [t["amount"] for t in self.taxes if t["tax_behavior"] == "exclusive"]
        return self.subtotal - self.discount + self.shipping + sum(extra)


def create(world: World, call: Call) -> Obj:
    """POST /v1/credit_notes."""
    invoice = creditable(world, call.params)
    draft = drafted(world, invoice, call.params)
    split(world, invoice, draft, call.params)
    note = stored(world, invoice, draft, call.params)
    before = world.wire.frozen(invoice)
    apply_to_invoice(world, invoice, note)
    give_back(world, invoice, note, call.params)
    emit(world, "credit_note.created", note)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    paid_now = invoice["status"] == "paid" and before["status"] != "paid"
    if paid_now and world.switches.credit_note_to_zero_emits_paid:
        emit(world, "invoice.paid", invoice)
    invoice_payments.follow_remaining(world, invoice)
    return note


def preview(world: World, call: Call) -> Obj:
    """GET /v1/credit_notes/preview: the same without any effect."""
    invoice = creditable(world, call.params)
    draft = drafted(world, invoice, call.params)
    split(world, invoice, draft, call.params)
    return built(world, invoice, draft, call.params)


def creditable(world: World, params: Obj) -> Obj:
    """The open or paid invoice of the parameters."""
    if "invoice" not in params:
        raise bad("Missing required param: invoice.", "invoice", "parameter_missing")
    invoice = world.get("invoice", params["invoice"], "invoice", 400)
    if invoice["status"] not in {"open", "paid"}:
        text = f"Credit notes can only be issued on open or paid invoices, not {invoice['status']}."
        raise bad(text, "invoice", "invoice_not_editable")
    return invoice


def drafted(world: World, invoice: Obj, params: Obj) -> Draft:
    """The credited lines; a bare amount, or the sum of what is given back, is one line."""
    if "lines" in params and "amount" in params:
        text = "You may only specify one of these parameters: amount, lines."
        raise bad(text, "amount", "parameters_exclusive")
    shipping = shipped(invoice, params)
    if "lines" in params:
        lines = [line_of(world, invoice, row) for row in params["lines"]]
    else:
        amount = params.get("amount", given_amount(params) - shipping)
        if amount < 1 and not shipping:
            raise bad("You must specify one of amount, lines or shipping_cost.", "amount")
        lines = [line(world, amount, {"type": "custom_line_item"}, [])] if amount > 0 else []
    taxes = joined([tax for row in lines for tax in row["taxes"]])
    return Draft(lines, sum(row["amount"] for row in lines), taxes, shipping=shipping)


def shipped(invoice: Obj, params: Obj) -> int:
    """The shipping that is credited: that of the invoice, by its rate."""
    given: Obj | None = params.get("shipping_cost")
    if given is None:
        return 0
    cost: Obj | None = invoice["shipping_cost"]
    if cost is None or given.get("shipping_rate") != cost["shipping_rate"]:
        raise bad("The invoice has no such shipping cost.", "shipping_cost[shipping_rate]")
    return int(cost["amount_total"])


def given_amount(params: Obj) -> int:
    """What the parameters say is given back after payment."""
    linked = sum(row.get("amount_refunded", 0) for row in rows(params, "refunds"))
    names = ("refund_amount", "credit_amount", "out_of_band_amount")
    return linked + sum(params.get(name, 0) for name in names)


def line_of(world: World, invoice: Obj, row: Obj) -> Obj:
    """One credited line: a free one, or a part of an invoice line with its taxes in proportion."""
    if row["type"] == "custom_line_item":
        amount = row.get("amount", row.get("quantity", 1) * int(row.get("unit_amount", 0)))
        return line(world, amount, row, given_taxes(world, row))
    key = row.get("invoice_line_item", "")
    source = world.get("line_item", key, "lines[invoice_line_item]", 400)
    if source["invoice"] != invoice["id"]:
        raise bad(f"No such invoice line item: '{key}'", "lines[invoice_line_item]")
    amount = row.get("amount", source["amount"])
    off = [
        {**d, "amount": rounded(Decimal(d["amount"] * amount) / source["amount"])}
        for d in source["discount_amounts"]
    ]
    if "tax_amounts" in row:
        return line(world, amount, row, given_taxes(world, row), off)
    share = [
        {**tax, "amount": rounded(Decimal(tax["amount"] * amount) / source["amount"])}
        for tax in source["taxes"]
    ]
    return line(world, amount, {**row, "description": source["description"]}, share, off)


def given_taxes(world: World, row: Obj) -> list[Obj]:
    """The caller's taxes by existing rates."""
    return [
        tax_row(
            world.get("tax_rate", given["tax_rate"], "tax_rate", 400),
            given["amount"],
            given["taxable_amount"],
            "not_available",
        )
        for given in rows(row, "tax_amounts")
    ]


def line(
    world: World, amount: int, row: Obj, taxes: list[Obj], discounts: Sequence[Obj] = ()
) -> Obj:
    """One stored line of a credit note."""
    return world.build(
        "credit_note_line_item",
        "cnli",
        amount=amount,
        description=row.get("description") or "Credit",
        discount_amount=sum(d["amount"] for d in discounts),
        discount_amounts=list(discounts),
        invoice_line_item=row.get("invoice_line_item"),
        pretax_credit_amounts=[],
        quantity=row.get("quantity", 1),
        tax_rates=[],
        taxes=taxes,
        type=row["type"],
        unit_amount=row.get("unit_amount"),
        unit_amount_decimal=None,
    )


def split(world: World, invoice: Obj, draft: Draft, params: Obj) -> None:
    """Divides the credit into open and paid parts; raises StripeError when it does not fit."""
    draft.pre = min(draft.total, invoice["amount_remaining"])
    draft.post = draft.total - draft.pre
    paid = invoice["amount_paid"] - world.notes.credited.get(invoice["id"], 0)
    if draft.post > paid:
        text = (
            "The sum of the credit note's amounts must not be greater than the invoice's total "
            f"({invoice['total']}) minus what is already credited."
        )
        raise bad(text, "amount", "credit_note_amount_too_large")
    if given_amount(params) != draft.post:
        text = (
            "The sum of credit amount, refund amount and out of band amount "
            f"({given_amount(params)}) must equal the post payment amount ({draft.post})."
        )
        raise bad(text, "amount")


def built(world: World, invoice: Obj, draft: Draft, params: Obj) -> Obj:
    """A credit note that is not stored."""
    number = 1 + len(world.tables["credit_note"].where("invoice", invoice["id"]))
    key = world.ids.new("cn")
    kinds = {(True, False): "pre_payment", (False, True): "post_payment"}
    note = world.build(
        "credit_note",
        "cn",
        id=key,
        amount=draft.total,
        amount_shipping=draft.shipping,
        currency=invoice["currency"],
        customer=invoice["customer"],
        discount_amount=draft.discount,
        discount_amounts=totals(draft.lines),
        effective_at=params.get("effective_at", world.now()),
        invoice=invoice["id"],
        lines=whole(f"/v1/credit_notes/{key}/lines", draft.lines),
        number=f"{invoice['number']}-CN-{number:02d}",
        out_of_band_amount=params.get("out_of_band_amount"),
        pdf=f"{invoice['hosted_invoice_url']}/credit_notes/{key}/pdf",
        post_payment_amount=draft.post,
        pre_payment_amount=draft.pre,
        pretax_credit_amounts=[],
        refunds=[],
        shipping_cost=invoice["shipping_cost"] if draft.shipping else None,
        status="issued",
        subtotal=draft.subtotal,
        subtotal_excluding_tax=draft.subtotal,
        total=draft.total,
        total_excluding_tax=draft.subtotal - draft.discount + draft.shipping,
        total_taxes=draft.taxes,
        type=kinds.get((draft.pre > 0, draft.post > 0), "mixed"),
    )
    apply(note, params, ("memo", "reason"))
    merge_metadata(note, params)
    return note


def stored(world: World, invoice: Obj, draft: Draft, params: Obj) -> Obj:
    """Stores a credit note and its lines."""
    note = built(world, invoice, draft, params)
    world.tables["credit_note"].add(note)
    for row in draft.lines:
        world.tables["credit_note_line_item"].add(row)
    world.notes.invoice_of_note[note["id"]] = [row["id"] for row in draft.lines]
    return note


def apply_to_invoice(world: World, invoice: Obj, note: Obj) -> None:
    """Lowers what is open; crediting everything makes the invoice paid, without cash."""
    invoice["pre_payment_credit_notes_amount"] += note["pre_payment_amount"]
    invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
    invoice["amount_due"] -= note["pre_payment_amount"]
    if note["pre_payment_amount"]:
        invoice_payments.lower_remaining(world, invoice, note["pre_payment_amount"])
    credited = world.notes.credited
    credited[invoice["id"]] = credited.get(invoice["id"], 0) + note["post_payment_amount"]


def give_back(world: World, invoice: Obj, note: Obj, params: Obj) -> None:
    """Carries out how the paid part is returned: refunds and customer balance."""
    for row in rows(params, "refunds"):
        refund = world.get("refund", row["refund"], "refunds[refund]", 400)
        note["refunds"].append(refund_row(refund["id"], row["amount_refunded"]))
    if params.get("refund_amount"):
        made = refund_now(world, invoice, params["refund_amount"])
        note["refunds"].append(refund_row(made["id"], made["amount"]))
    if params.get("credit_amount"):
        customer = world.get("customer", invoice["customer"])
        row = customer_balance.announced(
            world,
            customer,
            -params["credit_amount"],
            invoice["currency"],
            "credit_note",
            invoice=invoice["id"],
            credit_note=note["id"],
        )
        note["customer_balance_transaction"] = row["id"]


def refund_row(refund_id: str, amount: int) -> Obj:
    """One entry of a credit note's refunds."""
    return {
        "amount_refunded": amount,
        "payment_record_refund": None,
        "refund": refund_id,
        "type": "refund",
    }


def refund_now(world: World, invoice: Obj, amount: int) -> Obj:
    """Refunds a payment of the invoice."""
    for payment in invoice_payments.of_invoice(world, invoice):
        key = payment["payment"]["payment_intent"]
        if payment["status"] == "paid" and key is not None:
            charge = refunds.charge_of(world, {"payment_intent": key})
            left = charge["amount"] - charge["amount_refunded"]
            refunds.check(charge, amount, left)
            return refunds.make(world, charge, amount, {})
    raise bad("This invoice has no payment that could be refunded.", "refund_amount")


def void(world: World, call: Call) -> Obj:
    """POST /v1/credit_notes/{id}/void: pre-payment ones of open invoices."""
    note = world.get("credit_note", call.id)
    invoice = world.get("invoice", note["invoice"])
    if note["status"] == "void" or note["type"] != "pre_payment" or invoice["status"] != "open":
        raise not_voidable(note)
    before = world.wire.frozen(invoice)
    note["status"] = "void"
    note["voided_at"] = world.now()
    invoice["pre_payment_credit_notes_amount"] -= note["pre_payment_amount"]
    invoice["amount_due"] += note["pre_payment_amount"]
    invoice["amount_remaining"] += note["pre_payment_amount"]
    emit(world, "credit_note.voided", note)
    emit(world, "invoice.updated", invoice, changes(world, before, invoice))
    invoice_payments.follow_remaining(world, invoice)
    return note


def not_voidable(note: Obj) -> StripeError:
    """The note's state, kind or invoice forbids voiding."""
    return bad(f"Credit note {note['id']} cannot be voided.", code="credit_note_not_voidable")


def update(world: World, call: Call) -> Obj:
    """POST /v1/credit_notes/{id}: memo and metadata."""
    note = world.get("credit_note", call.id)
    before = world.wire.frozen(note)
    apply(note, call.params, ["memo"])
    merge_metadata(note, call.params)
    emit(world, "credit_note.updated", note, changes(world, before, note))
    return note


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/credit_notes/{id}."""
    return world.get("credit_note", call.id)


def lines_listed(world: World, call: Call) -> Obj:
    """GET /v1/credit_notes/{credit_note}/lines."""
    world.get("credit_note", call.id)
    ids = world.notes.invoice_of_note[call.id]
    return page(call, world.tables["credit_note_line_item"], ids, oldest_first=True)


def listed(world: World, call: Call) -> Obj:
    """GET /v1/credit_notes: by invoice, customer."""
    wanted = {k: call.params[k] for k in ("invoice", "customer") if k in call.params}
    table = world.tables["credit_note"]
    first = next(iter(wanted), None)
    ids = None if first is None else table.ids(first, wanted[first])
    return page(call, table, ids, lambda n: all(n[k] == v for k, v in wanted.items()))


ROUTES: Routes = {
    "POST /v1/credit_notes": create,
    "GET /v1/credit_notes": listed,
    "GET /v1/credit_notes/preview": preview,
    "GET /v1/credit_notes/{id}": fetch,
    "POST /v1/credit_notes/{id}": update,
    "POST /v1/credit_notes/{id}/void": void,
    "GET /v1/credit_notes/{credit_note}/lines": lines_listed,
}
