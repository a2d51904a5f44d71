"""Months of a firm lived through by real processes, each under choices of its own."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ml_connector.assemble import installation
from ml_connector.basics.errors import Misconfigured, TryAgain
from ml_connector.basics.ids import ConnectionId
from ml_connector.cli.trials import year_report
from ml_connector.cli.trials.stage import Facts, Processes, Sandbox
from ml_connector.cli.trials.year_expected import Expected
from ml_connector.cli.trials.year_policies import WAITED_FOR, Used, in_month, mapping_of
from ml_connector.cli.trials.year_settling import Settling
from ml_connector.flows.mirror.mirrored import CUSTOMER, FORMER
from ml_connector.flows.mirror.write_back import LINK_WRITTEN
from ml_connector.settings import read
from ml_connector.store import usage

CONNECTION = "demo"
FIRST = date(2025, 1, 1)
"""The months are over, so that what is dated today (a lost dispute) is in none that is closed."""
PATIENCE_SECONDS = 180
"""How long the world waits for one thing; a busy machine shall not end a year."""
RELEASES = 20
"""How often at a month's end: what follows on a document is made when that is released."""
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
    deferred: Counter[int] = field(default_factory=Counter[int])
    """By month, how many movements waited for their moment on the day when most did."""
    restored: int = 0
    """How many changes by people on our documents a controller has had restored."""

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
            restored=self.restored,
            unsettled=self.unsettled,
            seconds=seconds,
        )

    def _act(self, sandbox: Sandbox) -> Facts:
        """Lets the world act; after each month it waits until the next one may begin."""
        world = self.processes.spawn(self._command(sandbox), "months.log", piped=True)
        settling = Settling(self.processes, sandbox, ConnectionId(CONNECTION))
        asyncio.run(settling.look_seldom_at_payouts())
        month, last, said = 0, dict[str, Any](), year_report.lines(world)
        for line in said:
            last = line
            self.tell(line)
            if "day" in line:
                self._count_deferred(settling, month)
            if "reopened" in line:
                asyncio.run(settling.wake())
            if "closed" in line:
                asyncio.run(settling.settle(None))  # what is late meets the closed period
                _tell(world, "go on")
            if "month" in line:
                self._month_ends(_MonthsEnd(settling, world, said), month, line)
                month += 1
                _tell(world, "go on")
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

    def _month_ends(self, end: "_MonthsEnd", month: int, tally: Facts) -> None:
        """All of the month is settled under its choices; then those of the next are in force."""
        self.expected.live(month, tally)
        asyncio.run(end.settling.settle(None))
        self._restore()
        self._settle(end, month, tally["month"])
        if month + 1 < self.wishes.months:
            self.processes.command(
                "connect", CONNECTION, "--mapping", str(self._written(month + 1))
            )
            self.expected.choose(month + 1)
            when = f"{tally['month']}, under the next month's mapping"
            self._settle(end, month + 1, when)

    def _count_deferred(self, settling: Settling, month: int) -> None:
        """Looked at only where the month's choice is to wait for something."""
        if in_month(month)["post_when"] != "captured":
            waiting = asyncio.run(settling.deferred())
            self.deferred[month] = max(self.deferred[month], waiting)

    def _restore(self) -> None:
        """The controller looks at what people changed on our documents: nothing of it was meant."""
        for finding in self.processes.command("guardian")["findings"]:
            self.processes.command("guardian", "restore", str(finding["id"]))
            self.restored += 1

    def _written(self, month: int) -> Path:
        """The mapping of a month, as the file that a person would give."""
        place = self.processes.folder / f"mapping-{month + 1:02d}.toml"
        place.write_text(mapping_of(month), "utf-8")
        return place

    def _settle(self, end: "_MonthsEnd", month: int, when: str) -> None:
        """Waits until nothing is on its way but what must wait; remembers what is even so."""
        if in_month(month)["release"] == "false":
            end.release()
        if why := asyncio.run(end.settling.settle(self.expected.held())):
            self.unsettled.append(f"{when}: {why}")

    async def _used(self) -> list[Used]:
        """What was done in each month, by the version of the mapping that was in force."""
        name = ConnectionId(CONNECTION)
        async with (
            installation(read(self.processes.environment())) as place,
            place.store.transaction() as tx,
        ):
            documents = await usage.documents(tx, name)
            customers = await usage.linked(tx, name, CUSTOMER)
            former = await usage.linked(tx, name, FORMER)
            written = await usage.done(tx, name, LINK_WRITTEN)
            sent = await usage.calls(tx, name, MAILED)
            sales = await usage.calls(tx, name, READ_AS_SALES)
            waited = {cause: await usage.waited(tx, name, cause) for cause in WAITED_FOR}
        return [
            Used(
                [one for one in documents if one.version == version],
                {how: count for (found, how), count in customers.items() if found == version},
                {cause: counts.get(version, 0) for cause, counts in waited.items()},
                sent=sent.get(version, 0),
                read_as_sales=sales.get(version, 0),
                asked_anew=sum(count for (found, _), count in former.items() if found == version),
                links_written=written.get(version, 0),
                deferred=self.deferred[version - 1],
            )
            for version in range(1, self.wishes.months + 1)
        ]


@dataclass(frozen=True, slots=True)
class _MonthsEnd:
    """The world stands still and listens; what it says is read from `said`."""

    settling: Settling
    world: "subprocess.Popen[bytes]"
    said: Iterator[dict[str, Any]]

    def release(self) -> None:
        """An accountant releases what waits for that, until nothing follows on it."""
        for _ in range(RELEASES):
            asyncio.run(self.settling.settle(None))
            _tell(self.world, "release")
            if not next(self.said, dict[str, Any]()).get("released"):
                return
            asyncio.run(self.settling.wake())


def _tell(world: "subprocess.Popen[bytes]", line: str) -> None:
    """Says a line to the world, which waits for one."""
    if world.stdin is None:
        raise Misconfigured("The world was started without a way to speak to it.")
    with suppress(BrokenPipeError):  # it has ended; that is told where its last line is read
        world.stdin.write(f"{line}\n".encode())
        world.stdin.flush()
