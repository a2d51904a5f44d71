"""The sandboxes, started from the same command; the product itself never imports them."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ml_connector.basics.errors import ConnectorError
from ml_connector.cli.frame import Exit, Json, failed, progress_wanted

if TYPE_CHECKING:  # a trial needs the database's programs, and `--help` does not
    from ml_connector.cli.trials.trial import Trial

sandbox = App(name="sandbox", help="Stand-ins for Acumatica and Stripe, for trials and tests.")


@sandbox.command
def up(*, stripe_port: int = 0, acumatica_port: int = 0, seed: int = 0, json: Json = False) -> int:
    """Run both sandboxes on loopback until stopped.

    With --json one line is printed once they are ready:
    {"stripe": {"url", "key", "webhook_secret"}, "acumatica": {"url", "endpoint", "tenant",
    "user", "password", "client_id", "client_secret"}}

    Parameters
    ----------
    stripe_port
        Port of the Stripe sandbox; a free one by default.
    acumatica_port
        Port of the Acumatica sandbox; a free one by default.
    seed
        Makes ids and secrets repeatable.
    """
    options = ["--stripe-port", str(stripe_port), "--acumatica-port", str(acumatica_port)]
    options += ["--seed", str(seed), *(["--json"] if json else [])]
    command = [sys.executable, "-m", "ml_sandbox", "up", *options]
    with subprocess.Popen(command) as child:  # noqa: S603 - our own module
        try:
            return child.wait()
        except KeyboardInterrupt:
            return child.wait()


@sandbox.command(name="list")
def list_(*, json: Json = False) -> int:
    """List the scenarios that can be acted out: what happens, in one line each."""
    from ml_connector.cli import show
    from ml_connector.cli.trials.trial import stories

    known = stories()
    if json:
        show.as_json({"scenarios": known})
    else:
        rows = [(one["theme"], one["name"], one["headline"]) for one in known]
        show.table("Scenarios", ("theme", "name", "what happens"), rows)
    return Exit.OK


@sandbox.command
def run(
    name: str,
    *,
    keep: Annotated[Path | None, Parameter(help="Keep the logs in this folder.")] = None,
    json: Json = False,
) -> int:
    """Act a scenario out, and show whether the books say what its story says.

    Starts both sandboxes and the service as real processes on loopback, on a database of its own.
    Exit code 0 when every document is as expected and no cent is unnamed.

    Parameters
    ----------
    name
        The scenario, or `all` for each of them in turn.
    """
    from ml_connector.cli import show
    from ml_connector.cli.trials.trial import show_trial, show_trials

    try:
        trials = _played(name, keep, shown=progress_wanted(as_json=json))
    except ConnectorError as error:
        return failed(error, as_json=json)
    holds = all(one.holds for one in trials)
    if json and name == "all":
        show.as_json({"holds": holds, "scenarios": [one.facts for one in trials]})
    elif json:
        show.as_json(trials[0].facts)
    elif name == "all":
        show_trials(trials)
    else:
        show_trial(trials[0])
    return Exit.OK if holds else Exit.ATTENTION


def _played(name: str, keep: Path | None, *, shown: bool) -> "list[Trial]":
    """Each scenario in turn, on one PostgreSQL server."""
    from ml_connector.cli import show
    from ml_connector.cli.trials.stage import folder
    from ml_connector.cli.trials.trial import chosen, database_server, play

    names = chosen(name)
    with ExitStack() as stack:
        place = folder(stack, keep)
        server = stack.enter_context(database_server(place))
        bar = stack.enter_context(show.progress(shown=shown))
        task = bar.add_task("", total=len(names)) if bar else None
        trials: list[Trial] = []
        for one in names:
            if bar and task is not None:
                bar.update(task, description=one)
            trials.append(play(one, server, place))
            if bar and task is not None:
                bar.update(task, advance=1)
        return trials
