"""What differs between a document as we verified it and as it stands now: pure comparisons."""

from collections.abc import Sequence
from datetime import date

from ml_connector.acumatica.documents import (
    JOURNAL_RELEASED,
    MEMO_RELEASED,
    PAYMENT_RELEASED,
    ErpJournal,
    ErpMemo,
    ErpPayment,
)
from ml_connector.basics.ids import in_words
from ml_connector.basics.money import Money, total
from ml_connector.books.calendar import Calendar
from ml_connector.books.guardian import Change, Edit


def payment_changes(was: ErpPayment, now: ErpPayment, periods: Calendar) -> list[Change]:
    """What people did to a payment; a voided one has no other story."""
    if now.status == "Voided":
        return [Change(Edit.VOIDED, "It was voided.")]
    changes = _plain(
        (Edit.AMOUNT, "amount", str(was.amount), str(now.amount)),
        (Edit.CHARGES, "charges", _charged(was), _charged(now)),
        (Edit.CASH_ACCOUNT, "cash account", was.cash_account, now.cash_account),
        (Edit.CUSTOMER, "customer", was.customer_id, now.customer_id),
        (Edit.BRANCH, "branch", was.branch, now.branch),
        (Edit.METHOD, "payment method", was.payment_method, now.payment_method),
        (Edit.REFERENCE, "payment reference", was.payment_ref, now.payment_ref),
        (Edit.DESCRIPTION, "external reference", was.external_ref, now.external_ref),
        (Edit.DESCRIPTION, "description", was.description, now.description),
    )
    changes += _dated(was.day, now.day, periods)
    changes += _applied(was, now)
    return changes + _released(now.status, PAYMENT_RELEASED)


def memo_changes(was: ErpMemo, now: ErpMemo, periods: Calendar) -> list[Change]:
    """What people did to a credit memo."""
    if now.status == "Voided":
        return [Change(Edit.VOIDED, "It was voided.")]
    changes = _plain(
        (Edit.AMOUNT, "amount", str(was.amount), str(now.amount)),
        (Edit.CUSTOMER, "customer", was.customer_id, now.customer_id),
        (Edit.REFERENCE, "customer order", was.order, now.order),
        (Edit.ACCOUNTS, "lines", _lines(was), _lines(now)),
        (Edit.DESCRIPTION, "description", was.description, now.description),
    )
    return changes + _dated(was.day, now.day, periods) + _released(now.status, MEMO_RELEASED)


def journal_changes(was: ErpJournal, now: ErpJournal, periods: Calendar) -> list[Change]:
    """What people did to a batch itself; other batches that bear its mark are not looked at."""
    changes = _plain(
        (Edit.BRANCH, "branch", was.branch, now.branch),
        (Edit.DESCRIPTION, "description", was.description, now.description),
    )
    changes += _dated(was.day, now.day, periods)
    changes += [
        Change(Edit.ACCOUNTS, f"It changes {place} by {after}, not by {before}.")
        for place, before, after in _differences(was, now)
    ]
    return changes + _released(now.status, JOURNAL_RELEASED)


def marked_changes(was: ErpJournal, others: Sequence[ErpJournal]) -> list[Change]:
    """What other released batches with the mark of ours do to it: nothing when they cancel out."""
    sums = {
        place: sum(_effects(one).get(place, 0) for one in others)
        for place in {place for one in (was, *others) for place in _effects(one)}
    }
    if not any(sums.values()):
        return []
    numbers = ", ".join(in_words(one.ref) for one in others)
    if all(sums[place] == -_effects(was).get(place, 0) for place in sums):
        return [Change(Edit.REVERSED, f"It was reversed by {numbers}.")]
    return [Change(Edit.CORRECTED, f"{numbers} with its mark changes accounts, too.")]


def cash_missing(was: ErpPayment, now: ErpPayment | None, posted: Money) -> Money:
    """What its cash account lacks of the `posted` amount; nothing of a payment in transit."""
    nothing = Money.zero(posted.currency)
    if not posted:
        return nothing
    if now is None or now.status not in PAYMENT_RELEASED or now.cash_account != was.cash_account:
        return posted
    if was.amount.currency != posted.currency:
        return nothing
    less = brings(was) - brings(now)
    return less if posted.minor > 0 else -less


def brings(payment: ErpPayment) -> Money:
    """What a payment moves on its cash account: the amount less the fees that ride on it."""
    return payment.amount - total((one.amount for one in payment.charges), payment.amount.currency)


def _charged(payment: ErpPayment) -> str:
    return ", ".join(sorted(f"{one.entry_type} {one.amount}" for one in payment.charges))


def _lines(memo: ErpMemo) -> str:
    return ", ".join(sorted(f"{account} {amount}" for account, amount in memo.lines))


def ledger_missing(
    account: str, was: ErpJournal, now: ErpJournal | None, others: Sequence[ErpJournal]
) -> Money:
    """What an account lacks of what the batch did to it."""
    stands = Money.zero(was.currency)
    for one in (*((now,) if now is not None else ()), *others):
        if one.status in JOURNAL_RELEASED and one.currency == was.currency:
            stands += one.effect_on(account)
    return was.effect_on(account) - stands


def _plain(*pairs: tuple[Edit, str, str, str]) -> list[Change]:
    return [
        Change(edit, f"Its {what} is {now or 'empty'}, not {was or 'empty'}.")
        for edit, what, was, now in pairs
        if was != now
    ]


def _dated(was: date, now: date, periods: Calendar) -> list[Change]:
    if was == now:
        return []
    edit = Edit.DATE if periods.same_period(was, now) else Edit.PERIOD
    return [Change(edit, f"It is dated {now}, not {was}.")]


def _applied(was: ErpPayment, now: ErpPayment) -> list[Change]:
    before = {one.document: one.amount for one in was.applications}
    after = {one.document: one.amount for one in now.applications}
    currency = was.amount.currency
    less, more = list[str](), list[str]()
    for document in sorted({*before, *after}):
        old = before.get(document, Money.zero(currency))
        new = after.get(document, Money.zero(currency))
        named = in_words(document)
        if new < old:
            less.append(f"It settles {new} of {named}, not {old}.")
        elif new > old:
            more.append(f"It settles {new} of {named}, {new - old} more.")
    if not less and not more:
        return []
    if not less:
        return [Change(Edit.APPLIED_MORE, " ".join(more))]
    return [Change(Edit.REAPPLIED if more else Edit.UNAPPLIED, " ".join([*less, *more]))]


def _released(status: str, released: frozenset[str]) -> list[Change]:
    if status in released:
        return []
    return [Change(Edit.UNRELEASED, f"Its status is {status}; it is not in the ledger.")]


def _effects(journal: ErpJournal) -> dict[tuple[str, str], int]:
    """Debits less credits in minor units, by account and subaccount."""
    sums: dict[tuple[str, str], int] = {}
    for line in journal.lines:
        place = (line.account, line.subaccount)
        sums[place] = sums.get(place, 0) + line.amount.minor
    return sums


def _differences(was: ErpJournal, now: ErpJournal) -> list[tuple[str, Money, Money]]:
    before, after = _effects(was), _effects(now)
    currency = was.currency if was.currency == now.currency else now.currency
    return [
        ("-".join(part for part in place if part), Money(before.get(place, 0), was.currency),
         Money(after.get(place, 0), currency))
        for place in sorted({*before, *after})
        if before.get(place, 0) != after.get(place, 0) or was.currency != now.currency
    ]  # fmt: skip
