"""Write-offs, discounts, deposits, branches, a second base currency, approvals, reservations."""

from decimal import Decimal

from sandbox_acumatica.conftest import Json, Tenant, journal_body, wrap


def balance(tenant: Tenant, account: str, branch: str = "HEADOFFICE") -> Decimal:
    rows = tenant.control("ledger")["rows"]
    return sum(
        (
            Decimal(row["balance"])
            for row in rows
            if (row["account"], row["branch"]) == (account, branch)
        ),
        Decimal(0),
    )


def apply(tenant: Tenant, invoice: str, amount: str, **row: object) -> Json:
    body = tenant.payment_body(amount)
    body["DocumentsToApply"] = [
        wrap(DocType="Invoice", ReferenceNbr=invoice, AmountPaid=amount, **row)
    ]
    return body


def release(tenant: Tenant, body: Json, kind: str = "Payment") -> str:
    answer = tenant.put("Payment", body)
    assert answer.status_code == 200, answer.text
    number = answer.json()["ReferenceNbr"]["value"]
    done = tenant.act("Payment", "ReleasePayment", Type=kind, ReferenceNbr=number)
    assert done.status_code == 204, done.text
    return number


def test_a_small_balance_is_written_off_with_the_payment(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    release(tenant, apply(tenant, invoice, "98.50", BalanceWriteOff="1.50"))
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Closed"
    assert balance(tenant, "61200") == Decimal("1.50")
    tenant.books_are_straight()


def test_a_write_off_above_the_customers_limit_is_refused(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100")
    answer = tenant.put("Payment", apply(tenant, invoice, "50", BalanceWriteOff="31"))
    assert answer.status_code == 422
    assert "between 0 and 30" in answer.text


def test_voiding_gives_back_write_off_and_discount(tenant: Tenant) -> None:
    invoice = tenant.invoice(amount="100", Terms="210N30", Date="2026-10-25")
    number = release(
        tenant, apply(tenant, invoice, "97", CashDiscountTaken="2", BalanceWriteOff="1")
    )
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Balance"] == 0
    assert tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=number).is_success
    done = tenant.act("Payment", "ReleasePayment", Type="Voided Payment", ReferenceNbr=number)
    assert done.status_code == 204, done.text
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Balance"] == 100
    assert balance(tenant, "61300") == balance(tenant, "61200") == 0
    tenant.books_are_straight()


def test_a_cash_discount_is_taken_until_its_last_day(tenant: Tenant) -> None:
    early = tenant.invoice(amount="100", Terms="210N30", Date="2026-10-25")
    release(tenant, apply(tenant, early, "98", CashDiscountTaken="2"))
    assert tenant.values(f"Invoice/Invoice/{early}")["Status"] == "Closed"
    assert balance(tenant, "61300") == 2
    late = tenant.invoice(amount="100", Terms="210N30", Date="2026-10-01")
    answer = tenant.put("Payment", apply(tenant, late, "98", CashDiscountTaken="2"))
    assert answer.status_code == 422
    tenant.books_are_straight()


def test_prepayments_wait_in_the_deposit_account_of_the_customer_class(tenant: Tenant) -> None:
    tenant.put("CustomerClass", wrap(ClassID="DEFAULT", PrepaymentAccount="24400"))
    number = tenant.pay("80", Type="Prepayment")
    assert balance(tenant, "24400") == -80
    assert balance(tenant, "11000") == 0
    tenant.books_are_straight()
    invoice = tenant.invoice(amount="50")
    body = wrap(Type="Prepayment", ReferenceNbr=number)
    body["DocumentsToApply"] = [wrap(DocType="Invoice", ReferenceNbr=invoice)]
    release(tenant, body, "Prepayment")
    assert balance(tenant, "24400") == -30
    assert balance(tenant, "11000") == 0
    refund = tenant.payment_body("30", Type="Refund", PaymentRef="re_1")
    refund["DocumentsToApply"] = [wrap(DocType="Prepayment", ReferenceNbr=number)]
    release(tenant, refund, "Refund")
    assert balance(tenant, "24400") == 0
    tenant.books_are_straight()


def test_branches_that_must_balance_get_inter_branch_lines(tenant: Tenant) -> None:
    tenant.switch(branches_balance=True)
    line = {"Details": [wrap(Account="40000", Qty=1, UnitPrice=70, Branch="RETAIL")]}
    answer = tenant.put("Invoice", {**wrap(Customer="GOODFOOD", Hold=False), **line})
    number = answer.json()["ReferenceNbr"]["value"]
    done = tenant.act("Invoice", "ReleaseInvoice", Type="Invoice", ReferenceNbr=number)
    assert done.status_code == 204
    assert balance(tenant, "19000", "RETAIL") == 70
    assert balance(tenant, "19000", "HEADOFFICE") == -70
    tenant.books_are_straight()
    paid = tenant.pay("70", number, Branch="RETAIL")
    assert balance(tenant, "11000", "HEADOFFICE") == balance(tenant, "11000", "RETAIL") == 0
    tenant.act("Payment", "VoidPayment", Type="Payment", ReferenceNbr=paid)
    tenant.act("Payment", "ReleasePayment", Type="Voided Payment", ReferenceNbr=paid)
    assert balance(tenant, "11000", "HEADOFFICE") == 70
    tenant.books_are_straight()


def test_without_an_inter_branch_account_the_release_fails(tenant: Tenant) -> None:
    tenant.switch(branches_balance=True, inter_branch_account="99999")
    body = journal_body(("61100", "5", "0"), ("81000", "0", "5"))
    body["Details"][1]["BranchID"] = {"value": "RETAIL"}
    number = tenant.put("JournalTransaction", body).json()["BatchNbr"]["value"]
    done = tenant.act(
        "JournalTransaction", "ReleaseJournalTransaction", Module="GL", BatchNbr=number
    )
    assert done.status_code == 500
    assert "Inter-branch account mapping is missing" in done.text


def test_the_european_company_keeps_its_books_in_euro(tenant: Tenant) -> None:
    tenant.control("rates", {"currency": "EUR", "date": "2026-10-01", "rate": "1.25"})
    tenant.control("rates", {"currency": "EUR", "date": "2026-10-31", "rate": "1.00"})
    more: Json = {"LinkBranch": "EUROPE", "custom": {"Document": {"CuryID": {"value": "USD"}}}}
    number = tenant.invoice(amount="100", **more)
    rows = {row["account"]: row for row in tenant.control("ledger")["rows"]}
    assert rows["11000"]["base_balance"] == 80
    tenant.pay("100", number, PaymentMethod="EUBANK", CashAccount="10205EU")
    ledger = tenant.control("ledger")
    gained = sum(row["base_balance"] for row in ledger["rows"] if row["account"] == "83000")
    assert gained == -20
    assert ledger["totals"]["bases"] == {"EUR": 0}
    tenant.books_are_straight()
    body = wrap(Ledger="ACTUALEU", Period="102026")
    found = tenant.put("AccountSummaryInquiry", body, expand="Results").json()["Results"]
    assert {row["Branch"]["value"] for row in found} == {"EUROPE"}


def test_documents_of_two_base_currencies_are_not_mixed(tenant: Tenant) -> None:
    invoice = tenant.invoice(LinkBranch="EUROPE")
    number = tenant.put("Payment", tenant.payment_body("100", invoice)).json()
    done = tenant.act(
        "Payment", "ReleasePayment", Type="Payment", ReferenceNbr=number["ReferenceNbr"]["value"]
    )
    assert done.status_code == 500
    assert "different base currencies" in done.text


def test_a_refund_may_have_to_be_approved(tenant: Tenant) -> None:
    tenant.switch(approvals="Refund, JournalTransaction")
    paid = tenant.pay("40")
    body = tenant.payment_body("40", Type="Refund", PaymentRef="re_9")
    body["DocumentsToApply"] = [wrap(DocType="Payment", ReferenceNbr=paid)]
    made = tenant.put("Payment", body).json()
    number = made["ReferenceNbr"]["value"]
    assert made["Status"]["value"] == "Pending Approval"
    keys = {"Type": "Refund", "ReferenceNbr": number}
    assert "button is disabled" in tenant.act("Payment", "ReleasePayment", **keys).text
    assert tenant.act("Payment", "Reject", **keys).status_code == 204
    assert tenant.values(f"Payment/Refund/{number}")["Status"] == "Rejected"
    assert tenant.act("Payment", "putOnHold", **keys).status_code == 204
    assert tenant.act("Payment", "releaseFromHold", **keys).status_code == 204
    assert tenant.act("Payment", "Approve", **keys).status_code == 204
    assert tenant.act("Payment", "ReleasePayment", **keys).status_code == 204
    journal = tenant.put(
        "JournalTransaction", journal_body(("61100", "5", "0"), ("81000", "0", "5"))
    )
    assert journal.json()["Status"]["value"] == "Pending Approval"


def test_a_released_document_put_on_hold_is_reserved(tenant: Tenant) -> None:
    invoice = tenant.invoice()
    tenant.put("Invoice", wrap(Type="Invoice", ReferenceNbr=invoice, Hold=True))
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Reserved"
    refused = tenant.put("Payment", tenant.payment_body("100", invoice))
    assert refused.status_code == 422
    tenant.act("Invoice", "releaseFromHold", Type="Invoice", ReferenceNbr=invoice)
    assert tenant.values(f"Invoice/Invoice/{invoice}")["Status"] == "Open"
    paid = tenant.pay("10")
    tenant.act("Payment", "putOnHold", Type="Payment", ReferenceNbr=paid)
    assert tenant.values(f"Payment/Payment/{paid}")["Status"] == "Reserved"
    tenant.books_are_straight()


def test_a_bill_is_released_to_payables_and_reversed(tenant: Tenant) -> None:
    body = wrap(Type="Bill", Vendor="STATOFFICE", VendorRef="77", Date="2026-10-15", Hold=False)
    body["Details"] = [wrap(TransactionDescription="Paper", Account="81000", Amount=25)]
    made = tenant.put("Bill", body).json()
    number = made["ReferenceNbr"]["value"]
    assert (made["Status"]["value"], made["Amount"]["value"]) == ("Balanced", 25)
    keys = {"Type": "Bill", "ReferenceNbr": number}
    assert "button is disabled" in tenant.act("Bill", "ReverseBill", **keys).text
    assert tenant.act("Bill", "ReleaseBill", **keys).status_code == 204
    assert balance(tenant, "20000") == -25
    assert tenant.act("Bill", "ReverseBill", **keys).status_code == 204
    [reversal] = tenant.http.get(f"{tenant.ep}/Bill?$filter=Type eq 'Debit Adj.'").json()
    reversed_number = reversal["ReferenceNbr"]["value"]
    done = tenant.act("Bill", "ReleaseBill", Type="Debit Adj.", ReferenceNbr=reversed_number)
    assert done.status_code == 204
    assert balance(tenant, "20000") == balance(tenant, "81000") == 0
    assert tenant.get(f"Bill/Bill/{number}").json()["Status"]["value"] == "Open"
    assert tenant.put("Bill", wrap(Vendor="NOBODY")).status_code == 422


def test_a_cash_sale_moves_cash_without_receivables(tenant: Tenant) -> None:
    body = wrap(
        Type="Cash Sale",
        CustomerID="GOODFOOD",
        PaymentMethod="CHECK",
        CashAccount="10200WH",
        Date="2026-10-15",
        Hold=False,
    )
    body["Details"] = [wrap(TransactionDescription="Jam", Qty=2, UnitPrice="4.50")]
    number = tenant.put("CashSale", body).json()["ReferenceNbr"]["value"]
    keys = {"Type": "Cash Sale", "ReferenceNbr": number}
    assert tenant.act("CashSale", "ReleaseCashSale", **keys).status_code == 204
    assert balance(tenant, "10200") == 9
    assert balance(tenant, "11000") == 0
    assert tenant.values(f"CashSale/Cash Sale/{number}")["Status"] == "Closed"


def test_set_up_entities_take_fields_contacts_and_rows(tenant: Tenant) -> None:
    body = wrap(InventoryID="HONEY", Description="Honey", DefaultPrice="7.25")
    body["UOMConversions"] = [wrap(FromUOM="BOX", ToUOM="PIECE", ConversionFactor=6)]
    assert tenant.put("StockItem", body).status_code == 200
    found = tenant.read("StockItem/HONEY", expand="UOMConversions")
    assert found["UOMConversions"][0]["ConversionFactor"]["value"] == 6
    body["UOMConversions"] = [wrap(FromUOM="BOX", ConversionFactor=8)]
    tenant.put("StockItem", body)
    found = tenant.read("StockItem/HONEY", expand="UOMConversions")
    assert [row["ConversionFactor"]["value"] for row in found["UOMConversions"]] == [8]
    assert tenant.http.delete(f"{tenant.ep}/StockItem/HONEY").status_code == 204
    assert tenant.get("StockItem/HONEY").status_code == 500
    vendor = wrap(VendorID="BEES", VendorName="Bees Ltd")
    vendor["MainContact"] = {**wrap(Email="b@bees.example"), "Address": wrap(City="Delft")}
    tenant.put("Vendor", vendor)
    found = tenant.read("Vendor/BEES", expand="MainContact,MainContact/Address")
    assert found["MainContact"]["Address"]["City"]["value"] == "Delft"
    assert tenant.read("CustomerLocation/GOODFOOD/MAIN")["Default"]["value"] is True
    zone = tenant.read("TaxZone/NYSTATE", expand="ApplicableTaxes")
    assert [row["TaxID"]["value"] for row in zone["ApplicableTaxes"]] == ["NYSALES"]
    assert tenant.put("Tax", wrap(TaxID="NEW")).status_code == 500
    card = tenant.put("CustomerPaymentMethod", wrap(CustomerID="GOODFOOD", PaymentMethod="VISA"))
    instance = card.json()["InstanceID"]["value"]
    assert tenant.read(f"CustomerPaymentMethod/{instance}")["CustomerID"]["value"] == "GOODFOOD"
