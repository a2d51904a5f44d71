"""Where in the ERP a payment link may go: never into a field that anybody's money rests on."""

import re
from collections.abc import Collection
from typing import Final

NO_LINK: Final = "none"
LINK_IN_NOTE: Final = "note"

OVERWRITES: Final = frozenset({"description"})
"""Plain fields that people write into, too, and that the buyer reads."""

RELIED_ON: Final = frozenset(
    """
    Amount Balance BillingPrinted BillingSettings BillToAddress BillToAddressOverride BillToContact
    BillToContactOverride CashDiscount Commissions CreatedDate CreatedDateTime CreditHold Currency
    Customer CustomerID CustomerOrder Date Details DetailTotal DiscountDetails DiscountTotal DueDate
    FinancialDetails FreightDetails FreightPrice Hold IsTaxValid LastModifiedDate
    LastModifiedDateTime LinkARAccount LinkBranch LocationID PaymentTotal PostPeriod Project
    ReferenceNbr ShipToAddress ShipToAddressOverride ShipToContact ShipToContactOverride Status
    TaxCalcMode TaxDetails TaxTotal Terms Type VATExemptTotal VATTaxableTotal ApplicationsCreditMemo
    ApplicationsDefault ApplicationsInvoice id note custom rowNumber files error
    ARAccountID ARSubID BranchID CuryDocBal CuryID CuryInfoID CuryOrigDiscAmt CuryOrigDocAmt
    CuryTaxTotal CustomerLocationID DiscDate DocBal DocDate DocType FinPeriodID InvoiceNbr OpenDoc
    OrigDocAmt ProjectID RefNbr Released TaxZoneID TermsID TranPeriodID Voided
    """.split()
)
"""Fields of an AR document that the mirror, the matching or the ledger reads, by contract name and
by the name of the form's own field."""

_FIELD = re.compile(r"([A-Za-z_]\w*\.)?[A-Z]\w*", re.ASCII)
"""Contract fields begin with a capital: a small first letter is a misspelled word of ours."""
_RELIED_ON = frozenset(name.casefold() for name in RELIED_ON)


def is_plain(place: str) -> bool:
    """Whether the place is a field of the endpoint's contract, such as ExternalRef."""
    return place not in {NO_LINK, LINK_IN_NOTE} and "." not in place


def problem(place: str) -> str:
    """Why a link cannot go there; empty when it can, as far as the word alone tells."""
    if place in {NO_LINK, LINK_IN_NOTE}:
        return ""
    view, _, name = place.rpartition(".")
    if not _FIELD.fullmatch(place):
        known = (
            "none, note, a field by its view, such as Document.AttributePAYLINK, or a plain"
            " field of the contract, such as ExternalRef"
        )
        return f"mirror.write_link cannot be {place!r}; it is {known}."
    if name.casefold() in _RELIED_ON:
        what = f"{name} of {view}" if view else name
        return f"mirror.write_link cannot be {place!r}: the books rely on {what}."
    return ""


def misplaced(place: str, form: str, fields: Collection[str]) -> str:
    """Why a plain field is none of a form's contract, with those that are nearest in kind."""
    if place in fields:
        return ""
    near = [name for name in fields if name.casefold() == place.casefold()]
    hint = f"; it writes it {near[0]}" if near else ""
    return f"The endpoint's contract of {form} has no field {place!r}{hint}."
