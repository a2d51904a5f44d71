"""A journal as Acumatica keeps it: from our document to the wire, and back."""

from ml_connector.acumatica import wire
from ml_connector.acumatica.documents import ErpDocument, ErpJournal, ErpJournalLine
from ml_connector.acumatica.fields import ABSENT, exact, held, if_any, instant, number, sent, text
from ml_connector.acumatica.translate import LONGEST_DESCRIPTION, required_day
from ml_connector.basics.ids import ErpRef, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.postings import Journal, Line

GENERAL_LEDGER = "GL"


def journal_body(journal: Journal, tag: str, ledger: str) -> wire.JournalWire:
    """A new batch: the tag on every line and, in brackets, at the end of the description."""
    return wire.JournalWire(
        module=sent(GENERAL_LEDGER),
        branch_id=if_any(journal.branch),
        ledger_id=if_any(ledger),
        currency_id=sent(journal.currency),
        transaction_date=sent(journal.day.isoformat()),
        description=sent(described(journal, tag)),
        hold=sent(False),
        details=tuple(_line_body(line, journal.branch, tag) for line in journal.lines),
    )


def described(journal: Journal, tag: str) -> str:
    """A batch's description with its mark at the end, which is never cut off."""
    mark = f" [{tag}]"
    return journal.description[: LONGEST_DESCRIPTION - len(mark)] + mark


def _line_body(line: Line, branch: str, tag: str) -> wire.JournalLineWire:
    amount = exact(abs(line.amount).decimal)
    debits = line.amount.minor > 0
    return wire.JournalLineWire(
        branch_id=if_any(branch),
        account=sent(line.account),
        subaccount=if_any(line.subaccount),
        debit_amount=amount if debits else ABSENT,
        credit_amount=ABSENT if debits else amount,
        transaction_description=sent(line.text[:LONGEST_DESCRIPTION]),
        reference_nbr=sent(tag),
    )


def journal_document(record: wire.JournalWire) -> ErpDocument:
    """The keys, id and status of a batch."""
    return ErpDocument(record.id, _journal_ref(record), text(record.status))


def _journal_ref(record: wire.JournalWire) -> ErpRef:
    return erp_ref(held(record.module, "Module"), held(record.batch_nbr, "BatchNbr"))


def journal(record: wire.JournalWire) -> ErpJournal:
    """A batch as read back."""
    currency = held(record.currency_id, "CurrencyID").strip()
    return ErpJournal(
        id=record.id,
        ref=_journal_ref(record),
        status=text(record.status),
        branch=text(record.branch_id),
        ledger=text(record.ledger_id),
        currency=currency,
        day=required_day(record.transaction_date, "TransactionDate"),
        description=text(record.description),
        lines=tuple(_journal_line(line, currency) for line in record.details),
        modified=instant(record.last_modified_date_time),
    )


def _journal_line(line: wire.JournalLineWire, currency: str) -> ErpJournalLine:
    return ErpJournalLine(
        account=text(line.account),
        subaccount=text(line.subaccount),
        branch=text(line.branch_id),
        amount=Money.of(number(line.debit_amount) - number(line.credit_amount), currency),
        text=text(line.transaction_description),
        reference=text(line.reference_nbr),
    )
