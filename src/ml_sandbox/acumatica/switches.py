"""What no document settles about the real service, as named switches with a sentence each."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.wire import Json


def _switch(default: Any, sentence: str) -> Any:
    return field(default=default, metadata={"sentence": sentence})


@dataclass
class Switches:
    """Preferences of the tenant and uncertain facts of the service."""

    auto_number_customers: bool = _switch(
        True, "Customer IDs are numbered; a supplied new CustomerID is ignored."
    )
    hold_on_entry: bool = _switch(True, "A new document without a Hold value starts On Hold.")
    require_payment_ref: bool = _switch(True, "A payment without PaymentRef is refused.")
    auto_post: bool = _switch(True, "Releasing a batch posts it; otherwise it stays Unposted.")
    apply_on_create: bool = _switch(
        True, "DocumentsToApply in the PUT that creates the payment is honoured."
    )
    refund_label: str = _switch("Refund", "The label of refunds: Refund or Customer Refund.")
    default_tax_category: str = _switch(
        "", "The tax category of an invoice or memo line that names neither one nor an item."
    )
    void_status: str = _switch("Balanced", "Status of a new Voided Payment: Balanced or On Hold.")
    void_date: str = _switch(
        "editable", "The day of a new Voided Payment can be changed (editable), or is kept (kept)."
    )
    void_answer: int = _switch(202, "VoidPayment answers 202 with a Location, 204, or 200.")
    release_of_released: str = _switch(
        "error", "Releasing a released document: error (button disabled) or silent (204)."
    )
    branches_balance: bool = _switch(
        False, "Each branch must balance by itself; inter-branch lines are added to batches."
    )
    inter_branch_account: str = _switch(
        "19000", "The account of inter-branch lines; an unknown one fails the release."
    )
    approvals: str = _switch(
        "", "Comma list of document types that wait for approval when they leave hold."
    )
    restrict_closed_periods: bool = _switch(True, "Postings into closed periods are refused.")
    period_end: str = _switch(
        "inclusive", "EndDate of a period: its last day (inclusive) or the next one (exclusive)."
    )
    validation_status: int = _switch(422, "Validation failures: 422 with the entity, or 500.")
    unknown_endpoint_status: int = _switch(404, "An unlisted name or version: 404 or 500.")
    session_limit_status: int = _switch(429, "A sign-in above the session limit: 429 or 500.")
    forbidden_body: str = _switch("json", "Body of a 403: json (HttpError), html or empty.")
    not_found_body: str = _switch("json", "Body of a 404: json (HttpError), html or empty.")
    precondition_body: str = _switch("json", "Body of a 412: json (HttpError), html or empty.")
    declined_body: str = _switch("json", "Body of a 429: json (HttpError), html or empty.")
    forbidden_entities: str = _switch(
        "", "Comma list of entities whose feature is off; they answer 403."
    )
    consent: str = _switch(
        "auto", "The authorize address consents at once (auto) or shows a page (page)."
    )
    unauthorized_body: str = _switch("json", "Body of a 401: json, html or empty.")
    texts_on_released: bool = _switch(
        False, "Description and external reference of a released invoice can be written."
    )
    custom_on_released: bool = _switch(
        True, "User-defined fields of a released invoice can be written; otherwise ignored."
    )
    stack_traces: bool = _switch(True, "Error bodies carry a stackTrace.")
    links: bool = _switch(True, "Records carry _links (newer builds).")
    patch_supported: bool = _switch(True, "PATCH is accepted; otherwise 405.")
    orderby_honoured: bool = _switch(True, "$orderby sorts; otherwise it is ignored.")
    shuffle_lists: bool = _switch(False, "Lists without $orderby come in an arbitrary order.")
    case_sensitive_filters: bool = _switch(False, "String filters distinguish case.")
    custom_in_lists: bool = _switch(
        True, "Lists answer $custom; otherwise it breaks their optimisation, a 500."
    )
    detail_filter: str = _switch("empty", "A $filter on a detail field: empty list or all rows.")
    modified_offset_minutes: int = _switch(0, "Offset in which date-times are shown, in minutes.")
    date_offset_minutes: int = _switch(0, "Offset that is printed behind pure dates, in minutes.")
    long_strings: str = _switch("truncate", "Over-long strings: truncate or reject.")
    contact_edits_bump: bool = _switch(
        False,
        "An edit of only a contact, address or attribute moves Customer.LastModifiedDateTime.",
    )
    bare_endpoint_list: bool = _switch(False, "GET /entity answers a bare array (older builds).")
    offer_contract_5: bool = _switch(
        False, "Default/26.200.001 (contract 5) is listed beside the older endpoints."
    )
    hidden_versions: str = _switch("", "Comma list of Default versions this site does not list.")
    operation_ms: int = _switch(30, "Real milliseconds that a long operation takes.")
    max_sessions: int = _switch(1000, "API sessions allowed at one time.")
    idle_minutes: int = _switch(10, "Sandbox minutes after which an idle session is closed.")
    requests_per_minute: int = _switch(0, "Licence limit that starts delays at half; 0 is off.")
    concurrent_requests: int = _switch(0, "Requests that run at once; 0 is unlimited.")
    queue_length: int = _switch(20, "Requests that may wait before others are declined with 429.")
    queue_seconds: float = _switch(600.0, "Real seconds after which a waiting request is declined.")

    def describe(self) -> Json:
        """Each switch's value and sentence, by name."""
        return {
            each.name: {"value": getattr(self, each.name), "sentence": each.metadata["sentence"]}
            for each in fields(self)
        }

    def change(self, values: Json) -> None:
        """Sets switches by name; an unknown name or a wrong type raises ValueError."""
        known = {each.name: _type_of(getattr(self, each.name)) for each in fields(self)}
        for name, value in values.items():
            expected = known.get(name)
            if expected is None:
                raise ValueError(f"no switch is named {name}")
            numbers = expected is float and isinstance(value, int | Decimal)
            if type(value) is not expected and not numbers:
                raise ValueError(f"{name} takes a {type(getattr(self, name)).__name__}")
        for name, value in values.items():
            setattr(self, name, known[name](value))


def _type_of(value: object) -> Callable[[Any], Any]:
    return type(value)
