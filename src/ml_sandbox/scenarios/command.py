"""`python -m ml_sandbox scenarios` and `run NAME`: stories told, and acted out."""

import argparse
import json
import sys

from ml_sandbox.month.sandboxes import CannotGoOn
from ml_sandbox.scenarios.registry import Scenario, scenarios
from ml_sandbox.scenarios.stage import NotDone, on_stage

UNKNOWN, REFUSED, NOT_DONE = 2, 1, 3


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `run`."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--stripe", required=True, metavar="URL")
    parser.add_argument("--acumatica", required=True, metavar="SITE_URL")
    parser.add_argument(
        "--stripe-key",
        default="",
        metavar="KEY",
        help="the key that the connector uses, for scenarios in which it is revoked",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for the connector to do what the story needs",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def add_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `scenarios`."""
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(given: argparse.Namespace) -> int:
    """Acts one scenario out; prints what the books must then show.

    The exit code: 0, 1 when a sandbox refused something, 2 for an unknown name, 3 when the
    connector has not done what the story waits for.
    """
    chosen = scenarios().get(given.name)
    if chosen is None:
        return _complain(f"There is no scenario {given.name!r}: see `scenarios`.", UNKNOWN)
    try:
        with on_stage(
            given.stripe, given.acumatica, key=given.stripe_key, patience=given.patience
        ) as stage:
            expected = chosen.act(stage).facts()
    except NotDone as error:
        return _complain(str(error), NOT_DONE)
    except CannotGoOn as error:
        return _complain(str(error), REFUSED)
    if given.json:
        _say(json.dumps({"scenario": chosen.name, "expected": expected}))
    else:
        _say(chosen.story + "\n\nThe books must now show:")
        for name, value in expected.items():
            if value:
                _say(f"  {name.replace('_', ' '):<18}{value}")
    return 0


def tell(given: argparse.Namespace) -> int:
    """Lists every scenario with its first line."""
    known = list(scenarios().values())
    if given.json:
        _say(json.dumps({"scenarios": [_facts(one) for one in known]}))
        return 0
    theme = ""
    for one in known:
        if one.theme != theme:
            theme = one.theme
            _say(f"\n{theme}")
        _say(f"  {one.name:<38}{one.headline}")
    return 0


def _facts(one: Scenario) -> dict[str, str]:
    return {
        "name": one.name,
        "theme": one.theme,
        "headline": one.headline,
        "story": one.story,
        "choice": one.choice,
    }


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    return code


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
