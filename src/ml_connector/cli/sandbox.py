"""The sandboxes, started from the same command; the product itself never imports them."""

import subprocess
import sys

from cyclopts import App

from ml_connector.cli.frame import Json

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
