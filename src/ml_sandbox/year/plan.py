"""What will happen in so many months: a pure function of the seed, the size and the beginning."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random

from ml_sandbox.month.people import Client, draw_client
from ml_sandbox.month.plan import is_business_day
from ml_sandbox.month.work import Invoice, draw_description, draw_lines
from ml_sandbox.year.fates import CURRENCIES, FATES, NEWCOMER, Act, Beat, Fate

ONE_DAY = timedelta(days=1)
FRIDAY = 4
LEAST_CUSTOMERS = 5
_CARDS = ("4242424242424242", "4000056655665556", "5555555555554444", "378282246310005",
          "4000000000000077", "4000008260000000")  # fmt: skip
_MONTHLY = (
    (2, Act.EDIT), (8, Act.STRANGER), (9, Act.ACQUAINTANCE), (10, Act.TOP_UP),
    (12, Act.ADJUST), (14, Act.RESERVE), (26, Act.BILL),
)  # fmt: skip
"""Day of the month and act: what happens in every month beside the invoices."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act on its day; `about` is the key of an invoice or a client, where it is about one.

    `share` is a percentage.
    """

    day: date
    act: Act
    about: int = 0
    share: int = 100
    card: str = ""


@dataclass(frozen=True, slots=True)
class Year:
    """Everything that happens, a list of steps for each month, in its order.

    `fates` tells by its key what becomes of each invoice; `newcomers` are the clients, by key,
    whose e-mail address Stripe knows before the ERP does.
    """

    clients: tuple[Client, ...]
    invoices: tuple[Invoice, ...]
    fates: tuple[str, ...]
    months: tuple[tuple[date, tuple[Step, ...]], ...]
    newcomers: frozenset[int]


def plan_year(seed: int, first: date, months: int, *, customers: int, invoices: int) -> Year:
    """So many months from the first of one on; the same arguments give the same months.

    `invoices` are those of each month. Raises ValueError for sizes that make no year.
    """
    if customers < LEAST_CUSTOMERS or invoices < 1 or months < 1:
        least = f"{LEAST_CUSTOMERS} customers, 1 invoice and 1 month"
        raise ValueError(f"months of a firm need at least {least}")
    return _Drawing(seed, _months(first, months), customers).drawn(invoices)


def _months(first: date, number: int) -> list[date]:
    """The first days of so many months."""
    return [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1)
        for n in range(number)
    ]


def end_of(month: date) -> date:
    """The last day of the month that begins then."""
    return (month.replace(day=28) + 4 * ONE_DAY).replace(day=1) - ONE_DAY


class _Drawing:
    """Draws a year piece by piece; every piece takes its chances from the one seeded source."""

    def __init__(self, seed: int, months: list[date], customers: int) -> None:
        self._chance = Random(seed)
        self._months = months
        self._last = end_of(months[-1])
        self._clients = [
            draw_client(self._chance, key, CURRENCIES[key % len(CURRENCIES)])
            for key in range(customers)
        ]
        self._regular = customers
        self._invoices: list[Invoice] = []
        self._fates: list[str] = []
        self._steps: list[Step] = []
        self._deck = self._dealt()

    def drawn(self, invoices: int) -> Year:
        """The whole of it."""
        newcomers: list[int] = []
        for number, month in enumerate(self._months):
            self._steps += _stripes_own(month, number)
            self._steps += [self._monthly(month, day, act) for day, act in _MONTHLY]
            newcomers.append(self._newcomer(month))
            for _ in range(invoices):
                self._invoice(month)
        return Year(
            tuple(self._clients),
            tuple(self._invoices),
            tuple(self._fates),
            tuple((month, self._in(month)) for month in self._months),
            frozenset(newcomers),
        )

    def _in(self, month: date) -> tuple[Step, ...]:
        """The steps of a month by day; the payouts of a day come after all else."""
        mine = [step for step in self._steps if month <= step.day <= end_of(month)]
        return tuple(sorted(mine, key=lambda step: (step.day, step.act in LATE)))

    def _dealt(self) -> Generator[str]:
        """Fates without end: the whole deck in a new order, again and again."""
        deck = [name for name, fate in FATES.items() for _ in range(fate.cards)]
        while True:
            yield from self._chance.sample(deck, len(deck))

    def _monthly(self, month: date, day: int, act: Act) -> Step:
        return Step(month.replace(day=day), act, self._chance.randrange(self._regular))

    def _newcomer(self, month: date) -> int:
        """A client of a new name, entered on the third; its first invoice is of the fourth."""
        key = len(self._clients)
        self._clients.append(draw_client(self._chance, key, "USD"))
        self._steps.append(Step(month.replace(day=3), Act.ENTER, key))
        self._written(key, month.replace(day=4), "newcomer", NEWCOMER)
        return key

    def _invoice(self, month: date) -> None:
        name = next(self._deck)
        fate = FATES[name]
        fitting = [c.key for c in self._clients[: self._regular] if c.currency in fate.currencies]
        client = self._chance.choice(fitting)
        working = [day for day in _days(month, end_of(month) - ONE_DAY) if is_business_day(day)]
        day = self._chance.choice(working)
        self._written(client, day, name, fate)
        if any(beat.act is Act.PAY_BY_METADATA for beat in fate.beats):
            self._written(client, day, "paid with the one before", Fate())

    def _written(self, client: int, day: date, name: str, fate: Fate) -> None:
        """An invoice, and what becomes of it as far as the year goes."""
        key = len(self._invoices)
        self._invoices.append(
            Invoice(
                key=key,
                client=client,
                day=day,
                order=f"PO-{self._chance.randint(1000, 9999)}",
                description=draw_description(self._chance),
                terms=None,
                due=None,
                lines=draw_lines(self._chance, self._clients[client].currency),
            )
        )
        self._fates.append(name)
        self._steps.append(Step(day, Act.ISSUE, key))
        self._steps += [s for beat in fate.beats if (s := self._step(key, day, beat))]

    def _step(self, key: int, issued: date, beat: Beat) -> Step | None:
        """None when the year is over before."""
        day = issued + ONE_DAY * beat.after
        card = beat.card or self._chance.choice(_CARDS)
        return None if day > self._last else Step(day, beat.act, key, beat.share, card)


def _days(first: date, last: date) -> list[date]:
    return [first + ONE_DAY * number for number in range((last - first).days + 1)]


LATE = frozenset({Act.PAY_OUT_BY_HAND, Act.PAY_OUT, Act.NEGATIVE_PAYOUT})


def _stripes_own(month: date, number: int) -> Generator[Step]:
    """Stripe's calendar: payouts on Fridays and what goes wrong with them, and rarer things."""
    fridays = [day for day in _days(month, end_of(month)) if day.weekday() == FRIDAY]
    for nth, friday in zip(count(1), fridays):
        if nth == 3:
            yield Step(friday, Act.PAY_OUT_BY_HAND)
        yield Step(friday, Act.PAY_OUT)
    yield Step(fridays[1] + 4 * ONE_DAY, Act.PAYOUT_FAILS)
    yield Step(fridays[2] + 3 * ONE_DAY, Act.PAYOUT_CANCELLED)
    if len(fridays) > 3 and fridays[3] < end_of(month):
        yield Step(fridays[3], Act.NEGATIVE_PAYOUT)
    yield Step(month, Act.TAX_FEES, share=19 * (number % 2))
    if number % 3 == 0:
        yield Step(month.replace(day=13), Act.TOP_UP_BACK)
    if number % 3 == 1:
        yield Step(month.replace(day=20), Act.UNHEARD)
