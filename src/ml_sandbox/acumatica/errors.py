"""Every way this site says no, with the status and the body the real one uses."""

from ml_sandbox.acumatica.wire import Answer, Json, json_answer

PX = "PX.Data.PXException"
NOT_FOUND = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"
HAS_ERRORS = "PX.Api.ContractBased.OutcomeEntityHasErrorsException"
CANNOT_OPTIMIZE = "PX.Api.ContractBased.OptimizedExport.CannotOptimizeException"
DISABLED = "PX.Data.PXActionDisabledException"
ODATA = "Microsoft.Data.OData.ODataException"
NULL_REFERENCE = "System.NullReferenceException"

_GENERAL = "An error has occurred."
_TRACE = (
    "   at PX.Api.ContractBased.Maintenance.SoapFacadeBase.Execute(Entity entity)\r\n"
    "   at PX.Api.ContractBased.WebApi.Controllers.EntityController.Invoke()"
)


class Problem(Exception):
    """A request that ends in an error answer."""

    def __init__(
        self,
        status: int,
        message: str,
        exception_type: str = PX,
        *,
        model_state: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.exception_type = exception_type
        self.model_state = model_state

    def to_json(self, *, with_trace: bool) -> Json:
        """The HttpError body of the documented schema."""
        if self.model_state is not None:
            return {"message": "The request is invalid.", "modelState": self.model_state}
        body: Json = {
            "message": _GENERAL,
            "exceptionMessage": self.message,
            "exceptionType": self.exception_type,
        }
        if with_trace:
            body["stackTrace"] = _TRACE
        return body

    def to_answer(self, *, with_trace: bool = True) -> Answer:
        """The same as an HTTP answer."""
        return json_answer(self.to_json(with_trace=with_trace), self.status)


_BODY_SWITCHES = {
    403: "forbidden_body",
    404: "not_found_body",
    412: "precondition_body",
    429: "declined_body",
}
_PAGES = {
    403: b"<html><body>403 - Forbidden: Access is denied.</body></html>",
    404: b"<html><body>404 - File or directory not found.</body></html>",
    412: b"<html><body>412 - Precondition Failed</body></html>",
    429: b"The custom error module does not recognize this error.",
}


def shaped(problem: Problem, switches: object) -> Answer:
    """A problem as this site words it: bodies that no document settles follow the switches."""
    name = _BODY_SWITCHES.get(problem.status)
    kind = getattr(switches, name) if name else "json"
    if kind == "empty":
        return Answer(problem.status)
    if kind == "html":
        html = (b"content-type", b"text/html; charset=utf-8")
        return Answer(problem.status, _PAGES[problem.status], [html])
    return problem.to_answer(with_trace=bool(getattr(switches, "stack_traces", True)))


class Refused(Exception):
    """A record that failed validation; `echo` is the entity with its `error` members."""

    def __init__(self, echo: Json, sentence: str) -> None:
        super().__init__(sentence)
        self.echo = echo
        self.sentence = sentence


def business(message: str) -> Problem:
    """A graph failure: the general exception with a business sentence (status 500)."""
    return Problem(500, message)


def missing() -> Problem:
    """What reading a record that does not exist answers: 500, not 404."""
    return Problem(500, "No entity satisfies the condition.", NOT_FOUND)


def disabled(button: str) -> Problem:
    """An action that the document's state does not allow."""
    return Problem(500, f"The {button} button is disabled.", DISABLED)


def malformed(field: str, sentence: str) -> Problem:
    """A body or a value that could not be read."""
    return Problem(400, sentence, model_state={field: [sentence]})


def bad_query(sentence: str) -> Problem:
    """A query option that could not be understood."""
    return Problem(500, sentence, ODATA)


def not_optimized(place: str) -> Problem:
    """A list read whose expansion needs logic per record."""
    return Problem(
        500,
        "Optimization cannot be performed.The following fields cause the error:\r\n"
        f"{place}: There is a BqlDelegate in view {place}",
        CANNOT_OPTIMIZE,
    )
