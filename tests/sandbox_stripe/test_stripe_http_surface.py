"""Keys, versions, forms, errors, pages and expansion as the real API has them."""

import threading

import httpx2
import pytest
import stripe

from sandbox_stripe.stripe_running import Running

VERSION = "2026-10-28.endive"


def bare(sandbox: Running, path: str, **headers: str) -> httpx2.Response:
    return httpx2.get(sandbox.url + path, headers=headers, verify=False)


def test_basic_and_bearer_are_equal_and_the_answer_names_request_and_version(
    sandbox: Running,
) -> None:
    basic = sandbox.http.get("/v1/customers")
    bearer = bare(sandbox, "/v1/customers", Authorization="Bearer rk_test_other")
    assert basic.status_code == bearer.status_code == 200
    assert basic.json() == bearer.json()
    assert basic.headers["Request-Id"].startswith("req_")
    assert len(basic.headers["Request-Id"]) == 18
    assert basic.headers["Stripe-Version"] == VERSION


@pytest.mark.parametrize(
    "header", ["", "Bearer sk_live_abcdefghijklmnop", "Bearer pk_test_abc", "Basic !!", "Digest x"]
)
def test_no_key_a_live_key_and_a_publishable_key_are_refused(sandbox: Running, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = bare(sandbox, "/v1/customers", **headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_another_version_is_refused(sandbox: Running) -> None:
    answer = sandbox.http.get("/v1/customers", headers={"Stripe-Version": "2024-06-20"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid Stripe API version: 2024-06-20"


def test_a_restricted_key_is_told_the_missing_permission_and_a_revoked_one_is_expired(
    sandbox: Running,
) -> None:
    sandbox.control("keys", key="rk_test_r", permissions={"customers": "read"})
    client = stripe.StripeClient("rk_test_r", base_addresses={"api": sandbox.url})
    client.v1.customers.list()
    with pytest.raises(stripe.PermissionError, match="rak_customers_write"):
        client.v1.customers.create({"name": "x"})
    with pytest.raises(stripe.PermissionError, match="rak_payouts_read"):
        client.v1.payouts.list()
    sandbox.control("keys", key="rk_test_r", permissions=None, revoked=True)
    with pytest.raises(stripe.AuthenticationError) as caught:
        client.v1.customers.list()
    assert caught.value.error is not None
    assert caught.value.error.code == "api_key_expired"


def test_an_unknown_address_has_no_code(sandbox: Running) -> None:
    error = sandbox.http.get("/v1/foo").json()["error"]
    assert error["message"].startswith("Unrecognized request URL (GET: /v1/foo)")
    assert "code" not in error


def test_a_typing_error_in_a_nested_parameter_is_named(sandbox: Running) -> None:
    invoice = sandbox.post(
        "/v1/invoices", {"customer": sandbox.post("/v1/customers")["id"], "currency": "usd"}
    )
    error = sandbox.refused(
        400, f"/v1/invoices/{invoice['id']}/add_lines", {"lines[0][tax_amount][0][amount]": "1"}
    )
    assert error["code"] == "parameter_unknown"
    assert error["param"] == "lines[0][tax_amount]"
    assert error["message"] == "Received unknown parameter: lines[0][tax_amount]"
    assert error["doc_url"].endswith("/parameter-unknown")


@pytest.mark.parametrize(
    ("path", "form", "code", "param"),
    [
        ("/v1/refunds", {"amount": "abc"}, "parameter_invalid_integer", "amount"),
        ("/v1/invoices", {}, "parameter_missing", "customer"),
        ("/v1/payment_intents", {"amount": "100"}, "parameter_missing", "currency"),
        ("/v1/invoices", {"customer": "cus_none"}, "resource_missing", "customer"),
        ("/v1/invoices", {"customer": ""}, "parameter_invalid_empty", "customer"),
        ("/v1/invoiceitems", {"unit_amount": "1"}, "parameter_unknown", "unit_amount"),
        (
            "/v1/payment_intents",
            {"amount": "20", "currency": "usd"},
            "amount_too_small",
            "amount",
        ),
        (
            "/v1/payment_intents",
            {"amount": "100000000", "currency": "usd"},
            "amount_too_large",
            "amount",
        ),
    ],
)
def test_wrong_parameters_are_answered_with_the_real_codes(
    sandbox: Running, path: str, form: dict[str, str], code: str, param: str
) -> None:
    error = sandbox.refused(400, path, form)
    assert (error["code"], error["param"]) == (code, param)


def test_an_unknown_object_is_404_in_the_path_and_400_in_a_cursor(sandbox: Running) -> None:
    answer = sandbox.http.get("/v1/invoices/in_x")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "No such invoice: 'in_x'"
    assert sandbox.http.get("/v1/charges?starting_after=ch_x").status_code == 400
    assert sandbox.http.get("/v1/charges?starting_after=a&ending_before=b").status_code == 400
    assert sandbox.http.get("/v1/charges?limit=101").status_code == 400


def test_arrays_are_read_with_and_without_numbers(sandbox: Running) -> None:
    body = "invoice_settings[custom_fields][][name]=PO&invoice_settings[custom_fields][][value]=7"
    body += (
        "&invoice_settings[custom_fields][][name]=Dept&invoice_settings[custom_fields][][value]=9"
    )
    made = sandbox.http.post("/v1/customers", content=body).json()
    numbered = sandbox.post(
        "/v1/customers",
        {
            "invoice_settings[custom_fields][0][name]": "PO",
            "invoice_settings[custom_fields][0][value]": "7",
            "invoice_settings[custom_fields][1][name]": "Dept",
            "invoice_settings[custom_fields][1][value]": "9",
        },
    )
    fields = [{"name": "PO", "value": "7"}, {"name": "Dept", "value": "9"}]
    assert made["invoice_settings"]["custom_fields"] == fields
    assert numbered["invoice_settings"]["custom_fields"] == fields


def test_an_empty_text_clears_and_metadata_merges(sandbox: Running) -> None:
    made = sandbox.v1.customers.create(
        {"name": "A", "email": "a@b.c", "metadata": {"a": "1", "b": "2"}}
    )
    sandbox.post(f"/v1/customers/{made.id}", {"email": "", "metadata[a]": "", "metadata[c]": "3"})
    now = sandbox.get(f"/v1/customers/{made.id}")
    assert (now["email"], now["metadata"]) == (None, {"b": "2", "c": "3"})
    sandbox.post(f"/v1/customers/{made.id}", {"metadata": ""})
    assert sandbox.get(f"/v1/customers/{made.id}")["metadata"] == {}


def test_pages_are_newest_first_in_both_directions(sandbox: Running) -> None:
    names = [f"C{n}" for n in range(7)]
    ids = [sandbox.v1.customers.create({"name": n}).id for n in names]
    first = sandbox.get("/v1/customers", limit=3)
    assert [c["name"] for c in first["data"]] == ["C6", "C5", "C4"]
    assert (first["has_more"], first["url"]) == (True, "/v1/customers")
    back = sandbox.get("/v1/customers", limit=2, ending_before=ids[2])
    assert [c["name"] for c in back["data"]] == ["C4", "C3"]
    walked = [c.name for c in sandbox.v1.customers.list({"limit": 2}).auto_paging_iter()]
    assert walked == names[::-1]
    forward = sandbox.v1.customers.list({"limit": 2, "ending_before": ids[0]})
    assert [c.name for c in forward.auto_paging_iter()] == names[1:]


def test_a_deleted_customer_answers_with_a_stub_and_cannot_be_invoiced(sandbox: Running) -> None:
    made = sandbox.v1.customers.create({"name": "A"})
    sandbox.v1.customers.delete(made.id)
    stub = {"id": made.id, "object": "customer", "deleted": True}
    assert sandbox.get(f"/v1/customers/{made.id}") == stub
    assert sandbox.v1.customers.list().data == []
    error = sandbox.refused(400, "/v1/invoices", {"customer": made.id})
    assert error["code"] == "resource_missing"
    assert sandbox.refused(404, f"/v1/customers/{made.id}", {"name": "B"})["type"]


def test_expansion_reaches_four_levels_and_refuses_what_cannot_be_expanded(
    sandbox: Running,
) -> None:
    invoice = sandbox.open_invoice()
    path = f"/v1/invoices/{invoice['id']}"
    deep = sandbox.http.get(path, params={"expand[]": "payments.data.payment.payment_intent"})
    intent = deep.json()["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["object"] == "payment_intent"
    too_deep = "payments.data.payment.payment_intent.latest_charge"
    for asked in (too_deep, "total", "nonsense", "payments.data.amount_paid"):
        refused = sandbox.http.get(path, params={"expand[]": asked})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "expand")
    refused = sandbox.http.get("/v1/invoices", params={"expand[]": "customer"})
    assert "This property cannot be expanded (customer)" in refused.json()["error"]["message"]
    listed = sandbox.http.get("/v1/invoices", params={"expand[0]": "data.customer"}).json()
    assert listed["data"][0]["customer"]["object"] == "customer"
    assert "payments" not in sandbox.get(path)
    assert sandbox.get(path)["customer"].startswith("cus_")


def test_a_key_replays_its_first_answer_and_refuses_other_parameters(sandbox: Running) -> None:
    first = sandbox.http.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})
    again = sandbox.http.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})
    other = sandbox.http.post("/v1/customers", data={"name": "B"}, headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert "Idempotent-Replayed" not in first.headers
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(sandbox.get("/v1/customers")["data"]) == 1
    sandbox.later(86_500)
    fresh = sandbox.http.post("/v1/customers", data={"name": "A"}, headers={"Idempotency-Key": "k"})
    assert fresh.json()["id"] != first.json()["id"]


def test_validation_errors_free_the_key_and_rule_errors_keep_it(sandbox: Running) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "v"}
    with pytest.raises(stripe.InvalidRequestError):
        sandbox.v1.customers.create({"nonsense": "1"}, options)
    sandbox.v1.customers.create({"name": "A"}, options)
    invoice = sandbox.open_invoice()
    path, headers = f"/v1/invoices/{invoice['id']}/finalize", {"Idempotency-Key": "w"}
    first = sandbox.http.post(path, headers=headers)
    again = sandbox.http.post(path, headers=headers)
    assert first.status_code == again.status_code == 400
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("switch", "made"), [("fail_before_commit", 0), ("fail_after_commit", 1)])
def test_a_500_is_remembered_whether_or_not_it_took_effect(
    sandbox: Running, switch: str, made: int
) -> None:
    sandbox.control("switches", **{switch: 1})
    headers = {"Idempotency-Key": "e"}
    first = sandbox.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    again = sandbox.http.post("/v1/customers", data={"name": "A"}, headers=headers)
    assert (first.status_code, again.status_code) == (500, 500)
    assert first.headers["Stripe-Should-Retry"] == "false"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.get("/v1/customers")["data"]) == made


