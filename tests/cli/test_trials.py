"""A scenario acted out by real processes, as a person starts it from the command line."""

import json
import subprocess
import sys
from typing import Any

from ml_sandbox.scenarios.registry import scenarios


def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ml_connector", "sandbox", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_every_scenario_is_listed_with_what_happens_in_it() -> None:
    listed: list[dict[str, Any]] = json.loads(command("list").stdout)["scenarios"]
    assert [one["name"] for one in listed] == list(scenarios())
    assert all(one["headline"].endswith(".") for one in listed)


def test_a_scenario_by_name_ends_with_level_books_and_what_waits_is_named() -> None:
    done = command("run", "charge-without-invoice")
    trial = json.loads(done.stdout)
    assert (done.returncode, trial["wrong"]) == (0, [])
    (item,) = trial["found"]["items"]
    assert (item["amount"]["amount"], item["amount"]["currency"]) == ("40.48", "USD")
    assert "belongs to no mirrored invoice" in item["reason"]
    assert trial["found"]["currencies"]["USD"]["difference"] == "0.00"


def test_a_scenario_that_nobody_knows_is_a_mistake_of_its_own() -> None:
    done = command("run", "no-such-story")
    assert done.returncode == 2
    assert "sandbox list" in json.loads(done.stdout)["error"]["remedy"]
