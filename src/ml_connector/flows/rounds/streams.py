"""What runs by the clock: catching up with each side, and measuring the promise."""

from collections.abc import Awaitable, Callable

from ml_connector.basics.errors import Bug
from ml_connector.flows.connected import Connected
from ml_connector.flows.rounds.catch_up import STREAMS
from ml_connector.flows.rounds.watch import watch

TIEOUT = "tieout"

SCHEDULED: dict[str, Callable[[Connected], Awaitable[int]]] = {**STREAMS, TIEOUT: watch}
"""Every stream with a cadence, by its name there; only `STREAMS` are caught up with by hand."""


async def run(c: Connected, stream: str) -> int:
    """Runs one stream; returns how many looks it led to. Raises Bug for no stream."""
    if stream not in SCHEDULED:
        raise Bug(f"There is no stream {stream!r}.")
    return await SCHEDULED[stream](c)
