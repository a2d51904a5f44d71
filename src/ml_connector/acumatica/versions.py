"""Which endpoint version is spoken, and what each version can hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ml_connector.basics.errors import Misconfigured

SINCE = {
    "Payment.ExternalRef": "22.200.001",
    "Payment.AvailableBalance": "22.200.001",
    "Payment.Charges": "23.200.001",
    "InvoiceDetail.TaxCategory": "22.200.001",
    "Customer.Email": "23.200.001",
    "SalesInvoice.LastModifiedDateTime": "23.200.001",
    "CashTransaction": "24.200.001",
}
"""The first version of each feature that the oldest one lacks (fact A6)."""

OLDEST = "20.200.001"
FIFTH_CONTRACT = "26.200.001"


def parts(version: str) -> tuple[int, ...]:
    """A version as numbers that compare; raises Misconfigured when it has another form."""
    pieces = version.split(".")
    if not all(piece.isdecimal() for piece in pieces):
        raise Misconfigured(
            f"{version!r} is not an endpoint version.",
            cause="acumatica.version_form",
            remedy="Write it as Acumatica lists it, such as 24.200.001.",
        )
    return tuple(int(piece) for piece in pieces)


@dataclass(frozen=True, slots=True)
class EndpointVersion:
    """An endpoint by name and version, as it stands in the URL: `Default/24.200.001`."""

    name: str
    version: str

    @classmethod
    def parse(cls, written: str) -> Self:
        """Reads `Name/Version`; raises Misconfigured when it is not that."""
        name, slash, version = written.strip().strip("/").partition("/")
        if not name or not slash:
            raise Misconfigured(
                f"{written!r} is not an Acumatica endpoint.",
                cause="acumatica.endpoint_form",
                remedy="Write name and version, such as Default/24.200.001.",
            )
        parts(version)
        return cls(name, version)

    def supports(self, feature: str) -> bool:
        """Whether this version holds a feature of `SINCE`; a name not listed is in all."""
        return parts(self.version) >= parts(SINCE.get(feature, OLDEST))

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Site:
    """What a site says of itself: its build and the endpoints that it offers."""

    build: str
    endpoints: tuple[EndpointVersion, ...]

    def offers(self, wanted: EndpointVersion) -> bool:
        """Whether the pair of name and version is listed, exactly."""
        return wanted in self.endpoints


def check_offered(site: Site, wanted: EndpointVersion) -> None:
    """Raises Misconfigured, naming what was asked and what is offered, when it is not there."""
    if not site.offers(wanted):
        raise not_offered(wanted, site.endpoints)
    if wanted.name != "Default":
        return
    if not parts(OLDEST) <= parts(wanted.version) < parts(FIFTH_CONTRACT):
        raise Misconfigured(
            f"The connector does not speak the contract of {wanted}.",
            cause=f"acumatica.contract:{wanted}",
            remedy=f"Choose a version from {OLDEST} to below {FIFTH_CONTRACT}.",
        )


def not_offered(wanted: EndpointVersion, offered: Iterable[EndpointVersion]) -> Misconfigured:
    """The sentence for an endpoint that a site does not have."""
    listed = ", ".join(str(one) for one in offered) or "none"
    return Misconfigured(
        f"The Acumatica site does not offer the endpoint {wanted}; it offers {listed}.",
        cause=f"acumatica.endpoint_missing:{wanted}",
        remedy="Choose one of these as the connection's endpoint.",
    )
