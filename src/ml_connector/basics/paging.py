"""The one loop over pages, which stops when a cursor comes back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ml_connector.basics.errors import Bug

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of rows and where the next one starts; `after` is None on the last page."""

    rows: Sequence[T]
    after: str | None


async def every_row(fetch: Callable[[str | None], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yields each row of each page; raises Bug when a cursor repeats (an endless list)."""
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = await fetch(cursor)
        for row in page.rows:
            yield row
        if page.after is None:
            return
        if page.after in seen:
            raise Bug(f"The list repeats the cursor {page.after!r}; it would never end.")
        seen.add(page.after)
        cursor = page.after
