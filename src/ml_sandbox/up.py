"""Both sandboxes in one process, on one clock, until a signal or the parent's end."""

import argparse
import asyncio
import errno
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ml_sandbox.acumatica.app import create_app as create_acumatica
from ml_sandbox.clock import SandboxClock
from ml_sandbox.faults import Faults
from ml_sandbox.server import address, listen, serving
from ml_sandbox.stripe.app import create_app as create_stripe

SITE = "/AcumaticaERP"
Addresses = dict[str, dict[str, str]]


class CannotListen(Exception):
    """A port could not be had; the text is the sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asked for; port 0 takes a free one, no moment means now."""

    stripe_port: int = 0
    acumatica_port: int = 0
    seed: int = 0
    at: datetime | None = None
    as_json: bool = False
    with_parent: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `up`."""
    parser.add_argument("--stripe-port", type=_port, default=0, metavar="N")
    parser.add_argument("--acumatica-port", type=_port, default=0, metavar="N")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed, the same ids"
    )
    parser.add_argument(
        "--at", type=_moment, metavar="ISO", help="where the sandboxes' clock starts"
    )
    parser.add_argument("--json", action="store_true", help="one line of JSON once both are ready")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin closes")


def run(given: argparse.Namespace) -> int:
    """Runs until told to stop; the exit code: 0, or 2 when a port cannot be had."""
    wishes = Wishes(
        stripe_port=given.stripe_port,
        acumatica_port=given.acumatica_port,
        seed=given.seed,
        at=given.at,
        as_json=given.json,
        with_parent=given.with_parent,
    )
    try:
        _run_loop(_stay_up(wishes))
    except CannotListen as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535)")
    return int(text)


def _moment(text: str) -> datetime:
    """An ISO moment; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is not a moment like 2026-10-01T06:00Z"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _run_loop(work: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(work)
    else:
        import uvloop  # noqa: PLC0415 - not to be had on Windows

        uvloop.run(work)


async def _stay_up(wishes: Wishes) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        _show(await start(stack, wishes), as_json=wishes.as_json)
        if wishes.with_parent:
            _stop_with_stdin(stop)
        await stop.wait()


async def start(stack: AsyncExitStack, wishes: Wishes) -> Addresses:
    """Serves both sandboxes while the stack is open; how to reach each of them.

    Raises CannotListen when a port cannot be had.
    """
    clock = SandboxClock(wishes.at)
    stripe_socket = stack.enter_context(closing(_listen(wishes.stripe_port, "--stripe-port")))
    erp_socket = stack.enter_context(closing(_listen(wishes.acumatica_port, "--acumatica-port")))
    stripe = create_stripe(clock, seed=wishes.seed, base_url=address(stripe_socket))
    acumatica = create_acumatica(clock, site=SITE, seed=wishes.seed)
    stripe_url = await stack.enter_async_context(serving(Faults(stripe.asgi), stripe_socket))
    erp_url = await stack.enter_async_context(serving(Faults(acumatica.asgi), erp_socket))
    return {
        "stripe": {"url": stripe_url, **stripe.credentials()},
        "acumatica": {"url": erp_url + SITE, **acumatica.credentials()},
    }


def _listen(port: int, option: str) -> socket.socket:
    try:
        return listen(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"Port {port} is already in use"
        else:
            why = f"Port {port} cannot be opened ({error.strerror})"
        text = f"{why}; choose another with {option}, or leave it out for a free one."
        raise CannotListen(text) from error


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda _n, _f: loop.call_soon_threadsafe(stop.set))
        else:
            loop.add_signal_handler(number, stop.set)


def _stop_with_stdin(stop: asyncio.Event) -> None:
    """Stops at the end of stdin; a thread, as stdin may be of any kind."""
    loop = asyncio.get_running_loop()

    def read_to_the_end() -> None:
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=read_to_the_end, daemon=True).start()


def _show(found: Addresses, *, as_json: bool) -> None:
    sys.stdout.write(json.dumps(found) + "\n" if as_json else _readable(found))
    sys.stdout.flush()


def _readable(found: Addresses) -> str:
    blocks = [_block(name.capitalize(), rows) for name, rows in found.items()]
    month = f"--stripe {found['stripe']['url']} --acumatica {found['acumatica']['url']}"
    return "\n".join(
        [
            "Both sandboxes are running; Ctrl-C stops them.",
            "",
            *blocks,
            "Watch them, and act in them, in a browser:",
            "",
            *(f"  {_root(rows['url'])}/_window" for rows in found.values()),
            "",
            "Next: connect ml-connector with the values above. The webhook secret is that of the",
            "first webhook endpoint that is registered. Then let one month of a firm happen:",
            "",
            f"  python -m ml_sandbox month {month}",
            "",
        ]
    )


def _root(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _block(title: str, rows: dict[str, str]) -> str:
    lines = [f"  {name.replace('_', ' '):<16}{value}" for name, value in rows.items()]
    return "\n".join([title, *lines, ""])
