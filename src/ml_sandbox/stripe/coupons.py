"""Coupons and promotion codes, and the discounts they become on customers, invoices and lines."""

from decimal import Decimal
from typing import Any

from ml_sandbox.stripe import customers
from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, bad, missing, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

NEVER = 1 << 60
MONTH = 30 * 86_400


def create(world: World, call: Call) -> Obj:
    """POST /v1/coupons: either percent_off, or amount_off in a currency."""
    params = call.params
    percent: Decimal | None = params.get("percent_off")
    off: int | None = params.get("amount_off")
    if (percent is None) == (off is None):
        raise bad("You must pass exactly one of percent_off, amount_off.", "percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise bad("Invalid percent_off: must be greater than 0, at most 100.", "percent_off")
    if off is not None and (off < 1 or "currency" not in params):
        raise required("currency") if off > 0 else bad("Invalid positive integer", "amount_off")
    duration = params.get("duration", "once")
    if duration == "repeating" and "duration_in_months" not in params:
        raise required("duration_in_months")
    key = params.get("id") or world.ids.capitals(8)
    if key in world.tables["coupon"].rows:
        raise bad(f"Coupon already exists: {key}.", "id", "resource_already_exists")
    coupon = world.new(
        "coupon",
        "coupon",
        id=key,
        amount_off=off,
        currency=currency_of(world, params) if off else None,
        duration=duration,
        duration_in_months=params.get("duration_in_months"),
        max_redemptions=params.get("max_redemptions"),
        name=params.get("name"),
        percent_off=percent,
        redeem_by=params.get("redeem_by"),
        times_redeemed=0,
        valid=True,
    )
    merge_metadata(coupon, params)
    emit(world, "coupon.created", coupon)
    return coupon


def currency_of(world: World, params: Obj) -> str:
    """The currency of an amount that is taken off."""
    currency = str(params["currency"]).lower()
    world.money.check_currency(currency)
    return currency


def update(world: World, call: Call) -> Obj:
    """POST /v1/coupons/{coupon}: name and metadata."""
    coupon = world.get("coupon", call.id, "coupon")
    before = world.wire.frozen(coupon)
    apply(coupon, call.params, ("name",))
    merge_metadata(coupon, call.params)
    emit(world, "coupon.updated", coupon, changes(world, before, coupon))
    return coupon


def fetch(world: World, call: Call) -> Obj:
    """GET /v1/coupons/{coupon}."""
    return world.get("coupon", call.id, "coupon")


def listed(world: World, call: Call) -> Obj:
    """GET /v1/coupons."""
    return page(call, world.tables["coupon"])


def delete(world: World, call: Call) -> Obj:
    """DELETE /v1/coupons/{coupon}: discounts already given stay."""
    coupon = world.get("coupon", call.id, "coupon")
    world.tables["coupon"].remove(call.id)
    emit(world, "coupon.deleted", coupon)
    return {"id": call.id, "object": "coupon", "deleted": True}


def redeem(
    world: World,
    given: Obj,
    customer: str,
    invoice: str | None,
    *,
    item: str | None = None,
    param: str = "discounts",
) -> Obj:
    """The discount for one of the caller's rows: a coupon, a promotion code or a discount."""
    if given.get("discount"):
        return world.get("discount", given["discount"], param, 400)
    code = None
    key = given.get("coupon")
    if given.get("promotion_code"):
        code = world.get("promotion_code", given["promotion_code"], param, 400)
        if not code["active"]:
            raise bad(f"The promotion code {code['id']} is not active.", param)
        key = code["promotion"]["coupon"]
    if not key:
        raise bad("You must pass one of coupon, discount, promotion_code.", param)
    coupon = world.tables["coupon"].rows.get(key)
    if coupon is None:
        raise missing("coupon", key, param, 400)
    check_valid(world, coupon, param)
    coupon["times_redeemed"] += 1
    most = coupon["max_redemptions"] or NEVER
    coupon["valid"] = coupon["times_redeemed"] < most
    return made(world, coupon, customer, invoice, item=item, code=code)


def check_valid(world: World, coupon: Obj, param: str) -> None:
    """Raises StripeError for a coupon that is used up or out of date."""
    expired = (coupon["redeem_by"] or NEVER) < world.now()
    if not coupon["valid"] or expired:
        raise bad(f"Coupon {coupon['id']} is used up or has expired.", param, "coupon_expired")


def made(
    world: World,
    coupon: Obj,
    customer: str,
    invoice: str | None,
    *,
    item: str | None = None,
    code: Obj | None = None,
) -> Obj:
    """Stores the discount that a coupon gives."""
    months: int | None = coupon["duration_in_months"]
    return world.new(
        "discount",
        "di",
        customer=customer,
        end=world.now() + months * MONTH if months else None,
        invoice=invoice,
        invoice_item=item,
        promotion_code=code["id"] if code else None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=world.now(),
    )


def give(world: World, customer: Obj, coupon_id: str) -> Obj:
    """Gives a customer a coupon, as its owner does in the Dashboard: later invoices inherit it."""
    coupon = world.get("coupon", coupon_id, "coupon", 400)
    check_valid(world, coupon, "coupon")
    discount = made(world, coupon, customer["id"], None)
    coupon["times_redeemed"] += 1
    customer["discount"] = discount
    emit(world, "customer.discount.created", discount)
    emit(world, "customer.updated", customer, {"discount": None})
    return customer


def take_away(world: World, call: Call) -> Obj:
    """DELETE /v1/customers/{customer}/discount."""
    customer = customers.living(world, call.id, "customer", 404)
    discount = customer["discount"]
    if discount is None:
        raise StripeError(404, "No active discount for customer.", code="resource_missing")
    customer["discount"] = None
    emit(world, "customer.discount.deleted", discount)
    return {**discount, "deleted": True}


def inherited(world: World, customer: Obj) -> list[str]:
    """The discounts that a new invoice takes over from its customer."""
    discount = customer["discount"]
    if discount is None or (discount["end"] or NEVER) < world.now():
        return []
    return [discount["id"]]


def of_rows(world: World, rows: Any, customer: str, invoice: str | None, param: str) -> list[str]:
    """The ids of the discounts for the caller's list."""
    given: list[Obj] = rows or []
    made_rows = [redeem(world, row, customer, invoice, param=param) for row in given]
    return [row["id"] for row in made_rows]


def create_code(world: World, call: Call) -> Obj:
    """POST /v1/promotion_codes: a word that customers can enter."""
    params = call.params
    coupon = params["promotion"].get("coupon")
    if not coupon:
        raise required("promotion[coupon]")
    world.get("coupon", coupon, "promotion[coupon]", 400)
    word = params.get("code") or world.ids.capitals(8)
    if any(c["code"] == word and c["active"] for c in world.tables["promotion_code"]):
        text = f"An active promotion code with `code: {word}` already exists."
        raise bad(text, "code", "resource_already_exists")
    limits: Obj = params.get("restrictions", {})
    code = world.new(
        "promotion_code",
        "promo",
        active=params.get("active", True),
        code=word,
        customer=params.get("customer"),
        expires_at=params.get("expires_at"),
        max_redemptions=params.get("max_redemptions"),
        promotion={"coupon": coupon, "type": "coupon"},
        restrictions={
            "first_time_transaction": limits.get("first_time_transaction", False),
            "minimum_amount": limits.get("minimum_amount"),
            "minimum_amount_currency": limits.get("minimum_amount_currency"),
        },
        times_redeemed=0,
    )
    merge_metadata(code, params)
    emit(world, "promotion_code.created", code)
    return code


def update_code(world: World, call: Call) -> Obj:
    """POST /v1/promotion_codes/{promotion_code}."""
    code = world.get("promotion_code", call.id, "promotion_code")
    before = world.wire.frozen(code)
    apply(code, call.params, ("active",))
    merge_metadata(code, call.params)
    emit(world, "promotion_code.updated", code, changes(world, before, code))
    return code


def fetch_code(world: World, call: Call) -> Obj:
    """GET /v1/promotion_codes/{promotion_code}."""
    return world.get("promotion_code", call.id, "promotion_code")


def listed_codes(world: World, call: Call) -> Obj:
    """GET /v1/promotion_codes: by code, coupon, customer, active."""
    wanted = {k: call.params[k] for k in ("active", "code", "customer") if k in call.params}
    coupon = call.params.get("coupon")

    def keep(code: Obj) -> bool:
        fits = coupon in {None, code["promotion"]["coupon"]}
        return fits and all(code[name] == value for name, value in wanted.items())

    return page(call, world.tables["promotion_code"], keep=keep)


ROUTES: Routes = {
    "POST /v1/coupons": create,
    "GET /v1/coupons": listed,
    "GET /v1/coupons/{coupon}": fetch,
    "POST /v1/coupons/{coupon}": update,
    "DELETE /v1/coupons/{coupon}": delete,
    "DELETE /v1/customers/{customer}/discount": take_away,
    "POST /v1/promotion_codes": create_code,
    "GET /v1/promotion_codes": listed_codes,
    "GET /v1/promotion_codes/{promotion_code}": fetch_code,
    "POST /v1/promotion_codes/{promotion_code}": update_code,
}
