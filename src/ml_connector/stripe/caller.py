"""One call to Stripe by the official package: parameters in, a decoded answer or a filed error."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Generic, Literal, Protocol, TypeVar, cast
from urllib.parse import quote

import msgspec
import stripe

from ml_connector.basics.clock import to_unix
from ml_connector.basics.errors import Bug, ConnectorError, Misconfigured, Refused
from ml_connector.basics.ids import ConnectionId, idempotency_key
from ml_connector.basics.paging import Page, every_row
from ml_connector.http.transport import Transport
from ml_connector.stripe import wire
from ml_connector.stripe.carrier import CONTROL, RESOURCE, Carrier
from ml_connector.stripe.errors import Missing, filed

API_VERSION = "2026-10-28.endive"
API_ADDRESS = "https://api.stripe.com"
PAGE = 100
REPLAYED = "idempotent-replayed"
TURNS = 20

T = TypeVar("T")
Params = Mapping[str, object]
Mode = Literal["test", "live"]


class _Answer(Protocol):
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Written(Generic[T]):
    """What a POST answered, and whether that was the answer to an earlier one."""

    value: T
    replayed: bool


class _Raw(Protocol):
    """The one method of the package that we use: it sends, and leaves the answer undecoded."""

    async def raw_request_async(self, method_: str, url_: str, **params: object) -> _Answer: ...


class _WithId(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=_WithId)


class Caller:
    """A key's way to one Stripe account; all families of calls are built on it.

    `base_url` is scheme, host and port only. Raises Misconfigured for what is no server key.
    """

    def __init__(
        self,
        key: str,
        transport: Transport,
        *,
        connection: ConnectionId,
        base_url: str = API_ADDRESS,
    ) -> None:
        self.mode = mode_of(key)
        self._connection = connection
        stripe.enable_telemetry = False  # else the package writes an id file and sends timings
        self._stripe = cast(
            "_Raw",
            stripe.StripeClient(
                key,
                http_client=Carrier(transport),
                base_addresses={"api": base_url.rstrip("/")},
                stripe_version=API_VERSION,
                max_network_retries=0,
            ),
        )

    async def _get(
        self,
        path: str,
        kind: type[T],
        params: Params | None = None,
        *,
        resource: str = "",
        control: bool = False,
    ) -> T:
        notes = {RESOURCE: resource} | ({CONTROL: "1"} if control else {})
        return await self._call("GET", path, kind, {**(params or {}), "headers": notes})

    async def _post(self, path: str, kind: type[T], params: Params, subject: str, step: str) -> T:
        """Does a step to a subject, once a day at most; a failure of earlier today is asked anew.

        Stripe replays the first outcome of a key for a day. A replayed refusal may have been
        cured since, and has done nothing; a replayed failure of Stripe's own (5xx) was an unknown
        outcome, whose effect the caller has looked for since. So the step is taken under the
        next key.
        """
        for turn in range(TURNS):
            try:
                return (await self._write(path, kind, params, (subject, step, str(turn)))).value
            except ConnectorError as error:
                if not _is_replayed_failure(error):
                    raise
        raise self._exhausted(subject, step)

    async def _create(
        self,
        path: str,
        kind: type[Row],
        params: Params,
        subject: str,
        *,
        still: Callable[[Row, Row], Row | None],
    ) -> Row:
        """Creates an object for a subject, once a day at most, unless that one is gone since.

        A replayed answer tells of the past, so its object is read again: `still` is given the
        answer and the object as it is now, and says what to return, None when it is gone.
        """
        for turn in range(TURNS):
            try:
                made = await self._write(path, kind, params, (subject, "create", str(turn)))
                if not made.replayed:
                    return made.value
                now = await self._get(at(path, made.value.id), kind, resource=made.value.id)
            except Missing:
                continue
            except ConnectorError as error:
                if _is_replayed_failure(error):
                    continue
                raise
            present = still(made.value, now)
            if present is not None:
                return present
        raise self._exhausted(subject, "create")

    async def _write(
        self, path: str, kind: type[T], params: Params, name: tuple[str, ...]
    ) -> "_Written[T]":
        """One POST under the key that its name and its payload make."""
        payload = msgspec.json.encode(params, order="deterministic")
        extra = {
            "idempotency_key": idempotency_key(self._connection, *name, payload=payload),
            "headers": {RESOURCE: name[0]},
        }
        answer = await self._send("POST", path, {**params, **extra})
        replayed = answer.headers.get(REPLAYED) == "true"
        return _Written(_decoded(answer.body, kind, f"POST {path}"), replayed)

    def _exhausted(self, subject: str, step: str) -> Refused:
        return Refused(
            f"Stripe refused to {step} {subject} {TURNS} times within a day.",
            cause=f"stripe.refused_all_day:{step}",
            remedy="Look at the object in Stripe's Dashboard; try again tomorrow.",
        )

    async def _delete(self, path: str, *, resource: str) -> None:
        await self._call("DELETE", path, wire.Identified, {"headers": {RESOURCE: resource}})

    async def _call(self, method: str, path: str, kind: type[T], params: Params) -> T:
        answer = await self._send(method, path, params)
        return _decoded(answer.body, kind, f"{method} {path}")

    async def _send(self, method: str, path: str, params: Params) -> _Answer:
        try:
            return await self._stripe.raw_request_async(method.lower(), path, **params)
        except stripe.StripeError as error:
            raise filed(error, method=method, path=path) from error

    def _rows(self, path: str, row: type[Row], params: Params) -> AsyncIterator[Row]:
        """Each row of a list, newest first, 100 a page; stops when a cursor repeats."""

        async def fetch(after: str | None) -> Page[Row]:
            cursor = {"starting_after": after} if after else {}
            page = await self._get(path, wire.Listing[row], {**params, "limit": PAGE, **cursor})
            return Page(page.data, page.data[-1].id if page.has_more and page.data else None)

        return every_row(fetch)

    def _found(
        self, path: str, row: type[Row], query: str, params: Params | None = None
    ) -> AsyncIterator[Row]:
        """Each hit of a search; it lags behind writes by up to a minute (fact S3.1)."""

        async def fetch(page_token: str | None) -> Page[Row]:
            cursor = {"page": page_token} if page_token else {}
            page = await self._get(
                f"{path}/search",
                wire.Listing[row],
                {**(params or {}), "query": query, "limit": PAGE, **cursor},
            )
            return Page(page.data, page.next_page if page.has_more else None)

        return every_row(fetch)


def _decoded(body: str, kind: type[T], call: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Bug(
            f"Stripe's answer to {call} has an unknown shape: {error}.",
            cause="stripe.shape",
            remedy="Check that nothing between here and Stripe changes answers.",
        ) from error


def _is_replayed_failure(error: ConnectorError) -> bool:
    """Whether a no (4xx, 5xx) came from Stripe's memory."""
    said = error.__cause__
    if not isinstance(said, stripe.StripeError) or said.headers is None:
        return False
    failed = (said.http_status or 0) >= HTTPStatus.BAD_REQUEST
    return failed and said.headers.get(REPLAYED) == "true"


