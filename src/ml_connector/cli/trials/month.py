"""One month of a firm, lived through by real processes: sandboxes, service, and the world."""

import json as jsonlib
import random
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ml_connector.basics.errors import TryAgain
from ml_connector.cli import show
from ml_connector.cli.trials import demo_report
from ml_connector.cli.trials.stage import Processes, Sandbox

CONNECTION = "demo"
MONTH_BEGINS = "2026-10-01T00:00:00+00:00"
SETTLING_SECONDS = 180


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
