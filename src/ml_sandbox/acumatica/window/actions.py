"""What the forms of the window do; each returns the page to go to and a sentence."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ml_sandbox.acumatica.forms.base import CURRENCY
from ml_sandbox.acumatica.window.view import View, amount
from ml_sandbox.acumatica.wire import Json

Done = tuple[str, str]
Form = dict[str, str]


def wrap(**values: Any) -> Json:
    """Fields as a body carries them; empty ones are left out."""
    return {name: {"value": value} for name, value in values.items() if value not in (None, "")}


def _money(given: Form) -> str:
    text = given.get("amount", "").replace(",", "").strip()
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{text}” is not an amount.") from None
    if not value.is_finite() or value <= 0:
        raise ValueError("The amount must be above zero.")
    return text


def move_clock(view: View, given: Form) -> Done:
    """Sets the clock, or moves it on by seconds."""
    clock = view.world.clock
    if given.get("now"):
        clock.set(datetime.fromisoformat(given["now"]).replace(tzinfo=UTC))
    else:
        clock.advance(timedelta(seconds=float(given["seconds"])))
    return view.place(), f"The clock shows {clock.now():%Y-%m-%d %H:%M}."


def change_tokens(view: View, given: Form) -> Done:
    """Expires access tokens or withdraws every consent."""
    identity = view.site.identity
    if given.get("what") == "revoke":
        return view.place(), f"{identity.revoke()} grants were revoked."
    return view.place(), f"{identity.expire_access()} access tokens have expired."


def write_invoice(view: View, given: Form) -> Done:
    """Writes an invoice of one line, and releases it unless asked not to."""
    line = wrap(
        TransactionDescription=given.get("text", ""),
        Qty=1,
        UnitPrice=_money(given),
        TaxCategory=given.get("tax", "EXEMPT"),
    )
    body = wrap(
        Type="Invoice",
        Customer=given["customer"],
        Date=given.get("date"),
        Description=given.get("text", ""),
        Hold=False,
    )
    body["Details"] = [line]
    action = "" if given.get("only") else "release"
    record = view.clerk.write("Invoice", body, action)
    number = str(record["ReferenceNbr"]["value"])
    done = "written" if given.get("only") else "written and released"
    return view.place("invoices", "Invoice", number), f"Invoice {number} is {done}."


def record_check(view: View, given: Form, kind: str, number: str) -> Done:
    """Records a check for an invoice into the bank account of its currency, and releases it."""
    invoice = view.world.find("Invoice", kind, number)
    if invoice is None:
        raise ValueError(f"There is no {kind} {number}.")
    currency = str(invoice.custom[CURRENCY])
    branch = view.world.setup.company_of(str(invoice.get("LinkBranch")))
    method = "CHECK" if branch is view.world.setup.companies[0] else "EUBANK"
    cash = _bank(view, method, currency)
    sent = _money(given)
    body = wrap(
        Type="Payment",
        CustomerID=invoice.get("Customer"),
        PaymentMethod=method,
        CashAccount=cash,
        PaymentAmount=sent,
        PaymentRef=given.get("reference") or "CHECK",
        ApplicationDate=given.get("date"),
        Description=f"Check for {kind} {number}",
        Hold=False,
    )
    row = wrap(DocType=kind, ReferenceNbr=number)
    applied = min(Decimal(sent), invoice.get("Balance", Decimal(0)))
    row["AmountPaid"] = {"value": str(applied)}
    body["DocumentsToApply"] = [row]
    record = view.clerk.write("Payment", body, "release")
    paid = str(record["ReferenceNbr"]["value"])
    shown = amount(Decimal(sent), currency, show=True)
    return view.place("invoices", kind, number), f"Payment {paid} of {shown} is recorded."


def _bank(view: View, method: str, currency: str) -> str:
    found = view.world.find("PaymentMethod", method)
    for row in found.rows("AllowedCashAccounts") if found else ():
        cash = view.world.setup.cash_accounts[str(row.get("CashAccount"))]
        if cash.currency == currency:
            return cash.code
    raise ValueError(f"No bank account takes checks in {currency}.")


def write_memo(view: View, given: Form, kind: str, number: str) -> Done:
    """Writes a credit memo, applies it to the invoice and releases it."""
    invoice = view.world.find("Invoice", kind, number)
    if invoice is None:
        raise ValueError(f"There is no {kind} {number}.")
    sent = _money(given)
    text = given.get("text", "")
    line = wrap(TransactionDescription=text, Qty=1, UnitPrice=sent, TaxCategory="EXEMPT")
    body = wrap(
        Type="Credit Memo",
        Customer=invoice.get("Customer"),
        Date=given.get("date"),
        Description=text,
        Hold=False,
        LinkBranch=invoice.get("LinkBranch"),
    )
    body["Details"] = [line]
    body["custom"] = {"Document": {"CuryID": {"value": invoice.custom[CURRENCY]}}}
    body["ApplicationsCreditMemo"] = [wrap(DocType=kind, ReferenceNbr=number, AmountPaid=sent)]
    record = view.clerk.write("Invoice", body, "release")
    memo = str(record["ReferenceNbr"]["value"])
    return view.place("invoices", kind, number), f"Credit memo {memo} is released and applied."


def press_invoice(view: View, given: Form, kind: str, number: str) -> Done:
    """Presses a button of an invoice or memo."""
    record = view.world.find("Invoice", kind, number)
    if record is None:
        raise ValueError(f"There is no {kind} {number}.")
    view.clerk.act("Invoice", record.id, given.get("action", ""))
    return view.place("invoices", kind, number), f"{kind} {number}: done."


def press_payment(view: View, given: Form, kind: str, number: str) -> Done:
    """Presses a button of a payment; voiding also releases the voiding document."""
    record = view.world.find("Payment", kind, number)
    if record is None:
        raise ValueError(f"There is no {kind} {number}.")
    if given.get("action") != "void":
        view.clerk.act("Payment", record.id, given.get("action", ""))
        return view.place("payments", kind, number), f"{kind} {number}: done."
    view.clerk.act("Payment", record.id, "voidcheck")
    voided = "Voided Refund" if "Refund" in kind else "Voided Payment"
    found = view.world.find("Payment", voided, number)
    if found is not None and found.get("Status") == "On Hold":
        view.clerk.act("Payment", found.id, "releasefromhold")
    if found is not None:
        view.clerk.act("Payment", found.id, "release")
    return view.place("payments", kind, number), f"{kind} {number} is voided."


def change_customer(view: View, given: Form, code: str) -> Done:
    """Changes a customer's status."""
    view.clerk.write("Customer", wrap(CustomerID=code, Status=given.get("status")))
    return view.place("customers", code), f"{code} is {given.get('status')}."


