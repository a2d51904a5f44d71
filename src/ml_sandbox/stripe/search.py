"""Search: the query language, and an index that lags behind the truth."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.errors import StripeError, invalid
from ml_sandbox.stripe.listing import checked_limit
from ml_sandbox.stripe.wire import Obj, is_obj
from ml_sandbox.stripe.world import World

FIELDS: dict[str, frozenset[str]] = {
    "customer": frozenset(["created", "email", "metadata", "name", "phone"]),
    "invoice": frozenset(
        "created currency customer last_finalization_error_code last_finalization_error_type "
        "metadata number receipt_number status subscription total".split()
    ),
    "charge": frozenset(
        "amount created currency customer disputed metadata refunded status".split()
    ),
    "payment_intent": frozenset(
        ["amount", "created", "currency", "customer", "metadata", "status"]
    ),
}
PATHS = {
    "customer": "/v1/customers/search",
    "invoice": "/v1/invoices/search",
    "charge": "/v1/charges/search",
    "payment_intent": "/v1/payment_intents/search",
}
MOST_CLAUSES = 10
CLAUSE = re.compile(
    r"""\s*(?P<minus>-)?(?P<field>[a-z_.]+)(?:\[(?P<quote>['"])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\])?
        \s*(?P<op>>=|<=|:|~|>|<)\s*
        (?:(?P<q>['"])(?P<text>(?:\\.|(?!(?P=q)).)*)(?P=q)|(?P<bare>[^\s]+))""",
    re.VERBOSE,
)
JOIN = re.compile(r"\s+(AND|OR|and|or)\s+|\s+")


@dataclass(frozen=True)
class Clause:
    """One condition; text None means `null`."""

    field: str
    key: str | None
    op: str
    text: str | None
    negated: bool

    def fits(self, obj: Obj) -> bool:
        """Whether an object satisfies the condition."""
        return self._plain(self._value(obj)) != self.negated

    def _value(self, obj: Obj) -> Any:
        if self.field == "metadata":
            return obj["metadata"].get(self.key)
        node: Any = obj
        for part in self.field.split("."):
            node = node.get(part) if is_obj(node) else None
        return node

    def _plain(self, value: Any) -> bool:
        if self.text is None:
            return value is None
        if value is None:
            return False
        if self.op == "~":
            return self.text.lower() in str(value).lower()
        if isinstance(value, bool):
            return str(value).lower() == self.text.lower()
        if isinstance(value, int):
            return self._number(value)
        return self.op == ":" and str(value).lower() == self.text.lower()

    def _number(self, value: int) -> bool:
        bound = int(self.text or "0")
        tests: dict[str, Callable[[], bool]] = {
            ":": lambda: value == bound,
            ">": lambda: value > bound,
            "<": lambda: value < bound,
            ">=": lambda: value >= bound,
            "<=": lambda: value <= bound,
        }
        return tests[self.op]()


def parse(query: str, kind: str) -> tuple[list[Clause], bool]:
    """The clauses of a query and whether all (AND) must hold; raises StripeError."""
    clauses: list[Clause] = []
    joins: set[str] = set()
    place, text = 0, query.strip()
    while place < len(text):
        found = CLAUSE.match(text, place)
        if found is None:
            raise unreadable(query)
        clauses.append(clause(found, kind))
        place = found.end()
        join = JOIN.match(text, place)
        if join is not None:
            joins.add((join[1] or "AND").upper())
            place = join.end()
        elif place < len(text):
            raise unreadable(query)
    if not clauses or len(clauses) > MOST_CLAUSES or len(joins) > 1:
        raise unreadable(query)
    return clauses, joins != {"OR"}


def clause(found: re.Match[str], kind: str) -> Clause:
    """One condition, checked against the searchable fields."""
    name = found["field"]
    if name not in FIELDS[kind] and not name.startswith("payment_method_details."):
        text = (
            f"Field `{name}` is an unsupported search field for resource `{kind}s`. See "
            "http://stripe.com/docs/search#query-fields-for-invoices for a list of supported "
            "fields."
        )
        raise invalid(text, "query")
    text = found["text"]
    if text is not None:
        text = re.sub(r"\\(.)", r"\1", text)
    elif found["bare"] != "null":
        text = found["bare"]
    if found["op"] == "~" and len(text or "") < 3:
        raise invalid("Substring searches need at least 3 characters.", "query")
    key = found["key"] and re.sub(r"\\(.)", r"\1", found["key"])
    if found["op"] in {">", "<", ">=", "<="} and not (text or "").lstrip("-").isdigit():
        raise invalid("Comparisons need a number.", "query")
    return Clause(name, key, found["op"], text, found["minus"] is not None)


def unreadable(query: str) -> StripeError:
    """The query does not follow the language."""
    text = (
        f'We were unable to parse your search query. Try using the format `metadata["key"]:'
        f'"value"` to query for metadata or key:"value" to query for other fields. ({query})'
    )
    return invalid(text, "query")


class Index:
    """Copies of searchable objects, each seen only after the lag has passed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[str, dict[str, Obj]] = {kind: {} for kind in FIELDS}
        self._coming: deque[tuple[datetime, str, str, Obj]] = deque()
        world.on_change.append(self.note)

    def note(self, obj: Obj) -> None:
        """Remembers the new state of a searchable object."""
        kind = obj["object"]
        if kind not in FIELDS:
            return
        lag = timedelta(seconds=self._world.switches.search_lag_seconds)
        due = self._world.moment() + lag
        self._coming.append((due, kind, obj["id"], self._world.wire.frozen(obj)))

    def routes(self) -> Routes:
        """The search routes of all searchable kinds."""
        return {f"GET {path}": self._handler(kind) for kind, path in PATHS.items()}

    def _handler(self, kind: str) -> Callable[[World, Call], Obj]:
        def search(_world: World, call: Call) -> Obj:
            return self._search(kind, call)

        return search

    def _search(self, kind: str, call: Call) -> Obj:
        self._arrive()
        clauses, every = parse(call.params["query"], kind)
        test = all if every else any
        rows = [row for row in self._rows[kind].values() if test(c.fits(row) for c in clauses)]
        rows.reverse()
        start, limit = first_of(call.params.get("page")), checked_limit(call.params)
        table = self._world.tables[kind].rows
        data = [table[row["id"]] for row in rows[start : start + limit] if row["id"] in table]
        more = len(rows) > start + limit
        return {
            "object": "search_result",
            "data": data,
            "has_more": more,
            "next_page": f"page_{start + limit}" if more else None,
            "url": call.path,
            "total_count": len(rows),
        }

    def _arrive(self) -> None:
        """Moves everything whose lag has passed into sight."""
        now = self._world.moment()
        while self._coming and self._coming[0][0] <= now:
            _, kind, key, copy = self._coming.popleft()
            if copy.get("deleted"):
                self._rows[kind].pop(key, None)
            else:
                self._rows[kind][key] = copy


def first_of(page: str | None) -> int:
    """Where a page begins; raises StripeError for a foreign cursor."""
    if page is None:
        return 0
    number = page.removeprefix("page_")
    if not number.isdigit():
        raise invalid(f"Invalid page: {page}", "page")
    return int(number)
