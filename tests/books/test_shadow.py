"""The shadow's score: what people posted beside what would have been posted, to the cent."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from build.records import money
from ml_connector.basics.money import Money, total
from ml_connector.books.shadow import Comparison, Ours, Outcome, Theirs, compare

DAY = date(2026, 10, 5)
RECEIVABLE, FEES = "customer C1", "61100"


def ours(key: str, amount: str, *, bt: str = "txn_1", day: date = DAY) -> Ours:
    """What would be posted; a payment is a customer's, all else is against fees."""
    purpose, _, subject = key.partition(":")
    clearing = money(f"{amount} USD")
    other = RECEIVABLE if purpose == "payment" else FEES
    return Ours(key, purpose, bt, day, clearing, {other: -clearing.minor}, frozenset({subject, bt}))


def theirs(
    document: str, amount: str, *, to: str = RECEIVABLE, text: str = "", day: date = DAY
) -> Theirs:
    clearing = money(f"{amount} USD")
    return Theirs(document, day, clearing, {to: -clearing.minor}, text)


SALE = [ours("payment:ch_1", "100.00"), ours("fee:txn_1", "-3.20")]


def scored(mine: list[Ours], others: list[Theirs]) -> dict[str, str]:
    found = compare("USD", mine, others)
    sums = {str(outcome): found.moved(outcome) for outcome in Outcome}
    return {name: str(amount) for name, amount in sums.items() if amount}


def test_the_same_documents_agree_whole() -> None:
    booked = [theirs("P1", "100.00", text="ch_1"), theirs("J1", "-3.20", to=FEES)]
    assert scored(SALE, booked) == {"same": "103.20 USD"}
    assert compare("USD", SALE, booked).agrees


def test_a_netted_receipt_is_the_same_money_otherwise_split() -> None:
    assert scored(SALE, [theirs("P1", "96.80")]) == {"split": "96.80 USD"}


def test_a_fee_on_another_account_is_named_with_both() -> None:
    booked = [theirs("P1", "100.00"), theirs("J1", "-3.20", to="61160")]
    assert scored(SALE, booked) == {"same": "100.00 USD", "split": "3.20 USD"}
    (part,) = [p for p in compare("USD", SALE, booked).parts if p.outcome is Outcome.SPLIT]
    assert "against 61160 instead of 61100" in part.sentence


def test_a_month_of_fees_in_one_journal_is_the_same_money() -> None:
    fees = [ours(f"fee:txn_{n}", "-1.10", bt=f"txn_{n}", day=DAY + timedelta(n)) for n in range(20)]
    booked = [theirs("J1", "-22.00", to=FEES, day=date(2026, 10, 31))]
    assert scored(fees, booked) == {"split": "22.00 USD"}


def test_what_nobody_posted_is_missing_and_what_only_they_posted_is_extra() -> None:
    booked = [theirs("P1", "100.00"), theirs("J9", "7.00", to="81000")]
    assert scored(SALE, booked) == {
        "same": "100.00 USD",
        "missing": "3.20 USD",
        "extra": "7.00 USD",
    }
    assert str(compare("USD", SALE, booked).difference) == "10.20 USD"


def test_another_amount_under_the_same_name_counts_its_difference_only() -> None:
    short = [theirs("P1", "99.00", text="stripe ch_1")]
    assert scored(SALE[:1], short) == {"split": "99.00 USD", "missing": "1.00 USD"}
    long = [theirs("P1", "60.00", text="ch_1"), theirs("P2", "41.50", text="ch_1")]
    assert scored(SALE[:1], long) == {"split": "100.00 USD", "extra": "1.50 USD"}


def test_the_same_amount_of_long_ago_is_another_thing() -> None:
    booked = [theirs("P1", "100.00", day=DAY - timedelta(days=6))]
    assert scored(SALE[:1], booked) == {"missing": "100.00 USD", "extra": "100.00 USD"}


def test_of_two_equal_payments_each_finds_the_one_that_quotes_it() -> None:
    mine = [ours(f"payment:ch_{n}", "50.00", bt=f"txn_{n}") for n in (1, 2, 3)]
    booked = [theirs("P1", "50.00", text="ch_2"), theirs("P2", "50.00", text="ch_1")]
    found = compare("USD", mine, booked)
    pairs = {p.ours: p.theirs for p in found.parts}
    assert pairs[("payment:ch_1",)] == ("P2",)
    assert pairs[("payment:ch_2",)] == ("P1",)
    assert pairs[("payment:ch_3",)] == ()


AMOUNTS = st.integers(-6, 6).map(lambda units: Money(units * 100, "USD"))


@st.composite
def both_sides(draw: st.DrawFn) -> tuple[list[Ours], list[Theirs]]:
    """Documents with few amounts, days and names, so that much fits and much does not."""
    mine = [
        replace(
            ours(f"{draw(st.sampled_from(['payment', 'fee', 'refund']))}:x{n}", "1.00"),
            transaction=f"txn_{draw(st.integers(0, 4))}",
            clearing=draw(AMOUNTS),
            day=DAY + timedelta(draw(st.integers(0, 40))),
            words=frozenset({f"x{n}"}),
        )
        for n in range(draw(st.integers(0, 8)))
    ]
    booked = [
        replace(
            theirs(f"D{n}", "1.00", to=draw(st.sampled_from([RECEIVABLE, FEES]))),
            clearing=draw(AMOUNTS),
            day=DAY + timedelta(draw(st.integers(0, 40))),
            text=f"of x{draw(st.integers(0, 8))}",
        )
        for n in range(draw(st.integers(0, 8)))
    ]
    return mine, booked


def signed(found: Comparison, *outcomes: Outcome) -> Money:
    return total((p.amount for p in found.parts if p.outcome in outcomes), "USD")


@given(both_sides())
def test_every_cent_of_both_sides_is_in_the_score_once(
    sides: tuple[list[Ours], list[Theirs]],
) -> None:
    mine, booked = sides
    found = compare("USD", mine, booked)
    common = (Outcome.SAME, Outcome.SPLIT)
    assert signed(found, *common, Outcome.MISSING) == total((o.clearing for o in mine), "USD")
    assert signed(found, *common, Outcome.EXTRA) == total((t.clearing for t in booked), "USD")
    assert compare("USD", mine[::-1], booked[::-1]) == found