def change_account(view: View, given: Form, code: str) -> Done:
    """Activates or deactivates an account."""
    active = given.get("active") == "1"
    view.clerk.write("Account", wrap(AccountCD=code, Active=active))
    return view.place("accounts", code), f"Account {code} is {'active' if active else 'inactive'}."


def change_push(view: View, given: Form) -> Done:
    """Changes where notifications go."""
    names = ("url", "header_name", "header_value")
    view.push.config.change({name: given.get(name, "") for name in names})
    return view.place("push"), "The destination is saved."


def change_switch(view: View, given: Form) -> Done:
    """Sets one switch from its text."""
    name, text = next(((k, v) for k, v in given.items() if k != "tenant"), ("", ""))
    current = getattr(view.world.switches, name, None)
    value: Any = text
    if isinstance(current, bool):
        value = text.strip().lower() in {"true", "1", "yes", "on"}
    elif isinstance(current, int | float):
        value = type(current)(text)
    view.world.switches.change({name: value})
    view.site.refresh_writers()
    return view.place("switches"), f"{name} is {value}."


def change_period(view: View, given: Form) -> Done:
    """Closes or opens a module of a period."""
    closed = given.get("closed") == "1"
    view.clerk.close_period(given["period"], given["module"], closed=closed)
    state = "closed" if closed else "open"
    return view.place("periods"), f"{given['period']} is {state} in {given['module']}."


def reset_calls(view: View, given: Form) -> Done:
    """Starts the counts of calls again."""
    del given
    view.site.calls.clear()
    return view.place("calls"), "The counts start again."
