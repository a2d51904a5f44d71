"""`python -m ml_sandbox month`: October 2026, or with `--months` any months in five currencies."""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import date

from ml_sandbox.month import command as one_month
from ml_sandbox.month.command import INTERRUPTED, NOT_MIRRORED
from ml_sandbox.month.sandboxes import CannotGoOn
from ml_sandbox.scenarios.stage import NotDone, on_stage
from ml_sandbox.year.acting import Heard, play
from ml_sandbox.year.life import Life
from ml_sandbox.year.office import release_what_waits
from ml_sandbox.year.plan import plan_year
from ml_sandbox.year.tally import Tally

FIRST = "2026-01"
RELEASE = "release"
SHOWN = ("invoices", "settled", "payouts", "lost", "checks")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `month`."""
    one_month.add_arguments(parser)
    parser.add_argument(
        "--months",
        type=int,
        default=0,
        metavar="N",
        help="so many months with everything that happens; --invoices are those of each month",
    )
    parser.add_argument(
        "--first", type=_month, default=_month(FIRST), metavar="YYYY-MM", help="the first month"
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="after each month, and when its period is closed, wait for a line on standard input;"
        " `release` has the accountant release what waits for that, any other line goes on",
    )
    parser.add_argument(
        "--mark",
        default="demo",
        metavar="NAME",
        help="the connection's name, by which people mark customers at Stripe as its own",
    )


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a month like {FIRST}") from error


def run(given: argparse.Namespace) -> int:
    """Plays what was asked for; exit codes as of the one month."""
    return _run_months(given) if given.months else one_month.run(given)


def _run_months(given: argparse.Namespace) -> int:
    tally = Tally()
    try:
        year = plan_year(
            given.seed,
            given.first,
            given.months,
            customers=given.customers,
            invoices=given.invoices,
        )
        with on_stage(given.stripe, given.acumatica, patience=given.patience) as stage:
            heard = Heard(
                _teller(as_json=given.json),
                _ender(wait=given.wait),
                _closer(wait=given.wait),
                _say_reopened,
            )
            tally = play(year, stage, given.mark, given.seed, heard)
    except ValueError as error:
        return _complain(error, 2)
    except NotDone as error:
        return _complain(error, NOT_MIRRORED)
    except CannotGoOn as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    _say(json.dumps({"done": True, **tally.facts()}))
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
        counts = {name: tally.counts[name] for name in SHOWN}
        if as_json:
            _say(json.dumps({"day": day.isoformat(), **counts}))
        else:
            shown = "  ".join(f"{name} {count:>4}" for name, count in counts.items())
            _say(f"{day:%a %d %b %Y}   {shown}")

    return tell


def _ender(*, wait: bool) -> Callable[[date, Life], None]:
    """At a month's end an accountant releases what waits, as often as a line asks for it."""

    def end(month: date, life: Life) -> None:
        _say(json.dumps({"month": f"{month:%Y-%m}", **life.tally.facts()}))
        while wait and sys.stdin.readline().strip() == RELEASE:
            _say(json.dumps({"released": release_what_waits(life)}))

    return end


def _closer(*, wait: bool) -> Callable[[date], None]:
    def closed(month: date) -> None:
        _say(json.dumps({"closed": f"{month:%Y-%m}"}))
        if wait:
            sys.stdin.readline()

    return closed


def _say_reopened(month: date) -> None:
    _say(json.dumps({"reopened": f"{month:%Y-%m}"}))
