"""Every way in which Stripe says no, filed by what to do next (facts S7.2 and S8)."""

import re
from datetime import timedelta
from http import HTTPStatus

import msgspec
import stripe

from ml_connector.basics.errors import (
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from ml_connector.http.redact import Redactor
from ml_connector.stripe.wire import ErrorBody, ErrorDetail

TRANSIENT_CODES = frozenset(
    """
    idempotency_key_in_use lock_timeout rate_limit payout_reconciliation_not_ready
    payment_intent_rate_limit_exceeded
    """.split()
)
TRANSIENT_STATUSES = frozenset(
    {HTTPStatus.CONFLICT, HTTPStatus.FAILED_DEPENDENCY, HTTPStatus.TOO_MANY_REQUESTS}
)
DATA_CODES = frozenset(
    """
    amount_too_large amount_too_small balance_insufficient customer_tax_location_invalid
    email_invalid invalid_charge_amount invoice_no_customer_line_items
    invoice_no_payment_method_types resource_already_exists tax_id_invalid url_invalid
    """.split()
)
DATA_PARAMS = frozenset("address email metadata name number phone due_date effective_at".split())
_PERMISSION = re.compile(r"\brak_\w+")
_SOON = timedelta(seconds=2)
_FINDABLE = timedelta(seconds=90)
"""Until a search shows what a write without a known outcome may have made (fact S3.1)."""


class Missing(AskAPerson):
    """Stripe has no such object, in this account and mode."""


class NumberTaken(AskAPerson):
    """Another invoice of the account has this number; a voided one keeps its number too."""


class NoPermission(Misconfigured):
    """The key may not do this; `permission` is Stripe's name of the right, or the resource."""

    def __init__(self, permission: str, call: str) -> None:
        super().__init__(
            f"The Stripe key lacks the permission {permission}, which {call} needs.",
            cause=f"stripe.permission:{permission}",
            remedy="Give the key that right in Stripe's Dashboard (Developers, API keys).",
        )
        self.permission = permission


def filed(error: stripe.StripeError, *, method: str, path: str) -> ConnectorError:
    """The connector's error for one of the package's, by status, then by code."""
    detail = _detail(error)
    status = error.http_status or 0
    call = f"{method} {path}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _key_will_not_do(status, detail, path, call)
    if status == HTTPStatus.NOT_FOUND:
        return _not_found(detail, path, call)
    if detail.code in TRANSIENT_CODES or status in TRANSIENT_STATUSES:
        cause = f"stripe.{detail.code or status}"
        return TryAgain(_said(detail, error, call), cause=cause, after=_SOON)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _refused(detail, error, call)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _elsewhere(call)
    return _broken(_said(detail, error, call), method)


def _detail(error: stripe.StripeError) -> ErrorDetail:
    """What the answer's body says; an HTML page says nothing."""
    try:
        return msgspec.json.decode(error.http_body or "", type=ErrorBody).error
    except msgspec.MsgspecError:
        return ErrorDetail()


def _key_will_not_do(status: int, detail: ErrorDetail, path: str, call: str) -> Misconfigured:
    if status == HTTPStatus.FORBIDDEN:
        right = _PERMISSION.search(detail.message or "")
        return NoPermission(right[0] if right else _resource(path), call)
    expired = detail.code in ("api_key_expired", "platform_api_key_expired")
    return Misconfigured(
        f"The Stripe key {'has expired or was rolled' if expired else 'is not accepted'}.",
        cause="stripe.key_expired" if expired else "stripe.key",
        remedy="Enter a current secret or restricted key of this account.",
    )


def _not_found(detail: ErrorDetail, path: str, call: str) -> ConnectorError:
    if detail.code != "resource_missing":
        return _elsewhere(call)
    subject = _object_in(path) or detail.param or ""
    other_mode = "exists in" in (detail.message or "")
    return Missing(
        f"Stripe has no {subject or 'such object'} ({call}).",
        cause=f"stripe.missing:{subject}",
        remedy="It exists in the other mode: the key is of the wrong one (test or live)."
        if other_mode
        else "It was deleted, or belongs to another account.",
    )


def _refused(detail: ErrorDetail, error: stripe.StripeError, call: str) -> ConnectorError:
    """A well-formed no: for a person where data can cure it, else final."""
    if detail.type == "idempotency_error":
        return Bug(f"An idempotency key was used for two different requests ({call}).")
    said = _said(detail, error, call)
    if detail.param == "number" and "already" in (detail.message or ""):
        return NumberTaken(
            said,
            cause="stripe.number_taken",
            remedy="Look in Stripe for that invoice; if it is another document, renumber one.",
        )
    currencies = "combine currencies" in (detail.message or "")
    code = "currencies" if currencies else detail.code or detail.type or "refused"
    where = f":{detail.param}" if detail.param else ""
    root = (detail.param or "").partition("[")[0]
    if currencies or detail.code in DATA_CODES or root in DATA_PARAMS:
        return AskAPerson(
            said,
            cause=f"stripe.{code}{where}",
            remedy="Correct the record in Acumatica or in Stripe; it then goes on by itself.",
        )
    return Refused(
        said,
        cause=f"stripe.{code}{where}",
        remedy="Look at the object in Stripe's Dashboard, then replay.",
    )


def _elsewhere(call: str) -> Misconfigured:
    return Misconfigured(
        f"The address does not answer like Stripe's API ({call}).",
        cause="stripe.address",
        remedy="Set the base address to https://api.stripe.com.",
    )


def _broken(said: str, method: str) -> ConnectorError:
    """A failure on Stripe's side; it replays a failed write's answer, so a write needs a look."""
    if method == "GET":
        return TryAgain(said, cause="stripe.failing", remedy="The connector tries again by itself.")
    return OutcomeUnknown(
        said,
        cause="stripe.outcome_unknown",
        remedy="The connector looks for the effect before it sends again.",
        after=_FINDABLE,
    )


def _said(detail: ErrorDetail, error: stripe.StripeError, call: str) -> str:
    words = detail.message or f"status {error.http_status}, no explanation"
    request = f" (request {error.request_id})" if error.request_id else ""
    return Redactor("", {}, None).text(f"Stripe answered {call} with: {words}{request}.")


def _resource(path: str) -> str:
    return path.removeprefix("/v1/").partition("/")[0]


def _object_in(path: str) -> str:
    """The id in a path such as /v1/invoices/in_1/finalize; empty for a list."""
    parts = path.split("/")
    return parts[3] if len(parts) > len(("", "v1", "invoices")) else ""
