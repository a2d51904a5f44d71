"""No change is lost between two pages, whatever moves on the site meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acumatica.stand_in import START
from ml_connector.acumatica.changes import every_change
from ml_connector.acumatica.documents import Changed
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio


class Listing:
    """A list on the site; `between` changes it after each page."""

    def __init__(self, numbers: list[int], between: list[tuple[str, int]]) -> None:
        self.numbers = numbers
        self.between = between
        self.calls: list[tuple[int | None, int]] = []

    async def fetch(self, top: int | None, skip: int) -> list[Changed]:
        self.calls.append((top, skip))
        end = None if top is None else skip + top
        page = [Changed(ErpRef(f"{n}"), "Open", "", START) for n in self.numbers[skip:end]]
        if self.between:
            self._move(*self.between.pop(0))
        return page

    def _move(self, how: str, at: int) -> None:
        if not self.numbers:
            return
        number = self.numbers.pop(at % len(self.numbers))
        if how == "to the end":
            self.numbers.append(number)
        elif how == "to the start":
            self.numbers.insert(0, number)


MOVES = st.tuples(st.sampled_from(["gone", "to the end", "to the start"]), st.integers(0, 30))


@given(st.integers(0, 25), st.integers(1, 7), st.lists(MOVES, max_size=12))
async def test_every_record_that_stays_in_the_list_is_found_exactly_once(
    size: int, top: int, moves: list[tuple[str, int]]
) -> None:
    listing = Listing(list(range(size)), list(moves))
    found = [row.ref async for row in every_change(listing.fetch, top)]
    assert len(found) == len(set(found))
    assert {f"{number}" for number in listing.numbers} <= set(found)


async def test_a_list_that_fits_on_one_page_is_one_call() -> None:
    listing = Listing(list(range(9)), [])
    assert len([row async for row in every_change(listing.fetch, 10)]) == 9
    assert listing.calls == [(10, 0)]


async def test_pages_overlap_by_the_row_that_proves_that_nothing_moved() -> None:
    listing = Listing(list(range(10)), [])
    assert len([row async for row in every_change(listing.fetch, 5)]) == 10
    assert listing.calls == [(5, 0), (5, 4), (5, 8)]


async def test_a_row_deleted_behind_us_does_not_hide_another() -> None:
    listing = Listing(list(range(10)), [("gone", 0)])
    found = {row.ref async for row in every_change(listing.fetch, 5)}
    assert {f"{number}" for number in range(1, 10)} <= found


async def test_a_list_that_never_stands_still_is_read_in_one_piece() -> None:
    listing = Listing(list(range(10)), [("gone", 0)] * 6)
    found = {row.ref async for row in every_change(listing.fetch, 3)}
    assert listing.calls[-1] == (None, 0)
    assert {f"{number}" for number in listing.numbers} <= found
