"""Refunds: money given back becomes a journal, and a late failure its reverse."""

from ml_connector.basics.ids import StripeId
from ml_connector.books.records import BalanceTransaction, Refund
from ml_connector.books.rules import Story
from ml_connector.flows.booking import accounted_for, book
from ml_connector.flows.connected import Connected
from ml_connector.flows.gate import HoldingBack


async def give_back(c: Connected, refund_id: StripeId) -> None:
    """Books what a refund has done to the balance so far; nothing while it is pending.

    A refund without a balance transaction has moved no money (fact sheet 4.4); its update, or
    the sweep, comes when it has.
    """
    refund = await c.stripe.refund(refund_id)
    moved: list[BalanceTransaction | None] = [refund.transaction, refund.failure_transaction]
    held = HoldingBack()
    for transaction in moved:
        if transaction is not None:
            with held.each():
                async with accounted_for(c, transaction):
                    await book(c, transaction, story_of(refund))
    held.tell()


def story_of(refund: Refund) -> Story:
    """What the documents of a refund say of it."""
    return Story(subject=refund.id, text=f"of {refund.charge}" if refund.charge else "")
