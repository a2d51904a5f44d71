"""The paper of an opening position: signed, counted again, and honest about its entry."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.records import CLEARING, a_mapping
from ml_connector.basics.ids import StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.certificate import Document, Entry
from ml_connector.books.guardian import Grade
from ml_connector.books.opening import Part, Position, opening_entry, opening_key
from ml_connector.books.opening_paper import (
    FORMAT,
    OpeningPaper,
    Standing,
    holdings,
    lines,
    recount_opening,
)
from ml_connector.books.postings import Journal, State
from ml_connector.books.proof import Changed
from ml_connector.books.sealed import Complaint, opened, sealed
from ml_connector.vault.signing import SigningKey, genuine

DAY, AT = date(2026, 4, 1), datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
AGAINST, KEY = "24900", SigningKey.generate()
Change = Callable[[list[dict[str, Any]]], None]
cents = st.integers(-90_000, 90_000)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def a_position(balance: int, transit: int = 0, disputed: int = 0, reserved: int = 0) -> Position:
    return Position(
        "USD", DAY, 4, usd(balance),
        (Part(StripeId("po_1"), usd(transit)),) if transit else (),
        (Part(StripeId("dp_1"), usd(disputed)),) if disputed else (),
        usd(reserved),
    )  # fmt: skip


def a_document(entry: Journal, state: State) -> Document:
    sides = tuple(Entry(one.account, one.amount, clearing=False) for one in entry.lines)
    return Document(opening_key("USD"), erp_ref("GL", "000045"), state, usd(0), "ab" * 32, AT, 1,
                    sides, usd(0), usd(0))  # fmt: skip


def a_paper(
    place: Position, held: dict[str, Money], state: State = State.VERIFIED, *changed: Changed
) -> OpeningPaper:
    wanted = place.wanted(a_mapping())
    holds = {account: held.get(account, usd(0)) for account in wanted}
    entry = opening_entry(place, holds, a_mapping(), AGAINST)
    document = None if entry is None else a_document(entry, state)
    against = AGAINST if entry is not None else ""
    accounts = holdings(entry, holds, AGAINST)
    return OpeningPaper("main", place, accounts, against, AT, document, changed)


def complaints(facts: list[Any]) -> list[Complaint]:
    paper = opened(sealed(FORMAT, "p", KEY.public, facts, KEY.sign), FORMAT, genuine)
    assert paper.complaints == ()
    return recount_opening(paper.lines)


@given(
    st.builds(a_position, cents, cents, cents, cents),
    st.dictionaries(st.sampled_from([CLEARING, "12800", "12900"]), cents.map(usd)),
    st.sampled_from(State),
)
def test_whatever_stripe_and_the_ledger_held_the_paper_adds_up_and_is_honest(
    place: Position, held: dict[str, Money], state: State
) -> None:
    paper = a_paper(place, held, state)
    assert complaints(lines(paper)) == []
    assert {one.account: one.holds for one in paper.holdings} == place.wanted(a_mapping())
    if paper.document is None:
        assert paper.standing is Standing.HELD_BEFORE
    else:
        read = state is State.VERIFIED
        assert paper.standing is (Standing.IN_THE_LEDGER if read else Standing.NOT_IN_THE_LEDGER)


@pytest.mark.parametrize(
    ("stands", "missing", "standing"),
    [
        (True, 0, Standing.IN_THE_LEDGER),  # its text reads otherwise
        (False, 0, Standing.NOT_IN_THE_LEDGER),
        (True, 500, Standing.NOT_IN_THE_LEDGER),  # 5.00 were taken off the clearing account
    ],
)
def test_an_entry_that_people_changed_is_said_and_counts_only_while_its_money_stands(
    stands: bool, missing: int, standing: Standing
) -> None:
    changed = Changed(
        opening_key("USD"), Grade.EXPLAINED, "open", "It was changed.", usd(missing), stands
    )
    paper = a_paper(a_position(40_000), {}, State.VERIFIED, changed)
    assert paper.standing is standing
    facts = lines(paper)
    assert complaints(facts) == []
    assert "It was changed." in {one.get("sentence") for one in facts}
    better = [replace_head(facts[0], Standing.IN_THE_LEDGER), *facts[1:]]
    wrong = [one.sentence for one in complaints(better)]
    assert ["do not bear out" in one for one in wrong] == (
        [] if standing is Standing.IN_THE_LEDGER else [True]
    )


def replace_head(head: Any, verdict: Standing) -> dict[str, Any]:
    return {**head, "verdict": str(verdict)}


FORGED: dict[str, Change] = {
    "The accounts hold 450.00 USD, but Stripe held 451.00 USD.": lambda rows: rows[0].update(
        balance="401.00 USD"
    ),
    f"{CLEARING} held and was given other than it holds.": lambda rows: next(
        one for one in rows if one.get("account") == CLEARING
    ).update(held="7.00 USD"),
    "The entry is not what the accounts were given.": lambda rows: (
        rows[-1]["entries"].reverse()
        or rows[-1].update(entries=[*rows[-1]["entries"], {"account": "1", "amount": "0.01 USD"}])
    ),
    "The entry does not balance.": lambda rows: rows[-1]["entries"][0].update(amount="1.00 USD"),
    "The lines do not bear out 'in the ledger'.": lambda rows: rows[-1].update(state="sending"),
    "The lines do not bear out 'held before'.": lambda rows: rows[0].update(verdict="held before"),
}


@pytest.mark.parametrize("sentence", FORGED)
def test_a_paper_whose_sums_do_not_follow_is_found_out_even_when_it_is_well_signed(
    sentence: str,
) -> None:
    rows = json.loads(json.dumps(lines(a_paper(a_position(40_000, disputed=5_000), {}))))
    FORGED[sentence](rows)
    assert sentence in {one.sentence for one in complaints(rows)}


def test_any_line_that_is_changed_after_signing_is_named() -> None:
    paper = a_paper(a_position(40_000, 3_000, 5_000), {CLEARING: usd(100)})
    text = sealed(FORMAT, paper.name, KEY.public, lines(paper), KEY.sign)
    for number, row in enumerate(json.loads(text)["lines"]):
        whole = json.loads(text)
        whole["lines"][number]["says"]["what"] += "s"
        found = opened(json.dumps(whole), FORMAT, genuine).complaints
        assert [one.line for one in found] == [row["line"]]
