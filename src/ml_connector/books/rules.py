"""From a balance transaction to postings: the heart of the books, as one table.

Every balance transaction changes the Stripe balance by `net = amount - fee`. The postings made
here change the clearing account by exactly that `net`, in the same currency; a pair of type and
category that is not in the table makes no posting at all and is named instead.
"""

from dataclasses import dataclass
from datetime import date

from ml_connector.basics.clock import day_in
from ml_connector.basics.errors import Bug
from ml_connector.basics.ids import ErpRef
from ml_connector.basics.money import Money, total
from ml_connector.books.bounces import undone
from ml_connector.books.captures import left_uncaptured
from ml_connector.books.conversion import Converted, ForeignCurrency, conversion
from ml_connector.books.fees import as_charges, fee_sides, is_explained, refuse_twice
from ml_connector.books.legs import Leg, back, mapped, spread
from ml_connector.books.mapping import Mapping, Role, TransitAccounts
from ml_connector.books.matching import Match
from ml_connector.books.policies import FeesPosted, RefundsAs
from ml_connector.books.postings import (
    ArPayment,
    Booked,
    Journal,
    Line,
    PaymentCharge,
    Posting,
    Purpose,
    Voiding,
    less_charges,
    posting_key,
)
from ml_connector.books.records import PAYMENTS, BalanceTransaction
from ml_connector.books.refunds import as_credit_memo, out_of_payment, refund_undone
from ml_connector.books.unexplained import OtherBalance, Unexplained, UnknownPair

LONGEST_TEXT = 256


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind of balance transaction becomes: a journal against an account's role.

    `against` is None for a receipt, which becomes an AR payment, and for a transfer, which goes
    to the bank account of the currency. `fees` says which role bears a fee inside the same row.
    """

    purpose: Purpose
    against: Role | None = None
    fees: Role = Role.FEES


RECEIPT = Rule(Purpose.PAYMENT)
REFUND = Rule(Purpose.REFUND, Role.REFUNDS)
REFUND_BACK = Rule(Purpose.REFUND_FAILURE, Role.REFUNDS)
TRANSFER = Rule(Purpose.PAYOUT)
TRANSFER_BACK = Rule(Purpose.PAYOUT_REVERSAL)
DISPUTE = Rule(Purpose.DISPUTE, Role.DISPUTED, Role.DISPUTE_FEES)
STRIPE_BILL = Rule(Purpose.CHARGE_STRIPE, Role.FEES)
TOPUP = Rule(Purpose.TOPUP)
RESERVE = Rule(Purpose.RESERVE, Role.RESERVE)
BOUNCE = Rule(Purpose.VOID)
SET_ASIDE = Rule(Purpose.SUSPENSE, Role.SUSPENSE)

RULES: dict[tuple[str, str], Rule] = {
    ("charge", "charge"): RECEIPT,
    ("payment", "charge"): RECEIPT,
    ("refund", "refund"): REFUND,
    ("payment_refund", "refund"): REFUND,
    ("refund_failure", "refund_failure"): REFUND_BACK,
    ("payment_failure_refund", "charge_failure"): BOUNCE,
    ("payment_reversal", "charge_failure"): BOUNCE,
    ("payment_reversal", "charge"): BOUNCE,
    ("adjustment", "dispute"): DISPUTE,
    ("adjustment", "dispute_reversal"): DISPUTE,
    ("adjustment", "fee"): STRIPE_BILL,
    ("stripe_fee", "fee"): STRIPE_BILL,
    ("stripe_fx_fee", "fee"): STRIPE_BILL,
    ("tax_fee", "tax"): Rule(Purpose.CHARGE_STRIPE, Role.INPUT_TAX),
    ("payout", "payout"): TRANSFER,
    ("payout_failure", "payout_reversal"): TRANSFER_BACK,
    ("payout_cancel", "payout_reversal"): TRANSFER_BACK,
    ("topup", "topup"): TOPUP,
    ("topup_reversal", "topup_reversal"): TOPUP,
    ("payout_minimum_balance_hold", "payout_minimum_balance_hold"): RESERVE,
    ("payout_minimum_balance_release", "payout_minimum_balance_release"): RESERVE,
    ("reserve_transaction", "risk_reserved_funds"): RESERVE,
    ("reserved_funds", "risk_reserved_funds"): RESERVE,
    ("reserve_hold", "risk_reserved_funds"): RESERVE,
    ("reserve_release", "risk_reserved_funds"): RESERVE,
    ("payment_network_reserve_hold", "risk_reserved_funds"): RESERVE,
    ("payment_network_reserve_release", "risk_reserved_funds"): RESERVE,
}


@dataclass(frozen=True, slots=True)
class Story:
    """What else is known of a balance transaction: whose payment it is, when a payout arrives.

    `subject` is the Stripe object that the movement is for, used in keys and texts. `aside`: by
    policy, a payment of nobody goes to the suspense account (and comes back from there). `voids`
    is the payment that a bank took back (and `settled_as` what it had brought), or the refund that
    failed. `customer_id` is whose payment a refund gives back, where that is known, and `unapplied`
    that payment, where as much of it is on no invoice. `booked` is what somebody else has booked of
    it already. `legs` is where what comes back stands since it went (of a reserve: all that stands
    of it), and `converted` how a payment that a bank took back was converted.

    `fee_apart`: another posting carries the fee; False: none will any more; None: by policy.
    """

    subject: str
    match: Match | None = None
    arrival: date | None = None
    text: str = ""
    aside: bool = False
    voids: Voiding | None = None
    booked: Booked | None = None
    settled_as: Money | None = None
    customer_id: str | None = None
    unapplied: ErpRef | None = None
    fee_apart: bool | None = None
    legs: tuple[Leg, ...] = ()
    converted: Converted | None = None


RESERVED = "risk_reserved"
"""Stripe's balance of what it holds aside, which our reserve account stands for."""


