"""Automatic finalizing: a draft with auto_advance becomes open about an hour after it was made."""

from datetime import timedelta

from ml_sandbox.stripe.calls import Call, Handler, Routes
from ml_sandbox.stripe.errors import StripeError
from ml_sandbox.stripe.events import emit
from ml_sandbox.stripe.invoice_actions import finalized
from ml_sandbox.stripe.invoices import create, update
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

AFTER = timedelta(hours=1)


def advancing(act: Handler) -> Handler:
    """A create or update that also plans automatic finalizing when it was asked for."""

    def acted(world: World, call: Call) -> Obj:
        invoice = act(world, call)
        if call.params.get("auto_advance") and invoice["status"] == "draft":
            world.schedule.at(world.moment() + AFTER, lambda: advance(world, invoice["id"]))
        return invoice

    return acted


def advance(world: World, key: str) -> None:
    """Finalizes a draft; on failure it stays one and shows why."""
    invoice = world.tables["invoice"].rows.get(key)
    if invoice is None or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    try:
        finalized(world, invoice)
    except StripeError as error:
        invoice["last_finalization_error"] = error.error
        emit(world, "invoice.finalization_failed", invoice)


ROUTES: Routes = {
    "POST /v1/invoices": advancing(create),
    "POST /v1/invoices/{invoice}": advancing(update),
}
