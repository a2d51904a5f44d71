"""The tenants of one instance: what each consists of, and which one a request belongs to."""

import base64
import json
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qsl, unquote

from ml_sandbox.acumatica.contract import Endpoint
from ml_sandbox.acumatica.control import Control
from ml_sandbox.acumatica.forms.base import Form
from ml_sandbox.acumatica.forms.bills import BillForm
from ml_sandbox.acumatica.forms.cash import CashTransactionForm
from ml_sandbox.acumatica.forms.cash_sales import CashSaleForm
from ml_sandbox.acumatica.forms.customers import CustomerForm
from ml_sandbox.acumatica.forms.invoices import InvoiceForm
from ml_sandbox.acumatica.forms.journals import JournalForm
from ml_sandbox.acumatica.forms.payments import PaymentForm
from ml_sandbox.acumatica.forms.reference import ReferenceForm
from ml_sandbox.acumatica.forms.sales_invoices import SalesInvoiceForm, mirror
from ml_sandbox.acumatica.push import Push
from ml_sandbox.acumatica.seed import build_world
from ml_sandbox.acumatica.sessions import SESSION_COOKIE, TENANT
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.switches import Switches
from ml_sandbox.acumatica.window.app import Window
from ml_sandbox.acumatica.wire import Json, Request
from ml_sandbox.acumatica.world import World
from ml_sandbox.clock import SandboxClock

NAMES = (TENANT, "U200")
_REFERENCES = (
    ("Account", "Account", True),
    ("Subaccount", "Subaccount", True),
    ("CustomerClass", "Customer Class", True),
    ("CustomerLocation", "Customer Location", True),
    ("CustomerPaymentMethod", "Customer Payment Method", True),
    ("NonStockItem", "Non-Stock Item", True),
    ("StockItem", "Stock Item", True),
    ("Vendor", "Vendor", True),
    ("PaymentMethod", "Payment Method", True),
    ("CompanyFinancialPeriod", "Company Financial Calendar", False),
    ("Currency", "Currency", False),
    ("FinancialPeriod", "Financial Year", False),
    ("FinancialYear", "Financial Year Settings", False),
    ("Ledger", "Ledger", False),
    ("Tax", "Tax", False),
    ("TaxCategory", "Tax Category", False),
    ("TaxZone", "Tax Zone", False),
)


def _forms(world: World) -> dict[str, Form]:
    forms: dict[str, Form] = {
        "Customer": CustomerForm(),
        "Invoice": InvoiceForm(),
        "SalesInvoice": SalesInvoiceForm(),
        "Payment": PaymentForm(),
        "JournalTransaction": JournalForm(),
        "CashTransaction": CashTransactionForm(),
        "Bill": BillForm(),
        "CashSale": CashSaleForm(),
    }
    for entity, label, editable in _REFERENCES:
        keys = world.tables[entity].keys
        forms[entity] = ReferenceForm(entity, label, keys, editable=editable)
    return forms


class Tenant:
    """One tenant: its world, its site, its push notifications and its control plane."""

    def __init__(
        self,
        name: str,
        clock: SandboxClock,
        endpoints: Mapping[str, Endpoint],
        *,
        path: str,
        seed: int,
    ) -> None:
        self.name = name
        self.world = build_world(clock, Switches(), seed, name)
        self.world.mirrors["Invoice"] = mirror
        self.site = Site(self.world, endpoints, _forms(self.world), path=path, seed=seed)
        self.push = Push(self.world)
        self.control = Control(self.site, self.push)
        self.window = Window(self.site, self.push, self.control.clerk)


class Tenants:
    """The first tenant is always there; the second is set up when it is first named."""

    def __init__(self, build: Callable[[str], Tenant]) -> None:
        self._build = build
        self.first = build(TENANT)
        self.open: dict[str, Tenant] = {TENANT: self.first}

    def named(self, name: object) -> Tenant:
        """The tenant of that name; an unknown name falls to the first, which then refuses it."""
        text = str(name or TENANT).upper()
        if text not in NAMES:
            return self.first
        if text not in self.open:
            self.open[text] = self._build(text)
        return self.open[text]

    def of(self, request: Request) -> Tenant:
        """The tenant that a request belongs to, by login body, client id, token or session."""
        head = [part.lower() for part in request.segments[:3]]
        if head == ["entity", "auth", "login"]:
            return self.named(_login_tenant(request.body))
        if head[:1] == ["identity"]:
            client = _client_id(request)
            return self.named(client.rpartition("@")[2]) if "@" in client else self.first
        if len(self.open) == 1:
            return self.first
        return self._by_session(request) or self.first

    def _by_session(self, request: Request) -> Tenant | None:
        token = request.headers.get("authorization", "")[7:]
        cookies = request.headers.get("cookie", "")
        for tenant in self.open.values():
            if token and token in tenant.site.identity.access:
                return tenant
            if SESSION_COOKIE in cookies and any(
                session in cookies for session in tenant.site.sessions.open
            ):
                return tenant
        return None


def _login_tenant(body: bytes) -> object:
    try:
        sent: object = json.loads(body)
    except ValueError:
        return None
    if not isinstance(sent, dict):
        return None
    found = cast("Json", sent)
    return found.get("tenant") or found.get("company")


def _client_id(request: Request) -> str:
    if "client_id" in request.query:
        return request.query["client_id"]
    authorization = request.headers.get("authorization", "")
    if authorization.lower().startswith("basic "):
        try:
            return unquote(base64.b64decode(authorization[6:]).decode().partition(":")[0])
        except (Base64Error, UnicodeDecodeError):
            return ""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("client_id", "")
