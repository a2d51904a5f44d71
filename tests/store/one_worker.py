"""A worker process for tests: says each job that it starts, and never ends one."""

import asyncio
import sys

from ml_connector.basics.ids import ConnectionId
from ml_connector.store.jobs import Job
from ml_connector.store.queue import Queue


async def get_stuck(job: Job) -> None:
    print(job.resource, flush=True)  # noqa: T201 - the test reads it
    await asyncio.Event().wait()


async def connections() -> list[ConnectionId]:
    return [ConnectionId("main")]


if __name__ == "__main__":
    asyncio.run(Queue(sys.argv[1], get_stuck).run(connections))
