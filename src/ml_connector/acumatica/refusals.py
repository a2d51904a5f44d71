"""Every way Acumatica refuses a record or a document, told by stable fragments of its texts.

Whole sentences are never matched: they differ by release and by the user's language (fact A8.3).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import msgspec

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class FieldError:
    """One `error` member: where it stands, what it says, and the value that was refused.

    `document` is the reference number of the row or record that it stands in.
    """

    path: str
    message: str
    value: str = ""
    document: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        shown = f" ({self.value})" if self.value and self.value not in self.message else ""
        return f"{where}{self.message}{shown}"


def collect(body: bytes) -> tuple[FieldError, ...]:
    """Every `error` of an echoed record, the deepest first: they say most; none without JSON."""
    try:
        echo = cast("JsonValue", msgspec.json.decode(body))
    except msgspec.DecodeError:
        return ()
    found = list(_walk(echo, "", ""))
    found.sort(key=lambda error: -_depth(error.path))
    return tuple(found)


def _depth(path: str) -> int:
    return path.count(".") + path.count("[") + (1 if path else 0)


def _walk(node: JsonValue, path: str, document: str) -> Iterable[FieldError]:
    if isinstance(node, list):
        for index, row in enumerate(node):
            yield from _walk(row, f"{path}[{index}]", document)
        return
    if not isinstance(node, dict):
        return
    document = _reference(node) or document
    error = node.get("error")
    if isinstance(error, str) and error.strip():
        yield FieldError(path, error.strip(), _plain(node.get("value")), document)
    for name, member in node.items():
        yield from _walk(member, f"{path}.{name}" if path else name, document)


def _reference(node: dict[str, JsonValue]) -> str:
    """A record's own number; a new one shows `<NEW>`, which says nothing."""
    wrapped = node.get("ReferenceNbr")
    number = _plain(wrapped.get("value")) if isinstance(wrapped, dict) else ""
    return "" if number.startswith("<") else number


def _plain(value: JsonValue) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal is about: `cause` groups equal troubles, `remedy` says what to try."""

    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    judge: Callable[[re.Match[str], FieldError], Verdict]


def _joined(*parts: str) -> str:
    return ":".join(part for part in (piece.strip() for piece in parts) if part)


def _not_found(match: re.Match[str], error: FieldError) -> Verdict:
    label = (match["label"] or match["kind"] or _leaf(error.path)).strip()
    value = match["value"] or error.value
    return Verdict(
        f"acumatica.{_joined('not_found', label, value)}",
        f"Create {label} {value} in Acumatica, or correct the mapping.".replace("  ", " "),
    )


def _leaf(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]


def _period(match: re.Match[str], error: FieldError) -> Verdict:
    found = re.search(r"\b(\d{2})-?(\d{4})\b", error.message)
    period = "".join(found.groups()) if found else ""
    if match["missing"]:
        return Verdict(
            f"acumatica.{_joined('period_missing', period)}",
            "Generate and open the period in Acumatica; what waits then goes on by itself.",
        )
    return Verdict(
        f"acumatica.{_joined('period_closed', period)}",
        "Open the period in Acumatica, and what waits goes on by itself; or let the policy"
        " closed_period date it on the next open day.",
    )


def _account(match: re.Match[str], error: FieldError) -> Verdict:
    account = match["account"] or error.value
    return Verdict(
        f"acumatica.{_joined('account_inactive', account)}",
        "Activate the account, or map another one.",
    )


def _subaccount(_: re.Match[str], error: FieldError) -> Verdict:
    return Verdict(
        f"acumatica.{_joined('subaccount_inactive', error.value)}",
        "Activate the subaccount, or map another one.",
    )


def _control(match: re.Match[str], error: FieldError) -> Verdict:
    account = match["account"] or error.value
    return Verdict(
        f"acumatica.{_joined('control_account', account)}",
        "Map an account that is not a control account, or allow manual entry for it.",
    )


def _customer(_: re.Match[str], error: FieldError) -> Verdict:
    return Verdict(
        f"acumatica.{_joined('customer_status', error.value)}",
        "Set the customer to Active in Acumatica; documents for this status are refused.",
    )


def _above(_: re.Match[str], error: FieldError) -> Verdict:
    return Verdict(
        f"acumatica.{_joined('above_balance', error.document)}",
        f"The document owes less than the {error.value or 'amount'} that was to be applied;"
        " look at what else was applied to it.",
    )


def _empty(match: re.Match[str], _: FieldError) -> Verdict:
    return Verdict(
        f"acumatica.{_joined('empty', match['label'])}",
        "Set a default for it in Acumatica, or name it in the connection's mapping.",
    )


def _simply(cause: str, remedy: str) -> Callable[[re.Match[str], FieldError], Verdict]:
    return lambda _match, _error: Verdict(f"acumatica.{cause}", remedy)


def _rule(pattern: str, judge: Callable[[re.Match[str], FieldError], Verdict]) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), judge)


_RULES = (
    _rule(
        r"(?:(?P<kind>\w[\w ]*?) '(?P<value>[^']*)'|'(?P<label>[^']+)') cannot be found"
        r" in the system",
        _not_found,
    ),
    _rule(
        r"period\b.*?(?:\b(?:closed|locked|inactive)\b"
        r"|(?P<missing>does not exist|not defined|cannot be found))",
        _period,
    ),
    _rule(r"\bsub-?account\b.*?(?:inactive|not active|disabled)", _subaccount),
    _rule(
        r"\baccount\b(?:\s+'?(?P<account>(?!is\b|not\b)[\w.-]+)'?)?"
        r"\s+(?:is\s+)?(?:inactive|not active|disabled)",
        _account,
    ),
    _rule(
        r"'?(?P<account>\d[\w.-]*)?'?\s*(?:account )?is a(?:n \w+)? control account"
        r"|control account",
        _control,
    ),
    _rule(r"customer\b.*?(?:inactive|on hold|status)", _customer),
    _rule(
        r"less than or equal to|exceeds? the .*balance|greater than the .*balance",
        _above,
    ),
    _rule(r"'(?P<label>[^']+)' cannot be empty", _empty),
    _rule(
        r"out of (?:the )?balance|not balanced",
        _simply("out_of_balance", "Look at the document in Acumatica; its sides differ."),
    ),
    _rule(
        r"button is disabled|status is invalid for processing",
        _simply("action_disabled", "Look at the document's status in Acumatica."),
    ),
    _rule(
        r"required configuration data is not entered",
        _simply("setup_missing", "Complete the form that the message names."),
    ),
)


def judge(error: FieldError) -> Verdict | None:
    """What one refusal is about; None when no fragment is known."""
    for rule in _RULES:
        match = rule.pattern.search(error.message)
        if match is not None:
            return rule.judge(match, error)
    return None


def verdict(errors: Iterable[FieldError], otherwise: str) -> Verdict:
    """What a set of refusals is about: the first known one, else `otherwise` as the cause."""
    for error in errors:
        known = judge(error)
        if known is not None:
            return known
    return Verdict(f"acumatica.{otherwise}", "Look at the message and the record in Acumatica.")
