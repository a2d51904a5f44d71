"""`python -m ml_sandbox`: `up` runs both sandboxes, `month` lets a month happen in them."""

import argparse
import sys
from collections.abc import Sequence

from ml_sandbox import up
from ml_sandbox.month import command as month


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m ml_sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module, text in (
        ("up", up, "run the Stripe and the Acumatica sandbox"),
        ("month", month, "live through October 2026 in two running sandboxes"),
    ):
        part = commands.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(part)
        part.set_defaults(run=module.run)
    given = parser.parse_args(arguments)
    run = up.run if given.command == "up" else month.run
    return run(given)


if __name__ == "__main__":
    sys.exit(main())
