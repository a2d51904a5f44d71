"""What an answer that is not a success means, filed by what to do next."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from ml_connector.acumatica.fields import decode
from ml_connector.acumatica.refusals import FieldError, Verdict, collect, verdict
from ml_connector.acumatica.site_wire import HttpErrorWire
from ml_connector.basics.errors import (
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.http.transport import Response

FORMS = {
    "Customer": "Customers (AR303000)",
    "Invoice": "Invoices and Memos (AR301000)",
    "SalesInvoice": "Invoices (SO303000)",
    "Payment": "Payments and Applications (AR302000)",
    "JournalTransaction": "Journal Transactions (GL301000)",
    "PaymentMethod": "Payment Methods (CA204000)",
    "Account": "Chart of Accounts (GL202500)",
    "Ledger": "Ledgers (GL201500)",
    "Subaccount": "Subaccounts (GL203000)",
    "FinancialPeriod": "Master Financial Calendar (GL201000)",
    "CompaniesStructure": "Companies Structure (CS401000)",
    "AccountSummaryInquiry": "Account Summary (GL401000)",
    "AccountDetailsForPeriodInquiry": "Account Details for Period (GL404001)",
}
"""The form whose rights decide about each entity."""


class NotTaken(AskAPerson):
    """A field that Acumatica left as it was, without a word."""

    def __init__(self, ref: ErpRef, field: str) -> None:
        kind, number = erp_keys(ref)
        super().__init__(
            f"Acumatica did not take the payment link into {field} of {kind} {number}.",
            cause=f"acumatica.not_taken:{field}",
            remedy="On this site the field is closed once a document is released, or too short."
            ' Choose another place: mirror.write_link = "note", or a field of your own.',
        )


NO_SUCH_RECORD = "NoEntitySatisfiesTheCondition"
LONGEST_SENTENCE = 600
BY_ITSELF = "The connector tries again by itself."
LOOKS_FIRST = "The connector looks for the effect before it sends again."


class Missing(AskAPerson):
    """A record that Acumatica does not have (any more)."""


class NotReleasable(AskAPerson):
    """An action that the document's status does not allow."""


class NoSuchPlace(Misconfigured):
    """A 404: the endpoint, the entity or the action is not there."""


PAGE = "acumatica.page"
"""The cause of a redirect or a page for people: restart, maintenance or a wrong address."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: `what` for the sentence, `resource` for the trail (`Payment|000123`)."""

    entity: str
    what: str
    writes: bool
    resource: str = ""

    @property
    def form(self) -> str:
        """The form whose rights decide."""
        return FORMS.get(self.entity, self.entity)


def is_page(response: Response) -> bool:
    """Whether the body is HTML, which the contract never sends."""
    kind = response.headers.get("content-type", "")
    return "html" in kind.lower() or response.body.lstrip()[:1] == b"<"


def explain(response: Response, call: Call) -> ConnectorError:
    """The error that an unsuccessful answer stands for; it is returned, not raised."""
    status = response.status
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    if redirected or (is_page(response) and status not in _PAGES_EXPECTED):
        return _elsewhere(response, call)
    if status in _BY_STATUS:
        return _BY_STATUS[status](response, call)
    return _unknown(f"Acumatica answered {status} to {call.what}.", call)


def _unknown(sentence: str, call: Call) -> TryAgain:
    """A trouble that passes; for a write nobody knows whether it took effect."""
    if call.writes:
        return OutcomeUnknown(sentence, cause="acumatica.outcome_unknown", remedy=LOOKS_FIRST)
    return TryAgain(sentence, cause="acumatica.unavailable", remedy=BY_ITSELF)


def _elsewhere(response: Response, call: Call) -> ConnectorError:
    kind = OutcomeUnknown if call.writes else TryAgain
    return kind(
        f"Acumatica answered {call.what} with a page ({response.status}) instead of data.",
        cause=PAGE,
        remedy="The site may be restarting; the address may also be wrong.",
    )


def _no_such_place(_: Response, call: Call) -> ConnectorError:
    return NoSuchPlace(
        f"Acumatica knows no place for {call.what} (404).",
        cause=f"acumatica.no_such_place:{call.entity}",
        remedy="Check the connection's address and endpoint.",
    )


def _unauthorized(_: Response, call: Call) -> ConnectorError:
    return Misconfigured(
        f"Acumatica does not accept the sign-in for {call.what}.",
        cause="acumatica.sign_in",
        remedy="Sign in to Acumatica again: ml-connector authorize NAME.",
    )


def _forbidden(response: Response, call: Call) -> ConnectorError:
    said = text_of(response)
    return Misconfigured(
        f"The Acumatica user has no rights to the form {call.form}. {said}".strip(),
        cause=f"acumatica.forbidden:{call.entity}",
        remedy="Give the user's role access to this form, or enable the feature it belongs to.",
    )


def _busy(_: Response, call: Call) -> ConnectorError:
    return TryAgain(
        f"Acumatica declined {call.what}: its licence limit is reached.",
        cause="acumatica.busy",
        remedy=f"{BY_ITSELF} If it lasts, give the connection fewer calls a minute.",
    )


def _bad_request(response: Response, call: Call) -> ConnectorError:
    return Refused(
        f"Acumatica could not read {call.what}: {text_of(response)}",
        cause=f"acumatica.bad_request:{call.entity}",
        remedy="Report this with the recorded exchange; the request is not well formed.",
    )


