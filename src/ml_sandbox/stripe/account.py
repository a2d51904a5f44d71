"""The account itself: who this merchant is."""

from ml_sandbox.stripe.calls import Call, Routes
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World


def fetch(world: World, _call: Call) -> Obj:
    """GET /v1/account."""
    return {
        "id": world.account_id,
        "object": "account",
        "business_profile": {"name": "Sandbox", "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": dict.fromkeys(["icon", "logo", "primary_color", "secondary_color"]),
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
            "payments": {
                "statement_descriptor": "SANDBOX",
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
        },
        "type": "standard",
    }


ROUTES: Routes = {"GET /v1/account": fetch}
