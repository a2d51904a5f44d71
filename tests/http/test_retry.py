from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ml_connector.http.retry import (
    MAY_HAVE_HAPPENED,
    GiveUp,
    Outcome,
    RetryPolicy,
    SendAgain,
    TakeAnswer,
    decide,
)

spans = st.timedeltas(timedelta(0), timedelta(hours=3))
outcomes = st.sampled_from(Outcome)
troubles = st.sampled_from([o for o in Outcome if o is not Outcome.ANSWERED])
policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 9),
    first=st.timedeltas(timedelta(0), timedelta(seconds=5)),
    longest=st.timedeltas(timedelta(0), timedelta(seconds=60)),
    total=st.timedeltas(timedelta(0), timedelta(minutes=10)),
    chance=st.floats(0, 1).map(lambda share: lambda: share),
)


@given(st.integers(1, 50), st.booleans(), spans, policies)
def test_an_answer_is_always_taken(
    attempt: int, repeatable: bool, spent: timedelta, policy: RetryPolicy
) -> None:
    decision = decide(attempt, Outcome.ANSWERED, policy, repeatable=repeatable, spent=spent)
    assert decision == TakeAnswer()


@given(st.integers(1, 50), st.sampled_from(sorted(MAY_HAVE_HAPPENED)), policies, spans)
def test_what_may_have_happened_is_never_sent_twice_without_a_key(
    attempt: int, outcome: Outcome, policy: RetryPolicy, spent: timedelta
) -> None:
    decision = decide(attempt, outcome, policy, repeatable=False, spent=spent)
    assert isinstance(decision, GiveUp)


@given(st.integers(1, 50), troubles, policies, spans, st.none() | spans)
def test_a_wait_respects_the_server_and_our_patience(
    attempt: int,
    outcome: Outcome,
    policy: RetryPolicy,
    spent: timedelta,
    asked: timedelta | None,
) -> None:
    repeatable = outcome in MAY_HAVE_HAPPENED
    decision = decide(
        attempt, outcome, policy, repeatable=repeatable, spent=spent, retry_after=asked
    )
    if isinstance(decision, SendAgain):
        assert decision.wait >= (asked or timedelta(0))
        assert decision.wait <= max(policy.longest, asked or timedelta(0))
        assert spent + decision.wait <= policy.total
        assert attempt < policy.attempts
    else:
        assert decision == GiveUp(asked)


@given(st.sampled_from([Outcome.NOT_SENT, Outcome.BUSY]), st.booleans())
def test_what_certainly_did_not_happen_is_sent_again(outcome: Outcome, repeatable: bool) -> None:
    decision = decide(1, outcome, RetryPolicy(chance=lambda: 1.0), repeatable=repeatable)
    assert decision == SendAgain(timedelta(seconds=0.5))


def test_the_ceiling_doubles_until_the_longest_wait() -> None:
    policy = RetryPolicy(attempts=99, total=timedelta(hours=9), chance=lambda: 1.0)
    decisions = [decide(n, Outcome.CUT, policy, repeatable=True) for n in range(1, 9)]
    waits = [d.wait.total_seconds() for d in decisions if isinstance(d, SendAgain)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 20, 20]