def _precondition(_: Response, call: Call) -> ConnectorError:
    return Refused(
        f"Acumatica refused {call.what}: the record is not as the request demanded (412).",
        cause=f"acumatica.precondition:{call.entity}",
    )


def http_error(response: Response) -> HttpErrorWire | None:
    """The refusal's body, when it is one."""
    try:
        return decode(response.body, HttpErrorWire)
    except msgspec.DecodeError:
        return None


def text_of(response: Response) -> str:
    """What a refusal says, as one line; empty when it says nothing."""
    body = http_error(response)
    return _cut(_said(body)) if body is not None else ""


def _said(body: HttpErrorWire) -> str:
    """The innermost sentence is the one for people; outer ones say that an error occurred."""
    inner = _said(body.inner_exception) if body.inner_exception is not None else ""
    state = "; ".join(text for texts in body.model_state.values() for text in texts)
    pieces = (body.exception_message, state, inner)
    told = list(dict.fromkeys(piece.strip() for piece in pieces if piece.strip()))
    return " ".join(told) or body.message_detail or body.message


def _types(body: HttpErrorWire) -> str:
    inner = _types(body.inner_exception) if body.inner_exception is not None else ""
    return f"{body.exception_type} {inner}".strip()


def _cut(sentence: str) -> str:
    """One line of bounded length."""
    return " ".join(sentence.split())[:LONGEST_SENTENCE]


def _refused_record(response: Response, call: Call) -> ConnectorError:
    errors = collect(response.body)
    if not errors:
        errors = (FieldError("", text_of(response) or "The record was refused."),)
    return _refused(call, errors, verdict(errors, f"refused:{call.entity}"))


def _refused(call: Call, errors: tuple[FieldError, ...], why: Verdict) -> ConnectorError:
    told = _cut("; ".join(str(error) for error in errors))
    kind = NotReleasable if why.cause == "acumatica.action_disabled" else AskAPerson
    return kind(f"Acumatica refused {call.what}: {told}", cause=why.cause, remedy=why.remedy)


_PASSING = re.compile(
    r"another process has|deadlock|api login limit"
    r"|(?:long|previous) operation.*(?:progress|running|complet)|in progress|is being processed",
    re.IGNORECASE,
)
_OUT_OF_TIME = re.compile(r"timeout expired|wait operation timed out", re.IGNORECASE)
_WRONG_LOGIN = re.compile(
    r"invalid credentials|need to change your password|proper company id", re.IGNORECASE
)


def _failed(response: Response, call: Call) -> ConnectorError:
    """A 500: the graph's own refusals come this way too, as do missing records."""
    body = http_error(response)
    if body is None:
        return _unknown(f"Acumatica failed at {call.what} without saying why.", call)
    said, types = _cut(_said(body)), _types(body)
    if NO_SUCH_RECORD in types:
        return Missing(
            f"Acumatica has no {call.what}.",
            cause=f"acumatica.not_found:{call.entity}",
            remedy="Look whether it was deleted, or whether another tenant is meant.",
        )
    if "CannotOptimize" in types or "OData" in types:
        return Bug(f"Acumatica cannot answer {call.what}: {said}", cause="acumatica.query")
    return _technical(call, said) or _business(call, said, types)


def _technical(call: Call, said: str) -> ConnectorError | None:
    """Troubles of the site or the sign-in rather than of the document."""
    if _PASSING.search(said):
        return TryAgain(
            f"Acumatica was busy with {call.what}: {said}",
            cause="acumatica.busy",
            remedy=BY_ITSELF,
        )
    if _OUT_OF_TIME.search(said):
        return _unknown(f"Acumatica's own time ran out at {call.what}: {said}", call)
    if _WRONG_LOGIN.search(said):
        return Misconfigured(
            f"Acumatica does not accept the sign-in: {said}",
            cause="acumatica.sign_in",
            remedy="Check user, password and tenant of the connection.",
        )
    return None


def _business(call: Call, said: str, types: str) -> ConnectorError:
    errors = (FieldError("", said),)
    kind = types.split(" ", maxsplit=1)[0].rpartition(".")[2] or "Exception"
    why = verdict(errors, f"refused:{call.entity}:{kind}")
    if "PXActionDisabled" in types:
        why = Verdict("acumatica.action_disabled", why.remedy)
    return _refused(call, errors, why)


_BY_STATUS: dict[int, Callable[[Response, Call], ConnectorError]] = {
    HTTPStatus.BAD_REQUEST: _bad_request,
    HTTPStatus.UNAUTHORIZED: _unauthorized,
    HTTPStatus.FORBIDDEN: _forbidden,
    HTTPStatus.PRECONDITION_FAILED: _precondition,
    HTTPStatus.NOT_FOUND: _no_such_place,
    HTTPStatus.UNPROCESSABLE_ENTITY: _refused_record,
    HTTPStatus.TOO_MANY_REQUESTS: _busy,
    HTTPStatus.INTERNAL_SERVER_ERROR: _failed,
}
_PAGES_EXPECTED = frozenset(
    (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.TOO_MANY_REQUESTS,
    )
)
"""Statuses that IIS may dress in HTML without changing what they mean (fact A8.1)."""
