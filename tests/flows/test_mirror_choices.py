"""What a firm decides about its mirror: whom it adopts, what it sends, and what it leaves alone."""

from decimal import Decimal

import pytest

from build.clerks import by_cheque
from build.troubled import stuck
from build.world import CUSTOMER, SANDBOX_MAPPING, World
from ml_connector.acumatica.errors import Missing
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ErpRef
from ml_connector.books.finding import Severity
from ml_connector.flows.mapping.lint import lint
from ml_connector.flows.questions.explain import explain
from ml_connector.flows.signals import Kind

pytestmark = pytest.mark.anyio


async def decide(world: World, table: str) -> None:
    """A person writes the mirror's table into the mapping."""
    written = SANDBOX_MAPPING.read_text("utf-8")
    await world.change(mapping_text=f"{written}\n[mirror]\n{table}\n")


def twins(world: World, customer: str) -> list[str]:
    rows = [one for one in world.stripe_app.world.tables["customer"] if not one.get("deleted")]
    return [str(one["id"]) for one in rows if one["metadata"].get("erp_customer") == customer]


async def a_known_buyer(world: World, name: str = "Oldfriend") -> tuple[str, str]:
    """Somebody who is in Stripe by hand, and then becomes a customer in the ERP."""
    made = await world.stripe_api("customers", email=f"{name.lower()}@example.com", name=name)
    return str(made["id"]), await world.a_customer(name, "USD")


async def test_a_stripe_customer_with_the_same_address_is_asked_about_and_marked_by_a_person(
    world: World,
) -> None:
    there, customer = await a_known_buyer(world)
    await world.mirror()
    await stuck(world, there, customer)
    assert twins(world, customer) == []
    marks = {"metadata[erp_customer]": customer, "metadata[mlc]": "main"}
    await world.stripe_api(f"customers/{there}", **marks)
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert twins(world, customer) == [there]
    await world.an_invoice(customer=customer)
    await world.mirror()
    assert [one["customer"] for one in world.stripe_app.world.tables["invoice"]] == [there]


async def test_a_person_may_refuse_it_and_a_new_one_is_made(world: World) -> None:
    there, customer = await a_known_buyer(world)
    await world.mirror()
    await stuck(world, there)
    await world.stripe_api(f"customers/{there}", **{"metadata[erp_customer]": "none"})
    await world.wait_for_cure()
    (made,) = twins(world, customer)
    assert made != there


async def test_by_policy_it_is_taken_over_at_once(world: World) -> None:
    await decide(world, 'adopt = "automatic"')
    there, customer = await a_known_buyer(world)
    await world.mirror()
    assert twins(world, customer) == [there]
    assert await world.troubles() == []


async def test_two_with_the_same_address_are_asked_about_even_so(world: World) -> None:
    await decide(world, 'adopt = "automatic"')
    first, customer = await a_known_buyer(world)
    again = await world.stripe_api("customers", email="oldfriend@example.com", name="Twin")
    await world.mirror()
    await stuck(world, first, str(again["id"]))
    assert twins(world, customer) == []


async def test_by_policy_nobody_is_adopted(world: World) -> None:
    await decide(world, 'adopt = "never"')
    there, customer = await a_known_buyer(world)
    await world.mirror()
    (made,) = twins(world, customer)
    assert made != there
    assert await world.troubles() == []


async def test_only_the_chosen_customers_are_mirrored_and_the_others_make_no_noise(
    world: World,
) -> None:
    rows = await world.erp.ask("documents?type=Customer")
    classes = {row["CustomerID"]["value"]: row["CustomerClass"]["value"] for row in rows}
    left_out = classes["GOODFOOD"]
    await decide(world, f'customer_classes = {{ exclude = ["{left_out}"] }}')
    ref = await world.an_invoice()
    await world.mirror()
    assert twins(world, "GOODFOOD") == []
    assert await world.stripe_invoices(ref) == []
    assert await world.troubles() == []


async def chosen(world: World, **facts: object) -> tuple[ErpRef, int]:
    ref = await world.an_invoice(**facts)  # pyright: ignore[reportArgumentType]
    await world.mirror()
    assert await world.troubles() == []
    return ref, len(await world.stripe_invoices(ref))


async def test_only_the_chosen_terms_are_mirrored(world: World) -> None:
    await decide(world, 'terms = { include = ["net15"] }')
    assert (await chosen(world))[1] == 0
    assert (await chosen(world, Terms="NET15"))[1] == 1


async def test_only_the_chosen_branches_are_mirrored(world: World) -> None:
    (ours, sent) = await chosen(world)
    assert sent == 1
    branch = (await (await world.connected()).acumatica.invoice(ours)).branch
    await decide(world, f'branches = {{ exclude = ["{branch}"] }}')
    assert (await chosen(world))[1] == 0


