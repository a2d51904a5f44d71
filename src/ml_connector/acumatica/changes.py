"""Lists of what changed: keys only, page by page, without losing a row between two pages.

The contract promises no order. Pages therefore overlap by one row: when a page does not begin
with the row that ended the one before, rows have moved, and the list is read again from its
start; when that does not help, it is read in one piece.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from ml_connector.acumatica.documents import Changed

RESTARTS = 2

Fetch = Callable[[int | None, int], Awaitable[Sequence[Changed]]]
"""Reads `(top, skip)`; None as `top` reads all."""


async def every_change(fetch: Fetch, top: int) -> AsyncIterator[Changed]:
    """Each changed record once; yields as pages come, so that a caller may stop early.

    A record that changes while the list is read may appear in its older or newer form; the
    overlap of the caller's next watermark shows it again.
    """
    seen: set[str] = set()
    for _ in range(1 + RESTARTS):
        pages = _Pages(fetch, top)
        while (page := await pages.following()) is not None:
            for row in page:
                if row.ref not in seen:
                    seen.add(row.ref)
                    yield row
        if not pages.moved:
            return
    for row in await fetch(None, 0):
        if row.ref not in seen:
            seen.add(row.ref)
            yield row


class _Pages:
    """One pass over a list; `moved` tells that it could not be trusted to the end."""

    def __init__(self, fetch: Fetch, top: int) -> None:
        self._fetch = fetch
        self._top = max(top, 2)  # a page of one could not overlap
        self._skip = 0
        self._last: Changed | None = None
        self._ended = False
        self.moved = False

    async def following(self) -> Sequence[Changed] | None:
        """The next page; None at the end or when rows have moved."""
        if self._ended:
            return None
        page = await self._fetch(self._top, self._skip)
        if self._last is not None and (not page or page[0].ref != self._last.ref):
            self.moved = self._ended = True
            return page or None
        self._ended = len(page) < self._top
        self._skip += len(page) - 1
        self._last = page[-1] if page else None
        return page
