"""Invoices as drafts: created, edited, listed, deleted."""

from datetime import timedelta
from typing import Any

from ml_sandbox.stripe import (
    catalog,
    coupons,
    customers,
    invoice_payments,
    page_address,
    tax_numbers,
    tax_rates,
)
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.invoice_lines import assign_pending, draft, not_editable
from ml_sandbox.stripe.invoice_totals import lines_of, refresh
from ml_sandbox.stripe.listing import page, whole
from ml_sandbox.stripe.texts import apply, merge_metadata, words
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

DAY = 86_400
FREE_TEXTS = (
    "description", "footer", "statement_descriptor", "effective_at", "auto_advance",
    "automatically_finalizes_at", "collection_method",
)  # fmt: skip
ALWAYS_EDITABLE = frozenset(
    "metadata auto_advance payment_settings default_payment_method default_source expand "
    "due_date automatically_finalizes_at".split()
)
MOST_DESCRIPTION = 1500
CUSTOM_FIELDS, FIELD_NAME, FIELD_VALUE = 4, 40, 140


def create(world: World, call: Call) -> Obj:
    """POST /v1/invoices: always a draft."""
    params = call.params
    if "customer" not in params:
        raise required("customer")
    customer = customers.living(world, params["customer"])
    currency = (params.get("currency") or customer["currency"] or "usd").lower()
    world.money.check_currency(currency)
    check(world, params, params.get("collection_method", "charge_automatically"))
    check_automatic_tax(world, customer, params)
    invoice = blank(world, customer, currency)
    starting_discounts(world, invoice, customer, params)
    fill(world, invoice, params)
    if customer["currency"] is None:
        customer["currency"] = currency
    if params.get("pending_invoice_items_behavior") == "include":
        sweep(world, invoice)
    refresh(world, invoice)
    emit(world, "invoice.created", invoice)
    return invoice


def starting_discounts(world: World, invoice: Obj, customer: Obj, params: Obj) -> None:
    """An invoice that says nothing about discounts inherits its customer's coupon."""
    if "discounts" not in params:
        invoice["discounts"] = coupons.inherited(world, customer)


def blank(world: World, customer: Obj, currency: str) -> Obj:
    """A draft with nothing on it."""
    zero = (
        "amount_due amount_overpaid amount_paid amount_remaining amount_shipping attempt_count "
        "post_payment_credit_notes_amount pre_payment_credit_notes_amount starting_balance "
        "subtotal subtotal_excluding_tax total total_excluding_tax"
    ).split()
    empty = (
        "customer_tax_ids default_tax_rates discounts total_discount_amounts "
        "total_pretax_credit_amounts total_taxes"
    ).split()
    key = world.ids.new("in")
    values: Obj = dict.fromkeys(zero, 0) | {name: [] for name in empty}
    values |= {
        "id": key,
        "account_country": "US",
        "account_name": "Sandbox",
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "currency": currency,
        "customer": customer["id"],
        "issuer": {"type": "self"},
        "lines": whole(f"/v1/invoices/{key}/lines", []),
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": world.now(),
        "period_start": world.now(),
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ["finalized_at", "marked_uncollectible_at", "paid_at", "voided_at"]
        ),
    }
    values["test_clock"] = customer["test_clock"]
    invoice = world.new("invoice", "in", **values)
    copy_customer(world, invoice, customer)
    return invoice


def copy_customer(world: World, invoice: Obj, customer: Obj) -> None:
    """The customer as printed on the invoice; frozen once finalized."""
    for name in ("address", "email", "name", "phone", "shipping", "tax_exempt"):
        invoice[f"customer_{name}"] = customer[name]
    invoice["customer_tax_ids"] = tax_numbers.of_customer(world, customer)


