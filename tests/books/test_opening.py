"""Where our books begin: one entry brings the ledger to what Stripe held, whatever it held."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from build.examples import shows
from build.records import (
    ACCOUNTS,
    BANK,
    CLEARING,
    a_balance_transaction,
    a_mapping,
    a_payout,
)
from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money, total
from ml_connector.books.mapping import Role
from ml_connector.books.opening import Position, arrival, opening_entry, opening_posting, position
from ml_connector.books.postings import Purpose
from ml_connector.books.records import BalanceTransaction, Payout

DAY = date(2026, 4, 1)
AGAINST = "24900"
PAIRS = [
    "charge/charge", "refund/refund", "stripe_fee/fee", "adjustment/dispute",
    "adjustment/dispute_reversal", "reserve_hold/risk_reserved_funds", "payout/payout",
    "gift_card/gift",
]  # fmt: skip


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def moved(pair: str, minor: int, number: int, source: str) -> BalanceTransaction:
    return a_balance_transaction(pair, usd(minor), usd(7), id=f"txn_{number}", source=source)


@st.composite
def histories(draw: st.DrawFn) -> list[BalanceTransaction]:
    """Anything that Stripe may have moved before."""
    rows = draw(st.lists(st.tuples(st.sampled_from(PAIRS), st.integers(-9_000, 9_000))))
    sources = [draw(st.sampled_from(["x_1", "x_2", "x_3"])) for _ in rows]
    return [
        moved(pair, minor, number, source)
        for number, ((pair, minor), source) in enumerate(zip(rows, sources, strict=True))
    ]


def of(rows: list[BalanceTransaction], *payouts: Payout) -> Position:
    disputes = frozenset({StripeId("x_1"), StripeId("x_2")})
    known = {payout.id: payout for payout in payouts}
    return position("USD", DAY, rows, payouts=known, open_disputes=disputes)


@given(histories(), st.dictionaries(st.sampled_from([CLEARING, "12800", "12900"]),
                                    st.integers(-10_000, 10_000).map(usd)))  # fmt: skip
def test_after_the_entry_every_account_holds_what_stripe_held(
    rows: list[BalanceTransaction], holds: dict[str, Money]
) -> None:
    place, mapping = of(rows), a_mapping()
    wanted = place.wanted(mapping)
    assert wanted[CLEARING] == total((bt.net for bt in rows), "USD")
    entry = opening_entry(place, holds, mapping, AGAINST)
    for account, amount in wanted.items():
        made = usd(0) if entry is None else entry.effect_on(account)
        assert holds.get(account, usd(0)) + made == amount
    if entry is not None:
        assert entry.day == DAY
        assert opening_posting(entry, mapping).clearing == entry.effect_on(CLEARING)


@given(histories())
def test_a_ledger_that_holds_it_all_needs_no_entry(rows: list[BalanceTransaction]) -> None:
    place = of(rows)
    assert opening_entry(place, place.wanted(a_mapping()), a_mapping(), AGAINST) is None


@shows(Purpose.OPENING)
def test_the_opening_entry_brings_each_account_to_what_stripe_held() -> None:
    """Stripe held 60.00 when our books began, beside 50.00 that a bank disputes.

    clearing             | disputed        | where the difference was booked before
    60.00  |             | 50.00  |        |        | 110.00
    """
    rows = [moved("charge/charge", 11_014, 1, "ch_1"), moved("adjustment/dispute", -5000, 2, "x_1")]
    entry = opening_entry(of(rows), {}, a_mapping(), AGAINST)
    assert entry is not None
    assert [(line.account, str(line.amount)) for line in entry.lines] == [
        (CLEARING, "60.00 USD"),
        (ACCOUNTS[Role.DISPUTED], "50.00 USD"),
        (AGAINST, "-110.00 USD"),
    ]


def test_what_stripe_held_beside_the_payments_is_not_in_the_opening_position() -> None:
    issued = replace(moved("issuing_transaction/issuing", -900, 2, "x_2"), balance="issuing")
    assert of([moved("charge/charge", 1007, 1, "ch_1"), issued]).balance == usd(1000)


@shows(Purpose.ARRIVAL)
def test_a_payout_under_way_is_an_asset_until_it_reaches_the_bank() -> None:
    """400.00 had left Stripe and arrive on the second day.

    in transit          | bank
    400.00 |            |        |              the opening entry
           |    400.00  | 400.00 |              its arrival
    """
    payout = replace(a_payout("400.00 USD"), id=StripeId("po_1"), arrival_date=date(2026, 4, 2))
    row = moved("payout/payout", -40_000, 1, "po_1")
    place = of([row], payout)
    assert [(part.subject, str(part.amount)) for part in place.in_transit] == [
        ("po_1", "400.00 USD")
    ]
    entry = opening_entry(place, {}, a_mapping(), AGAINST)
    later = arrival(payout, row.id, a_mapping())
    transit = ACCOUNTS[Role.IN_TRANSIT]
    assert entry is not None
    assert (entry.effect_on(transit), later.document.effect_on(transit)) == (  # pyright: ignore[reportAttributeAccessIssue]
        usd(40_000), usd(-40_000),
    )  # fmt: skip
    assert later.document.effect_on(BANK) == usd(40_000)  # pyright: ignore[reportAttributeAccessIssue]
    assert not later.clearing


def test_a_payout_that_arrived_before_or_came_back_is_not_under_way() -> None:
    early = replace(a_payout("4.00 USD"), id=StripeId("po_1"), arrival_date=date(2026, 3, 31))
    failed = replace(a_payout("4.00 USD"), id=StripeId("po_2"), arrival_date=date(2026, 4, 3))
    rows = [
        moved("payout/payout", -400, 1, "po_1"), moved("payout/payout", -400, 2, "po_2"),
        moved("payout_failure/payout_reversal", 400, 3, "po_2"),
    ]  # fmt: skip
    assert of(rows, early, failed).in_transit == ()


def test_a_dispute_that_was_lost_before_is_no_asset_any_more() -> None:
    rows = [
        moved("adjustment/dispute", -5000, 1, "x_1"),
        moved("adjustment/dispute", -700, 2, "x_3"),
    ]
    assert [(part.subject, part.amount) for part in of(rows).disputed] == [("x_1", usd(5000))]
