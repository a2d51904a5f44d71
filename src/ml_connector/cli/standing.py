"""How connections stand, in words and in JSON."""

from collections.abc import Sequence

from ml_connector.basics.money import totals
from ml_connector.cli import show
from ml_connector.cli.found import finding_facts
from ml_connector.cli.show import money
from ml_connector.flows.questions.standing import Standing
from ml_connector.store.troubles import TroubleGroup


def show_standing(found: Sequence[Standing], *, as_json: bool) -> None:
    """Prints how each connection stands."""
    if as_json:
        show.as_json({"connections": [facts(one) for one in found]})
        return
    for one in found:
        _words(one)
    if not found:
        show.say("There is no connection yet: ml-connector connect NAME")


def facts(one: Standing) -> dict[str, object]:
    """How one connection stands, for a program."""
    return {
        "connection": one.connection,
        "active": one.active,
        "paused_reason": one.paused_reason,
        "idle": not one.due,
        "due": one.due,
        "later": one.later,
        "money": [
            {"state": row.state, "count": row.count, "net": money(row.net)} for row in one.money
        ],
        "payouts": one.payouts,
        "payouts_proven": one.payouts_proven,
        "failed": [
            {"kind": job.kind, "resource": job.resource, "at": job.at} for job in one.failed
        ],
        "findings": [finding_facts(found) for found in one.findings],
        "troubles": [_trouble(group) for group in one.troubles],
        "streams": [
            {
                "stream": stream.stream,
                "every_seconds": stream.every_seconds,
                "last_finished": stream.last_finished,
                "error": stream.last_error,
            }
            for stream in one.streams
        ],
    }


def _trouble(group: TroubleGroup) -> dict[str, object]:
    return {
        "count": group.count,
        "filed": group.filed,
        "cause": group.cause,
        "sentence": group.sentence,
        "remedy": group.remedy,
        "money": [money(amount) for amount in group.money],
    }


def _words(one: Standing) -> None:
    state = f"working on {one.due}" if one.due else "idle"
    why = f": {one.paused_reason}" if one.paused_reason else ""
    paused = "" if one.active else f"(paused{why}) "
    show.say(f"{paused}{state}, {one.later} waiting for later", mark=one.connection, colour="bold")
    rows = [(row.state.value, str(row.count), str(row.net)) for row in one.money]
    if rows:
        show.table("Balance transactions", ("state", "count ", "net "), rows)
    if one.payouts:
        show.say(f"{one.payouts_proven} of {one.payouts} payouts proven")
    for group in one.troubles:
        sums = ", ".join(str(amount) for amount in group.money)
        show.say(f"{group.sentence} {sums}".rstrip(), mark=f"{group.count} x", colour="yellow")
        if group.remedy:
            show.say(f"    {group.remedy}")
    for job in one.failed:
        story = f"The look at {job.kind} {job.resource} broke at {job.at:%Y-%m-%d %H:%M}."
        show.say(story, mark="broken", colour="red")
        show.say(f"    The log holds the trace. Try again: ml-connector replay {job.resource}")
    if one.findings:
        lacking = totals(found.missing for found in one.findings).values()
        sums = ", ".join(str(amount) for amount in lacking if amount) or "no money off the clearing"
        story = f"{len(one.findings)} documents were changed by people ({sums})."
        show.say(f"{story} See: ml-connector guardian {one.connection}", colour="yellow")
    for stream in one.streams:
        if stream.last_error:
            show.say(stream.last_error, mark=stream.stream, colour="yellow")
