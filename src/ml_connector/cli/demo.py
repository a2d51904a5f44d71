"""One month of a firm, lived through by real processes: sandboxes, service, and the world."""

import json as jsonlib
import random
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ml_connector.basics.errors import ConnectorError, TryAgain
from ml_connector.cli import demo_report, show, year, year_report
from ml_connector.cli.frame import Exit, Json, failed, progress_wanted
from ml_connector.cli.stage import Processes, Sandbox, folder

CONNECTION = "demo"
MONTH_BEGINS = "2026-10-01T00:00:00+00:00"
SETTLING_SECONDS = 180


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
    if months:
        return _live_months(months, customers or 15, invoices or 20, seed, keep, as_json=json)
    wishes = Wishes(customers or 60, invoices or 200, seed, kills)
    try:
        with ExitStack() as stack:
            processes = Processes(stack, folder(stack, keep))
            report = Firm(processes, wishes, shown=progress_wanted(as_json=json)).live()
    except ConnectorError as error:
        return failed(error, as_json=json)
    if json:
        show.as_json(report.facts)
    else:
        demo_report.show_report(report)
    return Exit.OK if report.agrees else Exit.ATTENTION


def _live_months(
    months: int, customers: int, invoices: int, seed: int, keep: Path | None, *, as_json: bool
) -> int:
    wishes = year.Wishes(months, customers, invoices, seed)
    try:
        with (
            ExitStack() as stack,
            _months_progress(months, shown=progress_wanted(as_json=as_json)) as tell,
        ):
            report = year.Year(Processes(stack, folder(stack, keep)), wishes, tell).live()
    except ConnectorError as error:
        return failed(error, as_json=as_json)
    if as_json:
        show.as_json(report.facts)
    else:
        year_report.show_report(report)
    return Exit.OK if report.agrees else Exit.ATTENTION


@contextmanager
def _months_progress(months: int, *, shown: bool) -> Generator[Any]:
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


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    customers: int
    invoices: int
    seed: int
    kills: int


@dataclass(slots=True)
class Firm:
    """The processes of one demo, and the month that is lived through with them."""

    processes: Processes
    wishes: Wishes
    shown: bool
    started: float = field(default_factory=time.monotonic)
    killed: int = 0

    def live(self) -> demo_report.Report:
        """The whole story: start, connect, live the month, settle, count."""
        processes = self.processes
        sandbox = processes.sandboxes(seed=self.wishes.seed, at=MONTH_BEGINS)
        processes.connect(CONNECTION, sandbox, start=MONTH_BEGINS[:10])
        processes.start_service()
        processes.stack.callback(processes.stop_service)
        expected = self._month(sandbox)
        self._settle(sandbox)
        return demo_report.collect(
            processes.command,
            sandbox,
            expected,
            seconds=time.monotonic() - self.started,
            kills=self.killed,
        )

    def _month(self, sandbox: Sandbox) -> dict[str, Any]:
        """Lets the world act out the month; returns what it expects to find in the books."""
        command = [sys.executable, "-m", "ml_sandbox", "month", "--json"]
        command += [
            "--stripe",
            sandbox["stripe"]["url"],
            "--acumatica",
            sandbox["acumatica"]["url"],
        ]
        command += ["--customers", str(self.wishes.customers)]
        command += ["--invoices", str(self.wishes.invoices), "--seed", str(self.wishes.seed)]
        world = self.processes.spawn(command, "month.log", piped=True)
        last: dict[str, Any] = {}
        with self._progress() as tell:
            for line in _lines(world, self._deaths()):
                last = line
                tell(line)
        if world.wait() or not last.get("done"):
            raise TryAgain(
                f"The month broke off: {last.get('error', 'see month.log')}",
                cause="demo.month",
                remedy="Run with --keep DIR and look at the logs there.",
            )
        return last

    def _deaths(self) -> Iterator[None]:
        """Kills the service at seeded moments, each time the world reports a new day."""
        moments = random.Random(self.wishes.seed)  # noqa: S311 - a plan, no secret
        days = sorted(moments.sample(range(2, 22), min(self.wishes.kills, 20)))
        day = 0
        while True:
            day += 1
            if day in days:
                time.sleep(moments.random())
                self.killed += 1
                self.processes.kill_service()
            yield

    @contextmanager
    def _progress(self) -> Generator[Any]:
        with show.progress(shown=self.shown) as bar:
            if bar is None:
                yield _silent
                return
            task = bar.add_task("the month", total=31)

            def tell(line: dict[str, Any]) -> None:
                day = str(line.get("day", "2026-10-31"))
                words = ", ".join(
                    f"{line[name]} {name}"
                    for name in ("invoices", "paid", "refunds")
                    if name in line
                )
                bar.update(task, completed=int(day[-2:]), description=f"{day}  {words}")

            yield tell

    def _settle(self, sandbox: Sandbox) -> None:
        """Waits until nothing is on its way: no webhook, no job, nothing unposted."""
        give_up = time.monotonic() + SETTLING_SECONDS
        while time.monotonic() < give_up:
            if demo_report.nothing_on_its_way(sandbox, self.processes.command):
                return
            time.sleep(0.5)


def _silent(_line: dict[str, Any]) -> None:
    """Nobody is looking."""


def _lines(world: "subprocess.Popen[bytes]", deaths: Iterator[None]) -> Generator[dict[str, Any]]:
    """What the world reports, line by line; between two lines the service may die."""
    assert world.stdout is not None  # noqa: S101 - it was asked for
    for line in world.stdout:
        with suppress(ValueError):
            yield jsonlib.loads(line)
        next(deaths)