def why_passed_over(transaction: BalanceTransaction, mapping: Mapping) -> str:
    """Why a movement of another balance than that of payments needs no document; empty if it does.

    What leaves the balance of payments for a reserve is booked there; seen again on the side of
    the reserve, it would cancel itself out.
    """
    if transaction.balance == PAYMENTS:
        return ""
    rule = RULES.get((transaction.type, transaction.category))
    if transaction.balance == RESERVED and rule is RESERVE:
        return "It is the other side of a reserve, which is booked where it left the payments."
    if transaction.balance in mapping.balances_by_hand:
        return f"It is of the balance {transaction.balance}, which is booked by hand."
    return ""


def is_receipt(transaction: BalanceTransaction) -> bool:
    """Whether the transaction is a customer's money, which needs its match to be posted."""
    return RULES.get((transaction.type, transaction.category)) is RECEIPT


def is_bounce(transaction: BalanceTransaction) -> bool:
    """Whether a bank took a whole payment back, which needs that payment to be undone."""
    return RULES.get((transaction.type, transaction.category)) is BOUNCE


def is_reserve(transaction: BalanceTransaction) -> bool:
    """Whether Stripe held money aside, or set some of it free."""
    return RULES.get((transaction.type, transaction.category)) is RESERVE


def fee_may_wait(transaction: BalanceTransaction, mapping: Mapping) -> bool:
    """Whether the fee of a transaction can be posted apart from it, with that of its payout.

    Not that of a transfer, which is in no payout itself, nor a fee that stands alone, nor one that
    nobody can explain: the whole movement waits for that.
    """
    if not (transaction.fee and transaction.amount and is_explained(transaction, mapping)):
        return False
    try:
        return _rule(transaction, mapping) not in (TRANSFER, TRANSFER_BACK)
    except Unexplained:
        return False


def fee_role(transaction: BalanceTransaction, mapping: Mapping) -> Role:
    """The role that bears the fee inside a transaction; raises Unexplained."""
    return _rule(transaction, mapping).fees


def is_transfer(transaction: BalanceTransaction) -> bool:
    """Whether the money only moved between the Stripe balance and a bank account of ours."""
    rule = RULES.get((transaction.type, transaction.category))
    return rule in (TRANSFER, TRANSFER_BACK, TOPUP)


def postings(transaction: BalanceTransaction, story: Story, mapping: Mapping) -> list[Posting]:
    """What one balance transaction becomes; its clearing effects add up to `net` exactly.

    A fee that is posted apart is left out: then they add up to `amount`. Raises Unexplained,
    NotMapped or ForeignCurrency: then nothing of it is posted.
    """
    if transaction.balance != PAYMENTS:
        raise OtherBalance(transaction)
    rule = SET_ASIDE if story.aside else _rule(transaction, mapping)
    waits = _fee_waits(transaction, story, mapping)
    charges = () if waits else _charges(transaction, rule, story, mapping)
    made = _main(transaction, rule, story, mapping, charges) if transaction.amount else []
    if transaction.fee and not (waits or charges):
        made.append(_fee(transaction, rule, story, mapping))
    whole = transaction.net + transaction.fee if waits else transaction.net
    if sum(posting.clearing.minor for posting in made) != whole.minor:
        raise Bug(f"The postings of {transaction.id} do not add up to {whole}.")
    return made


