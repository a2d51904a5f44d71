"""Any life of a firm, over the rules: clearing follows the Stripe balance, cent by cent."""

import os
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from build.firm import CLEARINGS, SETTLED_IN, Bill, Books, Firm, Movement, a_firm_mapping
from build.ledger import RECEIVABLE
from build.records import NOON
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.disputes import Lost
from ml_connector.books.policies import (
    FeesPosted,
    Policies,
    RefundsAs,
    WhenConverted,
    WhenUnmatched,
)

CENTS = st.integers(1, 100_000)
PERCENT = st.integers(1, 100)
OTHERS = [
    "stripe_fee/fee", "tax_fee/tax", "adjustment/fee", "topup/topup", "gift_card/gift",
    "reserve_hold/risk_reserved_funds", "reserve_release/risk_reserved_funds",
]  # fmt: skip


@dataclass
class Held:
    """A disputed payment: what the bank took, and whether a loss of it was booked."""

    sale: Movement
    taken: Movement
    lost: Lost = field(init=False)

    def __post_init__(self) -> None:
        sale, dispute = self.sale, StripeId(self.taken.subject)
        self.lost = Lost(dispute, sale.subject, sale.bt.amount, self.taken.bt.id, NOON.date())


class Life(RuleBasedStateMachine):
    """Cards, debits, refunds, disputes, payouts, checks, credit memos: in any order, told often.

    Stripe tells of its movements whenever it likes; what it has not told yet is in `firm.waiting`.
    """

    books_type = Books

    def __init__(self) -> None:
        super().__init__()
        self.firm = Firm(self.books_type())
        self.whole: list[Movement] = []
        self.held: list[Held] = []
        self.losses: list[Held] = []

    @initialize(
        policies=st.builds(
            Policies,
            unmatched=st.sampled_from(WhenUnmatched),
            fx=st.sampled_from(WhenConverted),
            fees=st.sampled_from(FeesPosted),
            refunds=st.sampled_from(RefundsAs),
        )
    )
    def decided_on_policies(self, policies: Policies) -> None:
        self.firm.books.mapping = a_firm_mapping(policies)

    # -- the ERP's people

    @rule(currency=st.sampled_from(sorted(SETTLED_IN)), cents=CENTS)
    def invoiced(self, currency: str, cents: int) -> None:
        self.firm.invoice(currency, cents)

    @precondition(lambda self: self._owed())
    @rule(data=st.data(), percent=PERCENT, memo=st.booleans())
    def settled_by_check_or_credit_memo(
        self, data: st.DataObject, percent: int, memo: bool
    ) -> None:
        bill = data.draw(st.sampled_from(self._owed()))
        self.firm.settle_in_erp(bill, -(-bill.balance * percent // 100), memo=memo)

    @precondition(lambda self: self.firm.bills)
    @rule(data=st.data(), cents=CENTS)
    def raised(self, data: st.DataObject, cents: int) -> None:
        self.firm.raise_in_erp(self._any_bill(data), cents)

    @precondition(lambda self: self.firm.bills)
    @rule(data=st.data())
    def mirrored(self, data: st.DataObject) -> None:
        self.firm.keep_level(self._any_bill(data))

    @precondition(lambda self: self._ours())
    @rule(data=st.data())
    def payment_of_ours_voided_by_hand(self, data: st.DataObject) -> None:
        self.firm.void_by_hand(data.draw(st.sampled_from(self._ours())).subject)

    @precondition(lambda self: self.firm.voided_by_people)
    @rule(data=st.data())
    def voided_payment_restored(self, data: st.DataObject) -> None:
        gone = [one for one in self.firm.moved if one.subject in self.firm.voided_by_people]
        self.firm.restore(data.draw(st.sampled_from([one for one in gone if one.charge])))

    @precondition(lambda self: self._owed())
    @rule(data=st.data(), percent=PERCENT)
    def rest_of_ours_applied_by_hand(self, data: st.DataObject, percent: int) -> None:
        bill = data.draw(st.sampled_from(self._owed()))
        spare = min(bill.balance, max(0, self.firm.unapplied(bill.currency)))
        self.firm.apply_by_hand(bill, spare * percent // 100)

    # -- buyers and banks

    @precondition(lambda self: self._payable())
    @rule(data=st.data(), percent=PERCENT, rate=st.integers(50, 200), fee=st.integers(0, 900),
          bank=st.booleans())  # fmt: skip
    def pays(self, data: st.DataObject, percent: int, rate: int, fee: int, bank: bool) -> None:
        bill = data.draw(st.sampled_from(self._payable()))
        cents = -(-bill.payable * percent // 100)
        self._charged(bill.money(cents), (bill.number,), rate, fee, bank, by_invoice=True)

    @rule(data=st.data(), cents=CENTS, fee=st.integers(0, 900))
    def pays_outside_naming_some_invoices(self, data: st.DataObject, cents: int, fee: int) -> None:
        dollars = [bill.number for bill in self.firm.bills.values() if bill.currency == "USD"]
        named = data.draw(st.lists(st.sampled_from(dollars), unique=True)) if dollars else []
        self._charged(Money(cents, "USD"), tuple(named), 100, fee, bank=False, by_invoice=False)

    @precondition(lambda self: self.whole)
    @rule(data=st.data(), percent=PERCENT, fails=st.booleans())
    def refunded(self, data: st.DataObject, percent: int, fails: bool) -> None:
        sold = self._gone(data)
        self._tell(sold)  # a refund waits for its payment
        sale = sold.bt
        cents = Money(-(-sale.amount.minor * percent // 100), sale.amount.currency)
        refund = f"re_{len(self.firm.moved)}"
        charge = self.firm.moves("refund/refund", -cents, refund, refunded=sold.subject)
        self._tell(charge)  # a failure is told after its refund
        if fails:
            self.firm.moves("refund_failure/refund_failure", cents, refund)

    @precondition(lambda self: self.whole)
    @rule(data=st.data(), fee=st.sampled_from([0, 0, 400, -30]))
    def returned_by_the_bank(self, data: st.DataObject, fee: int) -> None:
        sale = self._gone(data)
        self.firm.moves("payment_failure_refund/charge_failure", -sale.bt.amount, sale.subject, fee)

    @precondition(lambda self: self.whole)
    @rule(data=st.data())
    def disputed(self, data: st.DataObject) -> None:
        sale = self._gone(data)
        dispute = f"du_{len(self.firm.moved)}"
        taken = self.firm.moves("adjustment/dispute", -sale.bt.amount, dispute, 1500)
        self.held.append(Held(sale, taken))

    @precondition(lambda self: self.held)
    @rule(fee=st.sampled_from([0, -1500]))
    def dispute_won(self, fee: int) -> None:
        held = self.held.pop()
        self.firm.moves("adjustment/dispute_reversal", held.lost.taken, held.lost.dispute, fee)

    @precondition(lambda self: self.held)
    @rule(reopen=st.booleans())
    def dispute_lost(self, reopen: bool) -> None:
        held = self.held.pop()
        self._tell(held.sale)
        self._tell(held.taken)
        payment = self.firm.payment(held.sale.subject)
        standing = held.sale.subject not in self.firm.voided_by_people
        whole = payment is not None and payment.amount == held.lost.taken and standing
        self.firm.decide(held.lost, reopen=reopen and whole)
        if not (reopen and whole):
            self.losses.append(held)

    @precondition(lambda self: self.losses)
    @rule()
    def dispute_won_after_all(self) -> None:
        held = self.losses.pop()
        self.firm.moves("adjustment/dispute_reversal", held.lost.taken, held.lost.dispute)
        self.firm.win_after_all(held.lost)

    # -- Stripe itself

    @rule(currency=st.sampled_from(sorted(CLEARINGS)),
          cents=st.integers(-50_000, 50_000).filter(bool), fails=st.booleans())  # fmt: skip
    def paid_out(self, currency: str, cents: int, fails: bool) -> None:
        payout, amount = f"po_{len(self.firm.moved)}", Money(cents, currency)
        self.firm.moves("payout/payout", -amount, payout)
        self.firm.take_fees()
        if fails:
            self.firm.moves("payout_failure/payout_reversal", amount, payout)

    @rule(pair=st.sampled_from(OTHERS), cents=st.integers(-9_000, 9_000).filter(bool))
    def moved_otherwise(self, pair: str, cents: int) -> None:
        self.firm.moves(pair, Money(cents, "USD"), f"x_{len(self.firm.moved)}")

    @precondition(lambda self: self._payable())
    @rule(data=st.data(), void=st.booleans())
    def closed_at_stripe_by_a_person(self, data: st.DataObject, void: bool) -> None:
        bill = data.draw(st.sampled_from(self._payable()))
        if void and not bill.paid + bill.elsewhere:
            bill.voided = True
        else:
            bill.elsewhere += bill.payable

    @precondition(lambda self: self.firm.waiting)
    @rule(data=st.data())
    def told(self, data: st.DataObject) -> None:
        self._tell(data.draw(st.sampled_from(self.firm.waiting)))

    @precondition(lambda self: self.firm.moved)
    @rule(data=st.data(), times=st.integers(1, 3))
    def told_again(self, data: st.DataObject, times: int) -> None:
        known = [one for one in self.firm.moved if one not in self.firm.waiting]
        for movement in (
            data.draw(st.lists(st.sampled_from(known), max_size=times)) if known else []
        ):
            self.firm.work(movement)

    def teardown(self) -> None:
        """In the end all is told, and both sides are level."""
        for _ in range(2):
            self.firm.waiting = [one for one in self.firm.waiting if not self.firm.work(one)]
        for bill in self.firm.bills.values():
            self.firm.keep_level(bill)
            self.firm.keep_level(bill)
        self.firm.take_fees()
        self.every_cent_is_accounted_for()
        self.nobody_can_pay_twice()
        self.every_movement_is_in_the_books_once_or_named()

    def _charged(self, paid: Money, bills: tuple[str, ...], rate: int, fee: int, bank: bool, *,
                 by_invoice: bool) -> None:  # fmt: skip
        converted = SETTLED_IN[paid.currency] != paid.currency
        settled = max(1, paid.minor * rate // 100) if converted else paid.minor
        self.whole.append(
            self.firm.charged(
                paid, bills, settled=settled, fee=fee, bank=bank, by_invoice=by_invoice
            )
        )

    def _gone(self, data: st.DataObject) -> Movement:
        return self.whole.pop(data.draw(st.integers(0, len(self.whole) - 1)))

    def _tell(self, movement: Movement) -> None:
        """The connector looks at a movement; what is booked has been told."""
        if self.firm.work(movement) and movement in self.firm.waiting:
            self.firm.waiting.remove(movement)

    def _owed(self) -> list[Bill]:
        return [bill for bill in self.firm.bills.values() if bill.balance > 0]

    def _ours(self) -> list[Movement]:
        """Receipts whose payment stands in the ERP."""
        return [
            one for one in self.firm.moved
            if one.charge and self.firm.payment(one.subject) and not self.firm.undone(one.subject)
            and one.subject not in self.firm.voided_by_people
        ]  # fmt: skip

    def _payable(self) -> list[Bill]:
        return [bill for bill in self.firm.bills.values() if bill.payable]

    def _any_bill(self, data: st.DataObject) -> Bill:
        return self.firm.bills[data.draw(st.sampled_from(sorted(self.firm.bills)))]

    # -- what holds at every moment

    @invariant()
    def every_cent_is_accounted_for(self) -> None:
        """Clearing is the Stripe balance, but for what is named or not told yet."""
        for currency, clearing in CLEARINGS.items():
            untold = (one.bt for one in self.firm.waiting if one.bt.id not in self.firm.books.named)
            missing = [bt.net for bt in untold] + list(self.firm.books.named.values())
            missing += [-bt.fee for bt in self.firm.fees_left.values()]
            missing += self.firm.lacking()
            rest = sum(net.minor for net in missing if net.currency == currency)
            assert self.firm.ledger[clearing, currency] + rest == self.firm.balance[currency]

    @invariant()
    def the_trial_balance_is_zero(self) -> None:
        sums: Counter[str] = Counter()
        for (_, currency), minor in self.firm.ledger.items():
            sums[currency] += minor
        assert not any(sums.values())

    @invariant()
    def receivables_are_what_is_unpaid(self) -> None:
        for currency in SETTLED_IN:
            bills = [bill for bill in self.firm.bills.values() if bill.currency == currency]
            open_ = sum(bill.balance for bill in bills) - self.firm.unapplied(currency)
            assert self.firm.ledger[RECEIVABLE, currency] == open_
            assert all(bill.balance >= 0 for bill in bills)

    @invariant()
    def every_movement_is_in_the_books_once_or_named(self) -> None:
        clearing: Counter[str] = Counter()
        for posting in self.firm.books.carried.values():
            clearing[posting.transaction] += posting.clearing.minor
        for movement in self.firm.moved:
            bt, named = movement.bt, self.firm.books.named.get(movement.bt.id)
            apart = bt.id in self.firm.fees_left or bt.id in self.firm.fees_taken
            net = bt.amount.minor if apart else bt.net.minor
            if movement not in self.firm.waiting or named:
                assert clearing[movement.bt.id] + (named.minor if named else 0) == net, movement

    def nobody_can_pay_twice(self) -> None:
        """Once level, Stripe asks for no more than is owed; for less only where a person knows."""
        for bill in self.firm.bills.values():
            on_the_way = bill.paid - self.firm.settled_by_invoice(bill)
            owed = max(bill.balance - on_the_way, 0)
            assert bill.payable <= owed, bill
            assert bill.payable == owed or bill.told or bill.returned, bill


def _settings(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=30, deadline=None)


TestLife = Life.TestCase
TestLife.settings = _settings(int(os.environ.get("ML_EXAMPLES", "200")))
