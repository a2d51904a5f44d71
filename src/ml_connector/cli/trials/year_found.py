"""What stands in Acumatica after so many months, by kind, whatever the policies made of it."""

import re
from collections import Counter

from ml_connector.cli.trials.findings import IN_THE_LEDGER, JOURNALS, Ask, Facts

PURPOSE = re.compile(r"Stripe ([a-z ]+?)(?: of)? [a-z]+_")
FEES_OF_PAYOUT = re.compile(r"Stripe fees of payout \S+ \((\d+) balance transactions\)")
UNDONE = re.compile(r"Undo of [^:]+: (.*)")
FEE_KEPT = "Stripe fee kept of"
VOIDED = "Voided"


def found_documents(ask: Ask) -> Counter[str]:
    """Our documents in the ledger; a refund, a failed one and a fee count once in any shape.

    A fee stands in a journal of its own, in that of its payout, or as a charge of its payment.
    What was taken back by its mirror journal does not count.
    """
    found = Counter[str]()
    for one in ask("acumatica", "documents?type=JournalTransaction"):
        if _value(one, "Module") == "GL" and _value(one, "Status") in IN_THE_LEDGER:
            undone = UNDONE.match(_value(one, "Description"))
            if undone:
                found.subtract(_journal(undone.group(1)))
            else:
                found.update(_journal(_value(one, "Description")))
    for one in ask("acumatica", "documents?type=Payment&expand=Charges"):
        found.update(_payment(one))
    return found


def _journal(description: str) -> Counter[str]:
    together = FEES_OF_PAYOUT.match(description)
    if together:
        return Counter(fees=int(together.group(1)))
    if description.startswith(FEE_KEPT):
        return Counter(fees=1)
    purpose = PURPOSE.match(description)
    return Counter[str]([JOURNALS[purpose.group(1)]] if purpose else [])


def _payment(one: Facts) -> Counter[str]:
    ref, kind, status = (_value(one, name) for name in ("PaymentRef", "Type", "Status"))
    if kind == "Refund" and ref.startswith(("re_", "pyr_")):
        voided = status == VOIDED
        return Counter(refunds=int(voided or status in IN_THE_LEDGER), refund_failures=int(voided))
    if kind == "Payment" and ref.startswith(("ch_", "py_")) and status in IN_THE_LEDGER:
        return Counter(payments=1, fees=int(bool(one.get("Charges"))))
    return Counter()


def _value(record: Facts, field: str) -> str:
    return str(record.get(field, {}).get("value", ""))