def _fee_waits(bt: BalanceTransaction, story: Story, mapping: Mapping) -> bool:
    if story.booked is not None and story.booked.charges:
        return refuse_twice(bt, story.booked, apart=story.fee_apart)
    by_policy = mapping.policies.fees is FeesPosted.PAYOUT and fee_may_wait(bt, mapping)
    return by_policy if story.fee_apart is None else story.fee_apart


def _charges(
    bt: BalanceTransaction, rule: Rule, story: Story, mapping: Mapping
) -> tuple[PaymentCharge, ...]:
    """The fee as it can ride on the payment; none of a payment that stands in transit."""
    if story.booked is not None:
        return story.booked.charges
    in_clearing = story.match is not None and story.match.charge.amount == bt.amount
    return as_charges(bt, mapping) if rule is RECEIPT and in_clearing else ()


def _rule(transaction: BalanceTransaction, mapping: Mapping) -> Rule:
    known = RULES.get((transaction.type, transaction.category))
    if known is not None:
        return known
    if f"{transaction.type}/{transaction.category}" in mapping.pairs:
        return Rule(Purpose.SUSPENSE)
    raise UnknownPair(transaction)


def _main(
    bt: BalanceTransaction,
    rule: Rule,
    story: Story,
    mapping: Mapping,
    charges: tuple[PaymentCharge, ...],
) -> list[Posting]:
    if rule is RECEIPT:
        return _receipt(bt, story, mapping, charges)
    if rule is BOUNCE:
        return _voiding(bt, story, mapping)
    if rule is REFUND_BACK and story.voids is not None:
        return refund_undone(bt, story.voids)
    if rule is REFUND and bt.amount.minor < 0 and story.customer_id:
        documents = _refund(bt, story, story.customer_id, mapping)
        if documents:
            return documents
    what = f"Stripe {rule.purpose.value.replace('_', ' ')} {story.subject}"
    sides, day = _sides(bt, rule, story, mapping), _day(bt, rule, story, mapping)
    journal = _journal(bt, what, sides, day=day, story=story, mapping=mapping)
    subject = bt.id if rule.purpose in _KEYED_BY_TRANSACTION else story.subject
    return [Posting(posting_key(rule.purpose, subject), rule.purpose, bt.id, journal, bt.amount)]


def _refund(
    bt: BalanceTransaction, story: Story, customer_id: str, mapping: Mapping
) -> list[Posting]:
    """The customer's own documents; none where the policy wants a journal.

    What was never settled is no sale given back, so no policy makes it one.
    """
    refund, text = story.subject, story.text
    if story.unapplied is not None:
        return out_of_payment(bt, refund, customer_id, story.unapplied, mapping, text)
    by_memo = mapping.policies.refunds is RefundsAs.CREDIT_MEMO
    return as_credit_memo(bt, refund, customer_id, mapping, text) if by_memo else []


def _day(bt: BalanceTransaction, rule: Rule, story: Story, mapping: Mapping) -> date:
    """A transfer is dated on its arrival, its return no earlier, all else when it happened."""
    happened, arrives = day_in(bt.created, mapping.zone), story.arrival
    if arrives is None or rule not in (TRANSFER, TRANSFER_BACK):
        return happened
    return arrives if rule is TRANSFER else max(happened, arrives)


_KEYED_BY_TRANSACTION = frozenset(
    {
        Purpose.DISPUTE,
        Purpose.CHARGE_STRIPE,
        Purpose.RESERVE,
        Purpose.SUSPENSE,
        Purpose.TOPUP,
    }
)


def _sides(bt: BalanceTransaction, rule: Rule, story: Story, mapping: Mapping) -> list[Leg]:
    """Where the movement stands besides clearing: what comes back, where it went."""
    amount = -bt.amount
    if story.legs and rule is not RESERVE:
        return [back(story.legs[0], amount)]
    parts = spread(story.legs, amount)
    rest = amount - total((one.amount for one in parts), amount.currency)
    return [*parts, mapped(_other_side(bt, rule, mapping), rest, mapping)] if rest else parts


