"""`python -m ml_sandbox ...` as a process of its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


@asynccontextmanager
async def started(*arguments: str) -> AsyncGenerator[Process]:
    """The running command, its three streams piped; killed if it is still there at the end."""
    command = (sys.executable, "-m", "ml_sandbox", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(*arguments: str) -> tuple[int | None, str, str]:
    """Exit code, stdout and stderr of a command that ends by itself."""
    async with started(*arguments) as process:
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
