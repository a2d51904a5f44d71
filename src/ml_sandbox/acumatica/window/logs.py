"""What went in and out: API calls, push notifications; and the switches of the service."""

from ml_sandbox.acumatica.window.view import View, moment
from ml_sandbox.page import Html, button, field, form, join, mark, panel, table, tag


def _status(code: int) -> Html:
    kind = "good" if 200 <= code < 400 else "bad" if code >= 500 or not code else "warn"
    return mark(code or "no answer", kind)


def call_list(view: View) -> Html:
    """The latest API calls, and counts by address."""
    rows = [
        (
            moment(call.moment),
            call.method,
            call.path,
            "&".join(f"{name}={value}" for name, value in call.query.items()),
            _status(call.status),
            f"{call.milliseconds:.1f}",
        )
        for call in view.site.log.latest()[:200]
    ]
    columns = ("!When (UTC)", "!Method", "`Path", "`Query", "!Status", "#ms")
    latest = panel("Latest calls", table(columns, rows, empty="Nobody has called yet."))
    counts = sorted(view.site.calls.items(), key=lambda each: -each[1])
    by_address = panel(
        "Counts",
        table(("`Call", "#Times"), [(name, f"{count:,}") for name, count in counts]),
        form(view.place("calls"), button("Reset the counts", "quiet"), kind="row"),
    )
    return join([latest, by_address])


def push_list(view: View) -> Html:
    """Where notifications go, and each attempt to deliver one."""
    push = view.push
    config = push.config
    settings = panel(
        "Destination",
        form(
            view.place("push"),
            field("Address", "url", config.url, "url", placeholder="http://127.0.0.1:8080/push"),
            field("Header", "header_name", config.header_name),
            field("Value", "header_value", config.header_value),
            button("Save"),
            kind="row",
        ),
    )
    summary = (
        f"{push.delivered} delivered, {push.given_up} given up, {push.attempts} attempts,"
        f" {len(push.waiting)} waiting."
    )
    rows = [
        (
            moment(each.moment),
            each.query,
            each.id,
            str(each.rows),
            f"{each.attempt} of 5",
            _status(each.status),
        )
        for each in reversed(push.log)
    ]
    columns = ("!When (UTC)", "!Query", "`Transaction", "#Rows", "!Attempt", "!Answer")
    log = table(columns, rows, empty="No notification was sent yet.")
    return join([settings, panel("Attempts", tag("p", summary, class_="soft"), log)])


def switch_list(view: View) -> Html:
    """Every switch with its sentence; a changed value is taken over at once."""
    rows = [
        (
            name,
            each["sentence"],
            form(
                view.place("switches"),
                field("", name, str(each["value"]), aria_label=name),
                button("Set", "quiet"),
                kind="row",
            ),
        )
        for name, each in view.world.switches.describe().items()
    ]
    return panel("", table(("`Switch", "What it decides", "Value"), rows))
