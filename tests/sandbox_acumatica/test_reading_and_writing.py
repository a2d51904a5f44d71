"""Checklist 5 to 10 and 17: representation, queries, upsert, errors, versions."""

import pytest

from sandbox_acumatica.conftest import Tenant, wrap


def test_05_values_are_wrapped_and_empty_ones_are_bare(tenant: Tenant) -> None:
    record = tenant.read("Customer/GOODFOOD")
    assert record["CustomerName"] == {"value": "GoodFood One Restaurant"}
    assert record["AccountRef"] == {}
    assert record["note"] == {"value": ""}
    assert record["custom"] == {}
    assert record["rowNumber"] == 1
    assert "MainContact" not in record
    assert b'"WriteOffLimit":{"value":30.0000}' in tenant.get("Customer/GOODFOOD").content


def test_05_detail_ids_live_only_for_the_session(tenant: Tenant) -> None:
    number = tenant.invoice()
    other = Tenant(tenant.root)
    other.login()
    mine = tenant.read(f"Invoice/Invoice/{number}", expand="Details")
    theirs = other.read(f"Invoice/Invoice/{number}", expand="Details")
    assert mine["id"] == theirs["id"]
    assert mine["Details"][0]["id"] != theirs["Details"][0]["id"]
    other.http.close()


def test_05_links_can_be_left_out_as_on_old_builds(tenant: Tenant) -> None:
    tenant.switch(links=False)
    assert "_links" not in tenant.read("Customer/GOODFOOD")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("CustomerID eq 'GOODFOOD'", 1),
        ("CustomerID eq 'goodfood'", 1),
        ("CustomerID ne 'GOODFOOD'", 3),
        ("substringof('FOOD',CustomerID) or startswith(CustomerID,'FRU')", 2),
        ("endswith(CustomerID,'SHOP') and Status eq 'Active'", 1),
        ("not (CustomerID eq 'GOODFOOD')", 3),
        ("WriteOffLimit eq 30.00M", 4),
        ("WriteOffLimit gt 30M", 0),
        ("EnableWriteOffs eq true", 4),
        ("AccountRef eq null", 4),
        ("LastModifiedDateTime ge datetimeoffset'2020-01-31T10:00:00.000+00:00'", 4),
        ("LastModifiedDateTime lt datetimeoffset'2020-01-31'", 0),
        ("MainContact/Email eq 'office@hmbakery.example'", 1),
        ("CustomerName eq 'HM''s Bakery & Cafe'", 1),
        ("cf.String(f='BAccount.AcctCD') eq 'GOODFOOD'", 1),
    ],
)
def test_06_filters_follow_the_grammar(tenant: Tenant, text: str, count: int) -> None:
    assert len(tenant.read("Customer", filter=text)) == count


@pytest.mark.parametrize(
    "text",
    [
        "EnableWriteOffs eq 'true'",
        "WriteOffLimit eq 30.00",
        "CustomerID eq 5",
        "contains(CustomerID,'FOOD')",
        "LastModifiedDateTime ge '2026-01-01'",
        "LastModifiedDateTime ge datetime'2026-01-01T00:00:00'",
        "Nothing eq 'x'",
        "CustomerID eq",
        "CustomerID in ('A')",
    ],
)
def test_06_a_filter_that_is_not_understood_is_a_500(tenant: Tenant, text: str) -> None:
    answer = tenant.get("Customer", filter=text)
    assert answer.status_code == 500
    assert answer.json()["exceptionMessage"]


def test_06_select_expand_top_skip_custom_and_orderby(tenant: Tenant) -> None:
    chosen = tenant.read(
        "Customer", select="CustomerID", orderby="CustomerID desc", top="2", skip="1"
    )
    assert [each["CustomerID"]["value"] for each in chosen] == ["GOODFOOD", "FRUITICO"]
    assert set(chosen[0]) == {"id", "rowNumber", "note", "CustomerID", "custom", "_links"}
    nested = tenant.read("Customer/GOODFOOD", expand="MainContact,MainContact/Address")
    assert nested["MainContact"]["Address"]["Country"] == {"value": "US"}
    assert "Address" not in tenant.read("Customer/GOODFOOD", expand="MainContact")["MainContact"]
    only = tenant.read("Customer/GOODFOOD", expand="MainContact", select="MainContact/Email")
    assert set(only["MainContact"]) == {"id", "rowNumber", "note", "Email", "custom"}
    custom = tenant.read("Customer/GOODFOOD", custom="BAccount.AcctCD")["custom"]
    assert custom == {"BAccount": {"AcctCD": {"type": "CustomStringField", "value": "GOODFOOD"}}}
    assert tenant.get("Customer", select="Nope").status_code == 500
    assert tenant.get("Customer", expand="Nope").status_code == 500
    assert tenant.get("Customer", select="MainContact/Email").status_code == 500


