"""The examples of the books: which test shows which rule, reason or choice in T-accounts."""

from collections.abc import Callable
from enum import Enum
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

SHOWN: dict[tuple[str, str], set[str]] = {}
"""What is shown (a `type/category`, or a member of an enum with its kind), and by which tests."""


def shows(*what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a test whose docstring shows `what` in T-accounts; refuses one without a drawing."""

    def marked(test: Callable[P, R]) -> Callable[P, R]:
        assert is_drawn(test.__doc__ or ""), f"{test.__name__} draws no T-accounts"
        for one in what:
            SHOWN.setdefault(named(one), set()).add(test.__name__)
        return test

    return marked


def named(one: str) -> tuple[str, str]:
    """A rule by its pair; a member of an enum with the name of its kind, so that none clash."""
    return (type(one).__name__ if isinstance(one, Enum) else "pair", str(one))


def is_drawn(docstring: str) -> bool:
    """Whether a line with bars has names of accounts above one with amounts, or with none."""
    lines = [line for line in docstring.splitlines() if "|" in line]
    return len(lines) > 1 and any(map(str.isalpha, lines[0]))
