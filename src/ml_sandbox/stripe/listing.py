"""Pages of lists: newest first, cursors either way, range filters."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from ml_sandbox.stripe.calls import Call
from ml_sandbox.stripe.errors import invalid, missing
from ml_sandbox.stripe.tables import Table
from ml_sandbox.stripe.wire import Obj, is_obj

Keep = Callable[[Obj], bool]


def page(
    call: Call,
    table: Table,
    ids: list[str] | None = None,
    keep: Keep | None = None,
    *,
    oldest_first: bool = False,
) -> Obj:
    """One page of a table, or of the rows with some ids, in the list envelope."""
    limit = checked_limit(call.params)
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after is not None and before is not None:
        text = "Received both starting_after and ending_before parameters. Please pass in only one."
        raise invalid(text, "starting_after", "parameters_exclusive")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and not table.knows(cursor):
            raise missing(call.route.kind, cursor, name, 400)
    chosen = table.ids() if ids is None else ids
    if oldest_first:
        rows = table.older(chosen, before) if before is not None else table.newer(chosen, after)
    else:
        rows = table.newer(chosen, before) if before is not None else table.older(chosen, after)
    return envelope(call.path, rows, limit, keep_for(call.params, keep), before is not None)


def envelope(path: str, rows: Iterable[Obj], limit: int, keep: Keep, backwards: bool) -> Obj:
    """Takes the first fitting rows; backwards rows come oldest first and are turned round."""
    found = list(islice(filter(keep, rows), limit + 1))
    data = found[:limit]
    if backwards:
        data.reverse()
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": path}


def whole(path: str, rows: list[Obj], first: int = 10) -> Obj:
    """A sub-list embedded in an object: its first rows."""
    return {"object": "list", "data": rows[:first], "has_more": len(rows) > first, "url": path}


def checked_limit(params: Obj) -> int:
    """1 to 100 rows, 10 by default."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        text = "This value must be less than or equal to 100 and greater than or equal to 1."
        raise invalid(text, "limit", "parameter_invalid_integer")
    return limit


def keep_for(params: Obj, more: Keep | None) -> Keep:
    """Joins the range filters of a list with what else it asks for."""
    ranges = [
        (name, params[name]) for name in ("created", "arrival_date", "due_date") if name in params
    ]
    if not ranges and more is None:
        return anything
    return lambda obj: all(within(obj.get(n), r) for n, r in ranges) and (more is None or more(obj))


def anything(_obj: Obj) -> bool:
    """No filter."""
    return True


def within(value: int | None, asked: Any) -> bool:
    """Whether a time equals the asked one or lies in the asked range."""
    if value is None:
        return False
    if not is_obj(asked):
        return value == asked
    return (
        value > asked.get("gt", -1)
        and value >= asked.get("gte", 0)
        and value < asked.get("lt", 1 << 60)
        and value <= asked.get("lte", 1 << 60)
    )
