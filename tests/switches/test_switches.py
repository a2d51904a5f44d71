"""What no document settles about either service must not matter: one story under each setting.

The story: an invoice with several lines, paid in two parts, another one refunded in part, a
payout proven. After it the books agree and nothing waits.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from build.world import World, a_world
from ml_connector.store.engine import Store

pytestmark = pytest.mark.anyio

ACUMATICA: list[dict[str, Any]] = [
    {"auto_number_customers": False},
    {"hold_on_entry": False},
    {"require_payment_ref": True},
    {"auto_post": False},
    {"apply_on_create": False},
    {"refund_label": "Customer Refund"},
    {"void_status": "On Hold"},
    {"void_answer": 204},
    {"void_answer": 200},
    {"release_of_released": "silent"},
    {"branches_balance": True},
    {"restrict_closed_periods": False},
    {"validation_status": 500},
    {"unknown_endpoint_status": 500},
    {"session_limit_status": 500},
    {"forbidden_body": "html"},
    {"forbidden_body": "empty"},
    {"not_found_body": "html"},
    {"not_found_body": "empty"},
    {"precondition_body": "html"},
    {"declined_body": "html"},
    {"declined_body": "empty"},
    {"unauthorized_body": "html"},
    {"unauthorized_body": "empty"},
    {"stack_traces": False},
    {"links": False},
    {"patch_supported": False},
    {"orderby_honoured": False, "shuffle_lists": True},
    {"case_sensitive_filters": True},
    {"detail_filter": "all"},
    {"modified_offset_minutes": -480},
    {"modified_offset_minutes": 330},
    {"date_offset_minutes": 180},
    {"date_offset_minutes": -480},
    {"long_strings": "reject"},
    {"contact_edits_bump": True},
    {"bare_endpoint_list": True},
    {"offer_contract_5": True},
    {"hidden_versions": "25.200.001"},
    {"operation_ms": 100},
]

STRIPE: list[dict[str, Any]] = [
    {"search_lag_seconds": 60.0},
    {"conflict_type": "invalid_request_error"},
    {"payout_lists_own_row": False},
    {"negative_payouts": True},
    {"async_capture": False},
    {"pending_refund_moves_money": True},
    {"refunds_need_balance": True},
    {"past_due_date_refused": False},
    {"vat_percent_on_fees": "19"},
    {"credit_note_to_zero_emits_paid": False},
    {"zero_invoice_emits_payment_succeeded": False},
    {"fx_fee_row": True},
    {"webhook_retries": "live"},
    {"default_api_version": "2024-06-20"},
    {"settlement_days": 0},
]


def named(setting: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())


@pytest.fixture
async def world(store: Store) -> AsyncGenerator[World]:
    async with a_world(store) as made:
        yield made


async def a_story(world: World) -> None:
    first = await world.an_invoice("100.00", "23.45")
    second = await world.an_invoice("250.00")
    await world.mirror()
    await world.pay(first, 4000)
    await world.live()
    await world.pay(first)
    charge = await world.pay(second)
    await world.live()
    await world.refund(charge, 5000)
    await world.live()
    await world.pass_time(timedelta(days=4))
    await world.run_payouts()
    await world.live()
    await world.erp.tell("post")  # where batches are posted by hand, somebody does it


async def the_books_agree(world: World) -> None:
    assert await world.troubles() == []
    await world.all_posted()
    books = await world.erp.ask("books")
    assert books["duplicates"] == {"payments": [], "journals": []}
    assert books["receivables_open"].get("USD", 0) == 0


@pytest.mark.parametrize("setting", ACUMATICA, ids=named)
async def test_the_books_agree_however_acumatica_behaves(
    world: World, setting: dict[str, Any]
) -> None:
    await world.erp.tell("switches", setting)
    await a_story(world)
    await the_books_agree(world)


@pytest.mark.parametrize("setting", STRIPE, ids=named)
async def test_the_books_agree_however_stripe_behaves(
    world: World, setting: dict[str, Any]
) -> None:
    await world.stripe.tell("switches", setting)
    await a_story(world)
    await the_books_agree(world)
