"""The Stripe client: all families of calls on one account, and what concerns the account itself."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from ml_connector.basics.ids import StripeId
from ml_connector.stripe import wire
from ml_connector.stripe.caller import API_VERSION, created
from ml_connector.stripe.credit_notes import CreditNotes
from ml_connector.stripe.customers import Customers
from ml_connector.stripe.errors import NoPermission
from ml_connector.stripe.invoices import Invoices
from ml_connector.stripe.movements import Movements
from ml_connector.stripe.webhooks import EventHint, snapshot_hint

Resource = Literal[
    "customers", "invoices", "payment_intents", "charges", "refunds", "disputes",
    "balance_transactions", "payouts", "events",
]  # fmt: skip
RESOURCES: tuple[Resource, ...] = (
    "customers", "invoices", "payment_intents", "charges", "refunds", "disputes",
    "balance_transactions", "payouts", "events",
)  # fmt: skip


class StripeClient(Customers, Invoices, CreditNotes, Movements):
    """Everything the connector asks of one Stripe account.

    Every method may raise the errors of `errors.filed`; `mode` is "test" or "live".
    """

    async def account(self) -> StripeId | None:
        """The account's id; None when a restricted key may not read it."""
        try:
            answer = await self._get("/v1/account", wire.Account, control=True)
        except NoPermission:
            return None
        return StripeId(answer.id)

    async def probe(self, resource: Resource) -> None:
        """Reads one row, to see that the key may; raises NoPermission naming what is missing."""
        await self._get(f"/v1/{resource}", wire.Listing[msgspec.Raw], {"limit": 1}, control=True)

    async def events(
        self,
        created_from: datetime,
        *,
        delivery_success: bool | None = None,
        types: Sequence[str] = (),
    ) -> AsyncIterator[EventHint]:
        """Events of the last 30 days from a moment on, newest first, as hints.

        `delivery_success` False yields only those that some endpoint has not taken; `types` are
        at most 20 names.
        """
        params = created(created_from)
        if delivery_success is not None:
            params["delivery_success"] = delivery_success
        if types:
            params["types"] = list(types)
        async for event in self._rows("/v1/events", wire.Event, params):
            yield snapshot_hint(event)

    async def create_webhook_endpoint(
        self, url: str, events: Sequence[str]
    ) -> tuple[StripeId, str]:
        """Registers where events are sent, in our API version; returns its id and secret.

        The secret is shown this once; the caller seals it.
        """
        params = {"url": url, "enabled_events": list(events), "api_version": API_VERSION}
        made = await self._create(
            "/v1/webhook_endpoints",
            wire.WebhookEndpoint,
            params,
            "webhook_endpoint",
            still=lambda made, _: made,
        )
        return StripeId(made.id), made.secret
