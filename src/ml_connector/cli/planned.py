"""Plans and the shadow's score, in words and in JSON; and plans in files."""

from collections.abc import Sequence
from pathlib import Path

from ml_connector.basics.errors import Misconfigured
from ml_connector.books.plans import Plan, PlannedDocument, by_account
from ml_connector.books.shadow import Comparison, Outcome
from ml_connector.cli import show
from ml_connector.cli.show import money
from ml_connector.flows.review.apply import After, Applied
from ml_connector.flows.review.shadow import Shadow
from ml_connector.store.rows import to_json

READABLE = "Name a file in a folder that exists and that you may use."


def into_file(place: Path, hashed: str, plan: Plan) -> None:
    """Writes a plan as one line of canonical JSON; raises Misconfigured."""
    try:
        place.write_text(to_json({"hash": hashed, "plan": plan}) + "\n", "utf-8")
    except OSError as error:
        raise _unusable(place, error) from error


def in_file(name: str) -> str | None:
    """What a file holds, None when there is none of this name; raises Misconfigured."""
    place = Path(name)
    if not place.is_file():
        return None
    try:
        return place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(place, error) from error


def _unusable(place: Path, error: Exception) -> Misconfigured:
    why = error.strerror if isinstance(error, OSError) else "it is not text"
    return Misconfigured(
        f"The file {place} cannot be used: {why}.", cause="cli.file", remedy=READABLE
    )


def plan_facts(hashed: str, plan: Plan) -> dict[str, object]:
    """A plan for a program."""
    return {
        "plan": hashed,
        "mapping_version": plan.mapping_version,
        "accounts": [
            {"account": one.account, **money(one.amount)} for one in by_account(plan.documents)
        ],
        "documents": [_document_facts(one) for one in plan.documents],
        "not_planned": [
            {
                "subject": one.subject,
                "amount": None if one.amount is None else money(one.amount),
                "why": one.why,
                "remedy": one.remedy,
            }
            for one in plan.rest
        ],
    }


def _document_facts(one: PlannedDocument) -> dict[str, object]:
    return {
        "key": one.key,
        "type": one.record_type,
        "standing": one.standing,
        "title": one.title,
        "entries": [{"account": e.account, **money(e.amount)} for e in one.entries],
        "facts": one.facts,
        "document": one.body_hash,
    }


def show_plan(hashed: str, plan: Plan) -> None:
    """A plan for people: the money by account, each document, and what is not planned."""
    sums = [(one.account, str(one.amount)) for one in by_account(plan.documents)]
    if sums:
        show.table("In money", ("account", "debit less credit "), sums)
    rows = [(one.key, one.standing, one.title) for one in plan.documents]
    if rows:
        show.table("Documents", ("key", "mode", "what would be written"), rows)
    for one in plan.rest:
        amount = "" if one.amount is None else f" {one.amount}"
        why = f"{one.subject}{amount}: {one.why} {one.remedy}".rstrip()
        show.say(why, mark="not", colour="yellow")
    if not plan.documents:
        show.say("Nothing is to be written now.")
        return
    show.say(f"Apply it with: ml-connector apply {hashed[:16]}", mark="plan", colour="bold")


def applied_facts(applied: Applied, after: Sequence[After]) -> dict[str, object]:
    """What became of the approved documents, for a program."""
    return {
        "plan": applied.plan,
        "documents": [
            {"key": one.key, "written": one.written, "stands": one.stands} for one in after
        ],
    }


def show_applied(applied: Applied, after: Sequence[After]) -> None:
    """What became of the approved documents, for people."""
    for one in after:
        mark, colour = ("written", "green") if one.written else ("not yet", "yellow")
        show.say(f"{one.key} {one.stands}".rstrip(), mark=mark, colour=colour)
    if not after:
        show.say(f"There was nothing to approve in {applied.plan[:16]}.")


def shadow_facts(found: Shadow) -> dict[str, object]:
    """The comparison for a program."""
    return {
        "since": found.since,
        "currencies": [_score(one) for one in found.comparisons],
        "not_compared": [
            {"transaction": one.transaction, "amount": money(one.amount), "reason": one.reason}
            for one in found.rest
        ],
        "applications_not_read": found.unread,
    }


def _score(one: Comparison) -> dict[str, object]:
    return {
        "currency": one.currency,
        "agrees": one.agrees,
        "compared": money(one.whole),
        **{str(outcome): money(one.moved(outcome)) for outcome in Outcome},
        "difference": money(one.difference),
        "parts": [
            {
                "outcome": part.outcome,
                "amount": money(part.amount),
                "ours": part.ours,
                "theirs": part.theirs,
                "sentence": part.sentence,
            }
            for part in one.parts
        ],
    }


def show_shadow(found: Shadow) -> None:
    """The comparison for people: the score first, then whatever is not the same."""
    rows = [
        (one.currency, *(str(one.moved(outcome)) for outcome in Outcome), str(one.difference))
        for one in found.comparisons
    ]
    columns = ("currency", "same ", "split ", "missing ", "extra ", "posted less planned ")
    show.table(f"In shadow since {found.since}", columns, rows)
    for part in (part for one in found.comparisons for part in one.parts):
        if part.outcome is not Outcome.SAME:
            show.say(part.sentence, mark=part.outcome, colour="yellow")
    for item in found.rest:
        show.say(f"{item.transaction} {item.amount}: {item.reason}", mark="not compared")
    if found.unread:
        told = f"Which invoices payments settled could not be read. {found.unread}"
        show.say(told, mark="not compared", colour="yellow")
