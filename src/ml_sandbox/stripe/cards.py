"""Test cards, tokens and bank accounts: what each one does when it is charged."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """The behaviour behind one test number."""

    number: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    bypass_pending: bool = False
    international: bool = False
    disputes: tuple[str, ...] = ()
    inquiry: bool = False
    fraud_warning: bool = False
    refund: str = "succeeded"
    needs_authentication: bool = False
    bank: str | None = None

    @property
    def last4(self) -> str:
        """The last four digits."""
        return self.number[-4:]


def declined(number: str, decline: str, message: str) -> Card:
    """A card whose issuer declines."""
    return Card(number, code="card_declined", decline_code=decline, message=message)


def refused(number: str, code: str, message: str, decline: str | None = None) -> Card:
    """A card refused with an error code of its own."""
    return Card(number, code=code, decline_code=decline, message=message)


GENERIC = "Your card was declined."
ALL = (
    Card("4242424242424242"),
    Card("4000056655665556"),
    Card("5555555555554444", brand="mastercard"),
    Card("378282246310005", brand="amex"),
    Card("4000000000000077", bypass_pending=True),
    Card("4000003720000278", bypass_pending=True, international=True),
    Card("4000008260000000", international=True),
    declined("4000000000000002", "generic_decline", GENERIC),
    declined("4000000000009995", "insufficient_funds", "Your card has insufficient funds."),
    declined("4000000000009987", "lost_card", GENERIC),
    declined("4000000000009979", "stolen_card", GENERIC),
    declined("4000000000000341", "generic_decline", GENERIC),
    refused("4000000000000069", "expired_card", "Your card has expired.", "expired_card"),
    refused(
        "4000000000000127",
        "incorrect_cvc",
        "Your card's security code is incorrect.",
        "incorrect_cvc",
    ),
    refused(
        "4000000000000119",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
        "processing_error",
    ),
    declined(
        "4000000000006975",
        "card_velocity_exceeded",
        "Your card was declined for making repeated attempts too frequently or exceeding its "
        "amount limit.",
    ),
    Card("4000000000000259", disputes=("fraudulent",)),
    Card("4000000000002685", disputes=("product_not_received",)),
    Card("4000000000001976", disputes=("fraudulent",), inquiry=True),
    Card("4000000000005423", fraud_warning=True),
    Card("4000000404000079", disputes=("fraudulent", "fraudulent")),
    Card("4000000000007726", refund="pending"),
    Card("4000000000005126", refund="failed"),
    Card("4000002500003155", needs_authentication=True),
    Card("4000002760003184", needs_authentication=True),
    Card("4000000000003220", needs_authentication=True),
    Card("000123456789", bank="succeeded"),
    Card("000111111113", bank="account_closed"),
    Card("000222222227", bank="insufficient_funds"),
    Card("000333333335", bank="debit_not_authorized"),
    Card("000555555559", bank="dispute"),
    Card("000888888885", bank="processing"),
)
CARDS: Mapping[str, Card] = {card.number: card for card in ALL}
NAMED = {
    "visa": "4242424242424242", "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444", "amex": "378282246310005",
    "bypassPending": "4000000000000077", "bypassPendingInternational": "4000003720000278",
    "chargeDeclined": "4000000000000002", "visa_chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "visa_chargeDeclinedLostCard": "4000000000009987",
    "visa_chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "chargeCustomerFail": "4000000000000341", "createDispute": "4000000000000259",
    "createDisputeProductNotReceived": "4000000000002685",
    "createDisputeInquiry": "4000000000001976",
    "createIssuerFraudRecord": "4000000000005423",
    "createMultipleDisputes": "4000000404000079", "pendingRefund": "4000000000007726",
    "refundFail": "4000000000005126", "authenticationRequired": "4000002760003184",
    "threeDSecure2Required": "4000000000003220",
}  # fmt: skip
BANKS = {
    "success": "000123456789", "accountClosed": "000111111113",
    "insufficientFunds": "000222222227", "debitNotAuthorized": "000333333335",
    "dispute": "000555555559", "processing": "000888888885",
}  # fmt: skip


def card_of(given: str) -> Card | None:
    """The card behind a number, tok_... or pm_card_.../pm_usBankAccount_... name, else None."""
    text = given.replace(" ", "").replace("-", "")
    if text in CARDS:
        return CARDS[text]
    for prefix, names in (("pm_card_", NAMED), ("pm_usBankAccount_", BANKS), ("tok_", NAMED)):
        if text.startswith(prefix):
            return CARDS.get(names.get(text[len(prefix) :], ""))
    return None
