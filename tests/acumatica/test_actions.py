"""Actions: asked about until they are done, alone on their form, and never lost silently."""

import asyncio

import httpx2
import pytest

from acumatica.stand_in import (
    STATUS,
    accepted,
    client,
    http_error,
    payment_record,
    scripted,
)
from ml_connector.acumatica.errors import NotReleasable
from ml_connector.basics.errors import AskAPerson, Misconfigured, OutcomeUnknown
from ml_connector.basics.ids import ErpRef

pytestmark = pytest.mark.anyio

UNKNOWN = "PX.Api.ContractBased.NoEntitySatisfiesTheConditionException"


async def test_an_operation_that_takes_longer_is_asked_again() -> None:
    erp, site = client(scripted(accepted(), httpx2.Response(202), httpx2.Response(204)))
    await erp.release_payment(ErpRef("Payment|000078"))
    assert len(site.seen) == 3


async def test_an_action_done_at_once_is_one_call() -> None:
    erp, site = client(scripted(httpx2.Response(204)))
    await erp.release_payment(ErpRef("Payment|000078"))
    assert len(site.seen) == 1


async def test_a_failure_of_the_operation_is_told_with_its_cause() -> None:
    failed = httpx2.Response(500, json=http_error("The 01-2026 period is closed."))
    erp, _ = client(scripted(accepted(), failed))
    with pytest.raises(AskAPerson) as caught:
        await erp.release_payment(ErpRef("Payment|000078"))
    assert caught.value.cause == "acumatica.period_closed:012026"


@pytest.mark.parametrize(
    "answers",
    [
        (accepted(), httpx2.Response(404)),
        (accepted(), httpx2.Response(500, json=http_error("No entity satisfies", UNKNOWN))),
        (accepted(), httpx2.ReadError("cut"), httpx2.ReadError("cut")),
        (accepted(""),),
        (httpx2.ReadTimeout("late"),),
    ],
    ids=["no such place", "forgotten", "line cut", "no location", "no answer"],
)
async def test_a_release_whose_end_was_not_seen_has_an_unknown_outcome(
    answers: tuple[httpx2.Response | Exception, ...],
) -> None:
    erp, _ = client(scripted(*answers))
    with pytest.raises(OutcomeUnknown):
        await erp.release_payment(ErpRef("Payment|000078"))


async def test_a_token_is_never_sent_to_another_host() -> None:
    erp, site = client(scripted(accepted("https://elsewhere.example/status/1")))
    with pytest.raises(Misconfigured, match="another host"):
        await erp.release_payment(ErpRef("Payment|000078"))
    assert len(site.seen) == 1


@pytest.mark.parametrize("status", ["Open", "Closed"])
async def test_releasing_what_is_released_already_is_fine(status: str) -> None:
    disabled = http_error("The Release button is disabled.", "PX.Data.PXActionDisabledException")
    found = httpx2.Response(200, json=payment_record(status))
    erp, site = client(scripted(httpx2.Response(500, json=disabled), found))
    await erp.release_payment(ErpRef("Payment|000078"))
    assert len(site.seen) == 2


async def test_releasing_what_is_on_hold_asks_a_person() -> None:
    disabled = http_error("The Release button is disabled.", "PX.Data.PXActionDisabledException")
    found = httpx2.Response(200, json=payment_record("On Hold"))
    erp, _ = client(scripted(httpx2.Response(500, json=disabled), found))
    with pytest.raises(NotReleasable):
        await erp.release_payment(ErpRef("Payment|000078"))


async def test_other_calls_on_the_form_wait_until_the_release_is_done() -> None:
    """The site refuses any call on the form while it releases, as the real one does."""
    running = False

    def strict(request: httpx2.Request) -> httpx2.Response:
        nonlocal running
        if request.method == "POST":
            running = True
            return accepted()
        if request.url.path == STATUS:
            running = False
            return httpx2.Response(204)
        assert not running, "a call came between a release and its end"
        return httpx2.Response(200, json=payment_record("Closed"))

    erp, site = client(strict)
    ref = ErpRef("Payment|000078")
    await asyncio.gather(
        *(erp.release_payment(ref) for _ in range(3)), *(erp.payment(ref) for _ in range(5))
    )
    assert len(site.seen) == 11
