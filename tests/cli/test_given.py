"""What a person gives to `connect`, joined with what is stored."""

import json
from datetime import date
from pathlib import Path

import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.cli import given
from ml_connector.cli.given import Options
from ml_connector.store.connections import Secrets, SignIn

LINE = {
    "stripe": {"url": "http://127.0.0.1:1", "key": "sk_test_1", "webhook_secret": "whsec_1"},
    "acumatica": {
        "url": "http://127.0.0.1:2/Site",
        "endpoint": "Default/24.200.001",
        "tenant": "U100",
        "user": "admin",
        "password": "123",
        "client_id": "GUID@U100",
        "client_secret": "s3cret",
    },
}


def of_line(tmp_path: Path, options: Options | None = None) -> tuple[Options, Secrets]:
    place = tmp_path / "sandbox.json"
    place.write_text(json.dumps(LINE), "utf-8")
    return given.of_sandbox(str(place), options or Options())


def test_the_line_of_a_sandbox_makes_a_whole_connection(tmp_path: Path) -> None:
    options, secrets = of_line(tmp_path)
    made = given.joined("trial", options, secrets, None)
    assert made.acumatica.url == "http://127.0.0.1:2/Site"
    assert (made.acumatica.endpoint, made.acumatica.version) == ("Default", "24.200.001")
    assert made.acumatica.sign_in is SignIn.PASSWORD
    assert made.stripe.livemode is False
    assert secrets.acumatica_password == "123"


def test_an_option_wins_over_the_line_of_the_sandbox(tmp_path: Path) -> None:
    options, _ = of_line(tmp_path, Options(endpoint="Default/22.200.001", tenant="T2"))
    assert options.endpoint == "Default/22.200.001"
    assert options.tenant == "T2"


def test_a_live_key_makes_a_live_connection() -> None:
    options = Options(acumatica_url="https://erp.example.com/A")
    made = given.joined("main", options, Secrets(stripe_key="sk_live_1"), None)
    assert made.stripe.livemode is True


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (Options(), "--acumatica-url"),
        (Options(acumatica_url="erp.example.com"), "--acumatica-url"),
        (Options(acumatica_url="https://e", endpoint="24.200.001"), "--endpoint"),
        (Options(acumatica_url="https://e", endpoint="Default/"), "--endpoint"),
        (Options(acumatica_url="https://e", sign_in="magic"), "--sign-in"),
        (Options(acumatica_url="https://e", time_zone="Mars/City"), "--time-zone"),
        (Options(acumatica_url="https://e", start="yesterday"), "--start"),
    ],
)
def test_an_option_that_cannot_be_is_named_with_its_remedy(options: Options, names: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        given.joined("main", options, Secrets(), None)
    assert names in refused.value.sentence
    assert refused.value.remedy


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ü", "../x"])
def test_a_name_that_would_break_an_address_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="NAME"):
        given.joined(name, Options(acumatica_url="https://e"), Secrets(), None)


@pytest.mark.parametrize("text", ["", "no json", "{}", '{"stripe": 1, "acumatica": 2}', "[]"])
def test_what_no_sandbox_printed_is_refused_with_what_to_run(tmp_path: Path, text: str) -> None:
    place = tmp_path / "odd.json"
    place.write_text(text, "utf-8")
    with pytest.raises(Misconfigured, match="sandbox up --json"):
        given.of_sandbox(str(place), Options())


def test_the_start_is_kept_when_it_is_not_given_again() -> None:
    options = Options(acumatica_url="https://e", start="2026-10-01")
    assert given.joined("main", options, Secrets(), None).start_date == date(2026, 10, 1)


def test_secrets_come_from_the_environment_before_the_line() -> None:
    known = Secrets(stripe_key="sk_test_line", acumatica_password="123")
    found = given.secrets_of(known, {"ML_STRIPE_KEY": "sk_test_env"})
    assert found == Secrets(stripe_key="sk_test_env", acumatica_password="123")


@pytest.mark.parametrize(
    "options", [Options(every=-1), Options(quiet=-1), Options(calls_per_minute=-1)]
)
def test_a_negative_number_is_refused_by_name(tmp_path: Path, options: Options) -> None:
    joined, secrets = of_line(tmp_path, options)
    with pytest.raises(Misconfigured, match=r"--(every|quiet|calls-per-minute)"):
        given.joined("trial", joined, secrets, None)
