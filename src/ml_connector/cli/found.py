"""What the guardian found, in words and in JSON."""

from collections.abc import Sequence

from ml_connector.basics.ids import in_words
from ml_connector.cli import show
from ml_connector.cli.show import money
from ml_connector.store.findings import Finding


def finding_facts(one: Finding) -> dict[str, object]:
    """One finding, for a program."""
    return {
        "id": one.id,
        "grade": one.grade,
        "state": one.state,
        "edits": list(one.edits),
        "key": one.key,
        "document": one.document,
        "other": one.other,
        "sentence": one.sentence,
        "missing": money(one.missing),
        "stake": money(one.stake),
        "decided_by": one.actor,
        "why": one.why,
    }


def show_findings(found: Sequence[Finding]) -> None:
    """The findings as a person reads them, with what can be done about each."""
    rows = [
        (str(one.id), one.grade.value, in_words(one.document), str(one.stake),
         str(one.missing), one.state.value)
        for one in found
    ]  # fmt: skip
    columns = ("id", "grade", "document", "amount ", "off the clearing ", "state")
    show.table("Changed by people", columns, rows)
    for one in found:
        show.say(one.sentence, mark=str(one.id), colour="yellow")
