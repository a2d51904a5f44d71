"""What clerks do in the ERP beside the connector: cheques, credit memos, other people's work."""

from decimal import Decimal

from build.world import CUSTOMER, Json, World
from ml_connector.basics.ids import ErpRef


async def by_cheque(world: World, ref: ErpRef, amount: int) -> str:
    """The customer pays so much of an invoice by cheque, booked in the ERP; its number."""
    number = ref.partition("|")[2]
    name = f"cheque {1 + len(await world.documents('Payment'))}"
    cheque = {
        "Type": "Payment", "CustomerID": CUSTOMER, "PaymentMethod": "CHECK",
        "CashAccount": "10200WH", "PaymentRef": name, "PaymentAmount": amount,
        "Hold": False,
        "DocumentsToApply": [
            {"DocType": "Invoice", "ReferenceNbr": number, "AmountPaid": amount}
        ],
    }  # fmt: skip
    made = await world.enter("Payment", cheque, release=True)
    return str(made["ReferenceNbr"])


async def by_plug_in(world: World, charge: str, amount: str, **facts: object) -> str:
    """Acumatica's own plug-in books the charge; its payment's number."""
    body: Json = {
        "Type": "Payment", "CustomerID": CUSTOMER, "PaymentMethod": "STRIPE",
        "CashAccount": "10650ST", "PaymentRef": "card 4242", "ExternalRef": charge,
        "PaymentAmount": Decimal(amount), "Hold": False,
    }  # fmt: skip
    return str((await world.enter("Payment", body | facts, release=True))["ReferenceNbr"])


async def bounced(world: World, cheque: str) -> None:
    """The bank returns a cheque: its payment is voided, and what it settled is owed again."""
    erp = (await world.connected()).acumatica
    await erp.release_payment(await erp.void_payment(ErpRef(f"Payment|{cheque}")))


async def credit_memo(
    world: World, ref: ErpRef, amount: int | Decimal, customer: str = CUSTOMER
) -> str:
    """A part of an invoice, or all of it, is cancelled by a credit memo; its number."""
    number = ref.partition("|")[2]
    memo = {
        "Type": "Credit Memo", "Customer": customer, "Hold": False,
        "Date": world.clock.now().date(),
        "Details": [{"TransactionDescription": "Taken back", "Account": "40000", "Qty": 1,
                     "UnitPrice": amount, "TaxCategory": "EXEMPT"}],
        "ApplicationsCreditMemo": [
            {"DocType": "Invoice", "ReferenceNbr": number, "AmountPaid": amount}
        ],
    }  # fmt: skip
    made = await world.enter("Invoice", memo, release=True)
    return str(made["ReferenceNbr"])


async def a_hand_entry(world: World, debit: str, credit: str, amount: str) -> str:
    """A clerk's journal; its batch number."""
    lines = [
        {"Account": debit, "Subaccount": "000000", "DebitAmount": Decimal(amount)},
        {"Account": credit, "Subaccount": "000000", "CreditAmount": Decimal(amount)},
    ]
    day = world.clock.now().date()
    body = {"LedgerID": "ACTUAL", "BranchID": "HEADOFFICE", "TransactionDate": day, "Hold": False,
            "CurrencyID": "USD", "Description": "Correction", "Details": lines}  # fmt: skip
    return str((await world.enter("JournalTransaction", body, release=True))["BatchNbr"])


async def reversed_by_hand(world: World, number: str) -> str:
    """A clerk reverses a batch, as the form does: same texts, sides changed; its number."""
    erp = (await world.connected()).acumatica
    batch = await erp.journal(ErpRef(f"GL|{number}"))
    lines = [
        {"Account": line.account, "ReferenceNbr": line.reference,
         "TransactionDescription": line.text}
        | {("CreditAmount" if line.amount.minor > 0 else "DebitAmount"): abs(line.amount.decimal)}
        for line in batch.lines
    ]  # fmt: skip
    body: Json = {"Module": "GL", "Description": batch.description, "Hold": False, "Details": lines}
    return str((await world.enter("JournalTransaction", body, release=True))["BatchNbr"])
