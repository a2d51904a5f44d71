"""One API request from headers to answer: key, version, parameters, idempotency, handler."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from urllib.parse import unquote

from ml_sandbox.stripe import forms, idempotency, params
from ml_sandbox.stripe.auth import Keys, masked
from ml_sandbox.stripe.calls import Call
from ml_sandbox.stripe.errors import StripeError, unrecognized
from ml_sandbox.stripe.limits import RateLimiter, locked, too_many
from ml_sandbox.stripe.render import Paths, Renderer
from ml_sandbox.stripe.router import Route, Router
from ml_sandbox.stripe.wire import API_VERSION, Obj
from ml_sandbox.stripe.world import Cause, World


@dataclass(frozen=True)
class Request:
    """What came over the wire; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    headers: dict[str, str]


class Api:
    """Answers /v1 requests from the world."""

    def __init__(self, world: World, router: Router, renderer: Renderer) -> None:
        self._world = world
        self._router = router
        self._renderer = renderer
        self._limiter = RateLimiter()
        self.keys = Keys()
        self.store = idempotency.IdempotencyStore()
        self.calls: Counter[str] = Counter()

    async def answer(self, request: Request) -> Answer:
        """The answer to a request; every failure has the service's error shape."""
        request_id = self._world.ids.new("req")
        try:
            return await self._admitted(request, request_id)
        except StripeError as error:
            return self._failed(error, request_id, request)
        except Exception as error:  # noqa: BLE001 - a fault of the sandbox is told, never hidden
            self._world.violations.append(f"{request.method} {request.path}: {error!r}")
            return self._failed(broken(), request_id, request)

    async def _admitted(self, request: Request, request_id: str) -> Answer:
        """Checks everything that comes before parameters."""
        key = self.keys.authenticate(request.headers.get("authorization"))
        check_version(request.headers.get("stripe-version"))
        self._check_account(request, key)
        found = self._router.find(request.method, request.path)
        if found is None:
            raise unrecognized(request.method, request.path)
        route, ids = found
        self.calls[route.key] += 1
        if self._world.notes.limits:
            raise too_many(self._world.notes.limits.pop(0))
        if self._world.switches.rate_limit:
            self._limiter.admit(route.key)
        self.keys.permit(key, request.method, request.path)
        if request.method == "POST":
            return await self._write(request, request_id, route, ids)
        call, expand = self._read(request, route, ids)
        result = self._run(call, route, Cause(request_id, None))
        return self._ok(result, expand, request_id)

    def _check_account(self, request: Request, key: str) -> None:
        """Only this account can be acted on; raises StripeError (403) for any other."""
        for header in ("stripe-account", "stripe-context"):
            asked = request.headers.get(header)
            if asked is not None and asked != self._world.account_id:
                raise foreign_account(key, asked)

    def _read(self, request: Request, route: Route, ids: tuple[str, ...]) -> tuple[Call, Paths]:
        """Parameters and expansion, checked; nothing has run yet."""
        tree = forms.parse(request.query)
        if request.body and request.path.startswith("/v2/"):
            tree |= forms.from_json(request.body)
        elif request.body:
            tree |= forms.parse(text_of(request.body))
        typed = params.check(route.contract, tree)
        expand = self._renderer.check(route.contract, typed.pop("expand", []))
        return Call(route.contract, request.path, tuple(map(unquote, ids)), typed), expand

    async def _write(
        self, request: Request, request_id: str, route: Route, ids: tuple[str, ...]
    ) -> Answer:
        """A POST: looked up by its idempotency key, else executed and remembered."""
        switches, now = self._world.switches, self._world.now()
        key = request.headers.get("idempotency-key")
        mark = idempotency.fingerprint(request.method, request.path, request.body)
        if key is not None:
            if len(key) > idempotency.LONGEST_KEY:
                raise idempotency.too_long()
            known = self.store.find(key, mark, now, switches.conflict_type)
            if known is not None:
                return self._replayed(known, key, request_id)
        call, expand = self._read(request, route, ids)
        self._check_locks(call)
        if limited := switches.rate_limit:
            self._limiter.enter(route.key)
        slot = None if key is None else self.store.begin(key, mark, request_id, now)
        try:
            if switches.execution_seconds > 0:
                await asyncio.sleep(switches.execution_seconds)
            made = self._executed(call, route, expand, Cause(request_id, key))
        except BaseException:
            if key is not None:
                self.store.forget(key)
            raise
        finally:
            if limited:
                self._limiter.leave(route.key)
        if slot is not None:
            slot.status, slot.body = made.status, made.body
            made.headers["Idempotency-Key"] = key or ""
        return made

    def _check_locks(self, call: Call) -> None:
        """Raises StripeError (429) while a write, or one of its objects, is to find a lock."""
        switches, locks = self._world.switches, self._world.notes.locks
        if switches.lock_timeouts > 0:
            switches.lock_timeouts -= 1
            raise locked()
        if not locks:
            return
        named = (*call.ids, *(v for v in call.params.values() if isinstance(v, str)))
        for key in named:
            if locks.get(key, 0) > 0:
                locks[key] -= 1
                raise locked()

    def _executed(self, call: Call, route: Route, expand: Paths, cause: Cause) -> Answer:
        """Runs a write; failures of the rules, and 500s, are outcomes like any other."""
        switches = self._world.switches
        try:
            if switches.fail_before_commit > 0:
                switches.fail_before_commit -= 1
                raise broken()
            result = self._run(call, route, cause)
            if switches.fail_after_commit > 0:
                switches.fail_after_commit -= 1
                raise broken()
        except StripeError as error:
            if not error.stored:
                raise
            return self._failed(error, cause.request_id, None)
        return self._ok(result, expand, cause.request_id)

    def _run(self, call: Call, route: Route, cause: Cause) -> Obj:
        """Calls the handler; what it emits names the request; broken invariants answer 500."""
        self._world.schedule.run_due()
        self._world.cause = cause
        try:
            return route.handler(self._world, call)
        except AssertionError as broken_invariant:
            raise StripeError(500, str(broken_invariant), kind="api_error") from None
        finally:
            self._world.cause = None

    def _ok(self, result: Obj, expand: Paths, request_id: str) -> Answer:
        body = self._world.wire.encode(self._renderer.answer(result, expand))
        return Answer(200, body, self._headers(request_id))

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"Request-Id": request_id, "Stripe-Version": API_VERSION}

    def _failed(self, error: StripeError, request_id: str, request: Request | None) -> Answer:
        headers = self._headers(request_id) | error.headers
        if request is not None and (key := request.headers.get("idempotency-key")):
            headers["Idempotency-Key"] = key
        if error.status >= 500:
            headers["Stripe-Should-Retry"] = "false"  # the stored 500 would only come back
        return Answer(error.status, self._world.wire.encode(error.body(request_id)), headers)

    def _replayed(self, known: idempotency.Remembered, key: str, request_id: str) -> Answer:
        headers = self._headers(request_id) | {
            "Idempotency-Key": key,
            "Idempotent-Replayed": "true",
            "Original-Request": known.request_id,
        }
        if known.status >= 500:
            headers["Stripe-Should-Retry"] = "false"
        return Answer(known.status, known.body, headers)


def broken() -> StripeError:
    """A failure on the service's side, asked for by a switch."""
    text = "An unexpected error occurred on our side. Please try again."
    return StripeError(500, text, kind="api_error")


def foreign_account(key: str, account: str) -> StripeError:
    """The key cannot act on another account."""
    text = (
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that "
        "account does not exist). Application access may have been revoked."
    )
    return StripeError(403, text, code="account_invalid", stored=False)


def check_version(version: str | None) -> None:
    """Only the pinned version exists here."""
    if version is not None and version != API_VERSION:
        text = f"Invalid Stripe API version: {version}"
        raise StripeError(400, text, stored=False)


def text_of(body: bytes) -> str:
    """The form as text; raises StripeError when it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise StripeError(400, "Invalid request: not UTF-8.", stored=False) from None
