"""Misbehaviour on request, in front of either sandbox: slow, refused, cut, or lost after commit.

Rules are set by `POST /_sandbox/faults` with a list of objects:

    {"kind": "delay" | "status" | "reset" | "cut" | "redirect",
     "when": "before" | "after",      before or after the sandbox has done the work
     "method": "PUT", "path": "regular expression", either may be left out
     "times": 3, "probability": 0.1, "seed": 7,
     "status": 503, "body": "...", "headers": {...}, "seconds": 0.5}

`GET` lists what is set and how often each rule fired; `DELETE` removes them all.
"""

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL = "/_sandbox/"
SPARED = (CONTROL, "/_window")
"""What people steer and watch with keeps working whatever is spoiled."""
DEFAULT_BODY = "<html><body><h1>Service Unavailable</h1></body></html>"


ABORT = "ml_sandbox.abort"
"""Where the server leaves, in the scope's extensions, the way to drop the connection."""


@dataclass(slots=True)
class Rule:
    """One kind of trouble, for which requests, and how often."""

    kind: str
    when: str = "before"
    method: str = ""
    path: str = ""
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    status: int = 503
    body: str = DEFAULT_BODY
    headers: dict[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0
    fired: int = 0
    chance: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in ("delay", "status", "reset", "cut", "redirect"):
            raise ValueError(f"a fault of kind {self.kind!r} is not known")
        if self.when not in ("before", "after"):
            raise ValueError("a fault comes before or after the work")
        self.chance = random.Random(self.seed)

    def strikes(self, method: str, path: str) -> bool:
        """Whether this request gets the trouble; counts it when it does."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.method and self.method != method:
            return False
        if self.path and not re.search(self.path, path):
            return False
        if self.chance.random() >= self.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """An ASGI application in front of another one, which spoils what it was told to spoil."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._rules: list[Rule] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == f"{CONTROL}faults":
            await self._control(scope, receive, send)
        elif not self._rules or any(part in scope["path"] for part in SPARED):
            await self._app(scope, receive, send)
        else:
            await self._spoil(scope, receive, send)

    async def _spoil(self, scope: Scope, receive: Receive, send: Send) -> None:
        struck = [r for r in self._rules if r.strikes(scope["method"], scope["path"])]
        for rule in struck:
            if rule.kind == "delay":
                await asyncio.sleep(rule.seconds)
        rule = next((r for r in struck if r.kind != "delay"), None)
        if rule is None:
            await self._app(scope, receive, send)
        elif rule.when == "before" and rule.kind != "cut":
            await _drain(receive)
            await _fail(rule, scope, send)
        else:
            kept: list[Message] = []
            await self._app(scope, receive, _keep(kept))
            await (_cut(kept, scope, send) if rule.kind == "cut" else _fail(rule, scope, send))

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _drain(receive)
        if scope["method"] == "DELETE":
            self._rules.clear()
        elif scope["method"] == "POST":
            try:
                rules = _read(body)
            except (TypeError, ValueError) as error:
                await _answer(send, 400, json.dumps({"error": str(error)}))
                return
            self._rules.extend(rules)
        shown = [{"kind": r.kind, "path": r.path, "fired": r.fired} for r in self._rules]
        await _answer(send, 200, json.dumps(shown))


def _read(body: bytes) -> list[Rule]:
    asked: Any = json.loads(body)
    if isinstance(asked, dict):
        asked = [asked]
    rules = cast("list[dict[str, Any]]", asked)
    return [Rule(**rule) for rule in rules]


def _abort(scope: Scope) -> None:
    """Drops the connection; the client sees a reset or a body that ends too early."""
    scope["extensions"][ABORT]()


def _keep(kept: list[Message]) -> Send:
    async def send(message: Message) -> None:
        kept.append(message)

    return send


async def _drain(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            return b"".join(parts)


async def _fail(rule: Rule, scope: Scope, send: Send) -> None:
    if rule.kind == "reset":
        _abort(scope)
    elif rule.kind == "redirect":
        await _answer(send, 302, "", {"location": "/ui/error"})
    else:
        await _answer(send, rule.status, rule.body, rule.headers)


async def _cut(kept: list[Message], scope: Scope, send: Send) -> None:
    """Sends the whole length in the header and half of the body, then drops the connection."""
    body = b"".join(m.get("body", b"") for m in kept if m["type"] == "http.response.body")
    await send(kept[0])
    half = {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
    await send(half)
    _abort(scope)


async def _answer(
    send: Send, status: int, body: str, headers: dict[str, str] | None = None
) -> None:
    kind = "application/json" if body.startswith(("{", "[")) else "text/html"
    wanted = {"content-type": kind, "content-length": str(len(body.encode()))} | (headers or {})
    raw = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body.encode()})
