"""Where a connection begins: what Stripe held at the cut-over, and the one entry that says so.

Whatever Stripe moved before the cut-over is in the opening position and is never booked by
itself. The entry makes the clearing account equal the Stripe balance of that moment, and gives
what was under way (payouts, disputes, reserves) its place.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import date

from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.legs import Leg, back, mapped
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.postings import Journal, Line, Posting, Purpose, posting_key
from ml_connector.books.records import PAYMENTS, BalanceTransaction, Payout
from ml_connector.books.rules import DISPUTE, RESERVE, RULES, TRANSFER, Rule


@dataclass(frozen=True, slots=True)
class Part:
    """Money under way at the cut-over, of a payout or a dispute; positive when it is ours."""

    subject: StripeId
    amount: Money


@dataclass(frozen=True, slots=True)
class Position:
    """What Stripe held in one currency at the cut-over; `day` is the first day of our books.

    `balance` is the sum of all nets before that day, `movements` how many they were.
    """

    currency: str
    day: date
    movements: int
    balance: Money
    in_transit: tuple[Part, ...]
    disputed: tuple[Part, ...]
    reserved: Money

    def wanted(self, mapping: Mapping) -> dict[str, Money]:
        """What each account of the ledger shall hold; raises NotMapped.

        Roles that share an account share its sum.
        """
        parts = [(mapping.of_currency(self.currency).clearing, self.balance)]
        for role, amount in (
            (Role.IN_TRANSIT, total((one.amount for one in self.in_transit), self.currency)),
            (Role.DISPUTED, total((one.amount for one in self.disputed), self.currency)),
            (Role.RESERVE, self.reserved),
        ):
            if amount:
                parts.append((mapping.account(role), amount))
        sums: dict[str, Money] = {}
        for account, amount in parts:
            sums[account] = sums.get(account, Money.zero(self.currency)) + amount
        return sums


def position(
    currency: str,
    day: date,
    moved: Iterable[BalanceTransaction],
    *,
    payouts: ReadOnly[StripeId, Payout],
    open_disputes: frozenset[StripeId],
) -> Position:
    """The position before `day` from every movement before it, in one currency.

    `payouts` are those whose transfer may still be under way; a dispute counts while it is open,
    as one that was lost before is a loss of the books before ours.
    """
    own = [bt for bt in moved if bt.amount.currency == currency and bt.balance == PAYMENTS]
    return Position(
        currency=currency,
        day=day,
        movements=len(own),
        balance=total((bt.net for bt in own), currency),
        in_transit=tuple(_in_transit(own, payouts, day)),
        disputed=tuple(one for one in _held(own, DISPUTE) if one.subject in open_disputes),
        reserved=total((-bt.amount for bt in own if _rule(bt) is RESERVE), currency),
    )


def _rule(bt: BalanceTransaction) -> Rule | None:
    return RULES.get((bt.type, bt.category))


def _in_transit(
    own: Sequence[BalanceTransaction], payouts: ReadOnly[StripeId, Payout], day: date
) -> list[Part]:
    """The transfers that had left Stripe and reach the bank on `day` or later."""
    back = {bt.source for bt in own if (bt.type, bt.category)[1] == "payout_reversal"}
    return [
        Part(payout.id, payout.amount)
        for bt in own
        if _rule(bt) is TRANSFER and bt.source is not None and bt.source not in back
        for payout in (payouts.get(bt.source),)
        if payout is not None and payout.arrival_date >= day
    ]


def _held(own: Sequence[BalanceTransaction], rule: Rule) -> list[Part]:
    """What the bank held of each dispute, where it held anything."""
    held: dict[StripeId, Money] = {}
    for bt in own:
        if _rule(bt) is rule and bt.source is not None:
            held[bt.source] = held.get(bt.source, Money.zero(bt.amount.currency)) - bt.amount
    return [Part(subject, amount) for subject, amount in sorted(held.items()) if amount]


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening of one currency: the position, what the accounts held, and the entry."""

    position: Position
    holds: ReadOnly[str, Money]
    against: str
    entry: Journal | None = None


def opening_key(currency: str) -> PostingKey:
    """The key of the opening entry of a currency: there is one, for ever."""
    return posting_key(Purpose.OPENING, currency)


def opening_entry(
    place: Position, holds: ReadOnly[str, Money], mapping: Mapping, against: str
) -> Journal | None:
    """The one entry that brings the ledger to the position; None when it is there already.

    `holds` is what the accounts hold without our own postings; `against` takes the difference.
    """
    text = f"Stripe opening position {place.currency} on {place.day:%Y-%m-%d}"
    sides = {
        account: amount - holds.get(account, Money.zero(place.currency))
        for account, amount in place.wanted(mapping).items()
    }
    rest = -total(sides.values(), place.currency)
    lines = [Line(account, mapping.subaccount, amount, text) for account, amount in sides.items()]
    lines.append(Line(against, mapping.subaccount, rest, text))
    entered = tuple(line for line in lines if line.amount)
    if not entered:
        return None
    return Journal(place.day, mapping.branch, text, entered)


def opening_posting(entry: Journal, mapping: Mapping) -> Posting:
    """The entry with its key; its effect on clearing is whatever it lacked."""
    key = opening_key(entry.currency)
    clearing = entry.effect_on(mapping.of_currency(entry.currency).clearing)
    return Posting(key, Purpose.OPENING, StripeId(key), entry, clearing)


def arrival(
    payout: Payout, transfer: StripeId, mapping: Mapping, under_way: Leg | None = None
) -> Posting:
    """A payout that was under way at the cut-over reaches the bank; clearing is not touched.

    `under_way` is where the opening has it, if another place than today's.
    """
    code = payout.amount.currency
    bank = mapped(mapping.of_currency(code).bank, payout.amount, mapping)
    first = under_way or mapped(mapping.account(Role.IN_TRANSIT), payout.amount, mapping)
    text = f"Stripe payout {payout.id} of before the cut-over"
    lines = tuple(
        Line(one.account, one.subaccount, one.amount, text)
        for one in (bank, back(first, -payout.amount))
    )
    journal = Journal(payout.arrival_date, first.branch, text, lines)
    key = posting_key(Purpose.ARRIVAL, payout.id)
    return Posting(key, Purpose.ARRIVAL, transfer, journal, Money.zero(code))
