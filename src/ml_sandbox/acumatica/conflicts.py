"""Concurrent saves on request: the next matching PUTs lose against another process."""

from dataclasses import dataclass

from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.records import Record, fold


@dataclass
class Conflicts:
    """How many saves still fail, and which: of one entity, of one record, or of any."""

    count: int = 0
    entity: str = ""
    record: str = ""  # an id, or any of the record's key values
    fired: int = 0

    def check(self, entity: str, label: str, draft: Record, keys: tuple[str, ...]) -> None:
        """Raises what the service says when a record was saved between its load and its save."""
        if self.count <= 0 or (self.entity and fold(self.entity) != fold(entity)):
            return
        known = {draft.id, *(fold(draft.values.get(name)) for name in keys)}
        if self.record and fold(self.record) not in known:
            return
        self.count -= 1
        self.fired += 1
        raise Problem(
            500,
            f"Error: Another process has updated the '{label}' record. Your changes will be lost.",
            "PX.Data.PXLockViolationException",
        )
