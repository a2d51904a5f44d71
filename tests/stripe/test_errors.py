import json

import pytest

from ml_connector.basics.errors import (
    AskAPerson,
    Bug,
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    Refused,
    TryAgain,
)
from ml_connector.basics.ids import StripeId
from ml_connector.stripe.errors import Missing, NoPermission
from served import answer, cut, serving
from stripe_records import INVOICE, Connect, erp_customer, plan

pytestmark = pytest.mark.anyio
RIGHT = "Having the 'rak_invoice_read' permission would allow this request to continue."


def no(status: int, *, headers: dict[str, str] | None = None, **detail: str) -> bytes:
    return answer(status, json.dumps({"error": detail}).encode(), **(headers or {}))


READS = [
    (no(401, message="Invalid API Key"), Misconfigured, "stripe.key"),
    (no(401, code="api_key_expired"), Misconfigured, "stripe.key_expired"),
    (no(403, message=RIGHT), NoPermission, "stripe.permission:rak_invoice_read"),
    (no(403, message="No."), NoPermission, "stripe.permission:invoices"),
    (no(404, code="resource_missing", param="id"), Missing, "stripe.missing:in_1"),
    (no(404, message="Unrecognized request URL"), Misconfigured, "stripe.address"),
    (answer(301, b"", Location="https://x"), Misconfigured, "stripe.address"),
    (answer(404, b"<html>"), Misconfigured, "stripe.address"),
    (no(409, type="idempotency_error"), TryAgain, "stripe.409"),
    (no(424, type="api_error"), TryAgain, "stripe.424"),
    (no(429, code="lock_timeout"), TryAgain, "stripe.busy"),
    (no(400, code="payout_reconciliation_not_ready"), TryAgain,
     "stripe.payout_reconciliation_not_ready"),
    (no(400, code="parameter_unknown", param="foo"), Refused, "stripe.parameter_unknown:foo"),
    (no(400, code="email_invalid", param="email"), AskAPerson, "stripe.email_invalid:email"),
    (no(400, type="invalid_request_error", param="address[country]"), AskAPerson,
     "stripe.invalid_request_error:address[country]"),
    (no(400, message="You cannot combine currencies on a single customer."), AskAPerson,
     "stripe.currencies"),
    (no(400, type="idempotency_error"), Bug, "Bug"),
    (no(402, type="card_error", code="card_declined"), Refused, "stripe.card_declined"),
    (no(500, type="api_error", message="Oops"), TryAgain, "stripe.failing"),
    (answer(503, b"<html>busy</html>"), TryAgain, "stripe.unreachable"),
    (answer(200, b"<html>hello</html>"), TryAgain, "stripe.failing"),
    (answer(200, b'{"id": 7}'), Bug, "stripe.shape"),
    (cut(INVOICE), TryAgain, "stripe.unreachable"),
]  # fmt: skip


@pytest.mark.parametrize(("bytes_", "kind", "cause"), READS)
async def test_each_way_to_say_no_is_filed_by_what_to_do_next(
    connect: Connect, bytes_: bytes, kind: type[ConnectorError], cause: str
) -> None:
    async with serving(bytes_) as served:
        with pytest.raises(ConnectorError) as raised:
            await connect(served.url).invoice(StripeId("in_1"))
    assert type(raised.value) is kind
    assert raised.value.cause == cause
    assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "broken",
    [
        no(500, type="api_error"),
        answer(503, b"<html/>"),
        answer(200, b"<html/>"),
        cut(INVOICE),
        b"",
    ],
)
async def test_a_write_that_broke_at_stripe_is_unknown(connect: Connect, broken: bytes) -> None:
    async with serving(broken) as served:
        with pytest.raises(OutcomeUnknown):
            await connect(served.url).finalize_invoice(StripeId("in_1"))
    assert len({seen.headers["idempotency-key"] for seen in served.seen}) == 1


async def test_a_lost_answer_is_fetched_again_with_the_same_key(connect: Connect) -> None:
    async with serving(cut(INVOICE), answer(503, b"<html/>"), answer(200, INVOICE)) as served:
        made = await connect(served.url).finalize_invoice(StripeId("in_1"))
    assert made.id == "in_1"
    assert len(served.seen) == 3
    assert len({seen.headers["idempotency-key"] for seen in served.seen}) == 1


async def test_an_id_of_the_other_mode_is_named_as_such(connect: Connect) -> None:
    text = "No such invoice: 'in_1'; a similar object exists in live mode, but a test mode key..."
    async with serving(no(404, code="resource_missing", message=text)) as served:
        with pytest.raises(Missing, match="other mode"):
            await connect(served.url).invoice(StripeId("in_1"))


async def test_the_sentence_names_stripes_request_and_its_words(connect: Connect) -> None:
    said = no(400, message="Invalid country", param="x", headers={"Request_Id": "req_9"})
    async with serving(said) as served:
        with pytest.raises(Refused, match=r"Invalid country \(request req_9\)"):
            await connect(served.url).create_customer(erp_customer())


async def test_the_account_is_unknown_to_a_key_that_may_not_read_it(connect: Connect) -> None:
    async with serving(no(403, message="No."), answer(200, b'{"id": "acct_1"}')) as served:
        client = connect(served.url)
        assert await client.account() is None
        assert await client.account() == "acct_1"


REPLAYED = {"Idempotent_Replayed": "true"}


async def test_a_refusal_of_earlier_today_is_asked_anew(connect: Connect) -> None:
    old = no(400, code="parameter_missing", headers=REPLAYED)
    async with serving(old, old, answer(200, INVOICE)) as served:
        made = await connect(served.url).finalize_invoice(StripeId("in_1"))
    assert made.status == "open"
    assert len({seen.headers["idempotency-key"] for seen in served.seen}) == 3


async def test_a_fresh_refusal_is_not_asked_anew(connect: Connect) -> None:
    async with serving(no(400, code="parameter_missing")) as served:
        with pytest.raises(Refused):
            await connect(served.url).finalize_invoice(StripeId("in_1"))
    assert len(served.seen) == 1


async def test_a_step_refused_all_day_stops(connect: Connect) -> None:
    async with serving(no(400, code="parameter_missing", headers=REPLAYED)) as served:
        with pytest.raises(Refused, match="within a day"):
            await connect(served.url).finalize_invoice(StripeId("in_1"))
    assert len(served.seen) == 20


async def test_a_replayed_creation_that_was_deleted_is_made_anew(
    connect: Connect,
) -> None:
    replay = answer(200, INVOICE, **REPLAYED)
    gone = no(404, code="resource_missing")
    async with serving(replay, gone, answer(200, INVOICE)) as served:
        await connect(served.url).create_invoice(plan(), StripeId("cus_1"))
    first, read, second = served.seen
    assert (first.method, read.method, second.method) == ("POST", "GET", "POST")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_a_replayed_creation_that_stands_is_returned_as_it_is_now(
    connect: Connect,
) -> None:
    paid = INVOICE.replace(b'"open"', b'"paid"')
    async with serving(answer(200, INVOICE, **REPLAYED), answer(200, paid)) as served:
        made = await connect(served.url).create_invoice(plan(), StripeId("cus_1"))
    assert made.status == "paid"
    assert len(served.seen) == 2
