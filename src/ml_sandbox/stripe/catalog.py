"""The catalogue: products, their prices, and shipping rates."""

from decimal import Decimal

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import bad, missing, required
from ml_sandbox.stripe.events import changes, emit
from ml_sandbox.stripe.listing import page
from ml_sandbox.stripe.texts import apply, merge_metadata, plain
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

PRODUCT = (
    "active", "description", "images", "marketing_features", "name", "package_dimensions",
    "shippable", "statement_descriptor", "tax_code", "tax_details", "unit_label", "url",
)  # fmt: skip


def new_product(world: World, given: Obj) -> Obj:
    """Stores a product."""
    key = given.get("id") or world.ids.new("prod")
    if key in world.tables["product"].rows:
        raise bad(f"Product already exists: {key}.", "id", "resource_already_exists")
    product = world.new(
        "product",
        "prod",
        id=key,
        active=True,
        images=[],
        marketing_features=[],
        name=given["name"],
        type="service",
        updated=world.now(),
    )
    apply(product, given, PRODUCT)
    merge_metadata(product, given)
    return product


def create_product(world: World, call: Call) -> Obj:
    """POST /v1/products, with a default price when its data is given."""
    product = new_product(world, call.params)
    emit(world, "product.created", product)
    if "default_price_data" in call.params:
        data: Obj = {**call.params["default_price_data"], "product": product["id"]}
        product["default_price"] = new_price(world, data)["id"]
    return product


def update_product(world: World, call: Call) -> Obj:
    """POST /v1/products/{id}."""
    product = world.get("product", call.id)
    if "default_price" in call.params:
        world.get("price", call.params["default_price"], "default_price", 400)
    before = world.wire.frozen(product)
    apply(product, call.params, (*PRODUCT, "default_price"))
    merge_metadata(product, call.params)
    product["updated"] = world.now()
    emit(world, "product.updated", product, changes(world, before, product))
    return product


def fetch_product(world: World, call: Call) -> Obj:
    """GET /v1/products/{id}."""
    return world.get("product", call.id)


def delete_product(world: World, call: Call) -> Obj:
    """DELETE /v1/products/{id}: only without prices."""
    product = world.get("product", call.id)
    if world.tables["price"].where("product", call.id):
        text = "This product cannot be deleted because it has one or more user-created prices."
        raise bad(text)
    world.tables["product"].remove(call.id)
    emit(world, "product.deleted", product)
    return {"id": call.id, "object": "product", "deleted": True}


def listed_products(world: World, call: Call) -> Obj:
    """GET /v1/products: by ids, active, shippable, url."""
    names = ("active", "shippable", "url", "type")
    wanted = {k: call.params[k] for k in names if k in call.params}
    ids = call.params.get("ids")

    def keep(product: Obj) -> bool:
        chosen = ids is None or product["id"] in ids
        return chosen and all(product[name] == value for name, value in wanted.items())

    return page(call, world.tables["product"], keep=keep)


def unit_of(given: Obj) -> Decimal:
    """The unit amount of a price, minor units."""
    for name in ("unit_amount_decimal", "unit_amount"):
        if name in given:
            return Decimal(given[name])
    if given.get("custom_unit_amount", {}).get("enabled"):
        return Decimal(0)
    raise required("unit_amount")


def new_price(world: World, given: Obj) -> Obj:
    """Stores a price; a product by id, or made from its data."""
    currency = str(given["currency"]).lower()
    world.money.check_currency(currency)
    if "product_data" in given:
        product = new_product(world, given["product_data"])
    elif "product" in given:
        product = world.get("product", given["product"], "product", 400)
    else:
        raise required("product")
    unit = unit_of(given)
    recurring: Obj | None = given.get("recurring")
    price = world.new(
        "price",
        "price",
        active=given.get("active", True),
        billing_scheme="per_unit",
        currency=currency,
        lookup_key=given.get("lookup_key"),
        nickname=given.get("nickname"),
        product=product["id"],
        recurring={
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": recurring.get("usage_type", "licensed"),
        }
        if recurring
        else None,
        tax_behavior=given.get("tax_behavior", "unspecified"),
        type="recurring" if recurring else "one_time",
        unit_amount=int(unit) if unit == unit.to_integral_value() else None,
        unit_amount_decimal=plain(unit),
    )
    merge_metadata(price, given)
    emit(world, "price.created", price)
    return price


