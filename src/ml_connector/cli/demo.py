"""One month of a firm, lived through by real processes: sandboxes, service, and the world."""

import json as jsonlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ml_connector.basics.errors import ConnectorError, Misconfigured, TryAgain
from ml_connector.cli import demo_report, show
from ml_connector.cli.frame import Exit, Json, failed, progress_wanted

CONNECTION = "demo"
MONTH_BEGINS = "2026-10-01T00:00:00+00:00"
POLL_SECONDS = 1
QUIET_SECONDS = 3
"""The sandbox answers within milliseconds, so nothing of it can still take effect after this."""
CALLS_PER_MINUTE = 60_000
"""A sandbox has no licence to spare, and the month shall not take a month."""
TOKEN_DAYS = 60
"""The sandbox's clock runs through a month in a minute; a sign-in shall not die of that."""
SETTLING_SECONDS = 180
READY_SECONDS = 60


def demo(
    *,
    customers: int = 60,
    invoices: int = 200,
    seed: int = 7,
    kills: Annotated[int, Parameter(help="Kill -9 the service so often, at random moments.")] = 0,
    keep: Annotated[Path | None, Parameter(help="Keep database and logs in this folder.")] = None,
    json: Json = False,
) -> int:
    """Live through one month of a firm, both directions, and show that the books agree.

    Starts both sandboxes and the service as real processes on loopback, on a database of its own.
    Customers, invoices, card payments (whole, in parts, declined), refunds and payouts happen
    with doubled, shuffled and lost webhooks. Exit code 0 when every cent is explained.

    Parameters
    ----------
    customers
        How many customers the firm has.
    invoices
        How many invoices it writes.
    seed
        The same seed lives the same month.
    """
    wishes = Wishes(customers, invoices, seed, kills)
    try:
        with ExitStack() as stack:
            firm = Firm(stack, _folder(stack, keep), wishes, shown=progress_wanted(as_json=json))
            report = firm.live()
    except ConnectorError as error:
        return failed(error, as_json=json)
    if json:
        show.as_json(report.facts)
    else:
        demo_report.show_report(report)
    return Exit.OK if report.agrees else Exit.ATTENTION


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    customers: int
    invoices: int
    seed: int
    kills: int


