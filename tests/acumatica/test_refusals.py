"""Refusals are collected wherever they stand, and told apart by stable fragments."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.acumatica.refusals import FieldError, collect, judge, verdict

NAMES = st.sampled_from(["Details", "Account", "BillingContact", "Address", "Qty", "CustomerID"])
LEAVES = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.fixed_dictionaries({}))


@st.composite
def echoes(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """A record with errors planted at random places, and the planted messages."""
    planted: list[str] = []

    def node(depth: int) -> Any:
        kind = draw(st.sampled_from(["leaf", "record", "rows"])) if depth else "record"
        if kind == "leaf" or depth > 3:
            return draw(LEAVES)
        if kind == "rows":
            return [node(depth + 1) for _ in range(draw(st.integers(0, 3)))]
        record = {name: node(depth + 1) for name in draw(st.lists(NAMES, unique=True, max_size=3))}
        if draw(st.booleans()):
            planted.append(f"trouble {len(planted)}")
            record["error"] = planted[-1]
        return record

    return node(0), planted


@given(echoes())
def test_every_planted_error_is_found_once_and_the_deepest_comes_first(
    made: tuple[Any, list[str]],
) -> None:
    echo, planted = made
    found = collect(json.dumps(echo).encode())
    assert sorted(error.message for error in found) == sorted(planted)
    depths = [error.path.count(".") + error.path.count("[") + bool(error.path) for error in found]
    assert depths == sorted(depths, reverse=True)


def test_an_error_tells_where_it_stands_and_what_was_refused() -> None:
    echo = {
        "error": "Inserting  'Journal' record raised at least one error.",
        "Details": [{"Account": {"value": "99999 ", "error": "'Account' cannot be found."}}],
    }
    first, second = collect(json.dumps(echo).encode())
    assert first == FieldError("Details[0].Account", "'Account' cannot be found.", "99999")
    assert second.path == ""


def test_an_amount_above_the_balance_names_the_document_it_was_for() -> None:
    row = {
        "ReferenceNbr": {"value": "INV000046"},
        "AmountPaid": {"value": 90, "error": "The value must be less than or equal to 50.00."},
    }
    echo = {"ReferenceNbr": {"value": "<NEW>"}, "error": "Wrong.", "DocumentsToApply": [row]}
    first, second = collect(json.dumps(echo).encode())
    assert verdict([first], "x").cause == "acumatica.above_balance:INV000046"
    assert second.document == ""


def test_a_body_that_is_not_json_holds_no_errors() -> None:
    assert collect(b"<html>") == ()


@pytest.mark.parametrize(
    ("message", "value", "cause"),
    [
        ("'Customer' cannot be found in the system.", "GONE", "not_found:Customer:GONE"),
        ("'Customer' cannot be found in the system.", "", "not_found:Customer"),
        ("Project 'TES2323T  ' cannot be found in the system.", "", "not_found:Project:TES2323T"),
        ("The 10-2026 financial period is closed in HEADOFFICE.", "", "period_closed:102026"),
        ("The 102026 period is locked.", "", "period_closed:102026"),
        ("The financial period 12-2031 does not exist for X.", "", "period_missing:122031"),
        ("Account 61100 is inactive.", "", "account_inactive:61100"),
        ("Account is inactive.", "61100", "account_inactive:61100"),
        ("Account 11000 is a control account.", "", "control_account:11000"),
        ("'Customer' status is 'Inactive'.", "GOODFOOD", "customer_status:GOODFOOD"),
        ("The value must be less than or equal to 60.00.", "100.00", "above_balance"),
        ("'Branch' cannot be empty.", "", "empty:Branch"),
        ("The document is out of the balance.", "", "out_of_balance"),
        ("The Release button is disabled.", "", "action_disabled"),
        ("Document Status is invalid for processing.", "", "action_disabled"),
    ],
)
def test_a_known_refusal_is_told_by_a_fragment_of_its_text(
    message: str, value: str, cause: str
) -> None:
    known = judge(FieldError("Details[0].Account", message, value))
    assert known is not None
    assert known.cause == f"acumatica.{cause}"
    assert known.remedy


def test_an_unknown_refusal_keeps_its_place_as_the_cause() -> None:
    error = FieldError("", "Etwas anderes.")
    assert judge(error) is None
    assert verdict([error], "refused:Payment").cause == "acumatica.refused:Payment"


def test_the_field_decides_over_the_sentence_that_something_is_wrong() -> None:
    errors = collect(
        b'{"error":"Inserting record raised at least one error.",'
        b'"CustomerID":{"value":"X","error":"\'Customer\' cannot be found in the system."}}'
    )
    assert verdict(errors, "refused:Payment").cause == "acumatica.not_found:Customer:X"