def test_07_a_missing_record_and_an_unoptimised_list_are_500(tenant: Tenant) -> None:
    gone = tenant.get("Payment/Payment/000999")
    assert gone.status_code == 500
    assert gone.json()["exceptionType"].endswith("NoEntitySatisfiesTheConditionException")
    number = tenant.pay("10")
    many = tenant.get("Payment", expand="ApplicationHistory")
    assert many.status_code == 500
    assert "CannotOptimizeException" in many.json()["exceptionType"]
    assert tenant.read(f"Payment/Payment/{number}", expand="ApplicationHistory")


def test_08_a_supplied_number_is_ignored_and_creates_a_new_record_each_time(tenant: Tenant) -> None:
    body = wrap(CustomerID="123", CustomerName="ACME", Nonsense="x")
    first = tenant.put("Customer", body).json()["CustomerID"]["value"]
    second = tenant.put("Customer", body).json()["CustomerID"]["value"]
    assert (first, second) == ("C000001", "C000002")
    tenant.switch(auto_number_customers=False)
    assert tenant.put("Customer", body).json()["CustomerID"]["value"] == "123"
    assert tenant.put("Customer", body).json()["CustomerID"]["value"] == "123"
    assert len(tenant.read("Customer", filter="CustomerName eq 'ACME'")) == 3


def test_08_records_are_found_by_key_by_id_and_by_filter(tenant: Tenant) -> None:
    own = tenant.read("Customer/GOODFOOD")["id"]
    by_id = tenant.put("Customer", {"id": own, **wrap(CreditLimit="12.50")}).json()
    assert by_id["CustomerID"]["value"] == "GOODFOOD"
    place = f"{tenant.ep}/Customer?$filter=MainContact/Email eq 'billing@goodfood.example'"
    by_filter = tenant.http.put(place, json=wrap(EnableWriteOffs="false")).json()
    assert by_filter["id"] == own
    assert by_filter["EnableWriteOffs"] == {"value": False}
    cleared = tenant.put("Customer", wrap(CustomerID="GOODFOOD", TaxZone=None)).json()
    assert cleared["TaxZone"] == {}


def test_08_preconditions_answer_412_and_an_empty_body_400(tenant: Tenant) -> None:
    known = wrap(CustomerID="GOODFOOD")
    assert tenant.put("Customer", known, if_none_match="*").status_code == 412
    unknown = wrap(CustomerID="NOPE", CustomerName="N")
    assert tenant.put("Customer", unknown, if_match="*").status_code == 412
    empty = tenant.http.put(f"{tenant.ep}/Customer", content=b"")
    assert empty.status_code == 400
    assert empty.json()["modelState"] == {"": ["The request body should not be empty."]}
    assert tenant.put("Customer", {"CustomerName": "bare"}).status_code == 400
    loose = tenant.http.put(f"{tenant.ep}/Customer", content=b'{CustomerName: {value: "Loose"}}')
    assert loose.status_code == 200


def test_08_details_change_by_line_number_and_id_and_can_be_deleted(tenant: Tenant) -> None:
    lines = [wrap(InventoryID="ADVERT", Qty=1), wrap(InventoryID="ADVERT", Qty=2)]
    body = {**wrap(Type="Invoice", Customer="GOODFOOD", Hold=True), "Details": lines}
    made = tenant.put("Invoice", body, expand="Details").json()
    key = wrap(Type="Invoice", ReferenceNbr=made["ReferenceNbr"]["value"])
    change = {
        **key,
        "Details": [
            {"id": made["Details"][0]["id"], "delete": True},
            wrap(LineNbr=2, Qty=5),
        ],
    }
    after = tenant.put("Invoice", change, expand="Details").json()
    assert [row["Qty"]["value"] for row in after["Details"]] == [5]
    assert after["Amount"]["value"] == 1250
    assert tenant.http.delete(tenant.root + made["_links"]["self"]).status_code == 204
    assert tenant.get(f"Invoice/{made['id']}").status_code == 500


def test_08_patch_updates_only(tenant: Tenant) -> None:
    place = f"{tenant.ep}/Customer"
    assert tenant.http.patch(place, json=wrap(CustomerID="NOPE")).status_code == 404
    patched = tenant.http.patch(place, json=wrap(CustomerID="GOODFOOD", AccountRef="A-1"))
    assert patched.json()["AccountRef"] == {"value": "A-1"}
    tenant.switch(patch_supported=False)
    assert tenant.http.patch(place, json=wrap(CustomerID="GOODFOOD")).status_code == 405