async def test_by_policy_stripe_mails_the_invoice(world: World) -> None:
    await decide(world, "send = true")
    await chosen(world)
    events = [one["type"] for one in world.stripe_app.world.tables["event"]]
    assert events.count("invoice.sent") == 1


async def test_an_address_that_moves_without_its_customers_stamp_is_found_by_the_nightly_sweep(
    world: World,
) -> None:
    customer = await world.a_customer("Mover", "USD")
    await world.mirror()
    contact = {"Email": "new@example.com"}
    await world.enter("Customer", {"CustomerID": customer, "MainContact": contact})
    await world.mirror()
    rows = world.stripe_app.world.tables["customer"]
    (twin,) = [one for one in rows if one["metadata"].get("erp_customer") == customer]
    assert twin["email"] == "mover@example.com"
    await world.sync("acumatica.contacts")
    assert twin["email"] == "new@example.com"


async def test_a_word_that_is_no_policy_is_refused_by_name(world: World) -> None:
    with pytest.raises(Misconfigured, match="perhaps"):
        await decide(world, 'adopt = "perhaps"')


async def lines_of(world: World, ref: ErpRef) -> dict[str, int]:
    """The lines of the Stripe invoice by their texts, in cents."""
    invoice = (await world.mirrored(ref))["id"]
    rows = world.stripe_app.world.tables["line_item"]
    return {one["description"]: one["amount"] for one in rows if one["invoice"] == invoice}


async def test_discounts_and_freight_are_lines_of_the_stripe_invoice(world: World) -> None:
    await decide(world, 'source = "SalesInvoice"')
    line = {"TransactionDescr": "Work", "Account": "40000", "Qty": 1, "UnitPrice": 100,
            "DiscountAmount": 10, "TaxCategory": "EXEMPT"}  # fmt: skip
    loyalty = {"Description": "Loyalty", "DiscountCode": "LOYAL", "DiscountAmount": 5}
    body = {"Type": "Invoice", "CustomerID": "GOODFOOD", "Hold": False, "FreightPrice": 7.5,
            "Date": world.clock.now().date(), "Details": [line],
            "DiscountDetails": [loyalty]}  # fmt: skip
    made = await world.enter("SalesInvoice", body, release=True)
    ref = ErpRef(f"{made['Type']}|{made['ReferenceNbr']}")
    await world.mirror()
    assert await world.balance_due(ref) == Decimal("92.50")
    assert (await world.mirrored(ref))["amount_due"] == 9250
    assert await lines_of(world, ref) == {"Work": 9000, "Loyalty": -500, "Freight": 750}
    assert await world.troubles() == []


async def test_a_document_that_the_sales_form_does_not_show_is_read_through_the_other(
    world: World,
) -> None:
    await decide(world, 'source = "SalesInvoice"')
    ref = await world.an_invoice("100.00")
    await world.mirror()
    assert (await world.mirrored(ref))["amount_due"] == 10000
    await by_cheque(world, ref, 60)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_remaining"] == 4000
    assert await world.troubles() == []


async def test_a_customer_who_opted_out_is_not_mirrored_and_the_reason_is_told(
    world: World,
) -> None:
    await decide(world, 'opt_out = "STRIPEOPT"')
    wish = [{"AttributeID": "STRIPEOPT", "Value": "True"}]
    customer = await world.a_customer("Private", "USD", Attributes=wish)
    ref = await world.an_invoice(customer=customer)
    await world.mirror()
    assert twins(world, customer) == []
    assert await world.troubles() == []
    for number in (customer, ref, ref.partition("|")[2]):
        told = await explain(world.store, world.id, number)
        assert f"{customer} is left out: its attribute STRIPEOPT says 'True'" in told.left_out
        assert not told.empty
    agreed = [{"AttributeID": "STRIPEOPT", "Value": "0"}]
    await world.enter("Customer", {"CustomerID": customer, "Attributes": agreed})
    await world.look(Kind.INVOICE, ref)
    await world.mirror()
    assert (await world.mirrored(ref))["amount_due"] == 10000
    assert (await explain(world.store, world.id, ref)).left_out == ""


async def test_who_opts_out_later_gets_no_new_invoice_and_what_was_sent_is_kept_level(
    world: World,
) -> None:
    await decide(world, 'opt_out = "STRIPEOPT"\nopt_out_values = ["no cards"]')
    first = await world.an_invoice()
    await world.mirror()
    wish = [{"AttributeID": "STRIPEOPT", "Value": "No cards"}]
    await world.enter("Customer", {"CustomerID": "GOODFOOD", "Attributes": wish})
    await world.enter("Customer", {"CustomerID": "GOODFOOD", "CustomerName": "Renamed"})
    second = await world.an_invoice()
    await by_cheque(world, first, 60)
    await world.mirror()
    assert (await world.mirrored(first))["amount_remaining"] == 4000
    assert await world.stripe_invoices(second) == []
    (twin,) = twins(world, "GOODFOOD")
    rows = {one["id"]: one for one in world.stripe_app.world.tables["customer"]}
    assert rows[twin]["name"] != "Renamed"
    assert await world.troubles() == []