def _other_side(bt: BalanceTransaction, rule: Rule, mapping: Mapping) -> str:
    if rule in (TRANSFER, TRANSFER_BACK, TOPUP):
        return mapping.of_currency(bt.amount.currency).bank
    if rule.against is None:
        return mapping.pairs[f"{bt.type}/{bt.category}"]
    return mapping.account(rule.against)


def _receipt(
    bt: BalanceTransaction, story: Story, mapping: Mapping, charges: tuple[PaymentCharge, ...]
) -> list[Posting]:
    match = story.match
    if story.booked is not None:
        key = posting_key(Purpose.PAYMENT, story.subject)
        return [Posting(key, Purpose.PAYMENT, bt.id, story.booked, story.booked.cash)]
    if match is None:
        raise Bug(f"A receipt was planned without its match: {bt.id}")
    paid, day = match.charge.amount, day_in(bt.created, mapping.zone)
    cash, more = mapping.of_currency(bt.amount.currency).clearing_cash, []
    arrived = less_charges(paid, charges)
    if match.charge.authorized is not None and paid != bt.amount:
        more = [left_uncaptured(bt, match.charge, day=day, mapping=mapping)]
    elif paid != bt.amount:
        cash = _transit(bt, match, mapping).cash
        arrived = Money.zero(bt.amount.currency)
        more = conversion(bt, paid, match.charge.id, day=day, mapping=mapping)
    payment = ArPayment(
        customer_id=match.customer_id,
        payment_method=mapping.payment_method,
        cash_account=cash,
        branch=mapping.branch,
        day=day,
        amount=paid,
        payment_ref=match.charge.id,
        external_ref=bt.id,
        description=_text(f"Stripe payment {match.charge.id}", story.text),
        applications=match.applications,
        charges=charges,
        wanted=match.wanted,
    )
    key = posting_key(Purpose.PAYMENT, match.charge.id)
    return [Posting(key, Purpose.PAYMENT, bt.id, payment, arrived), *more]


def _transit(bt: BalanceTransaction, match: Match, mapping: Mapping) -> TransitAccounts:
    """Where a payment waits that settled in another currency; raises ForeignCurrency."""
    paid = match.charge.amount
    if paid.currency in mapping.transit and paid.currency != bt.amount.currency:
        return mapping.transit[paid.currency]
    raise ForeignCurrency(
        f"The payment {match.charge.id} of {paid} settled as {bt.amount}.",
        cause=f"rules.fx:{paid.currency}/{bt.amount.currency}",
        remedy=f"Map transit accounts for {paid.currency}, add a bank account of that currency"
        " in Stripe, or book it by hand.",
    )


def _voiding(bt: BalanceTransaction, story: Story, mapping: Mapping) -> list[Posting]:
    mapping.of_currency(bt.amount.currency)
    if story.voids is None:
        raise Bug(f"A payment was to be undone without its document: {bt.id}")
    settled_as = story.settled_as or story.voids.amount
    return undone(bt, story.voids, settled_as, story.converted, mapping)


def _fee(bt: BalanceTransaction, rule: Rule, story: Story, mapping: Mapping) -> Posting:
    borne = fee_sides(bt, rule.fees, mapping).items()
    sides = [mapped(account, amount, mapping) for account, amount in borne]
    day = day_in(bt.created, mapping.zone)
    what = f"Stripe fee of {story.subject}"
    journal = _journal(bt, what, sides, day=day, story=story, mapping=mapping)
    return Posting(posting_key(Purpose.FEE, bt.id), Purpose.FEE, bt.id, journal, -bt.fee)


def _journal(
    bt: BalanceTransaction,
    what: str,
    sides: list[Leg],
    *,
    day: date,
    story: Story,
    mapping: Mapping,
) -> Journal:
    """Each side in its place, the clearing account of today taking the opposite of them all."""
    clearing = mapping.of_currency(bt.amount.currency).clearing
    text = _text(what, story.text)
    lines = [Line(one.account, one.subaccount, one.amount, text) for one in sides]
    rest = Money(-sum(line.amount.minor for line in lines), bt.amount.currency)
    lines.append(Line(clearing, mapping.subaccount, rest, text))
    return Journal(
        day=day,
        branch=sides[0].branch,
        description=_text(f"{what} {bt.id}", story.text),
        lines=tuple(line for line in lines if line.amount),
    )


def _text(*parts: str) -> str:
    return " ".join(part for part in parts if part)[:LONGEST_TEXT]
