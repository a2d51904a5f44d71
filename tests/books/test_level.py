"""What a sent invoice still asks for is what the ERP is still owed, or a person is told."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from build.records import a_stripe_invoice, an_invoice, money
from ml_connector.basics.money import Money
from ml_connector.books.level import Action, CreditNote, PayOutOfBand, TellAPerson, Void, level
from ml_connector.books.records import ErpInvoice, StripeInvoice

STATUSES = ("draft", "open", "paid", "void", "uncollectible")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def sent(
    total: int, *, paid: int = 0, elsewhere: int = 0, credited: int = 0, status: str = "open"
) -> StripeInvoice:
    """A sent invoice as Stripe shows it after payments and credit notes."""
    due = usd(total - credited)
    return replace(
        a_stripe_invoice(due),
        status=status,
        total=usd(total),
        amount_paid=usd(paid + elsewhere),
        paid_elsewhere=usd(elsewhere),
        amount_remaining=usd(total - credited - paid - elsewhere),
    )


def owing(balance: int, *, credited: int = 0) -> ErpInvoice:
    return replace(an_invoice(usd(balance), amount=usd(10_000)), credited=usd(credited))


def after(stripe: StripeInvoice, actions: list[Action]) -> Money:
    """What a buyer could still pay once the actions are taken; fails on one Stripe refuses."""
    left = stripe.payable
    for action in actions:
        match action:
            case CreditNote(amount):
                assert stripe.status == "open"
                assert usd(0) < amount <= left
                left -= amount
            case PayOutOfBand():
                assert stripe.status in {"open", "uncollectible"}
                left = usd(0)
            case Void():
                assert stripe.status in {"open", "uncollectible"}
                assert not stripe.amount_paid
                left = usd(0)
            case TellAPerson(sentence=sentence, remedy=remedy):
                assert sentence.endswith(".")
                assert remedy.endswith(".")
    return left


@st.composite
def situations(draw: st.DrawFn) -> tuple[ErpInvoice, StripeInvoice, Money]:
    """Any ERP balance against any standing of the Stripe invoice, money on the way or not."""
    total = draw(st.integers(1, 10_000))
    credited = draw(st.integers(0, total))
    paid = draw(st.integers(0, total - credited))
    status = draw(st.sampled_from(STATUSES))
    rest = total - credited - paid
    elsewhere = rest if status == "paid" else 0
    stripe = sent(total, paid=paid, elsewhere=elsewhere, credited=credited, status=status)
    memos = draw(st.integers(0, 10_000))
    erp = owing(draw(st.integers(0, 12_000)), credited=memos)
    return erp, stripe, usd(draw(st.integers(0, paid)))


@given(situations())
def test_afterwards_stripe_asks_for_what_is_owed_or_a_person_is_told(
    case: tuple[ErpInvoice, StripeInvoice, Money],
) -> None:
    erp, stripe, on_the_way = case
    actions = level(erp, stripe, on_the_way)
    told = any(isinstance(one, TellAPerson) for one in actions)
    left = after(stripe, actions)
    assert told or stripe.status == "draft" or left == erp.balance - on_the_way


@given(situations())
def test_a_buyer_can_never_pay_more_than_is_owed(
    case: tuple[ErpInvoice, StripeInvoice, Money],
) -> None:
    erp, stripe, on_the_way = case
    actions = level(erp, stripe, on_the_way)
    left = after(stripe, actions)
    owed = max(erp.balance - on_the_way, usd(0))
    uncollectible = [one for one in actions if isinstance(one, TellAPerson)]
    assert not left < usd(0)
    assert left <= owed or (stripe.status == "uncollectible" and uncollectible)


@given(situations())
def test_nothing_is_done_to_an_invoice_that_is_level(
    case: tuple[ErpInvoice, StripeInvoice, Money],
) -> None:
    erp, stripe, on_the_way = case
    if stripe.status == "open":
        same = replace(erp, balance=stripe.payable + on_the_way)
        assert level(same, stripe, on_the_way) == []


def test_a_part_paid_by_cheque_is_credited() -> None:
    assert level(owing(4_000), sent(10_000), usd(0)) == [CreditNote(money("60.00 USD"))]


def test_the_whole_paid_by_cheque_is_paid_out_of_band() -> None:
    assert level(owing(0), sent(10_000), usd(0)) == [PayOutOfBand()]


def test_a_cancelled_invoice_is_voided_while_nothing_of_it_is_paid() -> None:
    assert level(owing(0, credited=10_000), sent(10_000), usd(0)) == [Void()]


def test_a_cancelled_invoice_that_is_partly_paid_is_credited() -> None:
    partly = sent(10_000, paid=3_000)
    assert level(owing(0, credited=7_000), partly, usd(0)) == [CreditNote(usd(7_000))]


def test_a_payment_that_is_not_posted_yet_counts_as_paid() -> None:
    assert level(owing(10_000), sent(10_000, paid=3_000), usd(3_000)) == []


def test_an_invoice_paid_on_both_sides_is_told_with_the_amount_to_give_back() -> None:
    both = sent(10_000, paid=10_000, status="paid")
    (told,) = level(owing(4_000), both, usd(10_000))
    assert isinstance(told, TellAPerson)
    assert told.why == "paid_twice"
    assert "60.00" in told.remedy


def test_an_invoice_that_was_raised_is_told() -> None:
    (told,) = level(owing(12_000), sent(10_000), usd(0))
    assert isinstance(told, TellAPerson)
    assert told.why == "asks_too_little"


def test_an_invoice_voided_in_stripe_alone_is_told() -> None:
    (told,) = level(owing(10_000), sent(10_000, status="void"), usd(0))
    assert isinstance(told, TellAPerson)
    assert told.why == "voided"