def test_09_a_reply_has_all_header_fields_and_no_details_unless_expanded(tenant: Tenant) -> None:
    body = {**wrap(Customer="GOODFOOD"), "Details": [wrap(InventoryID="ADVERT", Qty=1)]}
    plain = tenant.put("Invoice", body).json()
    assert "Details" not in plain
    assert plain["Status"] == {"value": "On Hold"}
    assert plain["CustomerOrder"] == {}
    assert len(tenant.put("Invoice", body, expand="Details").json()["Details"]) == 1


def test_10_a_refused_record_is_echoed_with_its_errors(tenant: Tenant) -> None:
    line = wrap(Account="99999", Qty=1, UnitPrice=5)
    body = {**wrap(Type="Invoice", Customer="NOBODY", Hold=False), "Details": [line]}
    answer = tenant.put("Invoice", body)
    assert answer.status_code == 422
    echo = answer.json()
    assert echo["error"].startswith(
        "Inserting  'AR Invoice/Memo' record raised at least one error."
    )
    assert echo["ReferenceNbr"] == {"value": "<NEW>"}
    assert echo["Customer"]["error"] == "'Customer' cannot be found in the system."
    assert echo["Details"][0]["Account"]["error"] == "'Account' cannot be found in the system."
    tenant.switch(validation_status=500)
    old = tenant.put("Invoice", body)
    assert old.status_code == 500
    assert old.json()["exceptionType"].endswith("OutcomeEntityHasErrorsException")
    assert old.json()["stackTrace"]


def test_10_a_refused_record_leaves_nothing_behind(tenant: Tenant) -> None:
    tenant.put("Invoice", wrap(Type="Invoice", Customer="NOBODY"))
    assert tenant.read("Invoice") == []
    assert tenant.invoice() == "000001"


def test_17_fields_exist_from_their_endpoint_version_on(tenant: Tenant) -> None:
    older = Tenant(tenant.root, "22.200.001")
    older.login()
    body = older.payment_body("100", PaymentRef="ch_old")
    body["Charges"] = [wrap(EntryTypeID="STRIPEFEE", Amount="3.20")]
    number = older.put("Payment", body).json()["ReferenceNbr"]["value"]
    assert older.get(f"Payment/Payment/{number}", expand="Charges").status_code == 500
    assert tenant.read(f"Payment/Payment/{number}", expand="Charges")["Charges"] == []
    assert "Email" not in older.read("Customer/GOODFOOD")
    assert "Email" in tenant.read("Customer/GOODFOOD")
    assert older.get("CashTransaction").status_code == 404
    assert tenant.get("CashTransaction").status_code == 200
    wrong = Tenant(tenant.root, "24.200.1")
    wrong.login()
    assert wrong.get("Customer").status_code == 404
    for each in (older, wrong):
        each.http.close()


def test_an_over_long_reference_is_cut_at_fifteen_characters(tenant: Tenant) -> None:
    line = wrap(Account="61100", DebitAmount=1, ReferenceNbr="txn_1234567890abcdef")
    body = {**wrap(Hold=True), "Details": [line]}
    made = tenant.put("JournalTransaction", body, expand="Details").json()
    assert made["Details"][0]["ReferenceNbr"]["value"] == "txn_1234567890a"


def test_billing_contacts_follow_the_main_one_unless_overridden(tenant: Tenant) -> None:
    expand = "MainContact,BillingContact,BillingContact/Address"
    main = {"Email": {"value": "new@goodfood.example"}}
    before = tenant.values("Customer/GOODFOOD")["LastModifiedDateTime"]
    body = {**wrap(CustomerID="GOODFOOD"), "MainContact": main}
    after = tenant.put("Customer", body, expand=expand).json()
    assert after["BillingContact"]["Email"]["value"] == "new@goodfood.example"
    assert after["LastModifiedDateTime"]["value"] == before
    own = {"Email": {"value": "bills@goodfood.example"}}
    ignored = {**wrap(CustomerID="GOODFOOD"), "BillingContact": own}
    shown = tenant.put("Customer", ignored, expand=expand).json()
    assert shown["BillingContact"]["Email"]["value"] == "new@goodfood.example"
    taken = {**wrap(CustomerID="GOODFOOD", BillingContactOverride=True), "BillingContact": own}
    shown = tenant.put("Customer", taken, expand=expand).json()
    assert shown["BillingContact"]["Email"]["value"] == "bills@goodfood.example"
    assert shown["MainContact"]["Email"]["value"] == "new@goodfood.example"
    assert shown["BillingContact"]["Address"]["Country"]["value"] == "US"
