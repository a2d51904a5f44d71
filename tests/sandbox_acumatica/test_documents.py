"""Checklist 11 to 14: actions, payments, invoices and journals, each with its books."""

import time
from decimal import Decimal

import pytest

from sandbox_acumatica.conftest import Tenant, journal_body, wrap

D = Decimal


def balances(tenant: Tenant) -> dict[str, Decimal]:
    """Balance by account, in base."""
    found: dict[str, Decimal] = {}
    for row in tenant.control("ledger")["rows"]:
        found[row["account"]] = found.get(row["account"], D(0)) + D(row["base_balance"])
    return found


def test_11_an_action_is_accepted_polled_and_done(tenant: Tenant) -> None:
    body = {**wrap(Customer="GOODFOOD", Hold=False), "Details": [wrap(InventoryID="ADVERT", Qty=1)]}
    made = tenant.put("Invoice", body).json()
    tenant.switch(operation_ms=150)
    place = f"{tenant.ep}/Invoice/ReleaseInvoice"
    started = tenant.http.post(place, json={"entity": {"id": made["id"]}})
    assert started.status_code == 202
    status = started.headers["location"]
    assert status.startswith(
        "/AcumaticaERP/entity/Default/24.200.001/Invoice/ReleaseInvoice/status/"
    )
    assert tenant.http.get(status).status_code == 202
    blocked = tenant.get("Invoice")
    assert blocked.status_code == 500
    assert tenant.get("Customer").status_code == 200
    other = Tenant(tenant.root)
    other.login()
    assert other.get("Invoice").status_code == 200
    assert other.http.get(status).status_code == 500
    while tenant.http.get(status).status_code == 202:
        time.sleep(0.01)
    assert tenant.http.get(status).status_code == 204
    other.http.close()


def test_11_a_failed_action_says_so_on_the_poll(tenant: Tenant) -> None:
    number = tenant.put("Payment", tenant.payment_body("10")).json()["ReferenceNbr"]["value"]
    tenant.control("periods", {"period": "102026", "module": "CA", "closed": True})
    place = f"{tenant.ep}/Payment/ReleasePayment"
    body = {"entity": wrap(Type="Payment", ReferenceNbr=number)}
    accepted = tenant.http.post(place, json=body)
    assert accepted.status_code == 202
    status = accepted.headers["location"]
    while (failed := tenant.http.get(status)).status_code == 202:
        time.sleep(0.01)
    assert failed.status_code == 500
    assert "financial period is closed" in failed.json()["exceptionMessage"]
    assert tenant.values(f"Payment/Payment/{number}")["Status"] == "Balanced"


def test_11_an_unknown_action_is_404_and_a_second_release_is_refused(tenant: Tenant) -> None:
    number = tenant.invoice()
    keys = {"Type": "Invoice", "ReferenceNbr": number}
    assert tenant.act("Invoice", "Nothing", **keys).status_code == 404
    again = tenant.act("Invoice", "Release", **keys)
    assert again.status_code == 500
    assert again.json()["exceptionMessage"] == "The Release button is disabled."
    tenant.switch(release_of_released="silent")
    assert tenant.act("Invoice", "ReleaseInvoice", **keys).status_code == 204


def test_12_a_payment_closes_its_invoice_and_moves_only_cash_and_receivables(
    tenant: Tenant,
) -> None:
    invoice = tenant.invoice(amount="100")
    number = tenant.pay("100", invoice)
    paid = tenant.values(f"Invoice/Invoice/{invoice}")
    assert (paid["Status"], paid["Balance"], paid["Amount"]) == ("Closed", 0, 100)
    payment = tenant.read(f"Payment/Payment/{number}", expand="DocumentsToApply,ApplicationHistory")
    assert payment["Status"]["value"] == "Closed"
    assert payment["DocumentsToApply"] == []
    assert payment["ApplicationHistory"][0]["DisplayRefNbr"]["value"] == invoice
    assert balances(tenant) == {"10650": 100, "11000": 0, "40000": -100}
    tenant.books_are_straight()


