"""The one place where requests leave: pace, send, judge, retry, and keep a redacted record."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

import httpx2

from ml_connector.basics.clock import Clock
from ml_connector.basics.errors import Misconfigured, OutcomeUnknown, TryAgain
from ml_connector.http.pace import Pace
from ml_connector.http.redact import Redactor
from ml_connector.http.retry import (
    MAY_HAVE_HAPPENED,
    Decision,
    GiveUp,
    Outcome,
    RetryPolicy,
    SendAgain,
    decide,
)

Service = Literal["stripe", "acumatica"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP call as the audit trail keeps it: redacted, each body at most 20 kB.

    `status` is None when no answer came; `error` then says why. `path` carries the query with
    its secrets masked. `control` marks calls that only keep the connection alive (sign-in, probes).
    """

    service: str
    method: str
    path: str
    status: int | None
    duration_ms: int
    at: datetime
    request: str
    response: str
    request_id: str
    resource: str
    error: str
    control: bool = False


Recorder = Callable[[Exchange], None]
"""Called for every attempt; must not raise and must not block."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to send; `repeatable` says that the very same request may be sent again blindly.

    True for a read, and for a write that carries an idempotency key.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; header names are lower-case, `set_cookies` are the raw Set-Cookie values."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for each read and write, and for a free connection."""

    connect: float = 10.0
    read: float = 80.0
    write: float = 30.0
    pool: float = 60.0


NAMES: Mapping[str, str] = {"stripe": "Stripe", "acumatica": "Acumatica"}
KEPT_REQUEST_HEADERS = ("content-type", "idempotency-key", "stripe-version")
KEPT_RESPONSE_HEADERS = (
    "content-type", "location", "idempotent-replayed", "retry-after", "stripe-rate-limited-reason",
)  # fmt: skip
BEFORE_THE_FIRST_BYTE = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
)
GATEWAY_FAILURES = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


