"""A life of a firm as it is drawn and told: its policies, and what everybody does in turn.

Its text is Python: what a failing run prints can be pasted into a test as it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from ml_connector.cli.trials.year_policies import BASE

POLICIES: Mapping[str, Sequence[str]] = {
    "unmatched": ('"hold"', '"unapplied"', '"suspense"'),
    "dispute_lost": ('"loss"', '"reopen"'),
    "fx": ('"list"', '"gain_loss"'),
    "fees": ('"transaction"', '"payout"', '"payment_charge"'),
    "refunds": ('"journal"', '"credit_memo"'),
    "post_when": ('"captured"', '"available"', '"paid_out"'),
    "closed_period": ('"hold"', '"next_open"'),
    "release": ("true", "false"),
    "reopened": ('"ask"', '"again"'),
}
"""Every choice, its default first; `reopened` is a word of the mirror."""
OF_THE_MIRROR = frozenset({"reopened"})
EVERY_CHOICE = [(word, value) for word, values in POLICIES.items() for value in values]

THEN = ("works", "hears", "hears_badly", "misses_the_news", "polls", "rests")
"""What the connector does after an act: see `Living`."""


@dataclass(frozen=True)
class Act:
    """One thing that somebody does: to which of those there are, and to how much of it (1-100).

    `then` is what the connector does afterwards.
    """

    what: str
    which: int = 0
    part: int = 100
    then: str = "works"


@dataclass(frozen=True)
class Life:
    """What was decided at the beginning, and what happens."""

    policies: Mapping[str, str]
    acts: Sequence[Act]


def mapping_of(policies: Mapping[str, str]) -> str:
    """The mapping of five currencies with these policies, as a person would write it."""
    tables: dict[str, list[str]] = {"policies": [], "mirror": []}
    for word, value in policies.items():
        table = "mirror" if word in OF_THE_MIRROR else "policies"
        tables[table].append(f"{word} = {value}\n")
    said = "".join(f"\n[{name}]\n{''.join(lines)}" for name, lines in tables.items())
    return BASE.read_text("utf-8") + said


SALES = st.tuples(st.sampled_from((0, 0, 0, 1, 2, 3)), st.integers(1, 100), st.integers(0, 9))
PART = st.one_of(st.just(100), st.integers(1, 100))


@st.composite
def lives(draw: st.DrawFn, acts: Sequence[str], *, least: int = 5, most: int = 12) -> Life:
    """Any life of a firm made of these acts, simplest first; it mostly begins with a sale or two.

    Without those, most people would find nothing to do.
    """
    choices = {word: st.sampled_from(values) for word, values in POLICIES.items()}
    policies = draw(st.fixed_dictionaries({}, optional=choices))
    sales = draw(st.lists(SALES, max_size=2))
    act = st.builds(Act, st.sampled_from(acts), st.integers(0, 9), PART, st.sampled_from(THEN))
    rest = draw(st.lists(act, min_size=least, max_size=most))
    return Life(policies, [*_sold(sales), *rest])


def _sold(sales: Sequence[tuple[int, int, int]]) -> Sequence[Act]:
    """Invoices that are sent and paid, each in a currency, for a price, by a card."""
    return [
        act for which, price, card in sales
        for act in (Act("invoices", which, price), Act("pays", card))
    ]  # fmt: skip
