"""May a document be written? What its mode says, and what a person has said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ml_connector.basics.errors import AskAPerson
from ml_connector.books.modes import Mode, RecordType

DECLINED = "mode.declined"


class Verdict(StrEnum):
    """What a person has said of a document."""

    APPROVED = "approved"
    """It may be written, exactly as it was shown."""
    DECLINED = "declined"
    """It is not written, and the reason says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word on one document: the hash of what was shown, and the mapping of then."""

    verdict: Verdict
    body_hash: str
    mapping_version: int
    actor: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A document about to be written: `what` names it to a person, `body_hash` is what it says."""

    kind: RecordType
    what: str
    body_hash: str


class HeldBack(AskAPerson):
    """A document that is planned and not written, by its mode or by a person's word."""


class InShadow(HeldBack):
    """Its kind is only compared with what people book."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(
            f"{asked.what} is planned only: {asked.kind} are in shadow mode.",
            cause=_cause(Mode.SHADOW, asked.kind),
            remedy="Compare with `ml-connector shadow`; set the mode to approve or automatic in"
            " the mapping when the score holds.",
        )


class WaitsForApproval(HeldBack):
    """Its kind is written only after a person's word."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(
            f"{asked.what} waits for approval.",
            cause=_cause(Mode.APPROVE, asked.kind),
            remedy="See it with `ml-connector plan`, then apply or decline it.",
        )


class NotAsApproved(HeldBack):
    """It has changed since a person approved it."""

    def __init__(self, asked: Asked, said: Said) -> None:
        super().__init__(
            f"{asked.what} is not any more as {said.actor} approved it.",
            cause=_cause(Mode.APPROVE, asked.kind),
            remedy="See it anew with `ml-connector plan`, then apply or decline it.",
        )


class WasDeclined(HeldBack):
    """A person does not want it written."""

    def __init__(self, asked: Asked, said: Said) -> None:
        super().__init__(
            f"{asked.what} was declined by {said.actor}: {said.why}",
            cause=f"{DECLINED}:{asked.kind}",
            remedy="Book it by hand. To take it up again: `ml-connector plan`, then"
            " `ml-connector apply` with --only and its key.",
        )


def require_permission(asked: Asked, mode: Mode, said: Said | None, mapping_version: int) -> None:
    """Lets a document pass, or raises HeldBack with the reason.

    A person's word binds in every mode. Only where the mode is automatic, an approval under an
    earlier mapping does not: the new mapping is a person's later word.
    """
    if mode is Mode.SHADOW:
        raise InShadow(asked)
    if said is None:
        if mode is Mode.APPROVE:
            raise WaitsForApproval(asked)
        return
    if said.verdict is Verdict.DECLINED:
        raise WasDeclined(asked, said)
    binds = mode is Mode.APPROVE or said.mapping_version == mapping_version
    if binds and said.body_hash != asked.body_hash:
        raise NotAsApproved(asked, said)


def together(held: Sequence[HeldBack]) -> HeldBack:
    """Several documents of one movement that are held back, as one reason; at least one."""
    if len(held) == 1:
        return held[0]
    sentences = " ".join(one.sentence for one in held)
    remedies = " ".join(dict.fromkeys(one.remedy for one in held))
    return HeldBack(sentences, cause=held[0].cause, remedy=remedies)


def _cause(mode: Mode, kind: RecordType) -> str:
    return f"mode.{mode}:{kind}"


def each_by_itself(cause: str, mode_of: dict[RecordType, Mode]) -> bool:
    """Whether a cure of one item is none for the others of its cause: each needs its own word.

    A kind that is not to be approved any more is cured for all.
    """
    name, _, kind = cause.partition(":")
    if name == DECLINED:
        return True
    return name == f"mode.{Mode.APPROVE}" and mode_of.get(RecordType(kind)) is Mode.APPROVE
