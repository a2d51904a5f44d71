"""The calendar forms (GL201000, GL201100): periods as they are shown, and years to come."""

from datetime import timedelta

from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.setup import Period, Periods
from ml_sandbox.acumatica.world import Unit, World

_FORMS = ("FinancialPeriod", "CompanyFinancialPeriod")


def show(world: World) -> None:
    """Brings what the forms show level with the periods and the switches."""
    unit = world.unit()
    for name in _FORMS:
        for year in world.tables[name]:
            shown = unit.edit(year)
            periods = world.setup.periods.of_year(str(shown.get("FinancialYear")))
            shown.set(StartDate=periods[0].start)
            for row, period in zip(shown.rows("Details"), periods, strict=True):
                _show_period(row, period, exclusive=world.switches.period_end == "exclusive")
    unit.commit()


def _show_period(row: Row, period: Period, *, exclusive: bool) -> None:
    after = timedelta(days=1) if exclusive else timedelta(0)
    row.set(
        FinancialPeriodID=period.code,
        StartDate=period.start,
        EndDate=period.end + after,
        LengthInDays=(period.end - period.start).days + 1,
        ClosedInAR="AR" in period.closed,
        ClosedInAP="AP" in period.closed,
        ClosedInCA="CA" in period.closed,
        Status="Closed" if "GL" in period.closed else "Open",
    )


def begin_years_in(world: World, month: int) -> None:
    """Counts the periods from another month on, while nothing is posted yet."""
    if world.ledger.batches:
        raise ValueError("the calendar is in use")
    if not 1 <= month <= 12:
        raise ValueError("a month is 1 to 12")
    years = sorted({code[2:] for code in world.setup.periods.by_code})
    world.setup.periods = Periods(int(years[0]), int(years[-1]), first_month=month)
    show(world)


def generate(world: World) -> str:
    """Generates the year after the last one, as the form's button does; its name."""
    last = max(code[2:] for code in world.setup.periods.by_code)
    year = str(int(last) + 1)
    world.setup.periods.add_year(int(year))
    unit = world.unit()
    for name in _FORMS:
        for before in world.tables[name]:
            if before.get("FinancialYear") == last:
                _copy_year(unit, before, year)
    unit.commit()
    show(world)
    return year


def _copy_year(unit: Unit, before: Record, year: str) -> None:
    new = unit.create(before.entity)
    new.set(**before.values)
    new.set(FinancialYear=year)
    new.values["Details"] = [unit.row() for _ in before.rows("Details")]
    for row, old in zip(new.rows("Details"), before.rows("Details"), strict=True):
        row.set(**old.values)