def create_price(world: World, call: Call) -> Obj:
    """POST /v1/prices."""
    return new_price(world, call.params)


def update_price(world: World, call: Call) -> Obj:
    """POST /v1/prices/{price}: never its amount."""
    price = world.get("price", call.id, "price")
    before = world.wire.frozen(price)
    apply(price, call.params, ("active", "lookup_key", "nickname", "tax_behavior"))
    merge_metadata(price, call.params)
    emit(world, "price.updated", price, changes(world, before, price))
    return price


def fetch_price(world: World, call: Call) -> Obj:
    """GET /v1/prices/{price}."""
    return world.get("price", call.id, "price")


def listed_prices(world: World, call: Call) -> Obj:
    """GET /v1/prices: by product, currency, type, lookup keys, active."""
    names = ("active", "currency", "product", "type")
    wanted = {k: call.params[k] for k in names if k in call.params}
    keys = call.params.get("lookup_keys")

    def keep(price: Obj) -> bool:
        chosen = keys is None or price["lookup_key"] in keys
        return chosen and all(price[name] == value for name, value in wanted.items())

    return page(call, world.tables["price"], keep=keep)


def sold(world: World, key: str, currency: str, param: str) -> Obj:
    """An active one-time price in a currency; raises StripeError otherwise."""
    price = world.tables["price"].rows.get(key)
    if price is None:
        raise missing("price", key, param, 400)
    if not price["active"]:
        raise bad(f"The price specified is inactive: {key}.", param, "price_inactive")
    if price["type"] != "one_time":
        raise bad(f"The price {key} is recurring; a one_time price is wanted.", param)
    if price["currency"] != currency:
        text = f"The price {key} is in {price['currency']}, the invoice in {currency}."
        raise bad(text, param)
    return price


def new_rate(world: World, given: Obj) -> Obj:
    """Stores a shipping rate with a fixed amount."""
    fixed: Obj | None = given.get("fixed_amount")
    if fixed is None:
        raise required("fixed_amount")
    world.money.check_currency(str(fixed["currency"]).lower())
    rate = world.new(
        "shipping_rate",
        "shr",
        active=True,
        delivery_estimate=estimate(given.get("delivery_estimate")),
        display_name=given["display_name"],
        fixed_amount={"amount": fixed["amount"], "currency": str(fixed["currency"]).lower()},
        tax_behavior=given.get("tax_behavior", "unspecified"),
        tax_code=given.get("tax_code"),
        type="fixed_amount",
    )
    merge_metadata(rate, given)
    return rate


def estimate(given: Obj | None) -> Obj | None:
    """A delivery estimate with both of its ends."""
    return {name: given.get(name) for name in ("maximum", "minimum")} if given else None


def create_rate(world: World, call: Call) -> Obj:
    """POST /v1/shipping_rates."""
    return new_rate(world, call.params)


def update_rate(world: World, call: Call) -> Obj:
    """POST /v1/shipping_rates/{shipping_rate_token}."""
    rate = world.get("shipping_rate", call.id)
    apply(rate, call.params, ("active", "tax_behavior"))
    merge_metadata(rate, call.params)
    return rate


def fetch_rate(world: World, call: Call) -> Obj:
    """GET /v1/shipping_rates/{shipping_rate_token}."""
    return world.get("shipping_rate", call.id)


def listed_rates(world: World, call: Call) -> Obj:
    """GET /v1/shipping_rates: by active, currency."""
    active, currency = call.params.get("active"), call.params.get("currency")

    def keep(rate: Obj) -> bool:
        fits = currency in {None, rate["fixed_amount"]["currency"]}
        return fits and active in {None, rate["active"]}

    return page(call, world.tables["shipping_rate"], keep=keep)


ROUTES: Routes = {
    "POST /v1/products": create_product,
    "GET /v1/products": listed_products,
    "GET /v1/products/{id}": fetch_product,
    "POST /v1/products/{id}": update_product,
    "DELETE /v1/products/{id}": delete_product,
    "POST /v1/prices": create_price,
    "GET /v1/prices": listed_prices,
    "GET /v1/prices/{price}": fetch_price,
    "POST /v1/prices/{price}": update_price,
    "POST /v1/shipping_rates": create_rate,
    "GET /v1/shipping_rates": listed_rates,
    "GET /v1/shipping_rates/{shipping_rate_token}": fetch_rate,
    "POST /v1/shipping_rates/{shipping_rate_token}": update_rate,
}
