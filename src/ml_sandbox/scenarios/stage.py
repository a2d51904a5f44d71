"""The verbs that scenarios are told in: what clerks, buyers, banks and operators do, over HTTP.

A stage knows only the two sandboxes: their control planes and Stripe's public API. It waits for
the connector by looking at what stands in them.
"""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import httpx2

from ml_sandbox.month.sandboxes import CannotGoOn, ControlPlane, Json
from ml_sandbox.scenarios.clerk import Clerk, Invoice

CARD = "4242424242424242"
DECLINED = "4000000000000002"
BANK_DEBIT = "000123456789"
REFUND_PENDS = "4000000000007726"
REFUND_FAILS = "4000000000005126"
_OWNERS_KEY = "sk_test_theOwnerAtTheDashboard"
_DECIMALS = {"JPY": 0, "KWD": 3}
_SHOWN = ("open", "paid", "void", "uncollectible")
_POLL_SECONDS = 0.1
_A_WHILE = 8
T = TypeVar("T")


class NotDone(Exception):
    """The connector has not done what the scenario waits for; the text says what."""


@dataclass(frozen=True, slots=True)
class Doors:
    """How the two sandboxes are reached."""

    stripe: ControlPlane
    erp: ControlPlane
    api: httpx2.Client
    """Stripe's public API, as the account's owner uses it."""
    key: str = ""
    """The key that the connector signs in with, for scenarios in which it is revoked."""


