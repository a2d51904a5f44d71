"""Who asks: HTTP Basic or Bearer, test keys only, restricted keys by permission."""

import base64
import binascii
from dataclasses import dataclass

from ml_sandbox.stripe.errors import StripeError

HOW = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, "
    "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
    "https://stripe.com/docs/api#authentication for details, or we can help at "
    "https://support.stripe.com/."
)
TEST_PREFIXES = ("sk_test_", "rk_test_", "rkcs_test_")
LEVELS = {"none": 0, "read": 1, "write": 2}
# First path segment after /v1 -> the permission that guards it.
GUARDS = {
    "customers": "customers", "invoices": "invoices", "invoiceitems": "invoices",
    "invoice_payments": "invoices", "credit_notes": "invoices",
    "payment_intents": "payment_intents", "payment_methods": "payment_methods",
    "charges": "charges", "refunds": "charges", "disputes": "disputes", "balance": "balance",
    "balance_transactions": "balance", "payouts": "payouts", "events": "events",
    "webhook_endpoints": "webhook_endpoints", "account": "account", "tax_rates": "tax_rates",
    "payment_records": "payment_records", "test_helpers": "test_clocks",
    "balance_settings": "balance", "coupons": "coupons", "promotion_codes": "coupons",
    "products": "products", "prices": "products", "shipping_rates": "shipping_rates",
    "topups": "topups", "radar": "disputes", "core": "event_destinations",
}  # fmt: skip


@dataclass
class Key:
    """What the account's owner set for one key; permissions None means everything."""

    permissions: dict[str, str] | None = None
    revoked: bool = False


class Keys:
    """The keys with settings of their own; every other test key may do everything."""

    def __init__(self) -> None:
        self._settings: dict[str, Key] = {}
        self._read: dict[str, str] = {}

    def set(self, key: str, permissions: dict[str, str] | None, *, revoked: bool) -> None:
        """Restricts or revokes a key."""
        self._settings[key] = Key(permissions, revoked)

    def authenticate(self, header: str | None) -> str:
        """The key of a request; raises StripeError (401) for none, a wrong or a revoked one."""
        if header is None:
            raise unauthorized(HOW)
        key = self._read.get(header)
        if key is None:
            key = self._read[header] = accepted(key_of(header))
        settings = self._settings.get(key)
        if settings is not None and settings.revoked:
            raise unauthorized(f"Expired API Key provided: {masked(key)}", "api_key_expired")
        return key

    def permit(self, key: str, method: str, path: str) -> None:
        """Raises StripeError (403) naming the permission that a restricted key lacks."""
        settings = self._settings.get(key)
        if settings is None or settings.permissions is None:
            return
        guard = GUARDS.get(path.split("/")[2], "other")
        needed = "read" if method == "GET" else "write"
        if LEVELS.get(settings.permissions.get(guard, "none"), 0) < LEVELS[needed]:
            text = (
                f"The provided key '{masked(key)}' does not have the required permissions for this "
                f"endpoint. Having the 'rak_{guard}_{needed}' permission would allow this request "
                "to continue."
            )
            raise StripeError(403, text, stored=False)


def key_of(header: str) -> str:
    """The key inside an Authorization header, empty when there is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def accepted(key: str) -> str:
    """The key if it is a test key; raises StripeError (401) otherwise."""
    if not key:
        raise unauthorized(HOW)
    if key.startswith(("pk_test_", "pk_live_")):
        text = (
            "This API call cannot be made with a publishable API key. Please use a secret API key."
        )
        raise unauthorized(text, "secret_key_required")
    if not key.startswith(TEST_PREFIXES):
        raise unauthorized(f"Invalid API Key provided: {masked(key)}")
    return key


def masked(key: str) -> str:
    """A key with its middle hidden."""
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 12 else f"{key[:4]}****"


def unauthorized(text: str, code: str | None = None) -> StripeError:
    """A 401."""
    headers = {"WWW-Authenticate": 'Bearer realm="Stripe"'}
    return StripeError(401, text, code=code, headers=headers, stored=False)