def test_12_a_part_payment_leaves_both_sides_open(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    body = tenant.payment_body("60")
    body["DocumentsToApply"] = [wrap(DocType="Invoice", ReferenceNbr=invoice, AmountPaid=45.5)]
    number = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
    tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Balance"] == D("54.5")
    open_payment = tenant.values(f"Payment/Payment/{number}")
    assert (open_payment["Status"], open_payment["AvailableBalance"]) == ("Open", D("14.5"))
    more = {
        **wrap(Type="Payment", ReferenceNbr=number),
        "DocumentsToApply": [wrap(DocType="Invoice", ReferenceNbr=invoice)],
    }
    assert tenant.put("Payment", more).status_code == 200
    tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
    assert tenant.values(f"Payment/Payment/{number}")["Status"] == "Closed"
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Balance"] == 40
    tenant.books_are_straight()


def test_12_an_application_above_the_balance_or_the_payment_is_refused(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    body = tenant.payment_body("200")
    body["DocumentsToApply"] = [wrap(DocType="Invoice", ReferenceNbr=invoice, AmountPaid=101)]
    answer = tenant.put("Payment", body, expand="DocumentsToApply")
    assert answer.status_code == 422
    error = answer.json()["DocumentsToApply"][0]["AmountPaid"]["error"]
    assert "must be less than or equal to" in error
    small = tenant.payment_body("50")
    small["DocumentsToApply"] = [wrap(DocType="Invoice", ReferenceNbr=invoice, AmountPaid=60)]
    assert "out of the balance" in tenant.put("Payment", small).json()["error"]


def test_12_two_payments_for_one_invoice_the_second_release_fails(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    numbers = [
        tenant.put("Payment", tenant.payment_body("100", invoice)).json()["ReferenceNbr"]["value"]
        for _ in range(2)
    ]
    done = [
        tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
        for number in numbers
    ]
    assert [answer.status_code for answer in done] == [204, 500]
    assert tenant.values(f"Payment/Payment/{numbers[1]}")["Status"] == "Balanced"
    assert tenant.control("books")["duplicates"]["payments"][0]["documents"] == numbers
    tenant.books_are_straight()


def test_12_charges_are_taken_off_the_cash_line(tenant: Tenant) -> None:
    body = tenant.payment_body("100", tenant.invoice(amount="100"))
    body["Charges"] = [wrap(EntryTypeID="STRIPEFEE", Amount=3.2)]
    number = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
    tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
    assert balances(tenant) == {"10650": D("96.8"), "11000": 0, "40000": -100, "61100": D("3.2")}
    batch = tenant.read("JournalTransaction", filter="Module eq 'AR'", expand="Details")[1]
    assert [row["DebitAmount"]["value"] for row in batch["Details"]] == [D("96.8"), 0, D("3.2")]


def test_12_voiding_takes_everything_back_and_reopens_the_invoice(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    number = tenant.pay("100", invoice)
    assert tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=number).is_success
    voided = tenant.values(f"Payment/Voided Payment/{number}")
    assert (voided["Status"], voided["PaymentAmount"]) == ("Balanced", -100)
    assert tenant.values(f"Payment/Payment/{number}")["Status"] == "Closed"
    keys = {"Type": "Voided Payment", "ReferenceNbr": number}
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    assert tenant.values(f"Payment/Payment/{number}")["Status"] == "Voided"
    opened = tenant.values(f"Invoice/Invoice/{invoice}")
    assert (opened["Status"], opened["Balance"]) == ("Open", 100)
    assert balances(tenant) == {"10650": 0, "11000": 100, "40000": -100}
    again = tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=number)
    assert again.status_code == 500
    tenant.books_are_straight()


def test_12_voiding_takes_the_charges_back_too(tenant: Tenant) -> None:
    body = tenant.payment_body("100", tenant.invoice(amount="100"))
    body["Charges"] = [wrap(EntryTypeID="STRIPEFEE", Amount=3.2)]
    number = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
    tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
    tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=number)
    tenant.act("Payment", "ReleasePayment", Type="Voided Payment", ReferenceNbr=number)
    assert balances(tenant) == {"10650": 0, "11000": 100, "40000": -100, "61100": 0}
    tenant.books_are_straight()


def test_12_a_voided_refund_opens_its_credit_memo_again(tenant: Tenant) -> None:
    memo = tenant.invoice(amount="30", Type="Credit Memo")
    body = tenant.payment_body("30", Type="Refund", PaymentRef="re_1")
    body["DocumentsToApply"] = [wrap(DocType="Credit Memo", ReferenceNbr=memo, AmountPaid=30)]
    number = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
    tenant.act("Payment", "ReleasePayment", Type="Refund", ReferenceNbr=number)
    tenant.act("Payment", "VoidPayment", Type="Refund", ReferenceNbr=number)
    tenant.act("Payment", "ReleasePayment", Type="Voided Refund", ReferenceNbr=number)
    assert tenant.values(f"Payment/Refund/{number}")["Status"] == "Voided"
    shown = tenant.values(f"Invoice/Credit Memo/{memo}")
    assert (shown["Status"], shown["Balance"]) == ("Open", 30)
    assert balances(tenant)["10650"] == 0
    tenant.books_are_straight()


def test_12_a_refund_pays_back_a_prepayment_or_a_credit_memo(tenant: Tenant) -> None:
    prepaid = tenant.pay("80", Type="Prepayment")
    memo = tenant.invoice(amount="30", Type="Credit Memo")
    for kind, number, amount in (("Prepayment", prepaid, "80"), ("Credit Memo", memo, "30")):
        body = tenant.payment_body(amount, Type="Refund", PaymentRef=f"re_{number}")
        body["DocumentsToApply"] = [wrap(DocType=kind, ReferenceNbr=number)]
        refund = tenant.put("Payment", body).json()["ReferenceNbr"]["value"]
        done = tenant.act("Payment", "ReleasePayment", Type="Refund", ReferenceNbr=refund)
        assert done.status_code == 204
        assert tenant.values(f"Payment/Refund/{refund}")["Status"] == "Closed"
    assert tenant.values(f"Payment/Prepayment/{prepaid}")["Status"] == "Closed"
    assert tenant.values(f"Invoice/Credit Memo/{memo}")["Status"] == "Closed"
    assert balances(tenant) == {"10650": -30, "11000": 0, "40000": 30}
    refused = tenant.act("Payment", "VoidPayment", Type="Prepayment", ReferenceNbr=prepaid)
    assert "refunded" in refused.text
    tenant.books_are_straight()


def test_12_a_closed_payment_cannot_be_refunded(tenant: Tenant) -> None:
    number = tenant.pay("100", tenant.invoice(amount="100"))
    body = tenant.payment_body("100", Type="Refund", PaymentRef="re_1")
    body["DocumentsToApply"] = [wrap(DocType="Payment", ReferenceNbr=number, AmountPaid=100)]
    assert tenant.put("Payment", body).status_code == 422


def test_12_entry_is_checked_against_the_tenants_preferences(tenant: Tenant) -> None:
    bad = tenant.put("Payment", tenant.payment_body("10", PaymentRef=None)).json()
    assert bad["PaymentRef"]["error"] == "'Payment Ref.' cannot be empty."
    tenant.switch(require_payment_ref=False)
    assert tenant.put("Payment", tenant.payment_body("10", PaymentRef=None)).status_code == 200
    foreign = tenant.put("Payment", tenant.payment_body("10", CashAccount="10200WH"))
    assert "cannot be found" in foreign.json()["CashAccount"]["error"]
    card = tenant.put("Payment", tenant.payment_body("10", PaymentMethod="VISA")).json()
    assert card["Status"]["value"] == "Pending Processing"
    number = card["ReferenceNbr"]["value"]
    stuck = tenant.act("Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number)
    assert stuck.json()["exceptionMessage"] == "The Release button is disabled."


@pytest.mark.parametrize("status", ["On Hold", "Inactive"])
def test_12_a_customer_on_hold_cannot_be_selected(tenant: Tenant, status: str) -> None:
    tenant.control("customers/GOODFOOD", {"status": status})
    assert tenant.put("Payment", tenant.payment_body("10")).status_code == 422
    assert tenant.put("Invoice", wrap(Customer="GOODFOOD")).status_code == 422


@pytest.mark.parametrize("module", ["AR", "CA", "GL"])
def test_12_a_closed_period_takes_no_payment(tenant: Tenant, module: str) -> None:
    tenant.control("periods", {"period": "10-2026", "module": module, "closed": True})
    answer = tenant.put("Payment", tenant.payment_body("10"))
    assert "financial period is closed" in answer.json()["ApplicationDate"]["error"]
    ok = tenant.put("Payment", tenant.payment_body("10", ApplicationDate="2026-11-01"))
    assert ok.status_code == 200


def test_12_exchange_differences_go_to_realised_gain_and_loss(tenant: Tenant) -> None:
    tenant.control("rates", {"currency": "EUR", "date": "2026-10-01", "rate": "1.10"})
    tenant.control("rates", {"currency": "EUR", "date": "2026-10-20", "rate": "1.20"})
    euros = {"Document": {"CuryID": {"value": "EUR"}}}
    invoice = tenant.invoice(amount="100", custom=euros)
    tenant.pay("100", invoice, CashAccount="10670ST")
    assert balances(tenant) == {"10670": 120, "11000": 0, "40000": -110, "83000": -10}
    assert tenant.control("cash-accounts")["10670ST"]["balance"] == 100
    tenant.books_are_straight()


def test_12_a_payment_in_another_currency_applies_at_the_cross_rate(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="64.70", Date="2026-11-02")
    tenant.pay("10000", invoice, CashAccount="10660ST", ApplicationDate="2026-11-03")
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Closed"
    assert tenant.control("cash-accounts")["10660ST"]["balance"] == 10000
    tenant.books_are_straight()


def test_13_taxes_are_computed_and_rounded_to_the_currency(tenant: Tenant) -> None:
    made = tenant.put("Customer", wrap(CustomerName="Tokyo", CurrencyID="JPY", TaxZone="JAPAN"))
    lines = [wrap(InventoryID="CONSULT", Qty=1, UnitPrice=333)] * 2
    body = {
        **wrap(Customer=made.json()["CustomerID"]["value"], Date="2026-10-15", Hold=False),
        "Details": [*lines, wrap(Account="40000", Qty=1, UnitPrice=50)],
    }
    invoice = tenant.put("Invoice", body, expand="TaxDetails").json()
    assert invoice["TaxDetails"][0]["TaxableAmount"]["value"] == 666
    assert invoice["TaxDetails"][0]["TaxAmount"]["value"] == 67
    assert invoice["Amount"]["value"] == 783
    shown = tenant.read(f"Invoice/{invoice['id']}", custom="Document.CuryID")
    assert shown["custom"]["Document"]["CuryID"]["value"] == "JPY"
    keys = {"Type": "Invoice", "ReferenceNbr": invoice["ReferenceNbr"]["value"]}
    assert tenant.act("Invoice", "ReleaseInvoice", **keys).status_code == 204
    tenant.books_are_straight()


def test_13_release_and_each_application_move_the_modification_time(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    stamps = [tenant.values(f"Invoice/Invoice/{invoice}")["LastModifiedDateTime"]]
    for _ in range(2):
        tenant.pay("10", invoice)
        stamps.append(tenant.values(f"Invoice/Invoice/{invoice}")["LastModifiedDateTime"])
    assert stamps == sorted(set(stamps))
    same = wrap(CustomerID="GOODFOOD", CustomerName="GoodFood One Restaurant")
    before = tenant.values("Customer/GOODFOOD")["LastModifiedDateTime"]
    assert tenant.put("Customer", same).json()["LastModifiedDateTime"]["value"] == before


def test_13_a_released_invoice_cannot_be_deleted_or_changed(tenant: Tenant) -> None:
    invoice = tenant.invoice()
    assert tenant.http.delete(f"{tenant.ep}/Invoice/Invoice/{invoice}").status_code == 500
    changed = wrap(Type="Invoice", ReferenceNbr=invoice, Description="x", DueDate="2027-01-01")
    after = tenant.put("Invoice", changed).json()
    assert after["Description"] == {}
    assert after["DueDate"]["value"].startswith("2027-01-01")


def test_13_a_credit_memo_closes_an_invoice(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    memo = tenant.invoice(amount="100", Type="Credit Memo")
    body = {
        **wrap(Type="Credit Memo", ReferenceNbr=memo),
        "DocumentsToApply": [wrap(DocType="Invoice", ReferenceNbr=invoice)],
    }
    assert tenant.put("Payment", body).status_code == 200
    keys = {"Type": "Credit Memo", "ReferenceNbr": memo}
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Closed"
    assert tenant.values(f"Invoice/Credit Memo/{memo}")["Status"] == "Closed"
    assert balances(tenant) == {"11000": 0, "40000": 0}
    tenant.books_are_straight()


def test_13_a_debit_memo_takes_a_credit_memo_back_and_both_are_closed(tenant: Tenant) -> None:
    tenant.control("periods", {"period": "102026", "module": "CA", "closed": True})
    credit = tenant.invoice(amount="30", Type="Credit Memo")
    debit = tenant.invoice(amount="30", Type="Debit Memo")
    assert tenant.values(f"Invoice/Debit Memo/{debit}")["Balance"] == 30
    body = {
        **wrap(Type="Credit Memo", ReferenceNbr=credit),
        "DocumentsToApply": [wrap(DocType="Debit Memo", ReferenceNbr=debit, AmountPaid=30)],
    }
    assert tenant.put("Payment", body).status_code == 200
    keys = {"Type": "Credit Memo", "ReferenceNbr": credit}
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    for kind, number in (("Debit Memo", debit), ("Credit Memo", credit)):
        shown = tenant.values(f"Invoice/{kind}/{number}")
        assert (shown["Status"], shown["Balance"]) == ("Closed", 0)
    assert balances(tenant) == {"11000": 0, "40000": 0}
    tenant.books_are_straight()


def test_13_an_open_memo_is_applied_on_a_later_day_where_its_own_period_is_closed(
    tenant: Tenant,
) -> None:
    credit = tenant.invoice(amount="30", Type="Credit Memo", Date="2026-10-05")
    debit = tenant.invoice(amount="30", Type="Debit Memo", Date="2026-11-01")
    tenant.control("periods", {"period": "102026", "module": "AR", "closed": True})
    rows = [wrap(DocType="Debit Memo", ReferenceNbr=debit, AmountPaid=30)]
    keys = {"Type": "Credit Memo", "ReferenceNbr": credit}
    shut = {**wrap(**keys, ApplicationDate="2026-10-06"), "DocumentsToApply": rows}
    assert "closed" in tenant.put("Payment", shut).json()["ApplicationDate"]["error"]
    later = {**wrap(**keys, ApplicationDate="2026-11-01"), "DocumentsToApply": rows}
    assert tenant.put("Payment", later).status_code == 200
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    assert tenant.values(f"Invoice/Debit Memo/{debit}")["Status"] == "Closed"
    tenant.books_are_straight()


@pytest.mark.parametrize(("switch", "day"), [("editable", "2026-11-01"), ("kept", "2026-10-15")])
def test_12_the_day_of_a_voided_payment_can_be_changed_before_its_release_or_is_kept(
    tenant: Tenant, switch: str, day: str
) -> None:
    tenant.switch(void_date=switch, void_status="On Hold")
    number = tenant.pay("80", ApplicationDate="2026-10-15")
    assert tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=number).is_success
    keys = {"Type": "Voided Payment", "ReferenceNbr": number}
    answer = tenant.put("Payment", wrap(**keys, ApplicationDate="2026-11-01", Hold=False))
    assert answer.status_code == 200
    assert tenant.values(f"Payment/Voided Payment/{number}")["ApplicationDate"].startswith(day)
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    assert tenant.values(f"Payment/Payment/{number}")["Status"] == "Voided"
    tenant.books_are_straight()


def test_13_a_sales_invoice_is_the_same_document_seen_from_sales(tenant: Tenant) -> None:
    body = {
        **wrap(
            Type="Invoice", CustomerID="GOODFOOD", Currency="EUR", Date="2026-10-15", Hold=False
        ),
        "Details": [wrap(InventoryID="ADVERT", Qty=2, TransactionDescr="Ads")],
    }
    made = tenant.put("SalesInvoice", body, expand="Details").json()
    number = made["ReferenceNbr"]["value"]
    assert (number, made["Currency"]["value"], made["DetailTotal"]["value"]) == (
        "INV000001",
        "EUR",
        500,
    )
    keys = {"Type": "Invoice", "ReferenceNbr": number}
    wrong = tenant.act("Invoice", "ReleaseInvoice", **keys)
    assert wrong.json()["exceptionType"] == "System.NullReferenceException"
    assert tenant.act("SalesInvoice", "ReleaseSalesInvoice", **keys).status_code == 204
    assert tenant.values(f"Invoice/Invoice/{number}")["Status"] == "Open"
    assert tenant.values(f"SalesInvoice/Invoice/{number}")["Status"] == "Open"
    assert tenant.invoice() == "000001"
    assert len(tenant.read("SalesInvoice")) == 1


def test_14_a_journal_posts_and_moves_the_cash_account(tenant: Tenant) -> None:
    body = journal_body(("61100", "3.20", "0"), ("10650", "0", "3.20"), Description="fee mlcABC")
    number = tenant.put("JournalTransaction", body).json()["BatchNbr"]["value"]
    keys = {"Module": "GL", "BatchNbr": number}
    assert tenant.act("JournalTransaction", "ReleaseJournalTransaction", **keys).status_code == 204
    assert tenant.values(f"JournalTransaction/GL/{number}")["Status"] == "Posted"
    assert tenant.control("cash-accounts")["10650ST"]["balance"] == D("-3.2")
    found = tenant.read(
        "JournalTransaction", filter="Module eq 'GL' and substringof('mlcABC',Description)"
    )
    assert [each["BatchNbr"]["value"] for each in found] == [number]
    tenant.books_are_straight()


def test_14_unbalanced_control_and_inactive_accounts_are_refused(tenant: Tenant) -> None:
    open_batch = journal_body(("61100", "3", "0"), ("10650", "0", "2"))
    assert "out of the balance" in tenant.put("JournalTransaction", open_batch).json()["error"]
    held = journal_body(("61100", "3", "0"), ("10650", "0", "2"), Hold=True)
    assert tenant.put("JournalTransaction", held).json()["Status"]["value"] == "On Hold"
    control = journal_body(("11000", "3", "0"), ("10650", "0", "3"))
    echo = tenant.put("JournalTransaction", control).json()
    assert "control account" in echo["Details"][0]["Account"]["error"]
    good = journal_body(("61100", "3", "0"), ("10650", "0", "3"))
    number = tenant.put("JournalTransaction", good).json()["BatchNbr"]["value"]
    tenant.control("accounts/61100", {"active": False})
    keys = {"Module": "GL", "BatchNbr": number}
    failed = tenant.act("JournalTransaction", "ReleaseJournalTransaction", **keys)
    assert "inactive" in failed.text
    assert tenant.control("ledger")["rows"] == []


def test_14_currencies_of_cash_accounts_are_respected(tenant: Tenant) -> None:
    wrong = journal_body(("10230", "100", "0"), ("10660", "0", "100"))
    assert tenant.put("JournalTransaction", wrong).status_code == 422
    right = journal_body(("10230", "1234", "0"), ("10660", "0", "1234"), CurrencyID="JPY")
    number = tenant.put("JournalTransaction", right).json()["BatchNbr"]["value"]
    keys = {"Module": "GL", "BatchNbr": number}
    tenant.act("JournalTransaction", "ReleaseJournalTransaction", **keys)
    cash = tenant.control("cash-accounts")
    assert (cash["10230WH"]["balance"], cash["10660ST"]["balance"]) == (1234, -1234)
    body = wrap(Ledger="ACTUAL", Period="102026")
    rows = tenant.put("AccountSummaryInquiry", body, expand="Results").json()["Results"]
    yen = next(row for row in rows if row["Account"]["value"] == "10230")
    assert yen["CurrencyID"]["value"] == "JPY"
    assert yen["CurrencyEndingBalance"]["value"] == 1234
    assert yen["EndingBalance"]["value"] == 7.87
    tenant.books_are_straight()


def test_14_without_automatic_posting_a_batch_stays_unposted(tenant: Tenant) -> None:
    tenant.switch(auto_post=False)
    body = journal_body(("61100", "3", "0"), ("10650", "0", "3"))
    number = tenant.put("JournalTransaction", body).json()["BatchNbr"]["value"]
    keys = {"Module": "GL", "BatchNbr": number}
    tenant.act("JournalTransaction", "ReleaseJournalTransaction", **keys)
    assert tenant.values(f"JournalTransaction/GL/{number}")["Status"] == "Unposted"
    assert tenant.control("ledger")["rows"] == []
    assert tenant.control("post", {}) == {"posted": 1}
    assert tenant.values(f"JournalTransaction/GL/{number}")["Status"] == "Posted"


def test_14_a_released_journal_cannot_be_deleted_and_lines_are_inquired(tenant: Tenant) -> None:
    body = journal_body(("61100", "3", "0"), ("10650", "0", "3"))
    number = tenant.put("JournalTransaction", body).json()["BatchNbr"]["value"]
    tenant.act("JournalTransaction", "ReleaseJournalTransaction", Module="GL", BatchNbr=number)
    place = f"{tenant.ep}/JournalTransaction/GL/{number}"
    assert tenant.http.delete(place).status_code == 500
    asked = wrap(FromPeriod="102026", ToPeriod="10-2026")
    rows = tenant.put("AccountDetailsForPeriodInquiry", asked, expand="Results").json()["Results"]
    assert [row["BatchNumber"]["value"] for row in rows] == [number, number]


def test_a_cash_transaction_posts_by_its_entry_type(tenant: Tenant) -> None:
    body = {
        **wrap(CashAccountCD="10650ST", EntryTypeCD="STRIPEADJ", ExternalReferenceNumber="adj_1"),
        "Details": [wrap(Amount=12.5)],
    }
    tenant.switch(hold_on_entry=False)
    made = tenant.put("CashTransaction", body)
    done = tenant.http.post(
        f"{tenant.ep}/CashTransaction/ReleaseCashTransaction",
        json={"entity": {"id": made.json()["id"]}},
    )
    assert done.status_code == 202
    place = done.headers["location"]
    while tenant.http.get(place).status_code == 202:
        time.sleep(0.01)
    found = tenant.read(
        "CashTransaction",
        filter="ExternalReferenceNumber eq 'adj_1'",
        custom="CAAdjRecords.Status",
    )
    assert found[0]["custom"]["CAAdjRecords"]["Status"]["value"] == "Released"
    assert tenant.control("cash-accounts")["10650ST"]["balance"] == D("12.5")
    tenant.books_are_straight()