def _folder(stack: ExitStack, keep: Path | None) -> Path:
    """Where everything of this demo lives; gone at the end unless it is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        return keep.resolve()
    folder = Path(tempfile.mkdtemp(prefix="ml-demo-"))
    folder.chmod(0o711)  # the database's account must be able to pass through
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(slots=True)
class Firm:
    """The processes of one demo, and the month that is lived through with them."""

    stack: ExitStack
    folder: Path
    wishes: Wishes
    shown: bool
    service: "subprocess.Popen[bytes] | None" = None
    port: int = 0
    started: float = field(default_factory=time.monotonic)
    killed: int = 0

    def live(self) -> demo_report.Report:
        """The whole story: start, connect, live the month, settle, count."""
        sandbox = self._sandboxes()
        self.port = _free_port()
        self._connect(sandbox)
        self.start_service()
        self.stack.callback(self.stop_service)
        expected = self._month(sandbox)
        self._settle(sandbox)
        return demo_report.collect(
            self._command,
            sandbox,
            expected,
            seconds=time.monotonic() - self.started,
            kills=self.killed,
        )

    def _sandboxes(self) -> dict[str, dict[str, str]]:
        """Starts both sandboxes; they end with this process, however it ends."""
        command = [sys.executable, "-m", "ml_sandbox", "up", "--json", "--with-parent"]
        command += ["--seed", str(self.wishes.seed), "--at", MONTH_BEGINS]
        child = self._spawn(command, "sandbox.log", piped=True)
        assert child.stdout is not None  # noqa: S101 - it was asked for
        line = child.stdout.readline()
        if not line:
            raise TryAgain(
                "The sandboxes did not start.",
                cause="demo.sandbox",
                remedy=f"See {self.folder / 'sandbox.log'} (run with --keep to keep it).",
            )
        sandbox: dict[str, dict[str, str]] = jsonlib.loads(line)
        demo_report.let_sign_ins_last(sandbox, TOKEN_DAYS)
        return sandbox

    def _connect(self, sandbox: dict[str, dict[str, str]]) -> None:
        place = self.folder / "sandbox.json"
        place.write_text(jsonlib.dumps(sandbox), "utf-8")
        place.chmod(0o600)
        options = ["--sandbox", str(place), "--start", MONTH_BEGINS[:10], "--time-zone", "UTC"]
        options += ["--every", str(POLL_SECONDS), "--quiet", str(QUIET_SECONDS)]
        options += ["--calls-per-minute", str(CALLS_PER_MINUTE)]
        url = f"http://127.0.0.1:{self.port}"
        self._command("connect", CONNECTION, *options, "--public-url", url)

    def _command(self, *arguments: str) -> dict[str, Any]:
        """Runs one command of our own with --json, as a person's script would."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*_ourselves(), *arguments, "--json"],
            env=self._environment(),
            capture_output=True,
            check=False,
            text=True,
        )
        try:
            answer: dict[str, Any] = jsonlib.loads(done.stdout)
        except ValueError:
            answer = {"error": {"sentence": done.stderr.strip()[-500:], "remedy": ""}}
        if "error" in answer:
            trouble = answer["error"]
            raise Misconfigured(
                f"`{' '.join(arguments[:2])}` failed: {trouble['sentence']}",
                cause="demo.command",
                remedy=trouble["remedy"],
            )
        return answer

    def start_service(self) -> None:
        """Starts the service and waits until it answers."""
        command = [*_ourselves(), "serve", "--port", str(self.port)]
        self.service = self._spawn(command, "service.log")
        give_up = time.monotonic() + READY_SECONDS
        while not demo_report.answers(f"http://127.0.0.1:{self.port}/readyz"):
            if self.service.poll() is not None or time.monotonic() > give_up:
                raise TryAgain(
                    "The service did not start.",
                    cause="demo.service",
                    remedy=f"See {self.folder / 'service.log'} (run with --keep to keep it).",
                )
            time.sleep(0.05)

    def stop_service(self) -> None:
        """Ends the service as an operator would: it finishes what it is doing."""
        if self.service is not None and self.service.poll() is None:
            self.service.send_signal(signal.SIGTERM)
            try:
                self.service.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.service.kill()

    def kill_service(self) -> None:
        """Kill -9, and a new start: what an outage looks like."""
        if self.service is not None:
            self.service.kill()
            self.service.wait()
        self.killed += 1
        self.start_service()

    def _month(self, sandbox: dict[str, dict[str, str]]) -> dict[str, Any]:
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
        world = self._spawn(command, "month.log", piped=True)
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
                self.kill_service()
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

    def _settle(self, sandbox: dict[str, dict[str, str]]) -> None:
        """Waits until nothing is on its way: no webhook, no job, nothing unposted."""
        give_up = time.monotonic() + SETTLING_SECONDS
        while time.monotonic() < give_up:
            if demo_report.nothing_on_its_way(sandbox, self._command):
                return
            time.sleep(0.5)

    def _spawn(
        self, command: list[str], log: str, *, piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Starts a process whose end is tied to ours."""
        errors = self.stack.enter_context((self.folder / log).open("ab"))
        child = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if piped else errors,
            stderr=errors,
        )
        self.stack.callback(_end, child)
        return child

    def _environment(self) -> dict[str, str]:
        """Our own environment, with a home of this demo's own and no other database."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ML_")}
        return kept | {"ML_HOME": str(self.folder / "home"), "ML_LOG_LEVEL": "warning"}


def _silent(_line: dict[str, Any]) -> None:
    """Nobody is looking."""


def _ourselves() -> list[str]:
    return [sys.executable, "-m", "ml_connector"]


def _lines(world: "subprocess.Popen[bytes]", deaths: Iterator[None]) -> Generator[dict[str, Any]]:
    """What the world reports, line by line; between two lines the service may die."""
    assert world.stdout is not None  # noqa: S101 - it was asked for
    for line in world.stdout:
        with suppress(ValueError):
            yield jsonlib.loads(line)
        next(deaths)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:
        child.stdin.close()
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
