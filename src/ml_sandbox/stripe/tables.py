"""Keeps objects of one kind in insertion order, with indexes for the lists that are asked often."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from ml_sandbox.stripe.wire import Obj


def at_path(obj: Obj, path: str) -> str | None:
    """The text at a dotted path of an object."""
    node = obj
    for part in path.split("."):
        node = node[part]
        if node is None:
            return None
    return str(node)


class Table:
    """Rows by id, in insertion order; removed rows keep their place so that cursors stay valid."""

    def __init__(self, *indexes: str) -> None:
        self.rows: dict[str, Obj] = {}
        self._order: list[str] = []
        self._dropped = 0
        self._place: dict[str, int] = {}
        self._indexes: dict[str, dict[str, list[str]]] = {path: {} for path in indexes}

    def add(self, obj: Obj) -> None:
        """Appends one row; indexed fields must not change afterwards (see reindex)."""
        key = obj["id"]
        self.rows[key] = obj
        self._place[key] = len(self._order)
        self._order.append(key)
        for path, index in self._indexes.items():
            value = at_path(obj, path)
            if value is not None:
                index.setdefault(value, []).append(key)

    def remove(self, key: str) -> None:
        """Takes one row out."""
        self.rows.pop(key)

    def knows(self, key: str) -> bool:
        """Whether this id was ever a row (rows dropped for their age do not count)."""
        return self._place.get(key, -1) >= self._dropped

    def ids(self, path: str | None = None, value: str = "") -> list[str]:
        """Ids in insertion order: all, or those whose indexed field has a value."""
        return self._order if path is None else self._indexes[path].get(value, [])

    def where(self, path: str, value: str) -> list[Obj]:
        """Rows whose indexed field has a value, oldest first."""
        return [self.rows[key] for key in self.ids(path, value) if key in self.rows]

    def __iter__(self) -> Iterator[Obj]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def older(self, ids: list[str], than: str | None) -> Iterator[Obj]:
        """Rows among the ids before a cursor, newest first."""
        end = len(ids) if than is None else bisect_left(ids, self._place[than], key=self.place)
        return (self.rows[ids[i]] for i in range(end - 1, -1, -1) if ids[i] in self.rows)

    def newer(self, ids: list[str], than: str | None) -> Iterator[Obj]:
        """Rows among the ids after a cursor, oldest first."""
        start = 0 if than is None else bisect_right(ids, self._place[than], key=self.place)
        return (self.rows[ids[i]] for i in range(start, len(ids)) if ids[i] in self.rows)

    def place(self, key: str) -> int:
        """The position of a row."""
        return self._place[key]

    def drop_older(self, created: int) -> None:
        """Forgets rows created before a moment (unix seconds), also as cursors."""
        for key in self._order[self._dropped :]:
            row = self.rows.get(key)
            if row is not None and row["created"] >= created:
                return
            self._dropped += 1
            self.rows.pop(key, None)
