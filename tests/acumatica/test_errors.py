"""Each way to say no is filed by what to do next."""

import json
from typing import Any

import pytest

from acumatica.stand_in import http_error
from ml_connector.acumatica.errors import PAGE, Call, Missing, NoSuchPlace, NotReleasable, explain
from ml_connector.basics.errors import (
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from ml_connector.http.transport import Response

READ = Call("Payment", "Payment Payment|000078", writes=False)
WRITE = Call("Payment", "the payment ch_1", writes=True)
HTML = b"<!DOCTYPE html><html><body>Service Unavailable</body></html>"


def answer(status: int, body: Any = b"", kind: str = "application/json") -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {"content-type": kind}, raw)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Refused),
        (401, Misconfigured),
        (403, Misconfigured),
        (404, NoSuchPlace),
        (412, Refused),
        (429, TryAgain),
        (418, TryAgain),
    ],
)
def test_a_status_alone_says_what_to_do_next(status: int, expected: type[ConnectorError]) -> None:
    assert type(explain(answer(status), READ)) is expected


def test_missing_rights_name_the_form() -> None:
    error = explain(answer(403, http_error("Insufficient rights.")), READ)
    assert "Payments and Applications (AR302000)" in error.sentence
    assert "Insufficient rights." in error.sentence
    assert error.cause == "acumatica.forbidden:Payment"


def test_a_record_that_is_not_there_is_missing_although_it_is_a_500() -> None:
    kind = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
    error = explain(answer(500, http_error("No entity satisfies the condition.", kind)), READ)
    assert isinstance(error, Missing)
    assert error.cause == "acumatica.not_found:Payment"


@pytest.mark.parametrize(
    "sentence",
    [
        "Another process has updated the 'Payment' record. Your changes will be lost.",
        "Transaction was deadlocked on lock resources with another process.",
        "API Login Limit",
    ],
)
def test_a_passing_trouble_is_tried_again_even_for_a_write(sentence: str) -> None:
    error = explain(answer(500, http_error(sentence)), WRITE)
    assert type(error) is TryAgain


def test_a_business_refusal_asks_a_person_with_its_own_words() -> None:
    error = explain(answer(500, http_error("The 10-2026 period is closed in AR.")), WRITE)
    assert type(error) is AskAPerson
    assert error.cause == "acumatica.period_closed:102026"
    assert "The 10-2026 period is closed in AR." in error.sentence


def test_the_inner_sentence_is_told_when_the_outer_says_nothing() -> None:
    body = http_error("Operation failed", "PXInvalidOperationException")
    body["innerException"] = http_error("Account 61100 is inactive.")
    error = explain(answer(500, body), WRITE)
    assert error.cause == "acumatica.account_inactive:61100"


def test_an_unknown_business_refusal_is_grouped_by_its_exception() -> None:
    error = explain(answer(500, http_error("Something new.", "PX.Data.PXFooException")), WRITE)
    assert type(error) is AskAPerson
    assert error.cause == "acumatica.refused:Payment:PXFooException"


def test_a_disabled_button_is_an_action_that_the_status_does_not_allow() -> None:
    kind = "PX.Data.PXActionDisabledException"
    error = explain(answer(500, http_error("Die Schaltfläche ist deaktiviert.", kind)), WRITE)
    assert isinstance(error, NotReleasable)


def test_a_record_that_failed_validation_names_the_field() -> None:
    echo = {
        "error": "Inserting  'AR Payment' record raised at least one error.",
        "CustomerID": {"value": "GONE", "error": "'Customer' cannot be found in the system."},
    }
    error = explain(answer(422, echo), WRITE)
    assert type(error) is AskAPerson
    assert error.cause == "acumatica.not_found:Customer:GONE"
    assert "CustomerID: 'Customer' cannot be found" in error.sentence


def test_a_422_without_any_error_member_still_asks_a_person() -> None:
    error = explain(answer(422, {"id": "x"}), WRITE)
    assert type(error) is AskAPerson
    assert error.cause == "acumatica.refused:Payment"


@pytest.mark.parametrize(("status", "body"), [(302, b""), (200, HTML), (500, HTML)])
def test_a_page_instead_of_data_leaves_a_write_unknown_and_a_read_to_be_tried_again(
    status: int, body: bytes
) -> None:
    page = answer(status, body, "text/html")
    assert type(explain(page, WRITE)) is OutcomeUnknown
    assert type(explain(page, READ)) is TryAgain
    assert explain(page, READ).cause == PAGE


def test_a_failure_without_words_leaves_a_write_unknown() -> None:
    assert type(explain(answer(500), WRITE)) is OutcomeUnknown
    assert type(explain(answer(500), READ)) is TryAgain


def test_acumaticas_own_timeout_leaves_a_write_unknown() -> None:
    body = http_error("Timeout expired. The timeout period elapsed.", "System.Data.SqlException")
    assert type(explain(answer(500, body), WRITE)) is OutcomeUnknown


def test_a_query_that_the_site_cannot_answer_is_our_bug() -> None:
    kind = "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException"
    assert type(explain(answer(500, http_error("Optimization", kind)), READ)) is Bug


def test_a_long_message_is_kept_to_a_readable_length() -> None:
    assert len(explain(answer(500, http_error("x" * 9000)), READ).sentence) < 800
