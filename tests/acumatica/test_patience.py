"""Waiting for operations: one question is mostly enough, and nobody waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.acumatica.patience import GIVE_UP, LONGEST, SHORTEST, Patience


def run(patience: Patience, takes: float) -> int:
    """An operation that takes so many seconds; returns the number of questions."""
    waited = 0.0
    for questions, wait in enumerate(patience.waits(), start=1):
        waited += wait
        if waited >= takes:
            patience.learn(waited, questions)
            return questions
    raise AssertionError("gave up")


@given(st.floats(0.02, 3.0), st.floats(SHORTEST, LONGEST))
def test_a_steady_operation_soon_costs_little_more_than_one_question(
    takes: float, first: float
) -> None:
    patience = Patience(first)
    for _ in range(60):
        run(patience, takes)
    questions = [run(patience, takes) for _ in range(40)]
    assert sum(questions) / len(questions) <= 1.06


@given(st.floats(0.02, 3.0))
def test_a_fast_operation_is_not_waited_for_much_longer_than_it_takes(takes: float) -> None:
    patience = Patience(LONGEST)
    for _ in range(200):
        run(patience, takes)
    assert patience.expected <= max(takes * 2.5, SHORTEST * 2)


def test_the_first_guess_is_left_within_a_few_operations() -> None:
    patience = Patience()
    questions = [run(patience, 0.06) for _ in range(8)]
    assert patience.expected < 0.15
    assert sum(questions) <= 10


@given(st.floats(SHORTEST, LONGEST))
def test_it_gives_up_in_the_end_and_never_asks_in_a_rush(first: float) -> None:
    waits = list(Patience(first).waits())
    assert GIVE_UP <= sum(waits) <= GIVE_UP + LONGEST
    assert min(waits) >= SHORTEST
    assert max(waits) <= LONGEST
