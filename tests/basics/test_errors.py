"""Each error says what to do next by its class, and what happened by its sentence."""

from datetime import timedelta

import pytest

from ml_connector.basics.errors import (
    AlreadyDone,
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)


@pytest.mark.parametrize(
    ("kind", "filed"),
    [
        (TryAgain, "try_again"),
        (OutcomeUnknown, "outcome_unknown"),
        (AskAPerson, "ask_a_person"),
        (Refused, "refused"),
        (Misconfigured, "misconfigured"),
        (Bug, "bug"),
    ],
)
def test_an_error_is_filed_by_what_to_do_next(kind: type[ConnectorError], filed: str) -> None:
    error = kind("The payment was refused.", cause="payment.refused", remedy="Try a new card.")
    assert isinstance(error, ConnectorError)
    assert error.filed == filed
    assert error.sentence == "The payment was refused."
    assert error.cause == "payment.refused"
    assert error.remedy == "Try a new card."
    assert str(error) == "The payment was refused. Try a new card."


def test_every_class_of_the_family_is_filed_apart() -> None:
    family = [TryAgain, OutcomeUnknown, AskAPerson, AlreadyDone, Refused, Misconfigured, Bug]
    assert len({kind.filed for kind in family}) == len(family)


def test_an_error_that_nobody_filed_counts_as_a_bug() -> None:
    assert ConnectorError("Something happened.").filed == Bug.filed


def test_what_is_done_already_names_the_record() -> None:
    error = AlreadyDone("The payment is booked.", link="Payment|000777", cause="c", remedy="r")
    assert (error.filed, error.link, error.cause, error.remedy) == (
        "already_done",
        "Payment|000777",
        "c",
        "r",
    )


def test_a_cause_that_nobody_named_is_the_class() -> None:
    assert Bug("Impossible.").cause == "Bug"
    assert AlreadyDone("Done.", link="GL|1").cause == "AlreadyDone"


def test_a_sentence_without_a_remedy_stands_alone() -> None:
    assert str(Refused("The card expired.")) == "The card expired."


def test_trying_again_may_name_the_least_wait() -> None:
    assert TryAgain("Busy.").after is None
    assert OutcomeUnknown("No answer.", after=timedelta(minutes=5)).after == timedelta(minutes=5)