def test_a_key_in_use_is_a_conflict(sandbox: Running) -> None:
    sandbox.control("switches", execution_seconds=0.5)
    statuses: list[int] = []

    def post() -> None:
        answer = httpx2.post(
            f"{sandbox.url}/v1/customers",
            data={"name": "A"},
            headers={"Authorization": "Bearer sk_test_x", "Idempotency-Key": "c"},
            verify=False,
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


def test_locks_and_the_rate_limiter_answer_429(sandbox: Running) -> None:
    sandbox.control("switches", lock_timeouts=1)
    locked = sandbox.http.post("/v1/customers", headers={"Idempotency-Key": "l"})
    assert (locked.status_code, locked.json()["error"]["code"]) == (429, "lock_timeout")
    assert "Stripe-Rate-Limited-Reason" not in locked.headers
    assert sandbox.http.post("/v1/customers", headers={"Idempotency-Key": "l"}).status_code == 200
    sandbox.control("switches", rate_limit=True)
    answers = [sandbox.http.get("/v1/balance") for _ in range(40)]
    refused = [a for a in answers if a.status_code == 429]
    assert refused
    assert refused[0].headers["Stripe-Rate-Limited-Reason"] in {"global-rate", "endpoint-rate"}


def test_search_lags_and_then_finds_by_metadata(sandbox: Running) -> None:
    sandbox.control("switches", search_lag_seconds=600)
    made = sandbox.v1.customers.create({"name": "O'Neil", "metadata": {"erp_customer": "C0123"}})
    query = "metadata['erp_customer']:'C0123'"
    assert sandbox.v1.customers.search({"query": query}).data == []
    sandbox.later(601)
    found = sandbox.v1.customers.search({"query": query})
    assert [c.id for c in found.data] == [made.id]
    for fitting in (r"name:'O\'Neil'", "name~'neil'", "-metadata['x']:'1' AND created>0",
                    "metadata['none']:null", "name:'x' OR name:'O\\'Neil'"):  # fmt: skip
        assert [c.id for c in sandbox.v1.customers.search({"query": fitting}).data] == [made.id]
    raw = sandbox.get("/v1/customers/search", query=query)
    assert set(raw) == {"object", "url", "has_more", "data", "next_page"}
    raw = sandbox.http.get(
        "/v1/customers/search", params={"query": query, "expand[]": "total_count"}
    ).json()
    assert raw["total_count"] == 1
    for bad in ("nonsense", "shoe:'1'", "name~'ab'", "name:'a' AND name:'b' OR name:'c'"):
        assert sandbox.http.get("/v1/customers/search", params={"query": bad}).status_code == 400


def test_control_calls_are_not_counted_and_api_calls_are(sandbox: Running) -> None:
    sandbox.control("calls/reset")
    sandbox.get("/v1/customers")
    sandbox.http.get("/v1/customers/cus_x")
    assert sandbox.look("calls") == {
        "calls": {"GET /v1/customers": 1, "GET /v1/customers/{customer}": 1},
        "total": 2,
    }


def test_metadata_has_limits(sandbox: Running) -> None:
    many = {f"metadata[k{n}]": "1" for n in range(51)}
    sandbox.refused(400, "/v1/customers", many)
    sandbox.refused(400, "/v1/customers", {"metadata[" + "k" * 41 + "]": "1"})
    sandbox.refused(400, "/v1/customers", {"metadata[k]": "v" * 501})
    assert sandbox.post("/v1/customers", {"metadata[" + "k" * 40 + "]": "v" * 500})


def test_switches_are_described_and_refuse_other_types(sandbox: Running) -> None:
    shown = sandbox.look("switches")
    assert all(row["meaning"] for row in shown.values())
    assert sandbox.http.post("/_sandbox/switches", json={"nonsense": 1}).status_code == 400
    assert sandbox.http.post("/_sandbox/switches", json={"rate_limit": 1}).status_code == 400
    assert sandbox.http.post("/_sandbox/nowhere").status_code == 404


def test_the_date_of_an_answer_is_the_clock_of_the_sandbox(sandbox: Running) -> None:
    sandbox.control("clock", now="2027-01-15T12:00:00+00:00")
    answer = sandbox.http.get("/v1/customers")
    assert answer.headers["Date"].startswith("Fri, 15 Jan 2027 12:00:0")
    made = sandbox.post("/v1/customers")
    assert 1_800_014_400 <= made["created"] < 1_800_014_430
