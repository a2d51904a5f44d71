"""The command tree."""

from cyclopts import App

from ml_connector.cli import (
    books,
    demo,
    exchange,
    golive,
    keys,
    late,
    plans,
    proofs,
    repairs,
    sandbox,
    screen,
    service,
    setup,
    work,
)

app = App(
    name="ml-connector",
    help="Keeps Acumatica Cloud ERP and Stripe telling the same story about money, to the cent.\n\n"
    "Exit codes: 0 all is well, 1 something asks for a person, 2 misconfigured, 3 try later.",
    version="0.1.0",
    default_parameter=None,
)
app.command(demo.demo)
app.command(service.serve)
app.command(service.worker)
app.command(setup.connect)
app.command(setup.authorize)
app.command(setup.ping)
app.command(setup.pause)
app.command(setup.resume)
app.command(work.sync)
app.command(work.status)
app.command(plans.plan)
app.command(plans.apply)
app.command(plans.decline)
app.command(plans.shadow)
app.command(work.explain)
app.command(work.replay)
app.command(repairs.undo)
app.command(repairs.guardian)
app.command(books.tieout)
app.command(proofs.proof)
app.command(keys.keys)
app.command(books.audit)
app.command(screen.mapping)
app.command(golive.opening)
app.command(golive.backfill)
app.command(late.late)
app.command(late.acknowledge)
app.command(exchange.exchange)
app.command(sandbox.sandbox)
app.command(service.db)
