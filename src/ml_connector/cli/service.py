"""Running it: the service, further workers, the embedded database."""

import asyncio
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cyclopts import App

from ml_connector.cli.frame import Exit, Json, Office, opened, run

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette


def serve(*, host: str = "", port: int = 0) -> int:
    """Run the service: webhooks, schedules and a worker, until it is stopped.

    Parameters
    ----------
    host
        Where to listen (ML_HOST; 127.0.0.1).
    port
        On which port to listen (ML_PORT; 8642).
    """

    async def body(office: Office) -> int:
        from ml_connector.assemble.worker import work
        from ml_connector.cli import show

        settings = office.place.settings
        sock = listening(host or settings.host, port or settings.port)
        server, stop = _server(office), until_told()
        show.note(f"Listening on {host or settings.host}:{port or settings.port}.")
        async with asyncio.TaskGroup() as tasks:
            web = tasks.create_task(server.serve(sockets=[sock]))
            tasks.create_task(work(office.place, office.board, stop))
            tasks.create_task(_ended(web, stop))
            await stop.wait()
            server.should_exit = True
        return Exit.OK

    return opened(body)


def worker() -> int:
    """Run one more worker on the same database, without webhooks, until it is stopped."""

    async def body(office: Office) -> int:
        from ml_connector.assemble.worker import work

        await work(office.place, office.board, until_told())
        return Exit.OK

    return opened(body)


def until_told() -> asyncio.Event:
    """Set by SIGINT or SIGTERM: running jobs end, then the program does."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _ended(web: "asyncio.Task[None]", stop: asyncio.Event) -> None:
    """A web server that ends by itself (its port is taken) ends the service."""
    await web
    stop.set()


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; raises Misconfigured when the port is taken or not allowed."""
    from ml_connector.basics.errors import Misconfigured

    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise Misconfigured(
            f"The service cannot listen on {host}:{port}: {error.strerror}.",
            cause="serve.port",
            remedy="Another program may hold the port: choose another with --port.",
        ) from error
    return sock


def _server(office: Office) -> "uvicorn.Server":
    from ml_connector.web.app import create_app

    return quiet_server(create_app(office.place))


def quiet_server(app: "Starlette") -> "uvicorn.Server":
    """A web server that logs nothing of requests and leaves signals to whoever runs it."""
    import uvicorn

    class Quiet(uvicorn.Server):
        """Leaves signals to the service."""

        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

    return Quiet(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )


db = App(name="db", help="The embedded database.")


@db.command
def stop(*, json: Json = False) -> int:
    """Stop the embedded server, whoever else uses it."""

    async def body() -> int:
        from ml_connector.cli import show
        from ml_connector.settings import read
        from ml_connector.store.embedded import EmbeddedPostgres

        server = EmbeddedPostgres(read(os.environ).home / "postgres")
        was_running = await asyncio.to_thread(server.running)
        await asyncio.to_thread(server.stop)
        if json:
            show.as_json({"stopped": was_running})
        else:
            show.say("The server is stopped." if was_running else "The server was not running.")
        return Exit.OK

    return run(body, as_json=json)


@db.command
def upgrade(*, json: Json = False) -> int:
    """Move the embedded database to this program's PostgreSQL; the old data is kept."""

    async def body() -> int:
        from ml_connector.cli import show
        from ml_connector.settings import read
        from ml_connector.store.upgrade import upgrade as move

        kept = await asyncio.to_thread(move, read(os.environ).home / "postgres")
        if json:
            show.as_json({"upgraded": kept is not None, "kept": str(kept) if kept else None})
        elif kept is None:
            show.say("Nothing to do: the data is of this program's version.")
        else:
            show.say(f"Upgraded. The old data is kept in {kept}; delete it when all is well.")
        return Exit.OK

    return run(body, as_json=json)
