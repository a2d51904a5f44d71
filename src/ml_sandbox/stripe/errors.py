"""The errors of the API, each composed from its facts into the service's own words."""

from typing import Any

from ml_sandbox.stripe.wire import Obj

DOCS = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """An answer other than 2xx: HTTP status, the `error` object, extra headers."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        stored: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.stored = stored  # whether the idempotency layer remembers this outcome
        self.error: Obj = {"message": message, "type": kind}
        if code is not None:
            self.error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
        if param is not None:
            self.error["param"] = param
        self.error |= more

    def body(self, request_id: str) -> Obj:
        """The JSON body, with the link into the request log."""
        log = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": dict(sorted((self.error | {"request_log_url": log}).items()))}


def bad(
    message: str, param: str | None = None, code: str | None = None, **more: Any
) -> StripeError:
    """A 400 from the rules of the endpoint (remembered by the idempotency layer)."""
    return StripeError(400, message, param=param, code=code, **more)


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A 400 from parameter validation, before anything ran (not remembered)."""
    return StripeError(400, message, param=param, code=code, stored=False)


def missing(
    kind: str, key: str, param: str = "id", status: int = 404, *, elsewhere: bool = False
) -> StripeError:
    """No such object: 404 when its id stood in the path, 400 when in a parameter.

    `elsewhere` means that the other mode knows the id.
    """
    text = f"No such {kind.rpartition('.')[2]}: '{key}'"
    if elsewhere:
        text += (
            "; a similar object exists in live mode, but a test mode key was used to make this "
            "request."
        )
    return StripeError(status, text, param=param, code="resource_missing")


def required(name: str) -> StripeError:
    """A parameter that must be given is not there."""
    return invalid(f"Missing required param: {name}.", name, "parameter_missing")


def unrecognized(method: str, path: str) -> StripeError:
    """The route does not exist."""
    text = (
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove "
        "the trailing slash. If you are trying to retrieve an object, make sure you passed a valid "
        "(non-empty) identifier in your code. Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/."
    )
    return StripeError(404, text, stored=False)
