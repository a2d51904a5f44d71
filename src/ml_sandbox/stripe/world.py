"""The account: every object by kind, the clock, and what is going on around them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ml_sandbox.clock import SandboxClock
from ml_sandbox.stripe.contract import official
from ml_sandbox.stripe.errors import missing
from ml_sandbox.stripe.ids import Ids
from ml_sandbox.stripe.money import Money
from ml_sandbox.stripe.schedule import Schedule
from ml_sandbox.stripe.switches import Switches
from ml_sandbox.stripe.tables import Table
from ml_sandbox.stripe.wire import Obj, Wire

INDEXES: dict[str, tuple[str, ...]] = {
    "customer": (),
    "customer_balance_transaction": ("customer",),
    "invoice": ("customer",),
    "line_item": ("invoice",),
    "invoiceitem": ("customer",),
    "invoice_payment": ("invoice", "payment.payment_intent", "payment.payment_record"),
    "payment_intent": ("customer",),
    "payment_method": (),
    "payment_record": (),
    "charge": ("customer", "payment_intent"),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "balance_transaction": ("source", "currency", "type"),
    "credit_note": ("invoice", "customer"),
    "credit_note_line_item": (),
    "payout": (),
    "tax_rate": (),
    "event": ("type",),
    "webhook_endpoint": (),
    "test_helpers.test_clock": (),
    "coupon": (),
    "promotion_code": (),
    "discount": (),
    "product": (),
    "price": ("product",),
    "shipping_rate": (),
    "tax_id": ("customer",),
    "topup": (),
    "customer_cash_balance_transaction": ("customer",),
    "radar.early_fraud_warning": ("charge",),
    "reserve.hold": (),
    "reserve.release": (),
    "bank_account": (),
    "card": (),
    "v2.core.event_destination": (),
}
BY_PREFIX = {
    "cus": "customer", "cbtxn": "customer_balance_transaction", "in": "invoice",
    "il": "line_item", "ii": "invoiceitem", "inpay": "invoice_payment", "pi": "payment_intent",
    "pm": "payment_method", "prec": "payment_record", "ch": "charge", "py": "charge",
    "re": "refund", "pyr": "refund", "dp": "dispute", "du": "dispute",
    "txn": "balance_transaction", "cn": "credit_note", "cnli": "credit_note_line_item",
    "po": "payout", "txr": "tax_rate", "evt": "event", "we": "webhook_endpoint",
    "di": "discount", "promo": "promotion_code", "prod": "product", "price": "price",
    "shr": "shipping_rate", "txi": "tax_id", "tu": "topup", "issfr": "radar.early_fraud_warning",
    "ccsbtxn": "customer_cash_balance_transaction", "reshold": "reserve.hold",
    "resrel": "reserve.release", "ba": "bank_account", "card": "card",
    "clock": "test_helpers.test_clock",
}  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """The request that causes a change; events name it."""

    request_id: str
    idempotency_key: str | None


@dataclass
class Notes:
    """What the service knows but does not show."""

    cards: dict[str, str] = field(default_factory=dict)  # payment method -> card number
    tokens: dict[str, str] = field(default_factory=dict)  # hosted page token -> invoice
    granted: dict[str, int] = field(default_factory=dict)  # hosted page token -> works so long
    balances: dict[tuple[str, str], int] = field(default_factory=dict)  # customer, currency
    members: dict[str, list[str]] = field(default_factory=dict)  # payout -> balance transactions
    paid_out: set[str] = field(default_factory=set)  # balance transactions inside a payout
    credited: dict[str, int] = field(default_factory=dict)  # invoice -> credited after payment
    unsettled: dict[str, Callable[[], None]] = field(default_factory=dict)  # charge -> settle now
    available: dict[str, int] = field(default_factory=dict)  # currency -> sum of available net
    pending: dict[str, int] = field(default_factory=dict)  # currency -> sum of pending net
    booked: dict[str, int] = field(default_factory=dict)  # currency -> sum of all nets
    beside: dict[tuple[str, str], int] = field(default_factory=dict)  # other balance, currency
    awaiting: dict[tuple[str, int], list[str]] = field(default_factory=dict)  # due rows
    numbers: dict[str, int] = field(default_factory=dict)  # invoice prefix -> next number
    invoice_of_note: dict[str, list[str]] = field(default_factory=dict)  # credit note -> lines
    dispute_fees: dict[str, int] = field(default_factory=dict)  # dispute -> countered fee
    secrets: dict[str, list[str]] = field(default_factory=dict)  # endpoint -> active secrets
    released: dict[str, str] = field(default_factory=dict)  # charge -> refund of the uncaptured
    thin: set[str] = field(default_factory=set)  # endpoints that get thin bodies
    cash: dict[tuple[str, str], int] = field(default_factory=dict)  # customer, currency -> held
    modes: dict[str, str] = field(default_factory=dict)  # customer -> reconciliation mode
    live: set[str] = field(default_factory=set)  # ids that exist in the other mode only
    locks: dict[str, int] = field(default_factory=dict)  # object -> coming writes to refuse
    limits: list[str] = field(default_factory=list)  # reasons of the coming 429 answers
    updates: dict[str, list[int]] = field(default_factory=dict)  # intent -> moments of updates
    shipping: dict[str, str] = field(default_factory=dict)  # invoice -> shipping rate
    suspended: dict[str, Callable[[], object]] = field(default_factory=dict)  # debit to verify


@dataclass
class Settings:
    """How the account pays out, as GET /v1/balance_settings shows it."""

    debit_negative_balances: bool = False
    minimum_balances: dict[str, int] = field(default_factory=dict)
    interval: str = "daily"
    weekly_days: list[str] = field(default_factory=list)
    monthly_days: list[int] = field(default_factory=list)
    statement_descriptor: str | None = None
    delay_days_override: int | None = None


class World:
    """One Stripe account in memory; every change is made within one synchronous call."""

    def __init__(self, clock: SandboxClock, seed: int, base_url: str | None) -> None:
        self.clock = clock
        self.base_url = base_url
        self.ids = Ids(seed)
        self.random = random.Random(seed)
        self.wire = Wire()
        self.contract = official()
        self.switches = Switches()
        self.violations: list[str] = []
        self.schedule = Schedule(clock, lambda e: self.violations.append(f"effect failed: {e}"))
        self.money = Money()
        self.notes = Notes()
        self.tables = {kind: Table(*paths) for kind, paths in INDEXES.items()}
        self.cause: Cause | None = None
        self.on_event: list[Callable[[Obj], None]] = []
        self.on_change: list[Callable[[Obj], None]] = []
        self.when_available: list[Callable[[], None]] = []
        self.never_generated: Callable[[], bool] = lambda: False
        self.account_id = f"acct_1{self.ids.text(15)}"
        self.first_secret: str | None = f"whsec_{self.ids.text(32)}"
        self.settings = Settings()

    def now(self) -> int:
        """The present moment, unix seconds."""
        return int(self.clock.now().timestamp())

    def moment(self) -> datetime:
        """The present moment, aware."""
        return self.clock.now()

    def at(self, seconds: int) -> datetime:
        """Unix seconds as an aware moment."""
        return datetime.fromtimestamp(seconds, UTC)

    def new(self, kind: str, prefix: str, **values: object) -> Obj:
        """Makes an object with an id and creation time, stores it and returns it."""
        obj = self.build(kind, prefix, **values)
        self.tables[kind].add(obj)
        return obj

    def build(self, kind: str, prefix: str, **values: object) -> Obj:
        """Makes an object without storing it."""
        fields = self.contract.objects[kind]
        common: Obj = {"id": self.ids.new(prefix), "created": self.now(), "livemode": False}
        common = {k: v for k, v in common.items() if k in fields}
        if "metadata" in fields:
            common["metadata"] = {}
        return self.contract.new(kind, {**common, **values, "object": kind})

    def get(self, kind: str, key: str, param: str = "id", status: int = 404) -> Obj:
        """An object by id; raises the service's resource_missing otherwise."""
        found = self.tables[kind].rows.get(key)
        if found is None:
            raise missing(kind, key, param, status, elsewhere=key in self.notes.live)
        return found

    def find(self, key: str) -> Obj | None:
        """An object of any kind by its id, or None."""
        kind = BY_PREFIX.get(key.partition("_")[0])
        return None if kind is None else self.tables[kind].rows.get(key)

    def changed(self, obj: Obj) -> None:
        """Tells those who follow objects (the search index) that one changed."""
        for listener in self.on_change:
            listener(obj)

    def violated(self, sentence: str) -> None:
        """Records a broken invariant of the sandbox itself; the request in progress answers 500."""
        self.violations.append(sentence)
        raise AssertionError(sentence)
