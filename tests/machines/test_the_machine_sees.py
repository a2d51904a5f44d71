"""The machine is not blind: what is broken on purpose, it finds."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from build.firm import Books
from machines.test_money_machine import Life
from ml_connector.basics.ids import PostingKey
from ml_connector.books.postings import Journal, Posting, Purpose
from ml_connector.books.records import BalanceTransaction
from ml_connector.books.rules import Story


class WithoutDedupe(Books):
    """Books what it is told each time anew."""

    def carry(self, made: Iterable[Posting]) -> list[Posting]:
        fresh = list(made)
        for posting in fresh:
            self.carried[PostingKey(f"{posting.key}#{len(self.carried)}")] = posting
        return fresh


class WithoutFees(Books):
    """Has lost the rule for fees."""

    def planned(self, bt: BalanceTransaction, story: Story) -> list[Posting]:
        return [one for one in super().planned(bt, story) if one.purpose is not Purpose.FEE]


class WithoutVoids(Books):
    """Has lost the rule for debits that come back."""

    def carry(self, made: Iterable[Posting]) -> list[Posting]:
        return super().carry([one for one in made if one.purpose is not Purpose.VOID])


class TurnedRound(Books):
    """Books refunds on the wrong side."""

    def planned(self, bt: BalanceTransaction, story: Story) -> list[Posting]:
        return [_turned(one) for one in super().planned(bt, story)]


def _turned(posting: Posting) -> Posting:
    paper = posting.document
    if posting.purpose is not Purpose.REFUND or not isinstance(paper, Journal):
        return posting
    lines = tuple(replace(line, amount=-line.amount) for line in paper.lines)
    return replace(posting, document=replace(paper, lines=lines))


@pytest.mark.parametrize("broken", [WithoutDedupe, WithoutFees, WithoutVoids, TurnedRound])
def test_books_that_are_broken_are_found_out(broken: type[Books]) -> None:
    machine = type("Broken", (Life,), {"books_type": broken})
    chosen = settings(
        max_examples=200, stateful_step_count=25, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=[HealthCheck.filter_too_much],
        print_blob=False,
    )  # fmt: skip
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(machine, settings=chosen)
