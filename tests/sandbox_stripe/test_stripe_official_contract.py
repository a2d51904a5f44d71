"""Routes, parameters and fields against the installed official package and published samples."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ml_sandbox.stripe.app import FAMILIES
from ml_sandbox.stripe.auth import GUARDS
from ml_sandbox.stripe.search import PATHS
from sandbox_stripe import stripe_official as official
from sandbox_stripe.stripe_life import everything
from sandbox_stripe.stripe_running import Json, Running

SERVED = sorted(
    {key for family in FAMILIES for key in family} | {f"GET {path}" for path in PATHS.values()}
)
# Which keys may be missing from an answer; every other one is sent, as null when empty.
MAY_BE_MISSING = {
    "customer": "sources subscriptions tax tax_ids cash_balance invoice_credit_balance "
    "business_name individual_name customer_account",
    "invoice": "payments confirmation_secret amount_paid_off_stripe status_details "
    "threshold_reason",
    "invoiceitem": "frozen_fields invoicing_rules net_amount proration_details",
    "payment_intent": "amount_details hooks payment_details presentment_details",
    "charge": "refunds authorization_code level3 presentment_details radar_options transfer",
    "refund": "failure_balance_transaction failure_reason pending_reason next_action description "
    "destination_details instructions_email presentment_details",
    "dispute": "network_reason_code payment_method_details",
    "event": "account context reason",
    "webhook_endpoint": "secret",
    "line_item": "", "invoice_payment": "", "balance_transaction": "", "payout": "",
    "credit_note": "",
}  # fmt: skip
SAMPLES: Json = json.loads((Path(__file__).parent / "published_samples.json").read_text())


@cache
def package_routes() -> dict[str, tuple[set[str], set[str]]]:
    return official.routes()


@cache
def package_resources() -> dict[str, Any]:
    return official.resources()


def optional(hint: str) -> bool:
    return "NoneType" in hint or "Optional" in hint


@pytest.mark.parametrize("key", SERVED)
def test_a_route_takes_exactly_the_parameters_of_the_official_package(key: str) -> None:
    rows = json.loads((files("ml_sandbox.stripe") / "contract" / "params.json").read_text())
    accepted = dict(rows[key]["params"])
    needed = set(accepted.pop(""))
    assert (set(accepted), needed) == package_routes()[key]


def test_every_allowed_parameter_is_known_and_a_foreign_one_is_not(sandbox: Running) -> None:
    for key in SERVED:
        method, _, path = key.partition(" ")
        allowed, _ = package_routes()[key]
        place = "/".join("none" if part.startswith("{") else part for part in path.split("/"))
        for extra in ("", "foreign_field"):
            given = dict.fromkeys(sorted(allowed), "x") | ({extra: "1"} if extra else {})
            if method == "POST" and path.startswith("/v2/"):
                answer = sandbox.http.post(place, json=given)
            elif method == "POST":
                answer = sandbox.http.post(place, data=given)
            else:
                answer = sandbox.http.request(method, place, params=given)
            error = answer.json().get("error", {})
            refused = error.get("code") == "parameter_unknown"
            assert refused == bool(extra), (key, extra, error)
            assert not extra or error["param"] == "foreign_field"


def test_answers_have_all_and_only_the_fields_of_the_package_at_every_depth(
    sandbox: Running,
) -> None:
    everything(sandbox)
    seen: set[str] = set()
    for kind, table in sandbox.app.world.tables.items():
        for row in table:
            seen.add(kind)
            if not row.get("deleted"):
                check(kind, package_resources()[kind], row, MAY_BE_MISSING.get(kind))
    assert seen == set(sandbox.app.world.tables)


@pytest.mark.parametrize("kind", ["account", "balance", "balance_settings", "cash_balance"])
def test_single_objects_have_only_the_fields_of_the_package(sandbox: Running, kind: str) -> None:
    everything(sandbox)
    customer = sandbox.get("/v1/customers")["data"][0]["id"]
    path = f"/v1/customers/{customer}/cash_balance" if kind == "cash_balance" else f"/v1/{kind}"
    check(kind, package_resources()[kind], sandbox.get(path), None)


def test_the_package_reads_every_kind_through_its_own_methods(sandbox: Running) -> None:
    everything(sandbox)
    v1 = sandbox.v1
    owner = sandbox.app.world.tables["tax_id"]
    customer = next(iter(owner))["customer"]
    payer = next(iter(sandbox.app.world.tables["customer_cash_balance_transaction"]))["customer"]
    lists: list[Any] = [
        v1.coupons.list(), v1.promotion_codes.list(), v1.products.list(), v1.prices.list(),
        v1.shipping_rates.list(), v1.topups.list(), v1.payment_records.list(),
        v1.radar.early_fraud_warnings.list(), v1.customers.tax_ids.list(customer),
        v1.customers.cash_balance_transactions.list(payer), v1.test_helpers.test_clocks.list(),
        sandbox.sdk.v2.core.event_destinations.list(), sandbox.sdk.v2.core.events.list(),
    ]  # fmt: skip
    classes = package_resources()
    for page in lists:
        assert page.data, page
        for row in page.data:
            assert row.id
            assert isinstance(row, classes[row.object]) or row.object == "v2.core.event"


def check(where: str, kind: Any, obj: Json, missing: str | None) -> None:
    """Only known keys; absent ones only where that may be; null only where that may be."""
    known = official.fields(kind)
    extra = obj.keys() - known.keys() - ALSO.get(where, set())
    assert not extra, (where, extra)
    may = {name for name, hint in known.items() if optional(hint)}
    absent = known.keys() - obj.keys() - {"deleted"}
    assert absent <= (may if missing is None else set(missing.split())), (where, absent)
    inner, by_word = official.nested(kind), official.keyed(kind)
    for name, value in obj.items():
        assert value is not None or name in may, f"{where}.{name} is never null"
        for child in value if isinstance(value, list) else [value]:
            if name in inner and name not in by_word and isinstance(child, dict):
                word = child.get("object")
                rule = MAY_BE_MISSING.get(word) if isinstance(word, str) else None
                check(f"{where}.{name}", inner[name], child, rule)


# Members of hashes that depend on a type word; the package lists the word's hash only elsewhere.
ALSO: dict[str, set[str]] = {}


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_answers_have_every_key_of_the_published_samples(sandbox: Running, kind: str) -> None:
    everything(sandbox)
    if kind == "balance":
        rows = [sandbox.get("/v1/balance")]
    else:
        rows = [row for row in sandbox.app.world.tables[kind] if not row.get("deleted")]
    assert rows
    for row in rows:
        has_keys(kind, SAMPLES[kind], row)


def has_keys(where: str, wanted: Json, obj: Json) -> None:
    """Every key of a sample is there; hashes are compared where both sides have one."""
    missing = wanted.keys() - obj.keys() - NOT_SENT.get(where, set())
    assert not missing, (where, missing)
    for name, below in wanted.items():
        value = obj.get(name)
        first = value[0] if isinstance(value, list) and value else value
        if below and isinstance(first, dict) and "object" not in first:
            has_keys(f"{where}.{name}", below, first)


# Samples are older than the pinned version, or of another type of account.
NOT_SENT = {
    "charge": {"refunds", "source"},
    "balance": {"connect_reserved"},
    "charge.payment_method_details": {"card"},
    "invoice": {"subscription"},
    "payment_method": {"card"},
    "event.data.object": set[str](),
}


def test_every_route_is_guarded_by_a_permission_of_its_own(sandbox: Running) -> None:
    sandbox.control("keys", key="rk_test_none", permissions={})
    for key in SERVED:
        method, _, path = key.partition(" ")
        segment = path.split("/")[2]
        place = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        answer = sandbox.http.request(
            method, place, headers={"Authorization": "Bearer rk_test_none"}
        )
        level = "read" if method == "GET" else "write"
        assert answer.status_code == 403, key
        assert f"rak_{GUARDS[segment]}_{level}" in answer.json()["error"]["message"], key
