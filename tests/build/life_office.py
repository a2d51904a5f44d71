"""What clerks, accountants and controllers do in a lived life: in the ERP, and by policy."""

from datetime import timedelta
from decimal import Decimal

from build.life_base import WITHOUT_CENTS, Bill, Place, major, minor, number
from build.lives import EVERY_CHOICE, mapping_of
from build.sandboxes import Json, unwrapped, wrapped
from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ErpRef
from ml_connector.flows.questions.explain import replay
from ml_connector.flows.repair import repairs, undo
from ml_connector.flows.repair.foresight import Choice
from ml_connector.store import findings
from ml_connector.store.findings import Decision

CURRENCIES = ("USD", "EUR", "JPY", "CAD")
BANKS = {"USD": "10200WH", "EUR": "10240WH", "JPY": "10230WH"}
"""The firm's own bank accounts; checks in other currencies do not come."""
FORMS = {
    "Invoice": ("Type", "ReferenceNbr"),
    "Payment": ("Type", "ReferenceNbr"),
    "JournalTransaction": ("Module", "BatchNbr"),
}
"""Each kind of document, and what names one at its form; memos before what pays them out."""


class Office(Place):
    """The firm's own people."""

    async def invoices(self, which: int, part: int) -> None:
        """A clerk releases an invoice of one to three lines."""
        currency = CURRENCIES[which % len(CURRENCIES)]
        if currency not in self.customers:
            self.customers[currency] = await self.world.a_customer(f"Buyer{currency}", currency)
        cents = Decimal(0) if currency in WITHOUT_CENTS else Decimal(which) / 100
        price, customer = part + cents, self.customers[currency]
        if currency in WITHOUT_CENTS:
            price *= 100
        lines = [str(price)] * (1 + which % 3)
        day = self.world.clock.now().date()
        body: Json = {
            "Type": "Invoice", "Customer": customer, "Hold": False, "Date": day,
            "Details": [_line(one) for one in lines],
        }  # fmt: skip
        made = await self._write("Invoice", body, "release")
        if made is not None:
            ref = ErpRef(f"Invoice|{made['ReferenceNbr']}")
            total = minor(price * len(lines), currency)
            self.bills.append(Bill(ref, customer, currency, total))

    async def settles_by_check(self, which: int, part: int) -> None:
        """The customer pays a part of what is owed by check."""
        bill = self._bill(which)
        if bill is None or bill.currency not in BANKS:
            return
        await self._settle(bill, part, {
            "Type": "Payment", "CustomerID": bill.customer, "PaymentMethod": "CHECK",
            "CashAccount": BANKS[bill.currency], "PaymentRef": f"check {self.world.clock.now()}",
            "Hold": False,
        }, "Payment")  # fmt: skip

    async def credits(self, which: int, part: int) -> None:
        """A clerk takes a part of what is owed off by a credit memo."""
        bill = self._bill(which)
        if bill is not None:
            await self._settle(bill, part, {
                "Type": "Credit Memo", "Customer": bill.customer, "Hold": False,
                "Date": self.world.clock.now().date(),
            }, "Invoice")  # fmt: skip

    async def _settle(self, bill: Bill, part: int, body: Json, form: str) -> None:
        owed = minor(await self.world.balance_due(bill.ref), bill.currency)
        amount = -(-owed * part // 100)
        if not amount:
            return
        sum_ = major(amount, bill.currency)
        row = {"DocType": "Invoice", "ReferenceNbr": number(bill.ref), "AmountPaid": sum_}
        if form == "Payment":
            body |= {"PaymentAmount": sum_, "DocumentsToApply": [row]}
        else:
            body |= {"Details": [_line(str(sum_))], "ApplicationsCreditMemo": [row]}
        if await self._write(form, body, "release") is not None:
            bill.settled_in_erp += amount

    async def edits_a_customer(self, which: int, part: int) -> None:
        """A clerk writes down a new e-mail address."""
        ours = sorted(self.customers.values())
        code = ours[which % len(ours)]
        contact = {"Email": f"new{part}@example.com"}
        await self._write("Customer", {"CustomerID": code, "MainContact": contact})

    async def voids_a_payment_of_ours(self, which: int, part: int) -> None:
        """A clerk voids a payment that the connector has posted."""
        one = await self._payment_of_ours(which, {"Open", "Closed"})
        if one is None:
            return
        keys = {"Type": "Payment", "ReferenceNbr": one["ReferenceNbr"]}
        if await self._write("Payment", keys, "voidcheck") is not None:
            self.disturbed.add(str(one["PaymentRef"]))
            await self._write("Payment", keys | {"Type": "Voided Payment"}, "release")

    async def applies_a_rest_of_ours(self, which: int, part: int) -> None:
        """A clerk applies what stands on account to an invoice of the customer."""
        one = await self._payment_of_ours(which, {"Open"})
        owing = [b for b in self.bills if one is not None and b.customer == one["CustomerID"]]
        if one is None or not owing:
            return
        bill = owing[part % len(owing)]
        amount = min(Decimal(str(one["AvailableBalance"])), await self.world.balance_due(bill.ref))
        row = {"DocType": "Invoice", "ReferenceNbr": number(bill.ref), "AmountPaid": amount}
        keys = {"Type": "Payment", "ReferenceNbr": one["ReferenceNbr"]}
        if amount and await self._write("Payment", keys | {"DocumentsToApply": [row]}, "release"):
            self.disturbed.add(str(one["PaymentRef"]))

    async def redates_a_payment_of_ours(self, which: int, part: int) -> None:
        """A clerk changes the day of a payment, where the form lets one."""
        one = await self._payment_of_ours(which, {"Balanced", "Open"})
        if one is not None:
            day = self.world.clock.now().date() + timedelta(days=1)
            keys = {"Type": "Payment", "ReferenceNbr": one["ReferenceNbr"]}
            await self._write("Payment", keys | {"ApplicationDate": day})

    async def restores_what_was_changed(self, which: int, part: int) -> None:
        """A controller has it made again as it was, once the guardian has found it."""
        async with self.world.store.transaction() as tx:
            found = await findings.in_state(tx, self.world.id, Decision.OPEN)
        if not found:
            return
        try:
            one = found[which % len(found)]
            await repairs.restore(await self.world.connected(), one.id, actor="Kim")
        except ConnectorError:
            return  # refused with its reason: a controller reads it and does something else

    async def accepts_what_was_changed(self, which: int, part: int) -> None:
        """A controller says that a change is meant so."""
        async with self.world.store.transaction() as tx:
            found = await findings.in_state(tx, self.world.id, Decision.OPEN)
        if found:
            one = found[which % len(found)]
            c = await self.world.connected()
            await repairs.accept(c, one.id, why="meant so", actor="Kim")

    async def undoes_a_movement(self, which: int, part: int) -> None:
        """A controller has what we posted taken back, with what rests on it where need be."""
        rows = self.rows("balance_transaction")
        if not rows:
            return
        choice = Choice(number=rows[which * 7 % len(rows)]["id"], along=part % 2 == 0)
        try:
            await undo.begin(await self.world.connected(), choice, why="wrong", actor="Kim")
        except ConnectorError:
            return  # refused with its reason
        self.undone.append(choice.number)

    async def posts_again(self, which: int, part: int) -> None:
        """What was undone is owed again, by a controller's word."""
        if self.undone:
            number, now = self.undone[which % len(self.undone)], self.world.clock.now()
            await replay(self.world.store, self.world.id, number, now=now, actor="Kim")

    async def releases_what_is_left(self, which: int, part: int) -> None:
        """An accountant releases every document that was left balanced."""
        for form, names in FORMS.items():
            for one in await self.world.documents(form):
                if one["Status"] == "Balanced":
                    await self._write(form, {name: one[name] for name in names}, "release")

    async def closes_the_month(self, which: int, part: int) -> None:
        """The next month begins, and the last one is closed."""
        now = self.world.clock.now()
        first = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
        await self.world.pass_time(first + timedelta(hours=9) - now)
        await self._period(now.strftime("%m%Y"), closed=True)

    async def opens_every_month(self, which: int, part: int) -> None:
        """What was closed is open again."""
        for month in (10, 11, 12):
            await self._period(f"{month}2026", closed=False)

    async def _period(self, code: str, *, closed: bool) -> None:
        for module in ("GL", "AR", "CA"):
            asked = {"period": code, "module": module, "closed": closed}
            await self.world.erp.ask_for("periods", asked)

    async def changes_a_policy(self, which: int, part: int) -> None:
        """The controller decides otherwise."""
        word, value = EVERY_CHOICE[(which * 100 + part) % len(EVERY_CHOICE)]
        self.policies[word] = value
        await self.world.change(mapping_text=mapping_of(self.policies))

    async def _payment_of_ours(self, which: int, states: set[str]) -> Json | None:
        found = [
            one for one in await self.world.documents("Payment")
            if one["Status"] in states and str(one.get("PaymentRef"))[:3] in {"ch_", "py_"}
            and one["Type"] == "Payment"
        ]  # fmt: skip
        return found[which % len(found)] if found else None

    async def _write(self, form: str, body: Json, action: str = "") -> Json | None:
        """What a clerk saves and does at a form; None where the form refuses it."""
        asked: Json = {"entity": form, "body": wrapped(body), "action": action}
        if action == "release":
            asked["release"] = True
        made = await self.world.erp.ask_for("write", asked)
        return None if made is None else unwrapped(made)


def _line(price: str) -> Json:
    return {"TransactionDescription": "Service", "Account": "40000", "Qty": 1,
            "UnitPrice": Decimal(price), "TaxCategory": "EXEMPT"}  # fmt: skip
