"""What no document settles about either service must not matter: a story under every setting.

The story: an invoice with several lines, paid in two parts, another one refunded in part, a
payout proven. After it the books agree and nothing waits. Settings of different switches share a
story, several of each service, as they would in life; `make long` runs each by itself.
"""

import os
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from build.world import World, a_world
from ml_connector.flows.promise.tie_out import measure
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
    {"void_date": "kept"},
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
    for found in await measure(await world.connected()):
        assert found.holds, found  # what is released and nobody has posted yet is named
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


TOGETHER = 1 if os.environ.get("ML_EXAMPLES") else 5


def packs(settings: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Settings joined, so many in each, no switch twice in one."""
    found: list[list[dict[str, Any]]] = []
    for setting in settings:
        free = (
            one for one in found if len(one) < size and not any(setting.keys() & s for s in one)
        )
        place = next(free, None)
        if place is None:
            found.append([setting])
        else:
            place.append(setting)
    return [{name: value for one in pack for name, value in one.items()} for pack in found]


ERP_PACKS = packs(ACUMATICA, TOGETHER)
STRIPE_PACKS = packs(STRIPE, 2 if TOGETHER > 1 else 1)
PAIRS = [
    (ERP_PACKS[n] if n < len(ERP_PACKS) else {}, STRIPE_PACKS[n] if n < len(STRIPE_PACKS) else {})
    for n in range(max(len(ERP_PACKS), len(STRIPE_PACKS)))
]


@pytest.mark.parametrize(("erp", "stripe"), PAIRS, ids=named)
async def test_the_books_agree_however_both_services_behave(
    world: World, erp: dict[str, Any], stripe: dict[str, Any]
) -> None:
    await world.erp.tell("switches", erp)
    await world.stripe.tell("switches", stripe)
    await a_story(world)
    await the_books_agree(world)


def test_every_setting_is_met() -> None:
    met = [item for erp, stripe in PAIRS for item in (erp | stripe).items()]
    assert len(met) == sum(len(one) for one in (*ACUMATICA, *STRIPE))
