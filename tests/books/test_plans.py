"""A plan says in money what it does, and names what has moved since it was shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.ledger import KNOWN_PAIRS, booked, t_accounts
from build.records import a_balance_transaction, a_mapping, a_posting, money
from ml_connector.basics.money import totals
from ml_connector.books.modes import RecordType
from ml_connector.books.plans import (
    RECEIVABLE,
    Entry,
    Plan,
    PlannedDocument,
    by_account,
    entries_of,
    moved,
)
from ml_connector.flows.review.apply import PlanRefused, plan_in_file
from ml_connector.flows.review.drawing_up import plan_hash
from ml_connector.store.rows import to_json


def a_document(key: str = "fee:txn_1", amount: str = "0.65 USD") -> PlannedDocument:
    sides = (Entry("60100", money(amount)), Entry("10300", -money(amount)))
    return PlannedDocument(
        key=key, record_type=RecordType.FEES, standing="approve", title="Stripe fee of ch_1",
        kind="charge", resource="ch_1", transaction="txn_1", body_hash=f"hash of {amount}",
        body={"amount": amount}, entries=sides, facts={"the fee of txn_1": amount},
    )  # fmt: skip


@pytest.mark.parametrize("pair", [pair for pair in KNOWN_PAIRS if not pair.startswith("topup")])
def test_the_entries_of_a_plan_are_those_of_the_ledger(pair: str) -> None:
    amount = "12.00 USD" if "reversal" not in pair and "failure" not in pair else "-12.00 USD"
    made = booked(a_balance_transaction(pair, amount, "0.65 USD"))
    entries = [entry for one in made for entry in entries_of(one, a_mapping())]
    found: dict[str, list[str]] = {}
    for entry in entries:
        found.setdefault(entry.account, []).append(str(entry.amount))
    assert {account: len(sides) for account, sides in found.items()}
    sums = totals(entry.amount for entry in entries)
    assert not sums["USD"]
    on_clearing = [one.amount for one in entries if one.account == "10300"]
    assert totals(on_clearing)["USD"] == totals(one.clearing for one in made)["USD"]
    assert set(found) == {RECEIVABLE if a == "accounts receivable" else a for a in t_accounts(made)}


def test_the_money_of_a_plan_is_added_up_by_account() -> None:
    found = by_account([a_document(), a_document("fee:txn_2", "1.00 USD")])
    assert [(one.account, str(one.amount)) for one in found] == [
        ("10300", "-1.65 USD"),
        ("60100", "1.65 USD"),
    ]


def test_nothing_has_moved_when_everything_is_as_it_was_shown() -> None:
    assert moved([a_document()], {"fee:txn_1": a_document()}, {}) == []


def test_what_has_moved_is_named_with_what_it_was_and_what_it_is() -> None:
    shown = a_document()
    cheaper = {"fee:txn_1": a_document(amount="0.60 USD")}
    (sentence,) = moved([shown], cheaper, {})
    assert "the fee of txn_1 was 0.65 USD and is 0.60 USD" in sentence
    assert "it posted 0.65 USD on 60100" in sentence
    declined = {"fee:txn_1": replace(shown, standing="declined")}
    assert "stands as declined" in moved([shown], declined, {})[0]
    reworded = {"fee:txn_1": replace(shown, body_hash="another")}
    assert "its document is another one now" in moved([shown], reworded, {})[0]
    assert moved([shown], {}, {"fee:txn_1": "it was posted."}) == ["fee:txn_1: it was posted."]
    assert "not planned any more" in moved([shown], {}, {})[0]


AMOUNTS = st.integers(1, 10**9).map(lambda minor: f"{minor // 100}.{minor % 100:02d} USD")


@given(st.lists(AMOUNTS, max_size=5))
def test_a_plan_in_a_file_is_the_plan_that_was_shown_to_its_hash(amounts: list[str]) -> None:
    documents = tuple(a_document(f"fee:txn_{n}", one) for n, one in enumerate(amounts))
    plan = Plan("main", 3, documents)
    text = to_json({"hash": plan_hash(plan), "plan": plan})
    assert plan_hash(plan_in_file(text)) == plan_hash(plan)
    assert moved(plan_in_file(text).documents, {one.key: one for one in documents}, {}) == []


@given(AMOUNTS, AMOUNTS)
def test_another_amount_another_mapping_or_another_document_is_another_hash(
    one: str, other: str
) -> None:
    plan = Plan("main", 3, (a_document(amount=one),))
    assert (plan_hash(plan) == plan_hash(Plan("main", 3, (a_document(amount=other),)))) is (
        one == other
    )
    assert plan_hash(plan) != plan_hash(replace(plan, mapping_version=4))
    assert plan_hash(plan) != plan_hash(replace(plan, documents=()))


def test_a_file_that_was_altered_is_refused() -> None:
    plan = Plan("main", 3, (a_document(),))
    text = to_json({"hash": plan_hash(plan), "plan": plan})
    with pytest.raises(PlanRefused, match="hash differs"):
        plan_in_file(text.replace('"60100"', '"60110"'))
    with pytest.raises(PlanRefused, match="holds no plan"):
        plan_in_file('{"hash": 1}')


def test_a_posting_that_is_nothing_in_money_has_its_entries_all_the_same() -> None:
    entries = entries_of(a_posting("-0.65 USD"), a_mapping())
    assert [(one.account, str(one.amount)) for one in entries] == [
        ("60100", "0.65 USD"),
        ("10300", "-0.65 USD"),
    ]
