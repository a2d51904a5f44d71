"""Rows with sensible defaults for tests of the store; a test names only what matters to it."""

from datetime import UTC, date, datetime

from ml_connector.basics.ids import ConnectionId, PostingKey, StripeId
from ml_connector.basics.money import Money
from ml_connector.store.connections import (
    AcumaticaSide,
    NewConnection,
    Secrets,
    SignIn,
    StripeSide,
)
from ml_connector.store.payouts import NewPayout
from ml_connector.store.postings import NewPosting
from ml_connector.store.transactions import BalanceTransactionRow

MAIN = ConnectionId("main")
OTHER = ConnectionId("other")
NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def a_connection(name: str = "main", **changes: object) -> NewConnection:
    facts: dict[str, object] = {
        "title": "Main company",
        "time_zone": "America/New_York",
        "start_date": date(2026, 1, 1),
        "stripe": StripeSide("https://api.stripe.com", "acct_1", livemode=False),
        "acumatica": AcumaticaSide(
            url="https://erp.example/main",
            endpoint="Default",
            version="24.200.001",
            tenant="MAIN",
            branch="HQ",
            sign_in=SignIn.OAUTH,
            client_id="client",
        ),
        "secrets": Secrets(stripe_key="sk_test_1", acumatica_client_secret="hush"),
    }
    return NewConnection(id=ConnectionId(name), **(facts | changes))


def a_transaction(name: str = "txn_1", **changes: object) -> BalanceTransactionRow:
    facts: dict[str, object] = {
        "connection": MAIN,
        "type": "charge",
        "category": "charge",
        "currency": "USD",
        "amount_minor": 10_000,
        "fee_minor": 320,
        "net_minor": 9_680,
        "source": StripeId("ch_1"),
        "created": NOON,
        "available_on": NOON,
        "body": {"id": name},
    }
    return BalanceTransactionRow(id=StripeId(name), **(facts | changes))


def a_posting(key: str = "payment:ch_1", **changes: object) -> NewPosting:
    facts: dict[str, object] = {
        "connection": MAIN,
        "kind": "payment",
        "purpose": "payment",
        "transaction_id": StripeId("txn_1"),
        "tag": "mlcabcdefghijkl",
        "clearing": Money(10_000, "USD"),
        "body": {"amount": "100.00"},
        "mapping_version": 1,
    }
    return NewPosting(key=PostingKey(key), **(facts | changes))


def a_payout(name: str = "po_1", **changes: object) -> NewPayout:
    facts: dict[str, object] = {
        "connection": MAIN,
        "amount": Money(9_680, "USD"),
        "status": "paid",
        "arrival_date": date(2026, 4, 2),
        "automatic": True,
        "reconciliation_status": "completed",
    }
    return NewPayout(id=StripeId(name), **(facts | changes))
