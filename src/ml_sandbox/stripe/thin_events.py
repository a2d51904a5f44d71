"""Thin events of the second API generation: small bodies that only point at what changed."""

from datetime import UTC, datetime
from typing import Any

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, invalid
from ml_sandbox.stripe.events import purge
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

END = 1 << 60
FOLDERS = {
    "customer": "customers", "invoice": "invoices", "charge": "charges", "refund": "refunds",
    "payment_intent": "payment_intents", "payment_method": "payment_methods",
    "dispute": "disputes", "payout": "payouts", "credit_note": "credit_notes",
    "invoice_payment": "invoice_payments", "invoiceitem": "invoiceitems", "coupon": "coupons",
    "price": "prices", "product": "products", "topup": "topups",
    "promotion_code": "promotion_codes", "tax_rate": "tax_rates",
    "radar.early_fraud_warning": "radar/early_fraud_warnings",
    "test_helpers.test_clock": "test_helpers/test_clocks", "balance": "balance",
    "balance_settings": "balance_settings", "payment_record": "payment_records",
}  # fmt: skip


def moment(seconds: int) -> str:
    """Unix seconds as the second generation writes them."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def thin(event: Obj) -> Obj:
    """The thin form of a snapshot event: the same id, and where to read the object."""
    request: Obj = event["request"]
    reason = None
    if request["id"] is not None:
        told = {"id": request["id"], "idempotency_key": request["idempotency_key"] or ""}
        reason = {"request": told, "type": "request"}
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": moment(event["created"]),
        "livemode": event["livemode"],
        "context": None,
        "reason": reason,
        "related_object": related(event["data"]["object"]),
    }


def related(obj: Obj) -> Obj | None:
    """Where the object of an event can be read, or None when it has no address."""
    folder, key = FOLDERS.get(obj["object"]), obj.get("id")
    if folder is None or key is None:
        return None
    return {"id": key, "type": obj["object"], "url": f"/v1/{folder}/{key}"}


def fetch(world: World, call: Call) -> Obj:
    """GET /v2/core/events/{id}."""
    purge(world)
    return thin(world.get("event", call.id))


def listed(world: World, call: Call) -> Obj:
    """GET /v2/core/events: by types, object and creation; newest first."""
    purge(world)
    params = call.params
    types, about = params.get("types"), params.get("object_id")
    asked: dict[str, str] = params.get("created") or {}
    bounds = {name: seconds(text) for name, text in asked.items()}
    rows: list[Obj] = []
    for event in reversed(list(world.tables["event"])):
        row = thin(event)
        pointed: Obj = row["related_object"] or {}
        if about not in {None, pointed.get("id")} or (types and row["type"] not in types):
            continue
        if within(event["created"], bounds):
            rows.append(row)
    return paged(call, rows)


def seconds(text: str) -> int:
    """An ISO moment of a filter as unix seconds."""
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise invalid(f"Invalid timestamp: {text}", "created") from None


def within(created: int, bounds: dict[str, int]) -> bool:
    """Whether a moment lies in the asked range."""
    return bounds.get("gt", -1) < created < bounds.get("lt", END) and bounds.get(
        "gte", 0
    ) <= created <= bounds.get("lte", END)


def paged(call: Call, rows: list[Obj]) -> Obj:
    """One page in the second generation's envelope; the next address carries a position."""
    limit, start = call.params.get("limit", 20), first_of(call.params.get("page"))
    if not 1 <= limit <= 100:
        raise bad("Invalid limit: from 1 to 100.", "limit")
    more = len(rows) > start + limit
    following = f"{call.path}?limit={limit}&page=at_{start + limit}"
    before = f"{call.path}?limit={limit}&page=at_{max(0, start - limit)}"
    return {
        "data": rows[start : start + limit],
        "next_page_url": following if more else None,
        "previous_page_url": before if start else None,
    }


def first_of(page: Any) -> int:
    """Where a page begins."""
    number = str(page or "at_0").removeprefix("at_")
    if not number.isdigit():
        raise invalid(f"Invalid page: {page}", "page")
    return int(number)


ROUTES: Routes = {
    "GET /v2/core/events": listed,
    "GET /v2/core/events/{id}": fetch,
}
