"""Each fact that no document settles is a switch with a sentence; these show both sides of it."""

import pytest

from sandbox_acumatica.conftest import Tenant, wrap


def test_every_switch_is_described_and_unknown_ones_are_refused(tenant: Tenant) -> None:
    switches = tenant.control("switches")
    assert len(switches) >= 40
    assert all(each["sentence"].endswith(".") for each in switches.values())
    wrong = tenant.http.post("/_sandbox/switches", json={"no_such_switch": True})
    assert wrong.status_code == 400
    assert tenant.http.post("/_sandbox/switches", json={"void_answer": "204"}).status_code == 400


@pytest.mark.parametrize("kind", ["json", "html", "empty"])
def test_bodies_of_refusals_come_in_three_shapes(tenant: Tenant, kind: str) -> None:
    tenant.switch(
        forbidden_body=kind,
        not_found_body=kind,
        precondition_body=kind,
        declined_body=kind,
        unauthorized_body=kind,
        forbidden_entities="Ledger",
    )
    none = tenant.put("Customer", wrap(CustomerID="GOODFOOD"), If_None_Match="*")
    answers = {
        403: tenant.get("Ledger"),
        404: tenant.get("NoSuchEntity"),
        412: none,
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        if kind == "json":
            assert "exceptionMessage" in answer.json()
        elif kind == "html":
            assert answer.headers["content-type"].startswith("text/html")
        else:
            assert answer.content == b""
    tenant.http.cookies.clear()
    nobody = tenant.get("Customer")
    assert nobody.status_code == 401
    assert (nobody.content == b"") == (kind == "empty")


def test_an_unknown_version_is_404_or_500(tenant: Tenant) -> None:
    place = "/AcumaticaERP/entity/Default/19.200.001/Customer"
    assert tenant.http.get(place).status_code == 404
    tenant.switch(unknown_endpoint_status=500)
    assert tenant.http.get(place).status_code == 500


@pytest.mark.parametrize("status", [200, 202, 204])
def test_voiding_answers_in_one_of_three_ways(tenant: Tenant, status: int) -> None:
    tenant.switch(void_answer=status)
    number = tenant.pay("10")
    body = {"entity": wrap(Type="Payment", ReferenceNbr=number)}
    answer = tenant.http.post(f"{tenant.ep}/Payment/VoidPayment", json=body)
    assert answer.status_code == status
    assert ("location" in answer.headers) == (status == 202)


def test_releasing_twice_is_an_error_or_silent(tenant: Tenant) -> None:
    number = tenant.invoice()
    keys = {"Type": "Invoice", "ReferenceNbr": number}
    assert "button is disabled" in tenant.act("Invoice", "ReleaseInvoice", **keys).text
    tenant.switch(release_of_released="silent")
    assert tenant.act("Invoice", "ReleaseInvoice", **keys).status_code == 204


def test_order_by_is_honoured_or_ignored(tenant: Tenant) -> None:
    def names() -> list[str]:
        rows = tenant.get("Customer", orderby="CustomerID desc", select="CustomerID").json()
        return [row["CustomerID"]["value"] for row in rows]

    assert names() == sorted(names(), reverse=True)
    tenant.switch(orderby_honoured=False)
    assert names() != sorted(names(), reverse=True)


def test_moments_and_dates_carry_the_sites_offsets(tenant: Tenant) -> None:
    number = tenant.invoice()
    tenant.switch(modified_offset_minutes=-480, date_offset_minutes=180)
    shown = tenant.values(f"Invoice/Invoice/{number}")
    assert str(shown["LastModifiedDateTime"]).endswith("-08:00")
    assert str(shown["Date"]) == "2026-10-15T00:00:00+03:00"


def test_patch_and_validation_follow_the_build(tenant: Tenant) -> None:
    body = wrap(CustomerID="GOODFOOD", CreditLimit=3)
    place = f"{tenant.ep}/Customer"
    assert tenant.http.patch(place, json=body).status_code == 200
    wrong = wrap(CustomerID="GOODFOOD", Terms="NEVER")
    assert tenant.put("Customer", wrong).status_code == 422
    tenant.switch(patch_supported=False, validation_status=500)
    assert tenant.http.patch(place, json=body).status_code == 405
    old = tenant.put("Customer", wrong)
    assert old.status_code == 500
    assert "OutcomeEntityHasErrorsException" in old.json()["exceptionType"]


def test_refunds_go_by_either_label(tenant: Tenant) -> None:
    tenant.switch(refund_label="Customer Refund")
    body = tenant.payment_body("5", Type="Refund", PaymentRef="re_1")
    assert tenant.put("Payment", body).status_code == 422
    body = tenant.payment_body("5", Type="Customer Refund", PaymentRef="re_1")
    assert tenant.put("Payment", body).json()["Type"]["value"] == "Customer Refund"


def test_documents_to_apply_may_be_dropped_by_the_creating_put(tenant: Tenant) -> None:
    tenant.switch(apply_on_create=False)
    invoice = tenant.invoice()
    made = tenant.put("Payment", tenant.payment_body("100", invoice), expand="DocumentsToApply")
    assert made.json()["DocumentsToApply"] == []
    body = {"id": made.json()["id"], "DocumentsToApply": [wrap(ReferenceNbr=invoice)]}
    second = tenant.put("Payment", body, expand="DocumentsToApply").json()
    assert second["DocumentsToApply"][0]["AmountPaid"]["value"] == 100


def test_the_instance_describes_signing_in(tenant: Tenant) -> None:
    found = tenant.http.get("/AcumaticaERP/entity/swagger.json").json()
    assert "/auth/login" in found["paths"]
    assert {"name": "Default/24.200.001"} in found["tags"]
    schema = tenant.read("Payment/$adHocSchema")
    assert {"name": "approve"} in schema["_workflowActions"]
