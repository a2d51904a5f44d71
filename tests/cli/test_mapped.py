"""What the mapping's commands say to a person, and what they give a program."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from build.records import money
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId, StripeId
from ml_connector.books.finding import fail, unchecked
from ml_connector.books.what_if import Outcome, Place
from ml_connector.cli.mapped import (
    Taken,
    edited,
    show_findings,
    show_taken,
    show_versions,
    show_what_if,
)
from ml_connector.cli.setup import SANDBOX_MAPPING
from ml_connector.flows.mapping.mapping_change import Proposal
from ml_connector.flows.mapping.mapping_edit import Changed
from ml_connector.flows.mapping.mapping_text import mapping_of, read_body
from ml_connector.flows.questions.what_if import Differs, Shift, WhatIf
from ml_connector.store.mapping import MadeUnder, MappingVersion
from ml_connector.store.transactions import BalanceTransactionRow

MAIN = ConnectionId("main")
NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
WHOLE = SANDBOX_MAPPING.read_text("utf-8")
BODY = read_body(WHOLE)
FIRST = MappingVersion(MAIN, 1, BODY, WHOLE, NOON, "ann", "First")
FEES = Changed("accounts.fees", "61100", "81000")
GAP = fail("branch", "Acumatica has no branch 'X'.", "Map one of these.")


def taken(text: str, *found: Any, version: int = 1, stored: bool = False) -> Taken:
    changed = [] if text == WHOLE else [FEES]
    proposal = Proposal(MAIN, text, BODY, mapping_of(BODY, 1, "UTC"), FIRST, changed)
    refused = any(one.severity == "fail" for one in found)
    return Taken(proposal, found, version, stored=stored, refused=refused)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (taken("other", version=2, stored=True), "Version 2 is in force"),
        (taken("other", GAP), "It was not put in force"),
        (taken(WHOLE), "The text is that of version 1 already."),
        (taken("other"), "Nothing was stored."),
    ],
)
def test_a_person_is_told_what_became_of_a_change(
    one: Taken, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_taken(one, as_json=False)
    said = capsys.readouterr().out
    assert words in said
    assert ("accounts.fees: 61100 -> 81000" in said) is bool(one.proposal.changed)
    assert ("Map one of these." in said) is one.refused


def test_a_program_gets_the_change_with_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    show_taken(taken("other", GAP), as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert (facts["version"], facts["stored"]) == (1, False)
    assert facts["changed"] == [{"key": "accounts.fees", "before": "61100", "after": "81000"}]
    assert facts["findings"][0]["severity"] == "fail"


def test_findings_are_listed_with_their_remedies(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings([GAP, unchecked("period", "It cannot be checked.", "Give the right.")])
    assert capsys.readouterr().out.splitlines() == [
        "fail branch: Acumatica has no branch 'X'.", "     Map one of these.",
        "warn period: It cannot be checked.", "     Give the right.",
    ]  # fmt: skip
    show_findings([])
    assert "fits the tenant" in capsys.readouterr().out


def test_versions_show_what_was_posted_under_each(capsys: pytest.CaptureFixture[str]) -> None:
    made = [MadeUnder(1, "USD", 12, money("96.80 USD"))]
    show_versions([FIRST], made, 1, as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "1 in force 2026-10-05 12:00 ann First 12 96.80 USD" in said


def test_the_answer_to_what_if_is_in_money_by_account(capsys: pytest.CaptureFixture[str]) -> None:
    row = BalanceTransactionRow(
        MAIN, StripeId("txn_1"), "charge", "charge", "USD", 1000, 59, 941, None, NOON, NOON
    )
    place = Place("81000", "000000", "HQ")
    later = Outcome({place: (money("0.59 USD"),)})
    shift = Shift(place, money("0.00 USD"), money("0.59 USD"))
    found = WhatIf(
        3, [Differs(row, Outcome({}, "It waits."), later)], [shift], [(StripeId("txn_2"), "Why?")]
    )
    show_what_if(found, 90, as_json=False)
    said = capsys.readouterr().out
    assert "1 of 3 movements of 90 days differ" in said
    assert "waits (It waits.) -> 81000 000000 HQ 0.59 USD" in said
    assert "open txn_2: Why?" in said
    show_what_if(found, 90, as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts["accounts"] == [
        {"account": "81000 000000 HQ", "before": {"amount": "0.00", "currency": "USD"},
         "after": {"amount": "0.59", "currency": "USD"}},
    ]  # fmt: skip
    assert facts["not_known"] == [{"transaction": "txn_2", "why": "Why?"}]


def test_an_editor_leaves_its_text_in_a_file_that_stays() -> None:
    assert edited("a = 1\n", {"EDITOR": "sed -i s/1/2/"}).read_text("utf-8") == "a = 2\n"


@pytest.mark.parametrize("environment", [{"EDITOR": "false"}, {"VISUAL": "no-such-editor"}])
def test_an_editor_that_fails_changes_nothing(environment: Mapping[str, str]) -> None:
    with pytest.raises(Misconfigured, match="nothing was changed"):
        edited("a = 1\n", environment)
