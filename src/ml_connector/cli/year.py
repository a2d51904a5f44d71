"""Months of a firm lived through by real processes, each under choices of its own."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ml_connector.assemble import installation
from ml_connector.basics.errors import Misconfigured, TryAgain
from ml_connector.basics.ids import ConnectionId
from ml_connector.cli import year_report
from ml_connector.cli.stage import Facts, Processes, Sandbox
from ml_connector.cli.year_expected import Expected
from ml_connector.cli.year_policies import Used, mapping_of
from ml_connector.cli.year_settling import settle
from ml_connector.settings import read
from ml_connector.store import usage

CONNECTION = "demo"
FIRST = date(2026, 1, 1)
PATIENCE_SECONDS = 180
"""How long the world waits for one thing; a busy machine shall not end a year."""
NO_INVOICE = "payment.no_invoice"
MAILED = "/v1/invoices/%/send"
READ_AS_SALES = "%/SalesInvoice%"
Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line; `invoices` are those of a month."""

    months: int
    customers: int
    invoices: int
    seed: int


@dataclass(slots=True)
class Year:
    """The processes, and the months that are lived through with them."""

    processes: Processes
    wishes: Wishes
    tell: Tell
    started: float = field(default_factory=time.monotonic)
    expected: Expected = field(default_factory=Expected)
    unsettled: list[str] = field(default_factory=list[str])
    """What the connector had not brought to an end when a month was over, a sentence each."""

    def live(self) -> year_report.YearReport:
        """The whole story; raises TryAgain when the world breaks off."""
        sandbox = self.processes.sandboxes(seed=self.wishes.seed, at=f"{FIRST}T00:00:00+00:00")
        place = self._written(0)
        self.processes.connect(CONNECTION, sandbox, start=FIRST.isoformat(), mapping=place)
        self.processes.start_service()
        self.processes.stack.callback(self.processes.stop_service)
        tally = self._act(sandbox)
        used = asyncio.run(self._used())
        seconds = time.monotonic() - self.started
        return year_report.collect(
            self.processes.command,
            sandbox,
            self.expected,
            tally,
            used=used,
            unsettled=self.unsettled,
            seconds=seconds,
        )

    def _act(self, sandbox: Sandbox) -> Facts:
        """Lets the world act; after each month it waits until the next one may begin."""
        world = self.processes.spawn(self._command(sandbox), "months.log", piped=True)
        month, last = 0, dict[str, Any]()
        for line in year_report.lines(world):
            last = line
            self.tell(line)
            if "month" in line:
                self._month_ends(sandbox, month, line)
                month += 1
                _go_on(world)
        if world.wait() or not last.get("done"):
            raise self._broken_off(str(last.get("day", "no day at all")))
        return last

    def _broken_off(self, day: str) -> TryAgain:
        """The world's own last words say what it waited for, or what was refused."""
        words = (self.processes.folder / "months.log").read_text("utf-8").strip().splitlines()
        return TryAgain(
            f"The months broke off after {day}: {words[-1] if words else 'without a word.'}",
            cause="demo.months",
            remedy="Run with --keep DIR and look at the logs there.",
        )

    def _command(self, sandbox: Sandbox) -> list[str]:
        asked = self.wishes
        command = [sys.executable, "-m", "ml_sandbox", "month", "--json", "--wait"]
        command += ["--stripe", sandbox["stripe"]["url"]]
        command += ["--acumatica", sandbox["acumatica"]["url"]]
        command += ["--months", str(asked.months), "--first", f"{FIRST:%Y-%m}"]
        command += ["--customers", str(asked.customers), "--invoices", str(asked.invoices)]
        command += ["--patience", str(PATIENCE_SECONDS)]
        return [*command, "--seed", str(asked.seed), "--mark", CONNECTION]

    def _month_ends(self, sandbox: Sandbox, month: int, tally: Facts) -> None:
        """All of the month is settled under its choices; then those of the next are in force."""
        self.expected.live(month, tally)
        self._settle(sandbox, tally["month"])
        if month + 1 < self.wishes.months:
            self.processes.command(
                "connect", CONNECTION, "--mapping", str(self._written(month + 1))
            )
            self.expected.choose(month + 1)
            self._settle(sandbox, f"{tally['month']}, under the next month's mapping")

    def _written(self, month: int) -> Path:
        """The mapping of a month, as the file that a person would give."""
        place = self.processes.folder / f"mapping-{month + 1:02d}.toml"
        place.write_text(mapping_of(month), "utf-8")
        return place

    def _settle(self, sandbox: Sandbox, when: str) -> None:
        """Waits until nothing is on its way but what must wait; remembers what is even so."""
        held = self.expected.held()
        if why := asyncio.run(settle(self.processes, sandbox, CONNECTION, held)):
            self.unsettled.append(f"{when}: {why}")

    async def _used(self) -> list[Used]:
        """What was done in each month, by the version of the mapping that was in force."""
        name = ConnectionId(CONNECTION)
        async with (
            installation(read(self.processes.environment())) as place,
            place.store.transaction() as tx,
        ):
            documents = await usage.documents(tx, name)
            customers = await usage.customers(tx, name)
            sent = await usage.calls(tx, name, MAILED)
            sales = await usage.calls(tx, name, READ_AS_SALES)
            waited = await usage.waited(tx, name, NO_INVOICE)
        return [
            Used(
                [one for one in documents if one.version == version],
                {how: count for (found, how), count in customers.items() if found == version},
                sent.get(version, 0),
                sales.get(version, 0),
                waited.get(version, 0),
            )
            for version in range(1, self.wishes.months + 1)
        ]


def _go_on(world: "subprocess.Popen[bytes]") -> None:
    """Tells the world that its next month may begin."""
    if world.stdin is None:
        raise Misconfigured("The world was started without a way to speak to it.")
    with suppress(BrokenPipeError):  # it has ended; that is told where its last line is read
        world.stdin.write(b"\n")
        world.stdin.flush()