def mode_of(key: str) -> Mode:
    """Whether a server key is of test or of live mode; raises Misconfigured for any other text."""
    kind, _, rest = key.partition("_")
    mode = rest.partition("_")[0]
    if kind in ("sk", "rk", "rkcs") and mode == "test":
        return "test"
    if kind in ("sk", "rk", "rkcs") and mode == "live":
        return "live"
    raise Misconfigured(
        "The Stripe key is not a secret or restricted key.",
        cause="stripe.key_kind",
        remedy="It starts with sk_test_, sk_live_, rk_test_ or rk_live_; a pk_ key will not do.",
    )


def at(path: str, object_id: str, *rest: str) -> str:
    """The path of an object, its id quoted: `/v1/invoices/in_1/finalize`."""
    return "/".join((path, quote(object_id, safe=""), *rest))


def metadata_query(**pairs: str) -> str:
    """A search query for exact metadata values, all of which must match."""
    return " AND ".join(f"metadata['{key}']:'{_escaped(value)}'" for key, value in pairs.items())


def created(since: datetime | None, until: datetime | None = None) -> dict[str, object]:
    """The filter on creation, whole seconds: from `since` on, before `until`."""
    bounds = {"gte": since, "lt": until}
    given = {name: to_unix(moment) for name, moment in bounds.items() if moment is not None}
    return {"created": given} if given else {}


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
