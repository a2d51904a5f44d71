"""Serving a sandbox over real TCP on loopback, with the means to drop a connection on request."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ml_sandbox.faults import ABORT, AsgiApp


class SandboxProtocol(HttpToolsProtocol):
    """Uvicorn's own HTTP, plus a way for `Faults` to reset the connection."""

    def on_message_begin(self) -> None:
        """Starts a request; the scope learns how to abort it."""
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self.transport.abort}
        self.scope["extensions"] = extensions  # pyright: ignore[reportGeneralTypeIssues]


def listen(port: int = 0) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. Raises OSError when it is taken."""
    # Said outright, as asyncio sends small answers at once (no Nagle) only on such sockets.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(256)
    return sock


def address(sock: socket.socket) -> str:
    """The base URL of a listening socket."""
    host, port = sock.getsockname()
    return f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves them alone."""
        yield


@asynccontextmanager
async def serving(app: AsgiApp, sock: socket.socket) -> AsyncGenerator[str]:
    """Serves an application on a socket while the block runs; yields its base URL.

    The `Date` header is the application's own, as the sandbox's clock may be moved.
    """
    config = uvicorn.Config(
        app,
        http=SandboxProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [sock])
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await anyio.sleep(0.005)
        try:
            yield address(sock)
        finally:
            server.should_exit = True
