"""Addresses and filters as the contract writes them: URLs, keys, OData-like literals."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urljoin, urlsplit

from ml_connector.acumatica.versions import EndpointVersion
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ErpRef, erp_keys


def quoted(value: str) -> str:
    """A text literal of `$filter`; a quote inside is doubled."""
    return "'" + value.replace("'", "''") + "'"


def moment(at: datetime) -> str:
    """An instant literal of `$filter`, in UTC with milliseconds."""
    utc = at.astimezone(UTC)
    return f"datetimeoffset'{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+00:00'"


def keys_of(ref: ErpRef) -> str:
    """A record's keys as a URL path."""
    return "/".join(quote(key, safe="") for key in erp_keys(ref))


def addressable(ref: ErpRef) -> bool:
    """Whether a record can be addressed by its keys: a slash inside one cannot (fact A1.1)."""
    return not any("/" in key for key in erp_keys(ref))


def query_string(query: Mapping[str, str]) -> str:
    """A query with its options percent-encoded; empty when there is none."""
    pairs = [f"{name}={quote(value, safe=',/')}" for name, value in query.items() if value]
    return "?" + "&".join(pairs) if pairs else ""


class Addresses:
    """The addresses of one endpoint on one site."""

    def __init__(self, url: str, endpoint: EndpointVersion) -> None:
        split = urlsplit(url)
        if split.scheme not in ("http", "https") or not split.netloc:
            raise Misconfigured(
                "The address of Acumatica is not a URL.",
                cause="acumatica.address",
                remedy="Write it with https:// and, if there is one, the site's directory.",
            )
        self.base = url.rstrip("/")
        self._origin = f"{split.scheme}://{split.netloc}"
        self._endpoint = endpoint

    @property
    def site(self) -> str:
        """Where a site lists its endpoints."""
        return f"{self.base}/entity"

    def of(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of an entity, a record or an action of the endpoint."""
        return f"{self.base}/entity/{self._endpoint}/{path}{query_string(query or {})}"

    def operation(self, location: str) -> str:
        """The address of a running operation: rooted at the host, not at the site's directory.

        Raises Misconfigured when it points to another host, to which no token may be sent.
        """
        address = urljoin(self._origin + "/", location)
        if not address.startswith(self._origin + "/"):
            raise Misconfigured(
                "Acumatica points to an operation on another host than the connection's.",
                cause="acumatica.foreign_location",
                remedy="Use the address under which the site knows itself.",
            )
        return address
