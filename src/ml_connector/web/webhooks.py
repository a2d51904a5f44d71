"""Receiving: verify, store once, answer; everything else happens later, in a job."""

import hmac
from typing import Any

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ml_connector.assemble import Installation
from ml_connector.basics.errors import ConnectorError, Refused
from ml_connector.basics.ids import ConnectionId, ErpRef, erp_ref
from ml_connector.flows import intake
from ml_connector.flows.mirror.invoices import INVOICE_TYPE
from ml_connector.flows.signals import Kind
from ml_connector.observe import SIGNALS
from ml_connector.store import connections
from ml_connector.store.connections import Connection, Secrets, UnknownConnection
from ml_connector.stripe import webhooks as stripe

log = structlog.get_logger()

LARGEST_BODY = 2 * 1024 * 1024
PUSH_HEADER = "x-ml-secret"
"""The header that Acumatica's push notification carries our shared secret in."""


class TooLarge(Exception):
    """A body longer than any notification; read no further."""


async def from_stripe(request: Request) -> Response:
    """Takes one Stripe event: 200 when stored or known, 400 when it is not genuine."""
    place = _place(request)
    body = await _body(request)
    record, secret = await _opened(place, request)
    signature = request.headers.get("stripe-signature", "")
    signers = secret.stripe_webhook.split()
    if not stripe.verify(body, signature, signers, place.clock.now()):
        SIGNALS.labels(record.id, "webhook", "refused").inc()
        return _said(400, "The signature is not ours, or the clock differs by over 5 minutes.")
    hint = stripe.hint(body)
    if hint.livemode != record.stripe.livemode:
        SIGNALS.labels(record.id, "webhook", "other mode").inc()
        return _said(200, "Ignored: the event is of the other mode (live or test).")
    async with place.store.transaction() as tx:
        new = await intake.stripe_event(
            tx, record.id, hint, source="webhook", now=place.clock.now()
        )
    return _said(200, "stored" if new else "known")


class Push(msgspec.Struct, rename="pascal"):
    """A push notification (fact A10.1): rows as the inquiry's columns name them."""

    id: str
    query: str
    inserted: list[dict[str, Any]] = []


async def from_acumatica(request: Request) -> Response:
    """Takes one push notification: 200 when stored or known, 401 without the shared secret."""
    place = _place(request)
    body = await _body(request)
    record, secret = await _opened(place, request)
    given = request.headers.get(PUSH_HEADER, "")
    wanted = secret.acumatica_webhook
    if not wanted or not hmac.compare_digest(given.encode(), wanted.encode()):
        SIGNALS.labels(record.id, "push", "refused").inc()
        return _said(401, f"The header {PUSH_HEADER} does not hold this connection's secret.")
    try:
        push = msgspec.json.decode(body, type=Push)
    except msgspec.MsgspecError:
        return _said(400, "The body is not a push notification of Acumatica's.")
    async with place.store.transaction() as tx:
        new = await intake.erp_change(tx, record.id, f"{push.id}:{push.query}", _records(push))
        if new and _of_documents(push):
            await intake.documents_changed(tx, record.id, now=place.clock.now())
    return _said(200, "stored" if new else "known")


def _records(push: Push) -> list[tuple[Kind, ErpRef]]:
    """The customers and sales invoices that the rows name; other columns are not read.

    Rows of other documents name nothing: our own payments are pushed back to us, too.
    """
    found: set[tuple[Kind, ErpRef]] = set()
    for row in push.inserted:
        number = str(row.get("ReferenceNbr") or "").strip()
        kind = str(row.get("Type") or "").strip()
        customer = str(row.get("CustomerID") or "").strip()
        if number and kind == INVOICE_TYPE:
            found.add((Kind.INVOICE, erp_ref(kind, number)))
        elif customer and not number:
            found.add((Kind.CUSTOMER, ErpRef(customer)))
    return sorted(found)


def _of_documents(push: Push) -> bool:
    """Whether a row may be a payment or a journal of ours: which, the guardian's list tells."""
    return any(
        row.get("BatchNbr") or str(row.get("Type") or "").endswith("Payment")
        for row in push.inserted
    )


def _place(request: Request) -> Installation:
    place: Installation = request.app.state.place
    return place


async def _opened(place: Installation, request: Request) -> tuple[Connection, Secrets]:
    name = ConnectionId(request.path_params["connection"])
    async with place.store.statement() as tx:
        record = await connections.get(tx, name)
    return record, connections.open_secrets(record, place.keyring)


async def _body(request: Request) -> bytes:
    """The exact bytes that were sent: the signature is over these and no others."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge
        parts.append(chunk)
    return b"".join(parts)


def _said(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"result": sentence}, status_code=status)


async def on_connector_error(_: Request, error: Exception) -> Response:
    """Our own errors as sentences: 404 for an unknown connection, 400 for what is no event.

    Anything else is our trouble, not the sender's, who shall send it again: 503.
    """
    assert isinstance(error, ConnectorError)  # noqa: S101 - registered for this class alone
    if isinstance(error, UnknownConnection):
        return _said(404, error.sentence)
    if not isinstance(error, Refused):
        log.error("a notification could not be taken", cause=error.cause, why=error.sentence)
        return _said(503, "It cannot be taken now; send it again later.")
    return _said(400, error.sentence)


async def on_too_large(_: Request, _error: Exception) -> Response:
    """A body that no provider sends."""
    return _said(413, "The body is too large for a notification.")


async def on_disconnect(_: Request, _error: Exception) -> Response:
    """The sender hung up; nobody reads this."""
    return _said(400, "The sender hung up.")


async def on_database(_: Request, _error: Exception) -> Response:
    """Nothing was stored: the sender shall try again."""
    return _said(503, "The database does not answer; send it again later.")


HANDLERS: dict[Any, Any] = {
    ConnectorError: on_connector_error,
    TooLarge: on_too_large,
    ClientDisconnect: on_disconnect,
    SQLAlchemyError: on_database,
}
