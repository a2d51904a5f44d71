"""`python -m ml_sandbox month`: lives through October 2026 in two running sandboxes."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date

from ml_sandbox.month.acting import NotMirrored, Performance
from ml_sandbox.month.plan import plan
from ml_sandbox.month.sandboxes import CannotGoOn, ControlPlane, Erp, Stripe
from ml_sandbox.month.tally import Tally

NOT_MIRRORED = 3
INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `month`."""
    parser.add_argument("--stripe", required=True, metavar="URL")
    parser.add_argument("--acumatica", required=True, metavar="SITE_URL")
    parser.add_argument("--customers", type=int, default=60, metavar="N")
    parser.add_argument("--invoices", type=int, default=200, metavar="N")
    parser.add_argument("--disputes", type=int, default=0, metavar="N")
    parser.add_argument(
        "--seed", type=int, default=7, metavar="N", help="the same seed, the same month"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for the connector without any progress",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(given: argparse.Namespace) -> int:
    """Plays the month; the exit code: 0, or what failed.

    1: a sandbox refused something; 2: the sizes make no month; 3: the connector does not mirror.
    """
    try:
        month = plan(given.seed, given.customers, given.invoices, given.disputes)
    except ValueError as error:
        return _complain(error, 2)
    with (
        ControlPlane("Stripe", given.stripe) as stripe,
        ControlPlane("Acumatica", given.acumatica) as erp,
    ):
        performance = Performance(month, Stripe(stripe), Erp(erp), patience=given.patience)
        try:
            tally = performance.play(given.seed, _teller(as_json=given.json))
        except NotMirrored as error:
            return _complain(error, NOT_MIRRORED)
        except CannotGoOn as error:
            return _complain(error, 1)
        except KeyboardInterrupt:
            return INTERRUPTED
    _say(json.dumps(tally.expected()) if given.json else _readable(tally))
    return 0


def _complain(error: Exception, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


def _say(text: str) -> None:
    """One line out at once: whoever reads may be a program that shows progress."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _teller(*, as_json: bool) -> Callable[[date, Tally], None]:
    def tell(day: date, tally: Tally) -> None:
        counts = {
            "invoices": tally.counts["invoices"],
            "paid": tally.paid_in_full,
            **{name: tally.counts[name] for name in ("payments", "declines", "refunds", "payouts")},
        }
        if as_json:
            _say(json.dumps({"day": day.isoformat(), **counts}))
        else:
            shown = "  ".join(f"{name} {count:>4}" for name, count in counts.items())
            _say(f"{day:%a %d %b}   {shown}")

    return tell


def _readable(tally: Tally) -> str:
    lines = ["", "The month is over. Both sides' books must now show:"]
    lines += [_row(name, str(count)) for name, count in tally.facts().items()]
    for currency, flows in tally.amounts().items():
        lines += [_row(f"{currency} {name}", amount) for name, amount in flows.items()]
    return "\n".join(lines)


def _row(name: str, value: str) -> str:
    return f"  {name.replace('_', ' '):<16}{value:>16}"