def check(world: World, params: Obj, method: str, own: str | None = None) -> None:
    """The rules of an invoice's parameters; `own` is the invoice being edited."""
    both = "due_date" in params and "days_until_due" in params
    if both:
        text = "You may only specify one of these parameters: due_date, days_until_due."
        raise bad(text, "due_date", "parameters_exclusive")
    for name in ("due_date", "days_until_due"):
        if name in params and method != "send_invoice":
            text = f"You can only set `{name}` if `collection_method` is `send_invoice`."
            raise bad(text, name)
    due = params.get("due_date")
    if due is not None and world.switches.past_due_date_refused and due <= world.now():
        raise bad("`due_date` must be in the future.", "due_date")
    if len(params.get("description") or "") > MOST_DESCRIPTION:
        raise bad(f"Invalid string: at most {MOST_DESCRIPTION} characters", "description")
    check_number(world, params.get("number"), own)
    check_custom_fields(params.get("custom_fields"))


def check_number(world: World, number: str | None, own: str | None) -> None:
    """A custom number is used once."""
    if not number:
        return
    for other in world.tables["invoice"]:
        if other["number"] == number and other["id"] != own:
            raise bad(f"An invoice with the number {number} already exists.", "number")


def check_custom_fields(given: Any) -> None:
    """At most four fields with short names and values."""
    rows: list[Obj] = given or []
    if len(rows) > CUSTOM_FIELDS:
        raise bad(f"You may specify at most {CUSTOM_FIELDS} custom fields.", "custom_fields")
    for i, row in enumerate(rows):
        for name, most in (("name", FIELD_NAME), ("value", FIELD_VALUE)):
            if len(row[name]) > most:
                param = f"custom_fields[{i}][{name}]"
                raise bad(f"Invalid string: at most {most} characters", param)


def fill(world: World, invoice: Obj, params: Obj) -> None:
    """Puts given parameters onto an invoice."""
    apply(invoice, params, (*FREE_TEXTS, "number", "custom_fields", "due_date"))
    if "days_until_due" in params:
        due = world.moment() + timedelta(days=params["days_until_due"])
        invoice["due_date"] = int(due.timestamp())
    settings: Any = params.get("payment_settings") or {}
    apply(invoice["payment_settings"], settings, ("payment_method_types",))
    if "rendering" in params:
        invoice["rendering"] = rendering(params["rendering"])
    if "default_tax_rates" in params:
        keys = words(params, "default_tax_rates")
        invoice["default_tax_rates"] = [world.get("tax_rate", k, status=400) for k in keys]
        recompute_taxes(world, invoice)
    if "discounts" in params:
        owner = invoice["customer"]
        invoice["discounts"] = coupons.of_rows(
            world, params["discounts"], owner, invoice["id"], "discounts"
        )
    if "automatic_tax" in params:
        set_automatic_tax(invoice, enabled=params["automatic_tax"]["enabled"])
    if "shipping_cost" in params:
        invoice["shipping_cost"] = shipping_cost(world, params["shipping_cost"])
    if "shipping_details" in params:
        invoice["shipping_details"] = customers.shipping(params["shipping_details"])
    if "from_invoice" in params:
        given = params["from_invoice"]
        world.get("invoice", given["invoice"], "from_invoice[invoice]", 400)
        invoice["from_invoice"] = {"action": given["action"], "invoice": given["invoice"]}
    merge_metadata(invoice, params)


def check_automatic_tax(world: World, customer: Obj, params: Obj) -> None:
    """Automatic tax needs tax settings of the account and an address of the customer."""
    if not params.get("automatic_tax", {}).get("enabled"):
        return
    if not world.switches.automatic_tax_percent:
        text = "You must set a head office address in your Stripe Tax settings first."
        raise bad(text, "automatic_tax[enabled]", "stripe_tax_inactive")
    address: Obj = customer["address"] or {}
    if not address.get("country"):
        text = (
            "The customer's location isn't recognized. Set a valid customer address in order to "
            "automatically calculate tax."
        )
        raise bad(text, None, "customer_tax_location_invalid")


def set_automatic_tax(invoice: Obj, *, enabled: bool) -> None:
    """Turns automatic tax on or off."""
    invoice["automatic_tax"] = {
        "disabled_reason": None,
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "complete" if enabled else None,
    }


