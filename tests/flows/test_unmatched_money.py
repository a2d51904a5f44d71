"""Money that pays no Stripe invoice of ours: found by what it says, or put where policy says."""

from decimal import Decimal

import pytest

from build.policies import mapping_with
from build.world import CUSTOMER, World
from ml_connector.basics.errors import Misconfigured
from ml_connector.flows.questions.lineage import lineage

pytestmark = pytest.mark.anyio

SUSPENSE = "24400"


async def stripe_customer(world: World) -> str:
    """The mirrored Stripe customer of the usual customer."""
    rows = world.stripe_app.world.tables["customer"]
    return next(r["id"] for r in rows if r["metadata"].get("erp_customer") == CUSTOMER)


async def paid_outside(world: World, cents: int, **facts: str) -> str:
    """A payment by card outside invoicing, made through Stripe's API; its charge."""
    made = await world.stripe_api(
        "payment_intents", amount=str(cents), currency="usd", confirm="true",
        payment_method="pm_card_visa", **facts,
    )  # fmt: skip
    await world.live()
    return str(made["latest_charge"])


async def the_payment(world: World) -> dict[str, object]:
    (payment,) = await world.documents("Payment")
    return payment


async def test_held_money_goes_at_once_where_a_new_policy_puts_it(world: World) -> None:
    owed = await world.an_invoice("12.07")
    await world.mirror()
    await paid_outside(world, 4200)
    assert "no mirrored invoice" in (await world.trouble()).sentence
    assert await world.documents("Payment") == []
    await world.books_agree()
    charge = await paid_outside(world, 1200, customer=await stripe_customer(world))
    why = await lineage(await world.connected(), charge)
    (one,) = why.unmatched
    assert [(each.invoice.ref, each.refusal) for each in one.candidates] == [
        (owed, "12.07 USD is owed of it, 0.07 USD more than the payment.")
    ]
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    await world.live()
    assert await world.ledger(SUSPENSE) == -54
    assert await world.troubles() == []
    await world.all_posted()


async def test_money_of_a_known_customer_stands_on_account(world: World) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"unapplied"'))
    await world.mirror()
    charge = await paid_outside(world, 4200, customer=await stripe_customer(world))
    payment = await the_payment(world)
    assert (payment["CustomerID"], payment["Status"]) == (CUSTOMER, "Open")
    assert payment["PaymentRef"] == charge
    assert payment["AvailableBalance"] == 42
    assert await world.states() == {"verified"}
    await world.all_posted()


async def test_money_of_an_unknown_customer_waits_even_where_others_stand_on_account(
    world: World,
) -> None:
    await world.change(mapping_text=mapping_with(unmatched='"unapplied"'))
    await world.mirror()
    await paid_outside(world, 4200)
    assert "payer is not known" in (await world.trouble()).sentence
    assert await world.documents("Payment") == []
    await world.books_agree()


async def test_suspense_without_an_account_waits_and_names_the_role(world: World) -> None:
    text = mapping_with(unmatched='"suspense"').replace(f'suspense = "{SUSPENSE}"', "")
    await world.change(mapping_text=text)
    await paid_outside(world, 4200)
    assert "'suspense'" in (await world.trouble()).sentence
    await world.books_agree()


async def test_metadata_that_names_invoices_settles_them_in_order(world: World) -> None:
    first, second = await world.an_invoice("100.00"), await world.an_invoice("60.00")
    await world.mirror()
    numbers = ",".join(ref.partition("|")[2] for ref in (first, second))
    await paid_outside(world, 13000, **{"metadata[erp_invoice]": numbers})
    assert await world.balance_due(first) == 0
    assert await world.balance_due(second) == 30
    await world.mirror()
    rows = [*await world.stripe_invoices(first), *await world.stripe_invoices(second)]
    assert [row["amount_remaining"] for row in rows] == [0, 3000]
    await world.pay(second)
    await world.live()
    assert await world.balance_due(second) == 0
    await world.mirror()
    assert await world.troubles() == []
    await world.all_posted()


async def test_a_number_in_the_description_settles_that_invoice(world: World) -> None:
    ref = await world.an_invoice("100.00")
    await world.mirror()
    await paid_outside(world, 10000, description=f"Thanks! Our no. {ref.partition('|')[2]} (May)")
    assert await world.balance_due(ref) == 0
    await world.all_posted()


async def test_the_only_open_invoice_of_the_customers_amount_is_settled(world: World) -> None:
    ref, other = await world.an_invoice("100.00"), await world.an_invoice("99.99")
    await world.mirror()
    await paid_outside(world, 10000, customer=await stripe_customer(world))
    assert await world.balance_due(ref) == 0
    assert await world.balance_due(other) == Decimal("99.99")
    await world.all_posted()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"metadata[erp_invoice]": "NONE1"}, "names NONE1, not mirrored"),
        ({"description": "for 777777"}, "payer is not known"),
        ({"customer": "the usual"}, "fits several of GOODFOOD"),
    ],
)
async def test_what_does_not_fit_waits_with_the_reason(
    world: World, facts: dict[str, str], reason: str
) -> None:
    await world.an_invoice("50.00")
    await world.an_invoice("50.00")
    await world.mirror()
    if "customer" in facts:
        facts = {"customer": await stripe_customer(world)}
    await paid_outside(world, 5000, **facts)
    assert reason in (await world.trouble()).sentence
    assert await world.documents("Payment") == []
    await world.books_agree()


@pytest.mark.parametrize("policy", ['unmached = "hold"', 'unmatched = "guess"'])
async def test_a_policy_that_does_not_exist_is_refused_by_name(world: World, policy: str) -> None:
    name, _, value = policy.partition(" = ")
    word = name if name != "unmatched" else value.strip('"')
    with pytest.raises(Misconfigured, match=word):
        await world.change(mapping_text=mapping_with(**{name: value}))


async def test_a_new_policy_does_not_touch_what_is_half_posted(world: World) -> None:
    ref = await world.an_invoice()
    await world.mirror()
    await world.pay(ref)
    await world.erp.tell("accounts/61100", {"active": False})
    await world.live()
    assert await world.troubles()
    await world.change(mapping_text=mapping_with(unmatched='"suspense"'))
    await world.erp.tell("accounts/61100", {"active": True})
    await world.wait_for_cure()
    assert len(await world.documents("Payment")) == 1
    assert await world.ledger(SUSPENSE) == 0
    await world.all_posted()