class Stage:
    """Acts on both sandboxes; amounts are decimal texts in the currency's own unit.

    `pause` is called between two looks at what the connector has done; `patience` is how many
    seconds a wait may last.
    """

    def __init__(
        self, doors: Doors, *, pause: Callable[[], None] | None = None, patience: float = 60.0
    ) -> None:
        self.stripe = doors.stripe
        self.erp = doors.erp
        self.clerk = Clerk(doors.erp)
        self._api = doors.api
        self._key = doors.key
        self._pause = pause or (lambda: time.sleep(_POLL_SECONDS))
        self._patience = patience

    # -- waiting for the connector

    def until(self, look: Callable[[], T | None], what: str) -> T:
        """The first answer that a look gives; raises NotDone when it gives none in time."""
        give_up = time.monotonic() + self._patience
        while (found := look()) is None:
            if time.monotonic() > give_up:
                raise NotDone(f"In {self._patience:g} seconds nobody has seen to it that {what}.")
            self._pause()
        return found

    def mirrored(self, invoice: Invoice) -> Json:
        """The open Stripe invoice of an ERP invoice, once it is there."""
        return self.until(lambda: self._live(invoice), f"{invoice.ref} is asked for at Stripe")

    def booked(self, charge: str) -> Json:
        """The released ERP payment of a charge, once it stands."""
        return self.until(lambda: self.clerk.payment_of(charge), f"{charge} is in the ERP")

    def journals(self, beginning: str, count: int = 1) -> None:
        """Waits until so many posted journals begin with these words."""
        self.until(
            lambda: self.clerk.journals(beginning) >= count or None,
            f"{count} journals {beginning!r} are posted",
        )

    def a_while(self) -> None:
        """Moments pass in which the connector may try whatever it likes."""
        for _ in range(_A_WHILE):
            self._pause()

    # -- the clerk in the ERP

    def invoice(
        self,
        *prices: str,
        customer: str = "GOODFOOD",
        currency: str = "USD",
        sent: bool = True,
        **facts: object,
    ) -> Invoice:
        """An invoice with a line for each price, released and, unless told not to, at Stripe."""
        made = self.clerk.invoice(prices or ("100.00",), customer, currency, self.today, facts)
        if sent:
            self.mirrored(made)
        return made

    # -- buyers and banks

    def pay(self, invoice: Invoice, amount: str | None = None, *, card: str = CARD) -> str:
        """The buyer pays all that is left, or an amount; the charge."""
        asked: Json = {"invoice": self.mirrored(invoice)["id"], "card": card}
        if amount is not None:
            asked["amount"] = minor(amount, invoice.currency)
        return str(self.stripe.post("pay", asked)["charge"])

    def declined(self, invoice: Invoice, *, card: str = DECLINED) -> None:
        """The buyer tries a card and is turned away."""
        asked: Json = {"invoice": self.mirrored(invoice)["id"], "card": card}
        if self.stripe.attempt("pay", asked) is not None:
            raise CannotGoOn(f"The card {card} was accepted.")

    def charge(self, amount: str, currency: str = "USD", **facts: object) -> str:
        """Somebody pays outside invoicing; the charge."""
        asked: Json = {"amount": minor(amount, currency), "currency": currency.lower(), **facts}
        return str(self.stripe.post("charge", asked)["charge"])

    def returned(self, charge: str) -> None:
        """The bank returns a debit that had succeeded."""
        self.stripe.post(f"charges/{charge}/return", {})

    def refund(self, charge: str, amount: str | None = None) -> str:
        """The back office gives US dollars back, all of a charge by default; the refund."""
        part: Json = {} if amount is None else {"amount": minor(amount, "USD")}
        return str(self.stripe.post("refund", {"charge": charge, **part})["id"])

    def end_refund(self, refund: str, outcome: str) -> None:
        """A pending refund succeeds, or any refund fails: `succeeded` or `failed`."""
        self.stripe.post(f"refunds/{refund}", {"outcome": outcome})

    def dispute(self, charge: str, amount: str | None = None, *, inquiry: bool = False) -> str:
        """The cardholder disputes a charge, or a part in US dollars; the dispute."""
        part: Json = {} if amount is None else {"amount": minor(amount, "USD")}
        made = self.stripe.post("disputes", {"charge": charge, "inquiry": inquiry, **part})
        return str(made["id"])

    def decide(self, dispute: str, outcome: str) -> None:
        """The bank decides: `won` or `lost`."""
        self.stripe.post(f"disputes/{dispute}", {"outcome": outcome})

    # -- Stripe and its calendar

    def make_available(self) -> None:
        """What was charged is booked, and four days pass: all money may be paid out."""
        self.pass_days(0.01)
        self.pass_days(4)

    def pay_out(self) -> list[str]:
        """All money becomes available and is paid out; the payouts."""
        self.make_available()
        made = self.stripe.post("payouts/run", {})["payouts"]
        return [str(one["id"]) for one in made]

    def bill(self, amount: str) -> None:
        """Stripe charges US dollars for one of its products."""
        self.stripe.post("fees", {"amount": minor(amount, "USD"), "currency": "usd"})

    def adjust(self, kind: str, category: str, amount: str, **facts: object) -> None:
        """Stripe moves US dollars under any name, whether anybody has heard of it or not."""
        asked: Json = {"type": kind, "reporting_category": category, **facts}
        self.stripe.post("adjust", {"amount": minor(amount, "USD"), **asked})

    @property
    def today(self) -> datetime:
        """The clock of both sandboxes."""
        return datetime.fromisoformat(self.erp.get("clock")["now"])

    def pass_days(self, days: float) -> None:
        """Time passes on both sides; what is due at Stripe happens."""
        self.move_to(self.today + timedelta(days=days))

    def move_to(self, moment: datetime) -> None:
        """The clock of both sides is set."""
        self.stripe.post("clock", {"now": moment.isoformat()})

    # -- the owner of the Stripe account, at the Dashboard

    def at_the_dashboard(self, path: str, form: dict[str, str] | None = None) -> Json:
        """A call of Stripe's public API by its owner; raises CannotGoOn when it is refused."""
        return self._answered("POST", path, form or {})

    def turned_away(self, path: str) -> None:
        """The owner tries what Stripe refuses; raises CannotGoOn when it is accepted."""
        if self._api.post(path).is_success:
            raise CannotGoOn(f"Stripe has accepted {path}.")

    def deletes(self, path: str) -> Json:
        """The owner deletes something at Stripe."""
        return self._answered("DELETE", path, None)

    def stripe_customer(self, customer: str) -> str:
        """The Stripe customer of an ERP customer, once it is there."""

        def look() -> str | None:
            return self.marked(customer)

        return self.until(look, f"customer {customer} is at Stripe")

    def marked(self, customer: str) -> str | None:
        """The Stripe customer that bears the mark of an ERP customer; None when there is none."""
        rows, more = list[Json](), "customers?limit=100"
        while more:
            page = self._answered("GET", more, None)
            rows += page["data"]
            last = rows[-1]["id"] if page["has_more"] else ""
            more = f"customers?limit=100&starting_after={last}" if last else ""
        mine = [row for row in rows if row["metadata"].get("erp_customer") == customer]
        return str(mine[0]["id"]) if mine else None

    def with_email(self, email: str) -> str:
        """The one Stripe customer with an e-mail address; raises CannotGoOn when it is not one."""
        rows = self._answered("GET", f"customers?{urlencode({'email': email})}", None)["data"]
        if len(rows) != 1:
            raise CannotGoOn(f"{len(rows)} customers at Stripe have the address {email}.")
        return str(rows[0]["id"])

    def endpoints(self) -> list[str]:
        """The webhook endpoints that are registered at Stripe."""
        rows = self._answered("GET", "webhook_endpoints", None)["data"]
        return [str(row["id"]) for row in rows]

    # -- mischief

    def webhooks(self, **settings: object) -> None:
        """How events are delivered from now on."""
        self.stripe.post("webhooks", dict(settings))

    @contextmanager
    def fault(self, side: ControlPlane, **rule: object) -> Generator[None]:
        """Requests are spoiled while the block lasts."""
        side.post("faults", dict(rule))
        try:
            yield
        finally:
            side.delete("faults")

    def struck(self, side: ControlPlane, times: int = 1) -> None:
        """Waits until the fault has met so many requests."""

        def look() -> bool | None:
            return sum(rule["fired"] for rule in side.get("faults")) >= times or None

        self.until(look, f"{times} requests are made")

    def key(self, permissions: Json | None = None, *, revoked: bool = False) -> None:
        """Somebody restricts or revokes the key that the connector uses."""
        if not self._key:
            raise CannotGoOn("Say which key the connector uses: --stripe-key.")
        asked: Json = {"key": self._key, "permissions": permissions, "revoked": revoked}
        self.stripe.post("keys", asked)

    def _live(self, invoice: Invoice) -> Json | None:
        rows = self.stripe.get("invoices")["invoices"]
        mine = [row for row in rows if row["metadata"].get("erp_ref") == invoice.ref]
        live = [row for row in mine if row["status"] in _SHOWN]
        return live[-1] if live else None

    def _answered(self, method: str, path: str, form: dict[str, str] | None) -> Json:
        try:
            answer = self._api.request(method, path, data=form)
        except httpx2.HTTPError as error:
            raise CannotGoOn(f"Stripe's API does not answer: {error!r}") from error
        found: Json = answer.json()
        if answer.status_code != 200:
            raise CannotGoOn(f"Stripe's API refused {method} {path}: {found['error']['message']}")
        return found


def minor(amount: str, currency: str) -> int:
    """A decimal text in the currency's smallest unit."""
    return int(Decimal(amount).scaleb(_DECIMALS.get(currency, 2)))


@contextmanager
def on_stage(
    stripe: str,
    acumatica: str,
    *,
    key: str = "",
    pause: Callable[[], None] | None = None,
    patience: float = 60.0,
    delays: float = 0.01,
) -> Generator[Stage]:
    """A stage on two running sandboxes; what takes seconds in life takes `delays` of that."""
    parts = urlsplit(stripe)
    api = httpx2.Client(
        base_url=f"{parts.scheme}://{parts.netloc}/v1/",
        auth=(_OWNERS_KEY, ""),
        trust_env=False,
        timeout=60,
        verify=False,
    )
    with ExitStack() as stack:
        doors = Doors(
            stack.enter_context(ControlPlane("Stripe", stripe)),
            stack.enter_context(ControlPlane("Acumatica", acumatica)),
            stack.enter_context(api),
            key,
        )
        stage = Stage(doors, pause=pause, patience=patience)
        stage.webhooks(delay_scale=delays)
        yield stage