def shipping_cost(world: World, given: Any) -> Obj | None:
    """What shipping costs, by a stored rate or by data for a new one."""
    if not given:
        return None
    if "shipping_rate" in given:
        rate = world.get("shipping_rate", given["shipping_rate"], "shipping_cost", 400)
    elif "shipping_rate_data" in given:
        rate = catalog.new_rate(world, given["shipping_rate_data"])
    else:
        raise required("shipping_cost[shipping_rate]")
    amount: int = rate["fixed_amount"]["amount"]
    return {
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": rate["id"],
    }


def recompute_taxes(world: World, invoice: Obj) -> None:
    """Applies changed default rates to lines that are taxed by them."""
    rates = [rate["id"] for rate in invoice["default_tax_rates"]]
    for line in lines_of(world, invoice):
        line["taxes"] = tax_rates.computed_taxes(world, line["amount"], rates)


def rendering(given: Any) -> Obj | None:
    """How the invoice is printed, with all keys."""
    if not given:
        return None
    return {
        "amount_tax_display": given.get("amount_tax_display") or None,
        "pdf": given.get("pdf") or None,
        "template": given.get("template") or None,
        "template_version": given.get("template_version") or None,
    }


def sweep(world: World, invoice: Obj) -> None:
    """Takes the customer's pending items onto a new draft."""
    for item in world.tables["invoiceitem"].where("customer", invoice["customer"]):
        if item["invoice"] is None and item["currency"] == invoice["currency"]:
            assign_pending(world, invoice, {"invoice_item": item["id"]})


def update(world: World, call: Call) -> Obj:
    """POST /v1/invoices/{invoice}: anything on a draft, little afterwards."""
    invoice = world.get("invoice", call.id, "invoice")
    params = call.params
    if invoice["status"] != "draft" and set(params) - editable(world):
        raise not_editable()
    check(world, params, params.get("collection_method", invoice["collection_method"]), call.id)
    if "automatic_tax" in params:
        check_automatic_tax(world, world.get("customer", invoice["customer"]), params)
    before = world.wire.frozen(invoice)
    fill(world, invoice, params)
    if invoice["status"] == "draft":
        refresh(world, invoice)
    former = changes(world, before, invoice)
    if former:
        emit(world, "invoice.updated", invoice, former)
    return invoice


def editable(world: World) -> frozenset[str]:
    """What may be changed of a finalized invoice."""
    frozen = {"due_date"} if world.switches.due_date_frozen else set[str]()
    return ALWAYS_EDITABLE - frozen


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/invoices/{invoice}."""
    invoice = world.get("invoice", call.id, "invoice")
    page_address.refresh(world, invoice)
    return invoice


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/invoices/{invoice}: drafts only."""
    invoice = draft(world, call.id)
    for line in lines_of(world, invoice):
        world.tables["line_item"].remove(line["id"])
    world.tables["invoice"].remove(invoice["id"])
    stub: Obj = {"id": invoice["id"], "object": "invoice", "deleted": True}
    emit(world, "invoice.deleted", invoice)
    world.changed(stub)
    return stub


def listed(world: World, call: Call) -> Obj:
    """GET /v1/invoices: by customer, status, collection method, dates."""
    names = ("customer", "status", "collection_method")
    wanted = {k: call.params[k] for k in names if k in call.params}
    table = world.tables["invoice"]
    if "customer" in wanted:
        world.get("customer", wanted["customer"], "customer", 400)
    ids = table.ids("customer", wanted["customer"]) if "customer" in wanted else None
    return page(call, table, ids, lambda i: all(i[k] == v for k, v in wanted.items()))


def payments(world: World, invoice: Obj) -> Obj:
    """The includable list of an invoice's payments, newest first."""
    rows = list(reversed(invoice_payments.of_invoice(world, invoice)))
    return whole("/v1/invoice_payments", rows)


ROUTES: Routes = {
    "GET /v1/invoices": listed,
    "GET /v1/invoices/{invoice}": fetch,
    "DELETE /v1/invoices/{invoice}": delete,
}
