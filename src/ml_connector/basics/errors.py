"""The family of errors, filed by what to do next.

| next | class | what the machinery does |
| --- | --- | --- |
| try again | `TryAgain` | repeats with backoff, not before `after` |
| try again, after looking | `OutcomeUnknown` | searches for the effect before any new send |
| ask a person | `AskAPerson` | the job rests, shown with cause and remedy; wakes when cured |
| already done | `AlreadyDone` | records the link and goes on |
| refused | `Refused` | stops this step for good and shows it |
| misconfigured | `Misconfigured` | cannot start, or the connection pauses; names the setting |
| bug | `Bug` | an impossible state: stop and show |

A class says what to do next; the sentence says what happened, to what, and what to try.
"""

from datetime import timedelta


class ConnectorError(Exception):
    """Something went wrong; `cause` groups equal troubles, `remedy` says what to try.

    Neither the sentence nor the remedy may hold a secret.
    """

    filed = "bug"

    def __init__(self, sentence: str, *, cause: str = "", remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.cause = cause or type(self).__name__
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".strip()


class TryAgain(ConnectorError):
    """The world may be better later; `after` is the least wait, when one is known."""

    filed = "try_again"

    def __init__(
        self, sentence: str, *, cause: str = "", remedy: str = "", after: timedelta | None = None
    ) -> None:
        super().__init__(sentence, cause=cause, remedy=remedy)
        self.after = after


class OutcomeUnknown(TryAgain):
    """A write was sent and no answer came: it may have happened, or may yet happen."""

    filed = "outcome_unknown"


class AskAPerson(ConnectorError):
    """Data or set-up needs a decision; the item waits and goes on by itself when cured."""

    filed = "ask_a_person"


class AlreadyDone(ConnectorError):
    """The effect is there already; `link` names it."""

    filed = "already_done"

    def __init__(self, sentence: str, *, link: str, cause: str = "", remedy: str = "") -> None:
        super().__init__(sentence, cause=cause, remedy=remedy)
        self.link = link


class Refused(ConnectorError):
    """The other side will never take this as it stands."""

    filed = "refused"


class Misconfigured(ConnectorError):
    """A setting or credential is wrong; nothing of this connection can work until it is mended."""

    filed = "misconfigured"


class Bug(ConnectorError):
    """A state that the rules do not allow; a person must look at the program."""

    filed = "bug"