async def test_a_customer_without_an_address_is_made_once_though_the_answer_was_lost_and_it_changed(
    world: World,
) -> None:
    await world.mirror()
    await world.stripe.tell("switches", {"search_lag_seconds": 90})
    lost = {"kind": "reset", "when": "after", "method": "POST", "path": "/customers$", "times": 1}
    await world.stripe.spoil(lost)
    customer = await world.a_customer("Nameless", "USD", MainContact={})
    await world.sync("acumatica.customers")
    assert await world.stripe.faults() == 1
    await world.enter("Customer", {"CustomerID": customer, "CustomerName": "Named"})
    await world.look(Kind.CUSTOMER, customer)
    (twin,) = twins(world, customer)
    rows = {one["id"]: one for one in world.stripe_app.world.tables["customer"]}
    assert rows[twin]["name"] == "Named"
    assert await world.troubles() == []


def hosted(world: World, ref: ErpRef) -> str:
    """Where the buyer pays an invoice at Stripe."""
    rows = world.stripe_app.world.tables["invoice"]
    (url,) = [one["hosted_invoice_url"] for one in rows if one["metadata"].get("erp_ref") == ref]
    return str(url)


async def test_the_payment_link_is_added_to_the_note_once_and_what_people_wrote_stays(
    world: World,
) -> None:
    await decide(world, 'write_link = "note"')
    ref = await world.an_invoice()
    erp = (await world.connected()).acumatica
    await erp.write_note(ref, "Call before noon.")
    refused = {"kind": "status", "when": "before", "status": 503, "method": "PUT",
               "path": "/Invoice$", "times": 1}  # fmt: skip
    await world.erp.spoil(refused)
    await world.mirror()
    url = hosted(world, ref)
    await world.wait_for_cure()
    assert (await erp.note(ref)).splitlines() == ["Call before noon.", f"Pay online: {url}"]
    await world.erp.reset_calls()
    await world.look(Kind.WRITE_BACK, ref)
    await world.mirror()
    assert [call for call in await world.erp.calls() if "PUT" in call or ref in call] == []
    assert await world.troubles() == []


async def test_the_payment_link_is_written_into_a_field_of_the_firms_own(world: World) -> None:
    await decide(world, 'write_link = "Document.AttributePAYLINK"')
    ref = await world.an_invoice()
    await world.mirror()
    await world.settle()
    url = hosted(world, ref)
    papers = world.erp_app.world.tables["Invoice"]
    fields = {f"{one.get('Type')}|{one.get('ReferenceNbr')}": one.custom for one in papers}
    assert fields[ref]["Document.AttributePAYLINK"] == url


async def a_sales_invoice(world: World) -> ErpRef:
    """An invoice of sales-order origin, released: only these stand on the form SO303000."""
    line = {"TransactionDescr": "Service", "Account": "40000", "Qty": 1,
            "UnitPrice": Decimal("100.00"), "TaxCategory": "EXEMPT"}  # fmt: skip
    body = {"Type": "Invoice", "CustomerID": CUSTOMER, "Hold": False, "Details": [line]}
    made = await world.enter("SalesInvoice", body, release=True)
    return ErpRef(f"Invoice|{made['ReferenceNbr']}")


async def test_the_payment_link_is_written_into_a_plain_field_that_the_form_has(
    world: World,
) -> None:
    await world.erp.tell("switches", {"texts_on_released": True})
    await decide(world, 'source = "SalesInvoice"\nwrite_link = "ExternalRef"')
    ref = await a_sales_invoice(world)
    await world.mirror()
    await world.settle()
    (paper,) = world.erp_app.world.tables["SalesInvoice"]
    assert paper.get("ExternalRef") == hosted(world, ref)
    found = await lint(await world.connected())
    assert [one for one in found if one.key == "mirror.write_link"] == []
    assert await world.troubles() == []


async def test_a_plain_field_that_is_closed_after_the_release_is_told_to_a_person(
    world: World,
) -> None:
    await decide(world, 'write_link = "Description"')
    ref = await world.an_invoice()
    await world.mirror()
    await world.settle()
    trouble = await world.trouble()
    assert (trouble.resource, trouble.cause) == (ref, "acumatica.not_taken:Description")
    (told,) = [one for one in await lint(await world.connected()) if one.key == "mirror.write_link"]
    assert told.severity is Severity.WARN


