"""What if, asked of part captures and of money back that was on no invoice."""

import pytest

from build.clerks import by_cheque
from build.policies import mapping_with
from build.world import World
from ml_connector.books.what_if import Outcome
from ml_connector.flows.mapping.mapping_change import propose
from ml_connector.flows.mapping.mapping_edit import put
from ml_connector.flows.questions.what_if import WhatIf, what_if

pytestmark = pytest.mark.anyio

REFUND_FAILS = "4000000000005126"


async def tried(world: World, text: str) -> WhatIf:
    """What the last days would be under a text."""
    proposal = await propose(world.store, world.id, text)
    return await what_if(await world.connected(), proposal.mapping, 90)


def left_to(account: str) -> str:
    return mapping_with(f'[pairs]\n"refund/partial_capture_reversal" = "{account}"\n')


async def test_of_a_part_that_was_captured_only_what_was_left_would_go_elsewhere(
    world: World,
) -> None:
    await world.change(mapping_text=left_to("24400"))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    made = await world.stripe_api(
        "payment_intents", amount="10000", currency="usd", confirm="true",
        payment_method="pm_card_visa", capture_method="manual",
        **{"metadata[erp_invoice]": ref.partition("|")[2]},
    )  # fmt: skip
    await world.stripe_api(f"payment_intents/{made['id']}/capture", amount_to_capture="6000")
    await world.live()
    await world.pass_minutes(1)
    await world.live()
    await world.all_posted()
    assert (await tried(world, left_to("24400"))).differing == []
    found = await tried(world, left_to("40900"))
    assert found.not_known == []
    received = next(one for one in found.differing if one.transaction.type != "refund")
    assert (received.before.waits, received.after.waits) == ("", "")
    assert by_account(received.after) == {
        "10650": 9680, "61100": 320, "accounts receivable": -6000, "40900": -4000,
    }  # fmt: skip


def by_account(found: Outcome) -> dict[str, int]:
    """What stands on each account, in cents."""
    sums: dict[str, int] = {}
    for place, moved in found.moves.items():
        sums[place.account] = sums.get(place.account, 0) + sum(one.minor for one in moved)
    return sums


@pytest.mark.parametrize("card", ["", REFUND_FAILS])
async def test_money_back_that_was_on_no_invoice_touches_no_sale_under_any_policy(
    world: World, card: str
) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref, card=card)
    await by_cheque(world, ref, 20)
    await world.live()
    await world.refund(charge, 2000)
    await world.live()
    await world.all_posted()
    for other in (
        mapping_with(refunds='"credit_memo"'),
        put(mapping_with(), "accounts.refunds", "40000"),
    ):
        found = await tried(world, other)
        assert (found.differing, found.not_known) == ([], [])


async def test_a_credit_memo_would_be_a_journal_and_its_failure_too(world: World) -> None:
    await world.change(mapping_text=mapping_with(refunds='"credit_memo"'))
    ref = await world.an_invoice("100.00")
    await world.mirror()
    charge = await world.pay(ref, card=REFUND_FAILS)
    await world.live()
    await world.refund(charge, 2000)
    await world.live()
    await world.all_posted()
    assert (await tried(world, mapping_with(refunds='"credit_memo"'))).differing == []
    found = await tried(world, mapping_with(refunds='"journal"'))
    assert found.not_known == []
    moved = sorted(by_account(one.after)["40900"] for one in found.differing)
    assert moved == [-2000, 2000]
