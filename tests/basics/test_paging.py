"""Every row of every page once, and an end to a list that runs in circles."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.errors import Bug
from ml_connector.basics.paging import Page, every_row

pytestmark = pytest.mark.anyio

Fetch = Callable[[str | None], Awaitable[Page[int]]]


def a_list(pages: dict[str | None, Page[int]], asked: list[str | None]) -> Fetch:
    """A list whose pages stand under their cursors; `asked` collects the cursors asked for."""

    async def fetch(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        return pages[cursor]

    return fetch


def chained(sizes: list[int]) -> dict[str | None, Page[int]]:
    """Pages of the given sizes, numbered through, each pointing at the next."""
    pages: dict[str | None, Page[int]] = {}
    start = 0
    for index, size in enumerate(sizes):
        last = index == len(sizes) - 1
        after = None if last else str(index + 1)
        pages[None if index == 0 else str(index)] = Page(range(start, start + size), after)
        start += size
    return pages


async def test_each_page_is_asked_for_once_and_in_order() -> None:
    asked: list[str | None] = []
    rows = [row async for row in every_row(a_list(chained([2, 0, 3]), asked))]
    assert rows == [0, 1, 2, 3, 4]
    assert asked == [None, "1", "2"]


async def test_a_list_that_is_read_halfway_is_not_fetched_to_its_end() -> None:
    asked: list[str | None] = []
    rows = every_row(a_list(chained([2, 2]), asked))
    assert await anext(rows) == 0
    assert asked == [None]


@pytest.mark.parametrize(
    "pages",
    [
        {None: Page([1], "a"), "a": Page([2], "a")},
        {None: Page([1], "a"), "a": Page([2], "b"), "b": Page([3], "a")},
    ],
)
async def test_a_cursor_that_comes_back_stops_the_loop(pages: dict[str | None, Page[int]]) -> None:
    asked: list[str | None] = []
    with pytest.raises(Bug, match="repeats the cursor 'a'"):
        _ = [row async for row in every_row(a_list(pages, asked))]
    assert len(asked) == len(pages)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_no_row_is_lost_or_doubled_however_the_pages_are_cut(sizes: list[int]) -> None:
    gathered: list[int] = []

    async def gather() -> None:
        gathered.extend([row async for row in every_row(a_list(chained(sizes), []))])

    run_to_end(gather())
    assert gathered == list(range(sum(sizes)))


def run_to_end(coroutine: Awaitable[None]) -> None:
    """Runs a coroutine that never really waits, so no event loop is needed."""
    with pytest.raises(StopIteration):
        coroutine.__await__().__next__()
