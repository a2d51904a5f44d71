"""Any life of a Stripe account, over the rules: clearing follows the balance, cent by cent."""

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from build.ledger import RECEIVABLE, entries
from build.records import CLEARING, a_balance_transaction, a_charge, a_mapping, a_match
from ml_connector.basics.ids import PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.disputes import Lost, as_loss, as_reopened
from ml_connector.books.mapping import Mapping
from ml_connector.books.policies import FeesPosted, Policies
from ml_connector.books.postings import ArPayment, Posting, Purpose, Voiding, posting_key
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story, Unexplained, is_bounce, is_receipt, postings

CENTS = st.integers(1, 100_000)
DAY = date(2026, 3, 31)


@dataclass
class Books:
    """A model of the ERP's ledger: each key once, and what is named because it has no rule."""

    mapping: Mapping = field(default_factory=a_mapping)
    carried: dict[PostingKey, Posting] = field(default_factory=dict[PostingKey, Posting])
    named: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, bt: BalanceTransaction, story: Story) -> None:
        """Books a movement as often as it is told of."""
        try:
            made = self.planned(bt, story)
        except Unexplained:
            self.named[bt.id] = bt.net.minor
            return
        self.carry(made)

    def planned(self, bt: BalanceTransaction, story: Story) -> list[Posting]:
        """What the rules make of it."""
        return postings(bt, story, self.mapping)

    def carry(self, made: list[Posting]) -> None:
        """Enters what is not there yet."""
        for posting in made:
            self.carried.setdefault(posting.key, posting)

    def voiding(self, charge: str, amount: Money) -> Voiding:
        """How a payment that stands here is undone; its charges go back with it."""
        posting = self.carried.get(posting_key(Purpose.PAYMENT, charge))
        paper = posting.document if posting is not None else None
        charges = paper.charges if isinstance(paper, ArPayment) else ()
        return Voiding(erp_ref("Payment", charge), charge, amount, charges)

    def account(self, account: str) -> int:
        """What an account holds."""
        made = (one for posting in self.carried.values() for one in entries(posting))
        return sum(amount.minor for name, amount in made if name == account)

    def trial_balance(self) -> int:
        """All entries together."""
        made = (one for posting in self.carried.values() for one in entries(posting))
        return sum(amount.minor for _, amount in made)


@dataclass
class Sale:
    """A charge that is still whole: nobody refunded, disputed or returned it."""

    charge: str
    amount: Money