@dataclass(frozen=True, slots=True)
class _Label:
    """What the caller says about a call, for the record alone."""

    resource: str
    control: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try: what it proved, and its answer or the reason why there is none."""

    outcome: Outcome
    response: Response | None = None
    error: str = ""
    took: timedelta = timedelta(0)


class Transport:
    """Carries requests to one service for one connection.

    `http` may be shared or replaced; one that is built here is closed by `aclose`.
    """

    def __init__(
        self,
        service: Service,
        *,
        pace: Pace,
        clock: Clock,
        record: Recorder,
        http: httpx2.AsyncClient | None = None,
        timeouts: Timeouts = Timeouts(),
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen, safe to share
    ) -> None:
        self._service = service
        self._pace = pace
        self._clock = clock
        self._record = record
        self._owned = http is None
        self._http = http if http is not None else _new_http()
        self._timeout = httpx2.Timeout(
            connect=timeouts.connect,
            read=timeouts.read,
            write=timeouts.write,
            pool=timeouts.pool,
        ).as_dict()
        self._retries = retries

    async def send(
        self, request: Request, *, resource: str = "", control: bool = False
    ) -> Response:
        """Sends until a final answer comes (any status but 429, 502, 503, 504) or time is up.

        Raises TryAgain when it was certainly not carried out (or is only a read), OutcomeUnknown
        when a write may have been, Misconfigured for an address that cannot be used.
        """
        if not _is_address(request.url):
            raise self._unusable(request.method)
        attempts, spent, happened = 0, timedelta(0), False
        while True:
            attempts += 1
            attempt = await self._attempt(request, _Label(resource, control))
            happened = happened or attempt.outcome in MAY_HAVE_HAPPENED
            decision = self._decide(attempts, attempt, request, spent + attempt.took)
            if isinstance(decision, SendAgain):
                spent += attempt.took + decision.wait
                await self._retries.sleep(decision.wait.total_seconds())
            elif isinstance(decision, GiveUp):
                raise self._given_up(request, attempt, decision.after, happened=happened)
            elif attempt.response is not None:
                return attempt.response

    async def aclose(self) -> None:
        """Closes the connections that were opened here."""
        if self._owned:
            await self._http.aclose()

    def _decide(
        self, attempts: int, attempt: _Attempt, request: Request, spent: timedelta
    ) -> Decision:
        asked = retry_after(attempt.response, self._clock.now()) if attempt.response else None
        return decide(
            attempts,
            attempt.outcome,
            self._retries,
            repeatable=request.repeatable,
            spent=spent,
            retry_after=asked,
        )

    async def _attempt(self, request: Request, label: _Label) -> _Attempt:
        """One try in its own slot; it is recorded whatever happens, even when cancelled."""
        async with self._pace.slot():
            at, started = self._clock.now(), time.perf_counter()
            attempt = _Attempt(Outcome.CUT, error="cancelled")
            try:
                attempt = await self._once(request)
            except Misconfigured as refusal:
                attempt = _Attempt(Outcome.NOT_SENT, error=refusal.sentence)
                raise
            finally:
                took = timedelta(seconds=time.perf_counter() - started)
                attempt = replace(attempt, took=took)
                self._record(self._exchange(request, attempt, at, label))
        return attempt

    async def _once(self, request: Request) -> _Attempt:
        try:
            outgoing = httpx2.Request(
                request.method,
                request.url,
                headers=_with_defaults(request.headers),
                content=request.body,
                extensions={"timeout": self._timeout},
            )
            answer = await self._http.send(outgoing, auth=None, follow_redirects=False)
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.LocalProtocolError) as wrong:
            raise self._unusable(self._call(request)) from wrong
        except BEFORE_THE_FIRST_BYTE as no_line:
            if _distrusted(no_line):
                raise self._untrusted(request) from no_line
            return _Attempt(Outcome.NOT_SENT, error=_named(no_line))
        except httpx2.RequestError as broken:
            return _Attempt(Outcome.CUT, error=_named(broken))
        response = Response(
            answer.status_code,
            {name.lower(): value for name, value in answer.headers.items()},
            answer.content,
            tuple(answer.headers.get_list("set-cookie")),
        )
        return _Attempt(judge(response), response)

    def _exchange(
        self, request: Request, attempt: _Attempt, at: datetime, label: _Label
    ) -> Exchange:
        redactor = Redactor(request.url, request.headers, request.body)
        answer = attempt.response or Response(0, {}, b"")
        headers = answer.headers
        return Exchange(
            service=self._service,
            method=request.method,
            path=redactor.path(request.url),
            status=answer.status or None,
            duration_ms=round(attempt.took.total_seconds() * 1000),
            at=at,
            request=redactor.message(request.headers, KEPT_REQUEST_HEADERS, request.body),
            response=redactor.message(headers, KEPT_RESPONSE_HEADERS, answer.body),
            request_id=headers.get("request-id") or headers.get("x-request-id", ""),
            resource=redactor.text(label.resource),
            error=redactor.text(attempt.error),
            control=label.control,
        )

    def _given_up(
        self, request: Request, attempt: _Attempt, after: timedelta | None, *, happened: bool
    ) -> TryAgain:
        name, call = NAMES[self._service], self._call(request)
        said = f"answered {attempt.response.status}" if attempt.response else attempt.error
        if happened and request.method not in ("GET", "HEAD"):
            return OutcomeUnknown(
                f"{name} may or may not have carried out {call}: {said}.",
                cause=f"{self._service}.outcome_unknown",
                remedy="The connector looks for the effect before it sends again.",
                after=after,
            )
        busy = attempt.outcome is Outcome.BUSY
        return TryAgain(
            f"{name} did not carry out {call}: {said}.",
            cause=f"{self._service}.{'busy' if busy else 'unreachable'}",
            remedy="The connector tries again by itself.",
            after=after,
        )

    def _call(self, request: Request) -> str:
        return f"{request.method} {urlsplit(request.url).path or '/'}"

    def _unusable(self, call: str) -> Misconfigured:
        return Misconfigured(
            f"The address of {NAMES[self._service]} cannot be used for {call}.",
            cause=f"{self._service}.address",
            remedy="Correct the URL of the connection; it starts with https://.",
        )

    def _untrusted(self, request: Request) -> Misconfigured:
        host = urlsplit(request.url).hostname
        return Misconfigured(
            f"The certificate that {host} shows is not one that this machine trusts.",
            cause=f"{self._service}.certificate",
            remedy="Check the host name in the URL, or install the issuing authority here.",
        )


def judge(response: Response) -> Outcome:
    """What an answer's status proves; only 429 and gateway statuses are not final.

    A 503 by HTTP.sys itself (Server: Microsoft-HTTPAPI) never reached the application.
    """
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome.BUSY
    if response.status not in GATEWAY_FAILURES:
        return Outcome.ANSWERED
    by_kernel = response.headers.get("server", "").startswith("Microsoft-HTTPAPI")
    if by_kernel and response.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return Outcome.BUSY
    return Outcome.UNAVAILABLE


def retry_after(response: Response, now: datetime) -> timedelta | None:
    """The Retry-After header, as seconds or as an HTTP date; None when absent or unreadable."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 86_400))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now, timedelta(0))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _new_http() -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=50, max_keepalive_connections=20, keepalive_expiry=30)
    return httpx2.AsyncClient(limits=limits, verify=_trusted())


@cache
def _trusted() -> ssl.SSLContext:
    """The roots that every connection trusts: read once, as reading them takes a while."""
    return httpx2.create_ssl_context()


def _with_defaults(headers: Mapping[str, str]) -> dict[str, str]:
    sent = {name.lower(): value for name, value in headers.items()}
    sent.setdefault("user-agent", "ml-connector")
    sent.setdefault("accept", "application/json")
    sent.setdefault("accept-encoding", "gzip, deflate")
    return sent


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _distrusted(error: BaseException | None) -> bool:
    """Whether a refused certificate is at the root of a failed connection."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
