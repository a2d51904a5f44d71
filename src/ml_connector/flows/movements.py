"""Movements without a flow of their own: product fees, adjustments, disputes, reserves."""

from ml_connector.basics.ids import StripeId
from ml_connector.books.rules import Story
from ml_connector.flows.booking import accounted_for, book
from ml_connector.flows.connected import Connected


async def account_for(c: Connected, transaction_id: StripeId) -> None:
    """Books one balance transaction by its pair alone; raises Unexplained when none is known."""
    transaction = await c.stripe.transaction(transaction_id)
    async with accounted_for(c, transaction):
        subject = transaction.source or transaction.id
        await book(c, transaction, Story(subject=subject, text=transaction.description))