async def test_a_document_that_the_form_does_not_show_is_never_made_by_writing_its_link(
    world: World,
) -> None:
    ref = await world.an_invoice()  # of AR origin: not on SO303000
    before = len(list(world.erp_app.world.tables["Invoice"]))
    with pytest.raises(Missing):
        await (await world.connected()).acumatica.write_plain(
            ref, "SalesInvoice", "ExternalRef", "x"
        )
    assert len(list(world.erp_app.world.tables["Invoice"])) == before


async def test_a_plain_field_that_the_forms_contract_lacks_is_told_by_the_lint(
    world: World,
) -> None:
    await decide(world, 'write_link = "ExternalRef"')  # of SalesInvoice only
    await world.an_invoice()
    (told,) = [one for one in await lint(await world.connected()) if one.key == "mirror.write_link"]
    assert told.severity is Severity.FAIL
    assert "contract of Invoice has no field 'ExternalRef'" in told.sentence


@pytest.mark.parametrize(
    "field",
    ["Amount", "CustomerID", "DueDate", "Status", "Details", "amount", "Document.CuryOrigDocAmt"],
)
async def test_the_payment_link_never_goes_into_a_field_that_the_books_rely_on(
    world: World, field: str
) -> None:
    with pytest.raises(Misconfigured, match=rf"write_link cannot be '{field}'"):
        await decide(world, f'write_link = "{field}"')


async def test_a_place_for_the_link_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(Misconfigured, match=r"none, note, a field"):
        await decide(world, 'write_link = "notes"')


async def an_invoice_by_hand(world: World, there: str, number: str) -> str:
    """Somebody has made and sent the invoice in Stripe, before the connector came."""
    made = await world.stripe_api(
        "invoices", customer=there, number=number, collection_method="send_invoice",
        days_until_due="30", auto_advance="false", pending_invoice_items_behavior="exclude",
    )  # fmt: skip
    line = {"invoice": made["id"], "customer": there, "amount": "10000", "currency": "usd"}
    await world.stripe_api("invoiceitems", **line)
    await world.stripe_api(f"invoices/{made['id']}/finalize")
    return str(made["id"])


async def test_an_invoice_that_people_sent_before_is_taken_over_and_paid_once(
    world: World,
) -> None:
    await decide(world, 'adopt = "automatic"')
    there, customer = await a_known_buyer(world)
    ref = await world.an_invoice("100.00", customer=customer)
    theirs = await an_invoice_by_hand(world, there, ref.partition("|")[2])
    await world.mirror()
    assert await world.troubles() == []
    assert (await world.mirrored(ref))["id"] == theirs
    await world.pay(ref)
    await world.live()
    assert await world.balance_due(ref) == 0
    assert len(list(world.stripe_app.world.tables["invoice"])) == 1
    await world.all_posted()


async def test_an_invoice_that_people_sent_before_is_asked_about_and_marked_by_a_person(
    world: World,
) -> None:
    await decide(world, 'adopt = "ask"')
    there, customer = await a_known_buyer(world)
    marks = {"metadata[erp_customer]": customer, "metadata[mlc]": "main"}
    await world.stripe_api(f"customers/{there}", **marks)
    ref = await world.an_invoice("100.00", customer=customer)
    theirs = await an_invoice_by_hand(world, there, ref.partition("|")[2])
    await world.mirror()
    await stuck(world, theirs, ref.partition("|")[2], "100.00 USD")
    assert await world.stripe_invoices(ref) == []
    marks = {"metadata[erp_ref]": ref, "metadata[mlc]": "main"}
    await world.stripe_api(f"invoices/{theirs}", **marks)
    await world.wait_for_cure()
    assert await world.troubles() == []
    assert (await world.mirrored(ref))["id"] == theirs


@pytest.mark.parametrize("paid", [0, 3000])
async def test_an_invoice_that_a_person_marked_but_that_asks_for_something_else_is_told(
    world: World, paid: int
) -> None:
    await decide(world, 'adopt = "ask"')
    there, customer = await a_known_buyer(world)
    marks = {"metadata[erp_customer]": customer, "metadata[mlc]": "main"}
    await world.stripe_api(f"customers/{there}", **marks)
    ref = await world.an_invoice("100.00" if paid else "90.00", customer=customer)
    theirs = await an_invoice_by_hand(world, there, "OLD-17")
    marks = {"metadata[erp_ref]": ref, "metadata[mlc]": "main"}
    await world.stripe_api(f"invoices/{theirs}", **marks)
    if paid:
        await world.stripe.tell("pay", {"invoice": theirs, "amount": paid})
    await world.mirror()
    await world.wait_for_cure(at_most=3)
    await stuck(world, theirs, ref.partition("|")[2])
    (only,) = await world.stripe_invoices(ref)
    assert (only["id"], only["status"]) == (theirs, "open")
