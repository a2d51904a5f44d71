"""The mapping in a browser: a page on this machine alone, until it is closed."""

import asyncio
import os

from ml_connector.cli.frame import Exit, Json, Name, Office, opened
from ml_connector.cli.mapping import mapping


@mapping.command
def screen(name: Name = "", *, port: int = 0, json: Json = False) -> int:
    """Open the mapping as a page: edit, check, what if, put in force, and back.

    The address that is printed is good once, for one browser on this machine. The screen ends when
    it is closed there, by Ctrl-C, or after half an hour without use.

    Parameters
    ----------
    port
        On which port of this machine; a free one by default.
    """

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.cli.service import listening, quiet_server, until_told
        from ml_connector.flows.mapping.mapping_change import version_of
        from ml_connector.web.mapping_screen import Screen, create_screen

        chosen = await office.only(name)
        await version_of(office.place.store, chosen)  # names what is missing before a page does
        sock = listening("127.0.0.1", port)
        sock.listen()
        own = f"127.0.0.1:{sock.getsockname()[1]}"
        author = os.environ.get("USER", "screen")
        made = Screen(office.place, office.board, chosen, author, frozenset({own}))
        address = f"http://{own}/?ticket={made.ticket}"
        if json:
            show.as_json({"address": address})
        else:
            show.say(f"Open this address (good once): {address}")
        server, stop = quiet_server(create_screen(made)), until_told()
        web = asyncio.create_task(server.serve(sockets=[sock]))
        over = [asyncio.create_task(made.until_ended()), asyncio.create_task(stop.wait())]
        await asyncio.wait({web, *over}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await web
        for one in over:
            one.cancel()
        return Exit.OK

    return opened(body, as_json=json)
