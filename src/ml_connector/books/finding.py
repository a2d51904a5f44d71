"""A finding: what does not fit between a mapping and the tenant, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    FAIL = "fail"
    """A document would be refused, or booked where it must not be."""
    WARN = "warn"
    """It works, but deserves a look; or it could not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit: `key` is where it stands in the mapping.

    `unchecked` says that nothing is known to be wrong: it could only not be looked at.
    """

    key: str
    severity: Severity
    sentence: str
    remedy: str
    unchecked: bool = False


def fail(key: str, sentence: str, remedy: str) -> Finding:
    """A finding that must be cured."""
    return Finding(key, Severity.FAIL, sentence, remedy)


def warn(key: str, sentence: str, remedy: str) -> Finding:
    """A finding that deserves a look."""
    return Finding(key, Severity.WARN, sentence, remedy)


def unchecked(key: str, sentence: str, remedy: str) -> Finding:
    """What could not be looked at."""
    return Finding(key, Severity.WARN, sentence, remedy, unchecked=True)
