"""Voiding: an unreleased mirror of the payment whose release takes everything back."""

from ml_sandbox.acumatica.errors import business
from ml_sandbox.acumatica.forms.applications import (
    OTHER_SIDE,
    PAID_AMOUNT,
    PAID_BASE,
    PAID_ID,
    PAYING_BASE,
    REVERSED,
    UNAPPLIED,
    Share,
    post_difference,
    record_history,
    settle_extra,
    take_share,
    type_of,
)
from ml_sandbox.acumatica.forms.base import (
    BASE_BALANCE,
    CURRENCY,
    RATE,
    cannot_be_found,
    money,
    period_complaint,
    sent_date,
    take,
    take_note,
)
from ml_sandbox.acumatica.forms.postings import Posting
from ml_sandbox.acumatica.forms.workflow import change_hold
from ml_sandbox.acumatica.ledger import ZERO
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import Unit

_COPIED = (
    "CustomerID",
    "CustomerLocationID",
    "PaymentMethod",
    "CashAccount",
    "CurrencyID",
    "ApplicationDate",
    "PaymentRef",
    "ExternalRef",
    "Description",
    "Branch",
    "BranchID",
)


def create_voided(unit: Unit, payment: Record, kind: str) -> Record:
    """The voiding document: same number, negative amount, waiting for release."""
    if any(row.custom.get(OTHER_SIDE) for row in _live_rows(payment)):
        raise business("The payment cannot be voided because it has been refunded.")
    voided = unit.create("Payment")
    voided.set(**{name: payment.get(name) for name in _COPIED})
    status = unit.switches.void_status
    voided.set(
        Type=kind,
        ReferenceNbr=payment.get("ReferenceNbr"),
        PaymentAmount=-money(payment.get("PaymentAmount")),
        AppliedToDocuments=-money(payment.get("AppliedToDocuments")),
        AppliedToOrders=ZERO,
        AvailableBalance=-money(payment.get("AvailableBalance")),
        IsCCPayment=False,
        NoteID=voided.id,
        Hold=status == "On Hold",
        Status=status,
    )
    voided.custom.update({CURRENCY: payment.custom[CURRENCY], RATE: payment.custom[RATE]})
    voided.values["Charges"] = [_negative(unit, row, kind) for row in payment.rows("Charges")]
    return voided


def _negative(unit: Unit, row: Row, kind: str) -> Row:
    copy = unit.row()
    copy.set(**row.values)
    copy.set(Amount=-money(row.get("Amount")), DocType=kind)
    return copy


def _live_rows(payment: Record) -> list[Row]:
    return [row for row in payment.rows("ApplicationHistory") if not row.custom.get(REVERSED)]


def update_voided(unit: Unit, voided: Record, body: Body) -> None:
    """Changes a voiding document before its release: its day (a switch), its text, its hold."""
    take_note(voided, Body(note=body.note))
    take(voided, body, ("Description",))
    if "Hold" in body.values:
        change_hold(unit, voided, type_of(voided), hold=bool(body.get("Hold")))
        voided.set(Hold=voided.get("Status") == "On Hold")
    day = sent_date(body, "ApplicationDate")
    if day is None or unit.switches.void_date != "editable":
        return
    voided.set(ApplicationDate=day)
    complaint = period_complaint(unit, unit.setup.periods.code_for(day), ("AR", "CA"))
    if complaint:
        voided.fail("ApplicationDate", complaint)


def release_voided(unit: Unit, voided: Record) -> None:
    """Reverses cash, charges and every application; the paid documents open again."""
    payment = _voids(unit, voided)
    day = voided.get("ApplicationDate")
    period = unit.setup.periods.code_for(day)
    complaint = period_complaint(unit, period, ("AR", "CA"))
    if complaint:
        raise business(complaint)
    posting = Posting(
        unit,
        description=voided.get("Description", ""),
        reference=voided.get("ReferenceNbr"),
        customer=voided.get("CustomerID"),
    )
    undone = [_undo(unit, posting, payment, row) for row in _live_rows(payment)]
    _reverse_money(unit, payment, posting)
    batches = unit.post(
        "AR",
        day=day,
        period=period,
        lines=posting.lines,
        description=voided.get("Description", ""),
        document=f"{type_of(voided)} {voided.get('ReferenceNbr')}",
    )
    number = batches[0].number if batches else ""
    for paid, parts in undone:
        record_history(unit, voided, paid, parts, day=day, period=period, batch=number)
        _close_pair(paid, {payment.id, voided.id})
    payment.custom[UNAPPLIED] = ZERO
    payment.custom[BASE_BALANCE] = ZERO
    payment.values["DocumentsToApply"] = []
    payment.set(Status="Voided", AvailableBalance=ZERO)
    voided.set(Status="Closed", Hold=False, AvailableBalance=ZERO)
    voided.custom[UNAPPLIED] = ZERO
    voided.custom[BASE_BALANCE] = ZERO


def _voids(unit: Unit, voided: Record) -> Record:
    kinds = (
        ("Refund", "Customer Refund") if "Refund" in type_of(voided) else ("Payment", "Prepayment")
    )
    for kind in kinds:
        found = unit.find("Payment", kind, voided.get("ReferenceNbr"))
        if found is not None:
            return unit.edit(found)
    raise business(cannot_be_found("Reference Nbr."))


def _undo(unit: Unit, posting: Posting, payment: Record, row: Row) -> tuple[Record, Share]:
    found = _by_id(unit, row.custom[PAID_ID])
    paid = unit.edit(found)
    parts = Share(
        money(row.get("AmountPaid")),
        row.custom[PAYING_BASE],
        row.custom[PAID_AMOUNT],
        row.custom[PAID_BASE],
    ).negated()
    row.custom[REVERSED] = True
    take_share(paid, parts.paid, parts.paid_base)
    take_share(payment, parts.paying, parts.paying_base)
    post_difference(unit, posting, payment, paid, parts)
    settle_extra(unit, posting, paid, row, undo=True)
    return paid, parts


def _close_pair(paid: Record, sides: set[str]) -> None:
    """A refund that was voided no longer stands in the way of voiding what it refunded."""
    for row in paid.rows("ApplicationHistory") if paid.entity == "Payment" else ():
        if row.custom.get(OTHER_SIDE) in sides:
            row.custom[REVERSED] = True


def _by_id(unit: Unit, record_id: str) -> Record:
    found = unit.world.by_id("Invoice", record_id) or unit.world.by_id("Payment", record_id)
    if found is None:
        raise business(cannot_be_found("Reference Nbr."))
    return found


def _reverse_money(unit: Unit, payment: Record, posting: Posting) -> None:
    """The mirror image of what the release of the payment posted, applications apart.

    What applications posted has been taken back one by one already.
    """
    for batch in unit.world.ledger.of_document(f"{type_of(payment)} {payment.get('ReferenceNbr')}"):
        for line in batch.lines:
            if not line.application:
                posting.add(
                    line.account,
                    line.branch,
                    batch.currency,
                    -line.amount,
                    -line.base,
                    text=line.description,
                )
