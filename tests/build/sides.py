"""The connection that a person would enter for a pair of sandboxes."""

from datetime import date, timedelta

from build.sandboxes import Json
from ml_connector.basics.ids import ConnectionId
from ml_connector.store.connections import (
    AcumaticaSide,
    NewConnection,
    Secrets,
    SignIn,
    StripeSide,
)

MAIN = ConnectionId("main")
QUIET = timedelta(seconds=600)


def sides(stripe_url: str, stripe: Json, erp_url: str, erp: Json) -> NewConnection:
    """Both sides, from what each sandbox says of itself."""
    endpoint, _, version = erp["endpoint"].partition("/")
    return NewConnection(
        id=MAIN,
        title="Main company",
        time_zone="UTC",
        start_date=date(2026, 10, 1),
        stripe=StripeSide(stripe_url, "", livemode=False),
        acumatica=AcumaticaSide(
            url=erp_url, endpoint=endpoint, version=version, tenant=erp["tenant"], branch="",
            sign_in=SignIn.PASSWORD, client_id=erp["client_id"], user=erp["user"],
        ),
        secrets=Secrets(
            stripe_key=stripe["key"],
            stripe_webhook=stripe["webhook_secret"],
            acumatica_client_secret=erp["client_secret"],
            acumatica_password=erp["password"],
            acumatica_webhook="push-secret",
        ),
        policies={
            "quiet_seconds": QUIET.total_seconds(),
            "acumatica_per_minute": 600_000,
            "stripe_per_second": 10_000,
        },
    )  # fmt: skip
