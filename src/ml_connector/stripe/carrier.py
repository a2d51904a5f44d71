"""How the official package sends: over our transport, with HTTP Basic, telling nothing extra."""

import base64
import json
from collections.abc import Mapping
from importlib.metadata import version

import stripe

from ml_connector.http.transport import Request, Transport

RESOURCE = "Connector-Resource"
CONTROL = "Connector-Control"
"""Two notes for the audit trail, given as headers and taken off before anything is sent."""

OURS = version("ml-connector")
_BEARER = "Bearer "
_NEVER_RETURNED = frozenset({"stripe-notice", "set-cookie"})


class Carrier(stripe.HTTPClient):
    """The package's HTTP client on our transport; pacing, retries and records happen there.

    Credentials travel as HTTP Basic, the key as the user and no password (fact S1.1).
    The client's description names this program and the package, not the machine around it.
    """

    name = "httpx2"

    def __init__(self, transport: Transport) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - one parameter is untyped
        self._transport = transport
        self._agent = f"Stripe/v1 PythonBindings/{stripe.VERSION} ml-connector/{OURS}"
        self._description = json.dumps(
            {
                "bindings_version": stripe.VERSION,
                "lang": "python",
                "httplib": self.name,
                "application": {"name": "ml-connector", "version": OURS},
            }
        )

    async def request_async(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: str | bytes | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request as the package composed it; raises the connector's own errors."""
        body = post_data.encode() if isinstance(post_data, str) else post_data
        notes = {RESOURCE, CONTROL}
        response = await self._transport.send(
            Request(
                method.upper(),
                url,
                self._headers({k: v for k, v in headers.items() if k not in notes}),
                body,
                repeatable=method.upper() != "POST" or "Idempotency-Key" in headers,
            ),
            resource=headers.get(RESOURCE, ""),
            control=CONTROL in headers,
        )
        kept = {k: v for k, v in response.headers.items() if k not in _NEVER_RETURNED}
        return response.body, response.status, kept

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        key = headers["Authorization"].removeprefix(_BEARER)
        return {
            **headers,
            "Authorization": f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}",
            "User-Agent": self._agent,
            "X-Stripe-Client-User-Agent": self._description,
        }
