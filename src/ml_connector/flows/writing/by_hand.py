"""Documents that an accountant has a say in: left to be released by hand, or deleted meanwhile."""

from ml_connector.basics.errors import AskAPerson, Refused
from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.books.postings import DELETED, VOIDED

RELEASE = "policy.release"


class WaitsForRelease(AskAPerson):
    """Created and found as it was sent; by policy, an accountant puts it into the ledger."""

    def __init__(self, *refs: ErpRef) -> None:
        wait = "waits" if len(refs) == 1 else "wait"
        super().__init__(
            f"{' and '.join(map(named, refs))} {wait} to be released in Acumatica.",
            cause=RELEASE,
            remedy="Release it there; the rest goes on by itself, at once with `replay`.",
        )
        self.refs = refs


class Gone(Refused):
    """A document of ours carries nothing any more; only a person's replay makes it anew."""


class Deleted(Gone):
    """A document of ours is not there any more."""

    def __init__(self, ref: ErpRef) -> None:
        super().__init__(
            f"{named(ref)} was deleted in Acumatica before it was released.",
            cause=f"{DELETED}:{ref}",
            remedy="If that was a slip, replay it: then it is made anew.",
        )


class Voided(Gone):
    """A document of ours was voided, or rejected, before it was proven."""

    def __init__(self, ref: ErpRef, status: str) -> None:
        super().__init__(
            f"{named(ref)} was {status.lower()} in Acumatica, so it moves no money.",
            cause=f"{VOIDED}:{ref}",
            remedy="If that was a slip, replay it: then it is made anew.",
        )


def named(ref: ErpRef) -> str:
    """A document as an accountant calls it: `Batch 000123`, `Payment 000123`."""
    kind, number = erp_keys(ref)
    return f"{'Batch' if kind == 'GL' else kind} {number}"
