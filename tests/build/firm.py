"""A firm in memory: its ledger and invoices, its Stripe account, and our rules between the two.

What the ERP and Stripe do is modelled here; what is decided comes from `ml_connector.books`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from build.ledger import RECEIVABLE, entries
from build.records import (
    CLEARING,
    a_balance_transaction,
    a_charge,
    a_mapping,
    a_payout,
    a_stripe_invoice,
    an_invoice,
    dollar_accounts,
    euro_accounts,
)
from ml_connector.basics.ids import PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.disputes import Lost, as_loss, as_loss_reversed, as_reopened
from ml_connector.books.fees import Kept, fees_of_payout
from ml_connector.books.level import CreditNote, PayOutOfBand, TellAPerson, Void, level
from ml_connector.books.mapping import Mapping, TransitAccounts
from ml_connector.books.matching import MirroredInvoice, NoInvoice, on_account, settle
from ml_connector.books.policies import FeesPosted, Policies, WhenUnmatched
from ml_connector.books.postings import (
    ArPayment,
    ArRefund,
    CreditMemo,
    Posting,
    Purpose,
    Voiding,
    posting_key,
)
from ml_connector.books.records import BalanceTransaction, Charge, ErpInvoice, StripeInvoice
from ml_connector.books.rules import (
    Story,
    Unexplained,
    fee_may_wait,
    fee_role,
    is_bounce,
    is_receipt,
    postings,
)

SETTLED_IN = {"USD": "USD", "EUR": "EUR", "GBP": "USD", "CHF": "EUR"}
"""What Stripe pays out of a payment: pounds and francs have no bank account: they are converted."""
CLEARINGS = {"USD": CLEARING, "EUR": "10310"}
SALES, BANK = "sales", "the bank"
CUSTOMER = "C000012"


def a_firm_mapping(policies: Policies) -> Mapping:
    """Dollars and euros settle as they are; pounds meet dollars in transit, and francs euros."""
    return a_mapping(
        currencies={"USD": dollar_accounts(), "EUR": euro_accounts()},
        transit={
            "GBP": TransitAccounts("STRIPEGBP", "10320", "10500"),
            "CHF": TransitAccounts("STRIPECHF", "10330", "10500"),
        },
        policies=policies,
    )


@dataclass
class Bill:
    """One sales invoice as both sides have it; amounts in minor units of its currency."""

    number: str
    currency: str
    balance: int
    total: int
    credited: int = 0
    paid: int = 0
    elsewhere: int = 0
    noted: int = 0
    voided: bool = False
    returned: bool = False
    """A payment of it was undone: the ERP is owed again what Stripe believes paid."""
    told: str = ""

    @property
    def payable(self) -> int:
        """What a buyer can still pay at Stripe."""
        return 0 if self.voided else self.total - self.noted - self.paid - self.elsewhere

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def as_erp(self) -> ErpInvoice:
        invoice = an_invoice(self.money(self.balance), ref=f"Invoice|{self.number}")
        return replace(invoice, credited=self.money(self.credited))

    def as_stripe(self) -> StripeInvoice:
        status = "void" if self.voided else ("open" if self.payable else "paid")
        return replace(
            a_stripe_invoice(self.money(self.total)),
            status=status,
            amount_paid=self.money(self.paid + self.elsewhere),
            paid_elsewhere=self.money(self.elsewhere),
            amount_remaining=self.money(self.payable),
        )


@dataclass(frozen=True)
class Movement:
    """A balance transaction as Stripe tells of it: `charge` for a receipt, `bills` it names."""

    bt: BalanceTransaction
    subject: str
    charge: Charge | None = None
    bills: tuple[str, ...] = ()
    by_invoice: bool = False
    refunded: str = ""
    """The charge whose money a refund gives back."""


@dataclass
class Books:
    """Our postings, each key once, and what is named because it is not posted."""

    mapping: Mapping = field(default_factory=lambda: a_firm_mapping(Policies()))
    carried: dict[PostingKey, Posting] = field(default_factory=dict[PostingKey, Posting])
    named: dict[StripeId, Money] = field(default_factory=dict[StripeId, Money])

    def planned(self, bt: BalanceTransaction, story: Story) -> list[Posting]:
        """What the rules make of it."""
        return postings(bt, story, self.mapping)

    def carry(self, made: Iterable[Posting]) -> list[Posting]:
        """Enters what is not there yet; what was entered."""
        fresh = [one for one in made if one.key not in self.carried]
        self.carried |= {one.key: one for one in fresh}
        return fresh


@dataclass
class Firm:
    """Everything at one moment; Stripe's balance is in minor units by settlement currency."""

    books: Books = field(default_factory=Books)
    bills: dict[str, Bill] = field(default_factory=dict[str, Bill])
    ledger: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    balance: Counter[str] = field(default_factory=Counter[str])
    moved: list[Movement] = field(default_factory=list[Movement])
    waiting: list[Movement] = field(default_factory=list[Movement])
    fees_left: dict[StripeId, BalanceTransaction] = field(
        default_factory=dict[StripeId, BalanceTransaction]
    )
    """Posted but for their fees, which the next payout takes."""
    fees_taken: dict[StripeId, BalanceTransaction] = field(
        default_factory=dict[StripeId, BalanceTransaction]
    )

    voided_by_people: set[str] = field(default_factory=set[str])
    """The charges whose payment a clerk has voided; the guardian names what clearing lacks."""
    applied_by_people: Counter[str] = field(default_factory=Counter[str])
    """What clerks applied of what stood on account, by currency."""

    # -- what the ERP and Stripe do

    def invoice(self, currency: str, cents: int) -> Bill:
        """The ERP releases an invoice, and the mirror has sent it."""
        bill = Bill(f"{len(self.bills):06}", currency, cents, cents)
        self.bills[bill.number] = bill
        self.enter(RECEIVABLE, currency, cents)
        self.enter(SALES, currency, -cents)
        return bill

    def settle_in_erp(self, bill: Bill, cents: int, *, memo: bool) -> None:
        """A check or a credit memo is applied to an invoice."""
        bill.balance -= cents
        bill.credited += cents if memo else 0
        self.enter(SALES if memo else BANK, bill.currency, cents)
        self.enter(RECEIVABLE, bill.currency, -cents)

    def raise_in_erp(self, bill: Bill, cents: int) -> None:
        """Somebody reverses what settled a part of it, or raises it."""
        bill.balance += cents
        self.enter(RECEIVABLE, bill.currency, cents)
        self.enter(SALES, bill.currency, -cents)

    def void_by_hand(self, charge: str) -> None:
        """A clerk voids a payment of ours: its invoices are owed again."""
        self.voided_by_people.add(charge)
        self._reverse(self.books.carried[posting_key(Purpose.PAYMENT, charge)], -1)

    def apply_by_hand(self, bill: Bill, cents: int) -> None:
        """A clerk applies what stood on account to an invoice."""
        bill.balance -= cents
        self.applied_by_people[bill.currency] += cents

    def lacking(self) -> list[Money]:
        """What the guardian names: the payments that people took off the clearing account."""
        keys = [posting_key(Purpose.PAYMENT, charge) for charge in self.voided_by_people]
        return [self.books.carried[key].clearing for key in keys]

    def enter(self, account: str, currency: str, minor: int) -> None:
        self.ledger[account, currency] += minor

    def moves(  # noqa: PLR0917 - the facts of one movement
        self,
        pair: str,
        amount: Money,
        subject: str,
        fee: int = 0,
        charge: Charge | None = None,
        bills: tuple[str, ...] = (),
        *,
        by_invoice: bool = False,
        refunded: str = "",
    ) -> Movement:
        """Stripe moves money; the connector will hear of it."""
        bt = a_balance_transaction(
            pair, amount, Money(fee, amount.currency), id=f"txn_{len(self.moved)}", source=subject
        )
        movement = Movement(bt, subject, charge, bills, by_invoice, refunded)
        self.balance[amount.currency] += bt.net.minor
        self.moved.append(movement)
        self.waiting.append(movement)
        return movement

    def charged(self, paid: Money, bills: tuple[str, ...], *, settled: int, fee: int, bank: bool,
                by_invoice: bool) -> Movement:  # fmt: skip
        """A buyer pays; `settled` is what Stripe makes of it in the settlement currency."""
        charge = a_charge(paid, id=f"{'py' if bank else 'ch'}_{len(self.moved)}")
        arrived = Money(settled, SETTLED_IN[paid.currency])
        pair = f"{'payment' if bank else 'charge'}/charge"
        if by_invoice:
            self.bills[bills[0]].paid += paid.minor
        return self.moves(pair, arrived, charge.id, fee, charge, bills, by_invoice=by_invoice)

    # -- what the connector does

    def work(self, movement: Movement) -> bool:
        """Looks at one movement, for the first time or again; False when it has to come back."""
        story = self.story(movement)
        if story is None:
            self.books.named[movement.bt.id] = movement.bt.net
            return not is_bounce(movement.bt)
        bt = movement.bt
        try:
            made = self.books.planned(
                bt, replace(story, fee_apart=bt.id in self.fees_taken or None)
            )
        except Unexplained:
            self.books.named[bt.id] = bt.net
            return True
        self.books.named.pop(bt.id, None)
        self.post(made)
        if bt.fee and self._leaves_its_fee(bt) and bt.id not in self.fees_taken:
            self.fees_left[bt.id] = bt
        return True

    def _leaves_its_fee(self, bt: BalanceTransaction) -> bool:
        by_payout = self.books.mapping.policies.fees is FeesPosted.PAYOUT
        return by_payout and fee_may_wait(bt, self.books.mapping)

    def take_fees(self) -> None:
        """A payout of each currency is composed: it takes the fees that were left to it."""
        for code in CLEARINGS:
            mine = [bt for bt in self.fees_left.values() if bt.net.currency == code]
            if mine:
                mapping, number = self.books.mapping, len(self.fees_taken)
                payout = replace(a_payout(Money(1, code)), id=StripeId(f"po_{code}_{number}"))
                members = [Kept(bt, fee_role(bt, mapping)) for bt in mine]
                self.post([fees_of_payout(payout, members, mapping)])
                self.fees_taken |= {bt.id: bt for bt in mine}
        self.fees_left.clear()

    def story(self, movement: Movement) -> Story | None:
        """What is known of it; None where it waits for a person or for another movement."""
        bt, charge = movement.bt, movement.charge
        if is_bounce(bt):
            if movement.subject in self.voided_by_people:
                return None
            payment = self.payment(movement.subject)
            brought = self.brought(movement.subject)
            undone = None if payment is None else _undoing(payment)
            return undone and Story(subject=movement.subject, voids=undone, settled_as=brought)
        if not is_receipt(bt) or charge is None:
            return self._story_of_a_refund(movement)
        try:
            match = settle(charge, [self.owed_of(number) for number in movement.bills])
        except NoInvoice:
            if self.books.mapping.policies.unmatched is WhenUnmatched.SUSPENSE:
                return Story(subject=charge.id, aside=True)
            if self.books.mapping.policies.unmatched is WhenUnmatched.HOLD:
                return None
            match = on_account(charge, CUSTOMER)
        return Story(subject=charge.id, match=match)

    def _story_of_a_refund(self, movement: Movement) -> Story:
        """Whose money it gives back, or which refund has failed; of others nothing is known."""
        receipt = self.payment(movement.refunded)
        same = receipt is not None and receipt.currency == movement.bt.amount.currency
        paid = self.books.carried.get(posting_key(Purpose.REFUND_PAID, movement.subject))
        failed = movement.bt.type == "refund_failure" and paid is not None
        paper = paid.document if failed and paid else None
        voids = (
            Voiding(erp_ref("Refund", paper.payment_ref), paper.payment_ref, paper.amount)
            if isinstance(paper, ArRefund)
            else None
        )
        customer = receipt.customer_id if receipt is not None and same else None
        return Story(subject=movement.subject, customer_id=customer, voids=voids)

    def owed_of(self, number: str) -> MirroredInvoice:
        bill = self.bills[number]
        owed = bill.money(max(bill.balance, 0))
        return MirroredInvoice(erp_ref("Invoice", number), CUSTOMER, owed)

    def payment(self, charge: str) -> ArPayment | None:
        """The AR payment of a charge, while it stands in the ledger."""
        posting = self.books.carried.get(posting_key(Purpose.PAYMENT, charge))
        document = posting.document if posting else None
        return document if isinstance(document, ArPayment) else None

    def brought(self, charge: str) -> Money | None:
        """What a charge's own movement brought, in the settlement currency."""
        return next((one.bt.amount for one in self.moved if one.subject == charge), None)

    def undone(self, charge: str) -> bool:
        return posting_key(Purpose.VOID, charge) in self.books.carried

    def decide(self, lost: Lost, *, reopen: bool) -> None:
        """A dispute is lost: a loss, or the invoice owed again."""
        payment = self.payment(lost.charge)
        if not reopen or payment is None:
            self.post([as_loss(lost, self.books.mapping)])
        else:
            self.post(as_reopened(lost, _undoing(payment), self.books.mapping))

    def win_after_all(self, lost: Lost) -> None:
        """A loss that was booked is taken back."""
        self.post([as_loss_reversed(lost, self.books.mapping)])

    def post(self, made: list[Posting]) -> None:
        """Acumatica takes the documents that it does not have yet."""
        for posting in self.books.carry(made):
            for account, amount in entries(posting):
                self.enter(account, amount.currency, amount.minor)
            document = posting.document
            if isinstance(document, ArPayment):
                self._apply(document, 1)
            elif isinstance(document, Voiding):
                undone = self.payment(document.payment_ref)
                if undone is not None:
                    self._apply(undone, -1)

    def restore(self, movement: Movement) -> None:
        """A controller has a payment posted again that was voided by hand."""
        self.voided_by_people.discard(movement.subject)
        story = self.story(movement)
        assert story is not None
        key = posting_key(Purpose.PAYMENT, movement.subject)
        (again,) = [one for one in self.books.planned(movement.bt, story) if one.key == key]
        self.books.carried[key] = again
        self._reverse(again, 1)

    def _reverse(self, posting: Posting, sign: int) -> None:
        """Enters a payment, or takes it back."""
        for account, amount in entries(posting):
            self.enter(account, amount.currency, sign * amount.minor)
        if isinstance(posting.document, ArPayment):
            self._apply(posting.document, sign)

    def _apply(self, payment: ArPayment, sign: int) -> None:
        for one in payment.applications:
            bill = self.bills[one.document.partition("|")[2]]
            bill.balance -= sign * one.amount.minor
            bill.returned |= sign < 0

    def keep_level(self, bill: Bill) -> None:
        """Brings Stripe's side of one invoice level with the ERP's."""
        on_the_way = bill.paid - self.settled_by_invoice(bill)
        for action in level(bill.as_erp(), bill.as_stripe(), bill.money(on_the_way)):
            match action:
                case CreditNote(amount):
                    bill.noted += amount.minor
                case PayOutOfBand():
                    bill.elsewhere += bill.payable
                case Void():
                    bill.voided = True
                case TellAPerson(why):
                    bill.told = why

    def settled_by_invoice(self, bill: Bill) -> int:
        """What our payments settle of a bill that were paid through its Stripe invoice."""
        through = [one.subject for one in self.moved if one.by_invoice]
        document, settled = erp_ref("Invoice", bill.number), 0
        for charge in through:
            payment = self.payment(charge)
            if payment is not None and not self.undone(charge):
                parts = (one for one in payment.applications if one.document == document)
                settled += sum(one.amount.minor for one in parts)
        return settled

    def unapplied(self, currency: str) -> int:
        """What stands on customers' accounts without an invoice."""
        left = 0
        for posting in self.books.carried.values():
            paper = posting.document
            if isinstance(paper, ArPayment) and self._stands(paper.payment_ref):
                applied = sum(one.amount.minor for one in paper.applications)
                left += (paper.amount.minor - applied) * (paper.currency == currency)
            elif isinstance(paper, CreditMemo):
                left += paper.amount.minor * (paper.amount.currency == currency)
            elif isinstance(paper, ArRefund) and not self.undone(paper.payment_ref):
                left -= paper.amount.minor * (paper.amount.currency == currency)
        return left - self.applied_by_people[currency]

    def _stands(self, charge: str) -> bool:
        return not self.undone(charge) and charge not in self.voided_by_people


def _undoing(payment: ArPayment) -> Voiding:
    return Voiding(
        erp_ref("Payment", payment.payment_ref),
        payment.payment_ref,
        payment.amount,
        payment.charges,
    )
