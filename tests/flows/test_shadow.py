"""In shadow mode nothing is written, and what people post is scored to the cent."""

from datetime import timedelta
from decimal import Decimal

import pytest

from build.planning import a_sent_invoice, set_modes
from build.world import CUSTOMER, World
from ml_connector.basics.ids import ErpRef, erp_keys
from ml_connector.books.shadow import Comparison, Outcome
from ml_connector.flows.review.shadow import shadow
from ml_connector.flows.writing.periods import calendar

pytestmark = pytest.mark.anyio


async def a_payment_by_hand(
    world: World, amount: str, reference: str, *invoices: tuple[ErpRef, str]
) -> None:
    """What a clerk books from Stripe's dashboard."""
    body = {
        "Type": "Payment", "CustomerID": CUSTOMER, "PaymentMethod": "STRIPE",
        "CashAccount": "10650ST", "PaymentRef": reference, "PaymentAmount": Decimal(amount),
        "Hold": False,
        "DocumentsToApply": [
            {"DocType": "Invoice", "ReferenceNbr": erp_keys(ref)[1], "AmountPaid": Decimal(part)}
            for ref, part in invoices
        ],
    }  # fmt: skip
    await world.enter("Payment", body, release=True)


async def a_journal_by_hand(world: World, amount: str, account: str, text: str) -> None:
    """Out of the clearing account, against another one."""
    common = {"Subaccount": "000000", "BranchID": "HEADOFFICE", "TransactionDescription": text}
    lines = [
        common | {"Account": account, "DebitAmount": Decimal(amount)},
        common | {"Account": "10650", "CreditAmount": Decimal(amount)},
    ]
    body = {
        "LedgerID": "ACTUAL", "TransactionDate": world.clock.now().date(), "CurrencyID": "USD",
        "Description": text, "Hold": False, "BranchID": "HEADOFFICE", "Details": lines,
    }  # fmt: skip
    await world.enter("JournalTransaction", body, release=True)


async def score(world: World) -> tuple[Comparison, dict[str, str]]:
    c = await world.connected()
    found = await shadow(c, c.record.start_date)
    (usd,) = [one for one in found.comparisons if one.currency == "USD"]
    assert found.rest == ()
    return usd, {str(o): str(usd.moved(o)) for o in Outcome if usd.moved(o)}


async def test_people_post_beside_the_shadow_and_the_score_is_exact(world: World) -> None:
    await set_modes(world, payments="shadow", fees="shadow", payouts="shadow", refunds="shadow")
    prices = ("100.00", "50.00", "80.00", "40.00")
    refs = [await a_sent_invoice(world, price) for price in prices]
    charges = [str(await world.pay(ErpRef(ref))) for ref in refs]
    await world.live()
    await world.refund(charges[0], 1000)
    await world.live()
    await a_payment_by_hand(world, "100.00", charges[0], (ErpRef(refs[0]), "100.00"))
    await a_journal_by_hand(world, "3.20", "61100", f"Stripe fee {charges[0]}")
    await a_payment_by_hand(world, "48.25", "transfer of October")
    await a_payment_by_hand(world, "79.00", charges[2])
    await a_journal_by_hand(world, "10.00", "61160", "money back")
    await a_journal_by_hand(world, "7.00", "61160", "bank charges")
    usd, sums = await score(world)
    assert sums == {
        "same": "103.20 USD",  # the first sale: 100.00, and its fee of 3.20
        "split": "135.63 USD",  # 48.25 netted, 77.38 netted, 10.00 against another account
        "missing": "41.46 USD",  # the last sale: 40.00, and its fee of 1.46
        "extra": "8.62 USD",  # 79.00 for what is 77.38, and 7.00 of bank charges
    }, [part.sentence for part in usd.parts]
    assert await world.states() == {"planned"}


