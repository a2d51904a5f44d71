"""Serving a sandbox over real TCP on loopback, with the means to drop a connection on request."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ml_sandbox.faults import ABORT, AsgiApp

GRACE_SECONDS = 2
"""How long requests under way may take to end when a server does."""


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
    """A uvicorn server that leaves signals to whoever runs it, and ends as soon as it is told.

    Uvicorn's own looks every 0.1 seconds whether it shall end, and again for each connection.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told_to_end = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves them alone."""
        yield

    async def main_loop(self) -> None:
        """Serves until told to end; nothing ticks, as there is no date header to renew."""
        await self.on_tick(0)
        await self.told_to_end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes no more connections and gives those under way a moment."""
        for listener in [*self.servers, *(sockets or [])]:
            listener.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with anyio.move_on_after(GRACE_SECONDS):
            while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn offers no event
                await anyio.sleep(0.002)
        for task in list(state.tasks):
            task.cancel()
        await self.lifespan.shutdown()


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
        log_config=None,
        log_level="warning",
        access_log=False,
        date_header=False,
        timeout_keep_alive=60,
    )
    server = _Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [sock])
        while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
            await anyio.sleep(0.005)
        try:
            yield address(sock)
        finally:
            server.told_to_end.set()
