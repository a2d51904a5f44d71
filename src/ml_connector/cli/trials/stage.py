"""Real processes on loopback: both sandboxes, and the service on a database of its own."""

import json as jsonlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from ml_connector.basics.errors import Misconfigured, TryAgain

Facts = dict[str, Any]
Sandbox = dict[str, dict[str, str]]
"""The line that the sandboxes print about themselves."""

POLL_SECONDS = 1
QUIET_SECONDS = 3
"""The sandbox answers within milliseconds, so nothing of it can still take effect after this."""
CALLS_PER_MINUTE = 60_000
"""A sandbox has no licence to spare, and a month shall not take a month."""
TOKEN_DAYS = 1_200
"""The sandbox's clock runs through a month in a minute; a sign-in shall not die of that."""
READY_SECONDS = 60


@dataclass(slots=True)
class Processes:
    """The processes of one trial; each ends with the stack, and with this process.

    `database_url` is a PostgreSQL database for this trial alone; without it the embedded one in
    the folder's own home is used.
    """

    stack: ExitStack
    folder: Path
    database_url: str | None = None
    service: "subprocess.Popen[bytes] | None" = None
    port: int = 0

    def sandboxes(self, *, seed: int, at: str) -> Sandbox:
        """Starts both sandboxes at a moment of their own; they end with this process."""
        command = [sys.executable, "-m", "ml_sandbox", "up", "--json", "--with-parent"]
        command += ["--seed", str(seed), "--at", at]
        child = self.spawn(command, "sandbox.log", piped=True)
        assert child.stdout is not None  # noqa: S101 - it was asked for
        line = child.stdout.readline()
        if not line:
            raise TryAgain(
                "The sandboxes did not start.",
                cause="stage.sandbox",
                remedy=f"See {self.folder / 'sandbox.log'} (run with --keep to keep it).",
            )
        sandbox: Sandbox = jsonlib.loads(line)
        _let_sign_ins_last(sandbox, TOKEN_DAYS)
        return sandbox

    def connect(
        self, name: str, sandbox: Sandbox, *, start: str, mapping: Path | None = None
    ) -> None:
        """Makes the connection of both sandboxes, at their pace, with webhooks to the service."""
        self.port = _free_port()
        place = self.folder / "sandbox.json"
        place.write_text(jsonlib.dumps(sandbox), "utf-8")
        place.chmod(0o600)
        options = ["--sandbox", str(place), "--start", start, "--time-zone", "UTC"]
        options += ["--every", str(POLL_SECONDS), "--quiet", str(QUIET_SECONDS)]
        options += ["--calls-per-minute", str(CALLS_PER_MINUTE)]
        options += ["--mapping", str(mapping)] if mapping else []
        url = f"http://127.0.0.1:{self.port}"
        self.command("connect", name, *options, "--public-url", url)

    def command(self, *arguments: str) -> Facts:
        """Runs one command of our own with --json, as a person's script would."""
        done = subprocess.run(  # noqa: S603 - our own command
            [*_ourselves(), *arguments, "--json"],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        try:
            answer: Facts = jsonlib.loads(done.stdout)
        except ValueError:
            answer = {"error": {"sentence": done.stderr.strip()[-500:], "remedy": ""}}
        if "error" in answer:
            trouble = answer["error"]
            raise Misconfigured(
                f"`{' '.join(arguments[:2])}` failed: {trouble['sentence']}",
                cause="stage.command",
                remedy=trouble["remedy"],
            )
        return answer

    def start_service(self) -> None:
        """Starts the service and waits until it answers."""
        command = [*_ourselves(), "serve", "--port", str(self.port)]
        self.service = self.spawn(command, "service.log")
        give_up = time.monotonic() + READY_SECONDS
        while not _answers(f"http://127.0.0.1:{self.port}/readyz"):
            if self.service.poll() is not None or time.monotonic() > give_up:
                raise TryAgain(
                    "The service did not start.",
                    cause="stage.service",
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
        self.start_service()

    def spawn(
        self, command: list[str], log: str, *, piped: bool = False
    ) -> "subprocess.Popen[bytes]":
        """Starts a process whose end is tied to ours."""
        errors = self.stack.enter_context((self.folder / log).open("ab"))
        child = subprocess.Popen(  # noqa: S603 - our own modules
            command,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if piped else errors,
            stderr=errors,
        )
        self.stack.callback(_end, child)
        return child

    def environment(self) -> dict[str, str]:
        """Our own environment, with a home of this trial's own and no other database."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("ML_")}
        own = {"ML_HOME": str(self.folder / "home"), "ML_LOG_LEVEL": "warning"}
        return kept | own | ({"ML_DATABASE_URL": self.database_url} if self.database_url else {})


def folder(stack: ExitStack, keep: Path | None) -> Path:
    """Where everything of a trial lives; gone at the end unless it is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        return keep.resolve()
    made = Path(tempfile.mkdtemp(prefix="ml-trial-"))
    made.chmod(0o711)  # the database's account must be able to pass through
    stack.callback(shutil.rmtree, made, ignore_errors=True)
    return made


def ask(sandbox: Sandbox, side: str, what: str) -> Any:
    """A question to a sandbox's control plane; numbers with a fraction come as Decimal."""
    answer = httpx2.get(f"{_root(sandbox, side)}/_sandbox/{what}", timeout=30, verify=False)
    answer.raise_for_status()
    return msgspec.json.Decoder(float_hook=Decimal).decode(answer.content)


def _let_sign_ins_last(sandbox: Sandbox, days: int) -> None:
    """Makes Acumatica's tokens and sessions outlive a trial's leaps in time."""
    control = f"{_root(sandbox, 'acumatica')}/_sandbox"
    tokens, sessions = {"lifetime_seconds": days * 86_400}, {"idle_minutes": days * 1_440}
    httpx2.post(f"{control}/tokens", json=tokens, timeout=30, verify=False).raise_for_status()
    httpx2.post(f"{control}/switches", json=sessions, timeout=30, verify=False).raise_for_status()


def _root(sandbox: Sandbox, side: str) -> str:
    parts = urlsplit(sandbox[side]["url"])
    return f"{parts.scheme}://{parts.netloc}"


def _answers(url: str) -> bool:
    """Whether a URL answers 200."""
    try:
        return httpx2.get(url, timeout=2, verify=False).is_success
    except httpx2.HTTPError:
        return False


def _ourselves() -> list[str]:
    return [sys.executable, "-m", "ml_connector"]


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