async def test_the_fees_that_wait_for_their_payout_are_compared_with_what_people_post(
    world: World,
) -> None:
    """One payout's fees are booked in one sum, the other's one by one with the charge quoted."""
    shadows = dict.fromkeys(("payments", "fees", "payouts"), "shadow")
    await set_modes(world, {"fees": '"payout"'}, **shadows)
    await world.pay(ErpRef(await a_sent_invoice(world, "100.00")))
    await world.pay(ErpRef(await a_sent_invoice(world, "50.00")))
    (gathered,) = await world.run_payouts()
    await world.live()
    charges = [
        str(await world.pay(ErpRef(await a_sent_invoice(world, price))))
        for price in ("80.00", "40.00")
    ]
    (apart,) = await world.run_payouts()
    await world.live()
    await a_journal_by_hand(world, "4.95", "61100", "what Stripe has kept")
    await a_journal_by_hand(world, "2.62", "61100", f"Stripe fee {charges[0]}")
    await a_journal_by_hand(world, "1.46", "61100", f"Stripe fee {charges[1]}")
    usd, _ = await score(world)
    about = {
        key: (part.outcome, str(part.amount))
        for part in usd.parts
        for key in part.ours
        if key.startswith("fees_of_payout:")
    }
    assert about == {
        f"fees_of_payout:{gathered['id']}": (Outcome.SAME, "-4.95 USD"),
        f"fees_of_payout:{apart['id']}": (Outcome.SPLIT, "-4.08 USD"),
    }
    assert usd.moved(Outcome.EXTRA).minor == 0
    assert await world.states() == {"planned"}


async def test_a_payment_that_people_applied_to_another_invoice_is_split_and_names_both(
    world: World,
) -> None:
    await set_modes(world, payments="shadow", fees="shadow", payouts="shadow")
    first, second, third = [ErpRef(await a_sent_invoice(world, "100.00")) for _ in range(3)]
    charges = [str(await world.pay(ref)) for ref in (first, second)]
    await world.live()
    await a_payment_by_hand(world, "100.00", charges[0], (first, "100.00"))
    await a_payment_by_hand(world, "100.00", charges[1], (third, "100.00"))
    usd, sums = await score(world)
    assert (sums["same"], sums["split"]) == ("100.00 USD", "100.00 USD")
    (told,) = [part.sentence for part in usd.parts if part.outcome is Outcome.SPLIT]
    assert told.endswith(
        f"but settles {third.replace('|', ' ')}; it would have settled {second.replace('|', ' ')}."
    )


async def test_what_payments_settled_costs_one_call_however_many_there_are(world: World) -> None:
    await set_modes(world, payments="shadow", fees="shadow", payouts="shadow")
    calls: list[int] = []
    await calendar(await world.connected())  # it is asked for once a day, whoever is first
    for _ in range(2):
        for _ in range(3):
            ref = ErpRef(await a_sent_invoice(world, "100.00"))
            await a_payment_by_hand(world, "100.00", str(await world.pay(ref)), (ref, "100.00"))
        await world.live()
        await world.erp.reset_calls()
        _, sums = await score(world)
        calls.append(len(await world.erp.calls()))
    assert sums["same"] == "600.00 USD"
    assert "split" not in sums
    assert calls[0] == calls[1] <= 4  # a period of the ledger, payments, invoices; the sign-in


async def test_where_a_site_does_not_list_applications_the_score_says_so(world: World) -> None:
    await set_modes(world, payments="shadow", fees="shadow", payouts="shadow")
    ref = ErpRef(await a_sent_invoice(world, "100.00"))
    charge = str(await world.pay(ref))
    await world.live()
    await a_payment_by_hand(world, "100.00", charge)
    refused = {"kind": "status", "when": "before", "status": 403, "method": "GET",
               "path": "/Invoice$", "times": 9}  # fmt: skip
    await world.erp.spoil(refused)
    c = await world.connected()
    found = await shadow(c, c.record.start_date)
    (usd,) = [one for one in found.comparisons if one.currency == "USD"]
    assert str(usd.moved(Outcome.SAME)) == "100.00 USD"
    assert found.unread


@pytest.mark.parametrize("first_month", [7, 11])
async def test_where_the_financial_year_begins_elsewhere_the_score_is_of_the_right_periods(
    world: World, first_month: int
) -> None:
    await world.erp.tell("calendar", {"first_month": first_month})
    await set_modes(world, payments="shadow", fees="shadow", payouts="shadow")
    refs = [ErpRef(await a_sent_invoice(world, "100.00")) for _ in range(2)]
    charges = [str(await world.pay(ref)) for ref in refs]
    await world.live()
    for ref, charge in zip(refs, charges, strict=True):
        await a_payment_by_hand(world, "100.00", charge, (ref, "100.00"))
    await world.pass_time(timedelta(days=40))
    _, sums = await score(world)
    assert sums["same"] == "200.00 USD"
    assert "extra" not in sums
