"""Money in Stripe: charges, refunds, disputes, balance transactions, payouts and the balance."""

from collections.abc import AsyncIterator
from datetime import datetime

from ml_connector.basics.ids import StripeId
from ml_connector.basics.money import Money
from ml_connector.books.records import BalanceTransaction, Charge, Dispute, Payout, Refund
from ml_connector.stripe import translate, wire
from ml_connector.stripe.caller import Caller, at, created
from ml_connector.stripe.translate import Balance

CHARGES = "/v1/charges"
REFUNDS = "/v1/refunds"
DISPUTES = "/v1/disputes"
TRANSACTIONS = "/v1/balance_transactions"
PAYOUTS = "/v1/payouts"
REFUND_MONEY = ("balance_transaction", "failure_balance_transaction")


class Movements(Caller):
    """The calls that concern money; all of them only read."""

    async def charge(self, charge_id: StripeId) -> Charge:
        """A charge with its balance transaction, in one call; raises Missing."""
        params = {"expand": ["balance_transaction"]}
        path = at(CHARGES, charge_id)
        return translate.charge(await self._get(path, wire.Charge, params, resource=charge_id))

    async def charges_of_intent(self, intent: StripeId) -> list[Charge]:
        """Every attempt of an intent with its balance transaction, newest first."""
        params = {"payment_intent": intent, "expand": ["data.balance_transaction"]}
        return [translate.charge(row) async for row in self._rows(CHARGES, wire.Charge, params)]

    async def refund(self, refund_id: StripeId) -> Refund:
        """A refund with both its balance transactions, in one call; raises Missing."""
        params = {"expand": list(REFUND_MONEY)}
        path = at(REFUNDS, refund_id)
        return translate.refund(await self._get(path, wire.Refund, params, resource=refund_id))

    async def refunds_of_charge(self, charge_id: StripeId) -> list[Refund]:
        """Every refund of a charge with its balance transactions, newest first."""
        params = {"charge": charge_id, "expand": [f"data.{name}" for name in REFUND_MONEY]}
        return [translate.refund(row) async for row in self._rows(REFUNDS, wire.Refund, params)]

    async def dispute(self, dispute_id: StripeId) -> Dispute:
        """A dispute with its balance transactions, in one call; raises Missing."""
        path = at(DISPUTES, dispute_id)
        return translate.dispute(await self._get(path, wire.Dispute, resource=dispute_id))

    async def transaction(self, transaction_id: StripeId) -> BalanceTransaction:
        """A balance transaction; raises Missing."""
        path = at(TRANSACTIONS, transaction_id)
        answer = await self._get(path, wire.Transaction, resource=transaction_id)
        return translate.transaction(answer)

    async def transactions(
        self, created_from: datetime, created_to: datetime | None = None
    ) -> AsyncIterator[BalanceTransaction]:
        """Every balance transaction created from a moment on (and before another), newest first."""
        bounds = created(created_from, created_to)
        async for row in self._rows(TRANSACTIONS, wire.Transaction, bounds):
            yield translate.transaction(row)

    async def payout(self, payout_id: StripeId) -> Payout:
        """A payout; raises Missing."""
        path = at(PAYOUTS, payout_id)
        return translate.payout(await self._get(path, wire.Payout, resource=payout_id))

    async def payouts(self, created_from: datetime) -> AsyncIterator[Payout]:
        """Every payout created from a moment on, newest first."""
        async for row in self._rows(PAYOUTS, wire.Payout, created(created_from)):
            yield translate.payout(row)

    async def members(self, payout_id: StripeId) -> list[BalanceTransaction]:
        """What a composed payout consists of, without its own row; their nets sum to its amount.

        Raises TryAgain while Stripe is still composing it (fact S4.8).
        """
        rows = [
            row async for row in self._rows(TRANSACTIONS, wire.Transaction, {"payout": payout_id})
        ]
        members = [translate.transaction(row) for row in rows]
        return [row for row in members if not (row.type == "payout" and row.source == payout_id)]

    async def balance(self) -> dict[str, Money]:
        """What the account holds now, available and pending together, per currency."""
        return (await self.balance_split()).total

    async def balance_split(self) -> Balance:
        """What the account holds now, per currency: free to pay out, and not yet."""
        return translate.balance(await self._get("/v1/balance", wire.Balance))
