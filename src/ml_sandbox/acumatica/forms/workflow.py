"""Hold, approval and reservation: the buttons that every document form has in common."""

from ml_sandbox.acumatica.errors import disabled
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.world import Unit

BUTTONS = {
    "putonhold": "Hold",
    "releasefromhold": "Remove Hold",
    "approve": "Approve",
    "reject": "Reject",
}
_FROM: dict[str, dict[str, str]] = {
    "putonhold": {
        "Balanced": "On Hold",
        "Pending Approval": "On Hold",
        "Rejected": "On Hold",
        "Open": "Reserved",
    },
    "releasefromhold": {"On Hold": "Balanced", "Reserved": "Open"},
    "approve": {"Pending Approval": "Balanced"},
    "reject": {"Pending Approval": "Rejected"},
}


def entry_status(unit: Unit, kind: str, *, hold: bool) -> str:
    """The status of a complete document: held, waiting for approval, or balanced."""
    if hold:
        return "On Hold"
    waiting = {part.strip() for part in unit.switches.approvals.split(",")}
    return "Pending Approval" if kind in waiting else "Balanced"


def change_hold(unit: Unit, draft: Record, kind: str, *, hold: bool) -> None:
    """Takes over a sent Hold of an unreleased document; approval is asked for once."""
    if hold or draft.get("Status") == "On Hold":
        draft.set(Status=entry_status(unit, kind, hold=hold))


def change_reservation(draft: Record, *, hold: bool) -> None:
    """Takes over a sent Hold of a released document: Open becomes Reserved and back."""
    moves = _FROM["putonhold" if hold else "releasefromhold"]
    if draft.get("Status") in {"Open", "Reserved"}:
        draft.set(Status=moves.get(str(draft.get("Status")), draft.get("Status")), Hold=hold)


def check_button(record: Record, action: str) -> None:
    """Raises unless the button is enabled in the document's status."""
    if record.get("Status") not in _FROM[action]:
        raise disabled(BUTTONS[action])


def press(unit: Unit, draft: Record, action: str, kind: str) -> None:
    """Moves the document to the status that the button leads to."""
    check_button(draft, action)
    status = _FROM[action][str(draft.get("Status"))]
    if action == "releasefromhold" and status == "Balanced":
        status = entry_status(unit, kind, hold=False)
    draft.set(Status=status, Hold=status in {"On Hold", "Reserved"})
