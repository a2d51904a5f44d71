"""The command `demo`: a month of a firm, or a year of it, lived through by real processes."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ml_connector.basics.errors import ConnectorError
from ml_connector.cli.frame import Exit, Json, failed, progress_wanted

if TYPE_CHECKING:  # building worlds is slow to import, and no other command needs it
    from ml_connector.cli.trials.stage import Processes


def demo(
    *,
    months: int = 0,
    customers: int = 0,
    invoices: int = 0,
    seed: int = 7,
    kills: Annotated[int, Parameter(help="Kill -9 the service so often, in the one month.")] = 0,
    keep: Annotated[Path | None, Parameter(help="Keep database and logs in this folder.")] = None,
    json: Json = False,
) -> int:
    """Live through one month of a firm, both directions, and show that the books agree.

    Starts both sandboxes and the service as real processes on loopback, on a database of its own.
    Customers, invoices, card payments (whole, in parts, declined), refunds and payouts happen
    with doubled, shuffled and lost webhooks. Exit code 0 when every cent is explained.

    With --months the firm bills in five currencies, and everything happens that people, banks
    and Stripe do; each month has other choices in its mapping, and its period is closed after it.

    Parameters
    ----------
    months
        So many months from January 2025 on, instead of the one October.
    customers
        How many customers the firm has (60; with --months 15).
    invoices
        How many invoices it writes (200; with --months 20 in each).
    seed
        The same seed lives the same month.
    """
    from ml_connector.cli.trials.stage import Processes, folder

    try:
        with ExitStack() as stack:
            processes = Processes(stack, folder(stack, keep))
            if months:
                return _months(processes, months, customers or 15, invoices or 20, seed, json)
            return _month(processes, customers or 60, invoices or 200, seed, kills, json)
    except ConnectorError as error:
        return failed(error, as_json=json)


def _month(  # noqa: PLR0917 - what was asked for, in its order
    processes: "Processes", customers: int, invoices: int, seed: int, kills: int, as_json: bool
) -> int:
    from ml_connector.cli import show
    from ml_connector.cli.trials import demo_report, month

    wishes = month.Wishes(customers, invoices, seed, kills)
    report = month.Firm(processes, wishes, shown=progress_wanted(as_json=as_json)).live()
    if as_json:
        show.as_json(report.facts)
    else:
        demo_report.show_report(report)
    return Exit.OK if report.agrees else Exit.ATTENTION


def _months(  # noqa: PLR0917 - what was asked for, in its order
    processes: "Processes", months: int, customers: int, invoices: int, seed: int, as_json: bool
) -> int:
    from ml_connector.cli import show
    from ml_connector.cli.trials import year, year_report

    wishes = year.Wishes(months, customers, invoices, seed)
    with _months_progress(months, shown=progress_wanted(as_json=as_json)) as tell:
        report = year.Year(processes, wishes, tell).live()
    if as_json:
        show.as_json(report.facts)
    else:
        year_report.show_report(report)
    return Exit.OK if report.agrees else Exit.ATTENTION


@contextmanager
def _months_progress(months: int, *, shown: bool) -> Generator[Any]:
    from ml_connector.cli import show
    from ml_connector.cli.trials import year

    with show.progress(shown=shown) as bar:
        if bar is None:
            yield _silent
            return
        task = bar.add_task("the months", total=months * 31)

        def tell(line: dict[str, Any]) -> None:
            day = str(line.get("day", ""))
            if day:
                done = (int(day[5:7]) - 1 + 12 * (int(day[:4]) - year.FIRST.year)) * 31
                words = ", ".join(f"{line[name]} {name}" for name in ("invoices", "payouts"))
                bar.update(task, completed=done + int(day[-2:]), description=f"{day}  {words}")

        yield tell


def _silent(_line: dict[str, Any]) -> None:
    """Nobody is looking."""
