"""Every scenario by its name."""

from collections.abc import Callable
from dataclasses import dataclass

from ml_sandbox.scenarios import cards, disputes, mirror, outages, payouts, refunds, webhooks
from ml_sandbox.scenarios.expected import Expected
from ml_sandbox.scenarios.stage import Stage

THEMES = (cards, refunds, disputes, payouts, mirror, outages, webhooks)


CHOICES = {
    "paid-in-another-currency-by-transit": "fx_transit",
    "dispute-in-another-currency-by-transit": "fx_transit",
    "period-closed-and-moved-on": "next_open_day",
}
"""What the firm of a scenario has decided besides the usual; whoever books for it must know."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story that can be acted out on two running sandboxes."""

    name: str
    theme: str
    story: str
    """What happens and what the books must show, as a person reads it."""
    act: Callable[[Stage], Expected]
    choice: str = ""
    """A word of `CHOICES`; empty where the usual is right."""

    @property
    def headline(self) -> str:
        """The story's first line."""
        return self.story.partition("\n")[0]


def scenarios() -> dict[str, Scenario]:
    """Every scenario by name, theme after theme."""
    found = [_named(theme.__name__, act) for theme in THEMES for act in theme.ALL]
    return {one.name: one for one in found}


def _named(module: str, act: Callable[[Stage], Expected]) -> Scenario:
    lines = (act.__doc__ or "").splitlines()
    story = "\n".join(line.strip() for line in lines).strip()
    name = act.__name__.replace("_", "-")
    return Scenario(name, module.rpartition(".")[2], story, act, CHOICES.get(name, ""))
