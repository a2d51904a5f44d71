"""A difference is searched down to the record that makes it."""

from collections.abc import Generator
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from build.records import money
from build.strategies import amounts
from ml_connector.basics.ids import PostingKey, StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.drift import (
    Drift,
    Finding,
    Kind,
    Moved,
    Movement,
    Ours,
    at_stripe,
    halving,
    in_ledger,
    merged,
    miscarried,
    without_opening,
)
from ml_connector.books.tieout import tie_out

START = date(2026, 1, 1)


def ours(number: int, amount: str | Money = "10.00 USD", day: date = START) -> Ours:
    return Ours(PostingKey(f"fee:txn_{number}"), ("GL", f"{number:06}"), day, money(amount))


def line(one: Ours, amount: Money | None = None, day: date | None = None) -> Movement:
    """What the ledger shows of a document of ours."""
    module, batch = one.name
    shown = one.amount if amount is None else amount
    return Movement(day or one.day, shown, module, batch, "", "", "", "Stripe fee")


def a_year() -> list[Ours]:
    """A document every day, of all amounts."""
    days = [START + timedelta(days=n) for n in range(365)]
    return [ours(n, Money(100 + n, "USD"), day) for n, day in enumerate(days)]


YEAR = a_year()
WRONG = st.sampled_from(["foreign", "gone", "changed", "undone"])


@given(st.sampled_from(YEAR), WRONG, amounts(least=1))
def test_one_wrong_line_in_a_year_is_named_with_its_day_and_its_whole_effect(
    hurt: Ours, wrong: str, by: Money
) -> None:
    shown = [line(one) for one in YEAR if wrong != "gone" or one is not hurt]
    if wrong == "foreign":
        shown.append(Movement(hurt.day, by, "GL", "GJ0001", "", "", "", "Correction"))
    elif wrong == "changed":
        shown[YEAR.index(hurt)] = line(hurt, hurt.amount + by)
    elif wrong == "undone":
        shown.append(line(hurt, -hurt.amount))
    (found,) = in_ledger(shown, YEAR, "USD")
    kinds = {"foreign": Kind.NOT_OURS, "gone": Kind.GONE, "undone": Kind.UNDONE}
    assert found.kind is kinds.get(wrong, Kind.OTHER_AMOUNT)
    assert found.day == hurt.day
    there = total((one.amount for one in shown), "USD")
    assert found.effect == there - total((one.amount for one in YEAR), "USD")
    assert ("GJ0001" if wrong == "foreign" else hurt.key) in found.sentence


@given(st.integers(0, 59), st.integers(0, 59))
def test_halving_finds_the_first_month_that_differs_with_few_questions(
    first: int, more: int
) -> None:
    months = max(first + 1, more + 1)
    questions: list[int] = []
    assert answered(halving(0, months - 1), first, questions) == first
    assert 2 ** max(len(questions) - 1, 0) <= months


def answered(steps: Generator[int, bool, int], first: int, questions: list[int]) -> int:
    """Where the halving ends when every month from `first` on differs."""
    answer: bool | None = None
    while True:
        try:
            questions.append(next(steps) if answer is None else steps.send(answer))
        except StopIteration as end:
            return int(end.value)
        answer = questions[-1] >= first


def test_a_payment_and_its_voiding_count_as_one_document() -> None:
    paid = Ours(PostingKey("payment:ch_1"), ("AR", "000078"), START, money("50.00 USD"))
    there = Movement(START, money("50.00 USD"), "AR", "000411", "000078", "Payment", "C1", "")
    back = Movement(START, money("-50.00 USD"), "AR", "000412", "000078", "Payment", "C1", "")
    assert in_ledger([there], [paid], "USD") == []
    (found,) = in_ledger([there, back], [paid], "USD")
    assert found.kind is Kind.UNDONE
    assert found.sentence == (
        "AR Payment 000078 for payment:ch_1 of 50.00 USD was voided or reversed in Acumatica."
    )


def test_a_document_that_changed_its_month_is_one_finding_without_effect() -> None:
    one, later = ours(1), START + timedelta(days=40)
    january, february = in_ledger([], [one], "USD"), in_ledger([line(one, day=later)], [], "USD")
    (found,) = merged([*february, *january])
    assert found.kind is Kind.OTHER_DAY
    assert (found.day, found.effect) == (START, money("0.00 USD"))


def test_what_stripe_moved_and_nobody_saw_is_named() -> None:
    known = {StripeId("txn_1"): money("10.00 USD"), StripeId("txn_2"): money("5.00 USD")}
    assert at_stripe(Moved(StripeId("txn_1"), START, money("10.00 USD")), known) is None
    unseen = at_stripe(Moved(StripeId("txn_3"), START, money("7.00 USD")), known)
    other = at_stripe(Moved(StripeId("txn_2"), START, money("5.01 USD")), known)
    assert unseen is not None
    assert other is not None
    assert (unseen.kind, unseen.effect) == (Kind.UNSEEN, money("-7.00 USD"))
    assert (other.kind, other.effect) == (Kind.OTHER_NET, money("-0.01 USD"))


def test_documents_that_do_not_add_up_to_their_transaction_are_named() -> None:
    nets = {StripeId("txn_1"): money("10.00 USD"), StripeId("txn_2"): money("0.00 USD")}
    (found,) = miscarried(nets, {StripeId("txn_1"): money("9.00 USD")})
    assert (found.record, found.effect) == ("txn_1", money("-1.00 USD"))


def test_the_opening_entry_is_no_finding_but_a_second_entry_is() -> None:
    def entry(amount: str, record: str) -> Finding:
        return Finding(Kind.NOT_OURS, START, record, money(amount), "")

    tied = tie_out("USD", clearing=money("103.00 USD"), stripe=money("100.00 USD"), unposted=[])
    drift = Drift(tied, (entry("100.00 USD", "GL opening"), entry("3.00 USD", "GL strange")))
    assert [one.record for one in without_opening(drift, START).findings] == ["GL strange"]
    earlier = START - timedelta(days=1)
    assert without_opening(drift, earlier) == drift
