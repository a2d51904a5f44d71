"""Versions: what each holds, and sentences for a version that is not there."""

import pytest

from ml_connector.acumatica.versions import EndpointVersion, Site, check_offered
from ml_connector.basics.errors import Misconfigured


@pytest.mark.parametrize(
    ("version", "feature", "there"),
    [
        ("20.200.001", "Payment.ExternalRef", False),
        ("22.200.001", "Payment.ExternalRef", True),
        ("22.200.001", "SalesInvoice.LastModifiedDateTime", False),
        ("23.200.001", "SalesInvoice.LastModifiedDateTime", True),
        ("23.200.001", "CashTransaction", False),
        ("25.200.001", "CashTransaction", True),
        ("20.200.001", "Payment.PaymentRef", True),
    ],
)
def test_a_version_holds_a_feature_from_the_one_that_brought_it(
    version: str, feature: str, there: bool
) -> None:
    assert EndpointVersion("Default", version).supports(feature) is there


@pytest.mark.parametrize("written", ["Default", "24.200.001", "", "Default/", "Default/latest"])
def test_an_endpoint_written_wrongly_says_how_to_write_it(written: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        EndpointVersion.parse(written)
    assert "24.200.001" in caught.value.remedy


def test_an_endpoint_is_read_as_it_is_written() -> None:
    assert str(EndpointVersion.parse(" Default/24.200.001/ ")) == "Default/24.200.001"


def site(*written: str) -> Site:
    return Site("25.200.0100", tuple(EndpointVersion.parse(one) for one in written))


def test_a_version_must_be_listed_exactly() -> None:
    offered = site("Default/24.200.001", "Mine/24.200.002")
    check_offered(offered, EndpointVersion("Default", "24.200.001"))
    with pytest.raises(Misconfigured, match=r"it offers Default/24.200.001, Mine/24.200.002"):
        check_offered(offered, EndpointVersion("Default", "24.200.002"))


def test_the_fifth_contract_is_not_spoken_and_a_custom_endpoint_is() -> None:
    offered = site("Default/26.200.001", "Mine/1.0")
    check_offered(offered, EndpointVersion("Mine", "1.0"))
    with pytest.raises(Misconfigured, match="does not speak"):
        check_offered(offered, EndpointVersion("Default", "26.200.001"))
