"""`python -m ml_sandbox`: `up` runs both sandboxes, `month` and `run` let things happen in them."""

import argparse
import sys
from collections.abc import Sequence

from ml_sandbox import up
from ml_sandbox.scenarios import command as scenarios
from ml_sandbox.year import command as month


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml_sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text, told, add_arguments, run in (
        ("up", "run the Stripe and the Acumatica sandbox", up.__doc__, up.add_arguments, up.run),
        (
            "month",
            "live through October 2026, or any months, in two running sandboxes",
            month.__doc__,
            month.add_arguments,
            month.run,
        ),
        (
            "run",
            "act one scenario out in two running sandboxes",
            scenarios.__doc__,
            scenarios.add_run_arguments,
            scenarios.run,
        ),
        (
            "scenarios",
            "list the scenarios",
            scenarios.__doc__,
            scenarios.add_list_arguments,
            scenarios.tell,
        ),
    ):
        part = commands.add_parser(name, help=text, description=told)
        add_arguments(part)
        part.set_defaults(act=run)
    given = parser.parse_args(arguments)
    code: int = given.act(given)
    return code


if __name__ == "__main__":
    sys.exit(main())