class Life(RuleBasedStateMachine):
    """Cards, debits, refunds, disputes, payouts and strangers, in any order, told any times."""

    books_type = Books

    def __init__(self) -> None:
        super().__init__()
        self.books = self.books_type()
        self.balance = 0
        self.owed = 0
        self.told: list[tuple[BalanceTransaction, Story]] = []
        self.whole: list[Sale] = []
        self.disputes: list[tuple[Sale, StripeId]] = []

    def moves(self, pair: str, cents: int, subject: str, fee: int = 0) -> BalanceTransaction:
        """Stripe moves money, and the books hear of it."""
        bt = a_balance_transaction(
            pair, Money(cents, "USD"), Money(fee, "USD"), id=f"txn_{len(self.told)}", source=subject
        )
        self.balance += bt.net.minor
        story = Story(subject=subject)
        if is_receipt(bt):
            charge = a_charge(bt.amount, id=subject)
            story = replace(story, match=a_match(charge))
        if is_bounce(bt):
            story = replace(story, voids=self.books.voiding(subject, -bt.amount))
        self.told.append((bt, story))
        self.books.take(bt, story)
        return bt

    @rule(cents=CENTS, fee=st.integers(0, 900), bank=st.booleans())
    def pays(self, cents: int, fee: int, bank: bool) -> None:
        charge = f"{'py' if bank else 'ch'}_{len(self.told)}"
        self.moves(f"{'payment' if bank else 'charge'}/charge", cents, charge, fee)
        self.whole.append(Sale(charge, Money(cents, "USD")))
        self.owed -= cents

    @precondition(lambda self: self.whole)
    @rule(data=st.data())
    def refunded(self, data: st.DataObject) -> None:
        sale = self._gone(data)
        cents = data.draw(st.integers(1, sale.amount.minor))
        refund = f"re_{len(self.told)}"
        self.moves("refund/refund", -cents, refund)
        if data.draw(st.booleans()):
            self.moves("refund_failure/refund_failure", cents, refund)

    @precondition(lambda self: self.whole)
    @rule(data=st.data(), fee=st.sampled_from([0, 0, 400, -30]))
    def returned(self, data: st.DataObject, fee: int) -> None:
        sale = self._gone(data)
        self.moves("payment_failure_refund/charge_failure", -sale.amount.minor, sale.charge, fee)
        self.owed += sale.amount.minor

    @precondition(lambda self: self.whole)
    @rule(data=st.data())
    def disputed(self, data: st.DataObject) -> None:
        sale = self._gone(data)
        dispute = f"du_{len(self.told)}"
        bt = self.moves("adjustment/dispute", -sale.amount.minor, dispute, 1500)
        self.disputes.append((sale, bt.id))

    @precondition(lambda self: self.disputes)
    @rule(outcome=st.sampled_from(["won", "won with fee", "loss", "reopen"]))
    def decided(self, outcome: str) -> None:
        sale, withdrawal = self.disputes.pop()
        if outcome.startswith("won"):
            fee = -1500 if outcome == "won with fee" else 0
            self.moves("adjustment/dispute_reversal", sale.amount.minor, f"of_{withdrawal}", fee)
            return
        lost = Lost(StripeId(f"of_{withdrawal}"), sale.charge, sale.amount, withdrawal, DAY)
        if outcome == "loss":
            self.books.carry([as_loss(lost, self.books.mapping)])
            return
        voiding = self.books.voiding(sale.charge, sale.amount)
        self.books.carry(as_reopened(lost, voiding, self.books.mapping))
        self.owed += sale.amount.minor

    @rule(cents=st.integers(-50_000, 50_000).filter(bool), fails=st.booleans())
    def paid_out(self, cents: int, fails: bool) -> None:
        payout = f"po_{len(self.told)}"
        self.moves("payout/payout", -cents, payout)
        if fails:
            self.moves("payout_failure/payout_reversal", cents, payout)

    @rule(
        pair=st.sampled_from(["stripe_fee/fee", "tax_fee/tax", "adjustment/fee", "topup/topup",
                              "reserve_hold/risk_reserved_funds", "gift_card/gift"]),
        cents=st.integers(-9_000, 9_000).filter(bool),
    )  # fmt: skip
    def moved_otherwise(self, pair: str, cents: int) -> None:
        self.moves(pair, cents, f"x_{len(self.told)}")

    @precondition(lambda self: self.told)
    @rule(data=st.data(), times=st.integers(1, 3))
    def told_again(self, data: st.DataObject, times: int) -> None:
        bt, story = data.draw(st.sampled_from(self.told))
        for _ in range(times):
            self.books.take(bt, story)

    def _gone(self, data: st.DataObject) -> Sale:
        return self.whole.pop(data.draw(st.integers(0, len(self.whole) - 1)))

    @invariant()
    def clearing_and_what_is_named_are_the_balance(self) -> None:
        assert self.books.account(CLEARING) + sum(self.books.named.values()) == self.balance

    @invariant()
    def the_trial_balance_is_zero(self) -> None:
        assert self.books.trial_balance() == 0

    @invariant()
    def customers_owe_what_nobody_has_paid(self) -> None:
        assert self.books.account(RECEIVABLE) == self.owed

    @invariant()
    def every_movement_is_in_the_books_once_or_named(self) -> None:
        clearing: Counter[str] = Counter()
        for posting in self.books.carried.values():
            clearing[posting.transaction] += posting.clearing.minor
        for bt, _ in self.told:
            in_books = clearing[bt.id]
            assert in_books + self.books.named.get(bt.id, 0) == bt.net.minor, bt


@dataclass
class WithCharges(Books):
    """Books whose fees ride on the payments."""

    mapping: Mapping = field(
        default_factory=lambda: a_mapping(policies=Policies(fees=FeesPosted.PAYMENT_CHARGE))
    )


class LifeWithCharges(Life):
    """The same life, where what is undone takes its charges back."""

    books_type = WithCharges


TestLifeWithCharges = LifeWithCharges.TestCase
TestLifeWithCharges.settings = settings(
    max_examples=int(os.environ.get("ML_EXAMPLES", "60")), stateful_step_count=25, deadline=None
)
TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=int(os.environ.get("ML_EXAMPLES", "60")), stateful_step_count=25, deadline=None
)
