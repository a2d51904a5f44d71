"""Delivers events to endpoints: signed, in parallel, retried, and mischievous when told so."""

import asyncio
import hashlib
import hmac
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

import httpx2

from ml_sandbox.stripe.legacy import legacy_event
from ml_sandbox.stripe.thin_events import thin
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

RETRY_AFTER = (5.0, 30.0, 300.0)
HOUR = 3600.0
LIVE_RETRIES = (
    *(5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR),
    *(6 * HOUR for _ in range(9)),
)  # sixteen tries within three days
JITTER = 0.5
SHUFFLE_WINDOW = 30.0
PARALLEL = 16
LOG_LENGTH = 5000
AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


@dataclass
class Mischief:
    """How unreliable delivery is: chances from 0 to 1; bodies and signatures made wrong."""

    duplicate: float = 0.0
    drop: float = 0.0
    never_generated: float = 0.0
    shuffle: bool = False
    legacy_shape: bool = False
    live_mode: bool = False
    stale_seconds: int = 0


@dataclass(eq=False)
class Delivery:
    """One event on its way to one endpoint."""

    event: Obj
    endpoint: str
    state: str = "pending"
    counted: bool = True
    attempts: list[Obj] = field(default_factory=list[Obj])

    def shown(self) -> Obj:
        """For the control plane's log."""
        return {
            "event": self.event["id"],
            "type": self.event["type"],
            "endpoint": self.endpoint,
            "state": self.state,
            "attempts": self.attempts,
        }


def signature(secrets: Sequence[str], moment: int, body: bytes) -> str:
    """The Stripe-Signature header: one v1 per active secret, over `t.body`."""
    signed = str(moment).encode() + b"." + body
    marks = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets]
    return ",".join([f"t={moment}", *(f"v1={mark}" for mark in marks)])


def wants(endpoint: Obj, kind: str) -> bool:
    """Whether an endpoint is enabled and subscribed to a type."""
    events: list[str] = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in events or kind in events)


class WebhookSender:
    """Plans a delivery per event and endpoint and carries them out in the background."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(seed)
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(PARALLEL)
        self._waiting = 0
        self.mischief = Mischief()
        self.log: list[Delivery] = []
        world.on_event.append(self.accept)
        world.never_generated = lambda: self._chance(self.mischief.never_generated)

    @property
    def outstanding(self) -> int:
        """Deliveries not yet ended, those between retries included, dropped ones not."""
        return self._waiting

    @property
    def _waits(self) -> Sequence[float]:
        """Seconds between tries, as the account's mode has them."""
        live = self._world.switches.webhook_retries == "live"
        return LIVE_RETRIES if live else RETRY_AFTER

    def reseed(self, seed: int) -> None:
        """Restarts the dice."""
        self._random = Random(seed)

    def accept(self, event: Obj) -> None:
        """A new event: plans its deliveries and counts them as pending."""
        for endpoint in self._world.tables["webhook_endpoint"]:
            if wants(endpoint, event["type"]):
                event["pending_webhooks"] += 1
                self._first(event, endpoint["id"])

    def resend(self, event: Obj) -> int:
        """Sends an event again to every subscribed endpoint; returns how many."""
        chosen = [e for e in self._world.tables["webhook_endpoint"] if wants(e, event["type"])]
        for endpoint in chosen:
            self._plan(Delivery(event, endpoint["id"], counted=False), 0.0)
        return len(chosen)

    async def close(self) -> None:
        """Ends all deliveries under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _chance(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    def _first(self, event: Obj, endpoint: str) -> None:
        """Plans the first delivery, drops it, or plans it twice."""
        if self._chance(self.mischief.drop):
            self._remember(Delivery(event, endpoint, state="dropped"))
            return
        window = SHUFFLE_WINDOW if self.mischief.shuffle else JITTER
        self._plan(Delivery(event, endpoint), self._random.uniform(0, window))
        if self._chance(self.mischief.duplicate):
            again = Delivery(event, endpoint, counted=False)
            self._plan(again, self._random.uniform(0, window))

    def _remember(self, delivery: Delivery) -> None:
        self.log.append(delivery)
        del self.log[:-LOG_LENGTH]

    def _plan(self, delivery: Delivery, seconds: float) -> None:
        self._waiting += 1
        self._remember(delivery)
        self._world.schedule.after(seconds, lambda: self._start(delivery))

    def _start(self, delivery: Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery) -> None:
        """One try; on failure the next one is planned until the schedule is exhausted."""
        endpoint = self._world.tables["webhook_endpoint"].rows.get(delivery.endpoint)
        if endpoint is None or endpoint["status"] != "enabled":
            self._end(delivery, "canceled")
            return
        async with self._slots:
            status = await self._post(delivery, endpoint)
        delivery.attempts.append({"at": time.time(), "status": status})
        tried = len(delivery.attempts)
        if status is not None and 200 <= status < 300:
            self._end(delivery, "succeeded")
        elif tried > len(self._waits):
            self._end(delivery, "failed")
        else:
            delivery.state = "retrying"
            wait = self._waits[tried - 1]
            self._world.schedule.after(wait, lambda: self._start(delivery))

    def _end(self, delivery: Delivery, state: str) -> None:
        delivery.state = state
        self._waiting -= 1
        if state == "succeeded" and (delivery.counted or self._still_open(delivery)):
            delivery.event["pending_webhooks"] = max(0, delivery.event["pending_webhooks"] - 1)

    def _still_open(self, delivery: Delivery) -> bool:
        """Whether a resent event had not been delivered to this endpoint before."""
        others = [d for d in self.log if d.event is delivery.event and d is not delivery]
        same = [d for d in others if d.endpoint == delivery.endpoint]
        return not any(d.state == "succeeded" for d in same) and all(
            d.state in {"dropped", "failed", "canceled"} for d in same
        )

    async def _post(self, delivery: Delivery, endpoint: Obj) -> int | None:
        """Sends the body as it is now, freshly signed; None when nothing answered."""
        legacy = self.mischief.legacy_shape
        event = legacy_event(self._world, delivery.event) if legacy else delivery.event
        told = {
            "api_version": version(event, endpoint, legacy),
            "livemode": self.mischief.live_mode,
        }
        body = self._world.wire.pretty({**event, **told})
        if endpoint["id"] in self._world.notes.thin:
            slim = {**thin(delivery.event), "livemode": self.mischief.live_mode}
            body = self._world.wire.pretty(slim)
        secrets = self._world.notes.secrets[endpoint["id"]]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": AGENT,
            "Stripe-Signature": signature(
                secrets, int(time.time()) - self.mischief.stale_seconds, body
            ),
        }
        try:
            answer = await self._http().post(
                endpoint["url"],
                content=body,
                headers=headers,
                timeout=self._world.switches.webhook_timeout_seconds,
            )
        except httpx2.HTTPError:
            return None
        return answer.status_code

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(follow_redirects=False, verify=_trusted())
        return self._client


@cache
def _trusted() -> ssl.SSLContext:
    """Read once for all sandboxes of a process: a test process starts hundreds."""
    return httpx2.create_ssl_context()


def version(event: Obj, endpoint: Obj, legacy: bool) -> str:
    """The API version a delivered body claims."""
    return str(event["api_version"] if legacy else endpoint["api_version"])
