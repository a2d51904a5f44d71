"""Lives a drawn life in a world: each act is one thing that somebody does on either side.

An act that cannot be done (nobody owes, nothing was paid, the other side refuses) does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from build.dying import Dying
from build.lives import EVERY_CHOICE, Act, Life, mapping_of
from build.sandboxes import Json, unwrapped, wrapped
from build.world import CUSTOMER, World
from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ErpRef
from ml_connector.flows import repairs
from ml_connector.flows.connected import Connected
from ml_connector.store import findings
from ml_connector.store.findings import Decision
from ml_connector.stripe.webhooks import hint

CURRENCIES = ("USD", "EUR", "JPY", "CAD")
BANKS = {"USD": "10200WH", "EUR": "10240WH", "JPY": "10230WH"}
"""The firm's own bank accounts; checks in other currencies do not come."""
CARDS = ("4242424242424242", "4000000000005126", "4000000000007726", "000123456789")
"""A card, one whose refunds fail later, one whose refunds are pending first, a bank debit."""
WITHOUT_CENTS = frozenset({"JPY"})
FORMS = {
    "Invoice": ("Type", "ReferenceNbr"),
    "Payment": ("Type", "ReferenceNbr"),
    "JournalTransaction": ("Module", "BatchNbr"),
}
"""Each kind of document, and what names one at its form; memos before what pays them out."""
DAY = 24 * 60
STEPS = (
    ("acumatica", "put_payment"), ("acumatica", "release_payment"), ("acumatica", "payment"),
    ("acumatica", "put_journal"), ("acumatica", "release_journal"), ("acumatica", "journal"),
    ("acumatica", "void_payment"), ("acumatica", "put_memo"), ("acumatica", "release_memo"),
    ("acumatica", "put_refund"), ("acumatica", "apply_payment"), ("stripe", "create_customer"),
    ("stripe", "create_invoice"), ("stripe", "add_lines"), ("stripe", "finalize_invoice"),
    ("stripe", "credit_note"), ("stripe", "void_invoice"), ("stripe", "pay_out_of_band"),
)  # fmt: skip
TROUBLES: Sequence[Json] = (
    {"kind": "status", "when": "before", "status": 503, "times": 2},
    {"kind": "status", "when": "before", "status": 429, "body": "", "times": 3},
    {"kind": "reset", "when": "after", "method": "PUT", "times": 1},
    {"kind": "reset", "when": "before", "method": "PUT", "times": 1},
    {"kind": "status", "when": "after", "status": 500, "method": "POST", "times": 1},
    {"kind": "cut", "method": "POST", "times": 1},
)


@dataclass
class Bill:
    """An invoice as the ERP's clerk knows it; amounts in minor units of its currency."""

    ref: ErpRef
    customer: str
    currency: str
    total: int
    settled_in_erp: int = 0
    """By checks and credit memos."""


@dataclass
class Living:
    """A world with what its people remember."""

    world: World
    policies: dict[str, str]
    customers: dict[str, str] = field(default_factory=lambda: {"USD": CUSTOMER})
    bills: list[Bill] = field(default_factory=list[Bill])
    disturbed: set[str] = field(default_factory=set[str])
    """Charges whose payment in the ERP people have changed."""

    # -- what the ERP's people do

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

    # -- what buyers do

    async def pays(self, which: int, part: int) -> None:
        """A buyer pays a part of what Stripe asks for, or all of it, by card or bank debit."""
        asked = await self._asked(which)
        if asked is None:
            return
        body: Json = {"invoice": asked["id"]}
        debit = asked["currency"] == "usd" and which % 4 == 3
        body["card"] = CARDS[3] if debit else CARDS[which % 3]
        if part < 100:
            body["amount"] = max(1, asked["amount_remaining"] * part // 100)
        await self.world.stripe.ask_for("pay", body)

    async def pays_too_much(self, which: int, part: int) -> None:
        """A buyer pays more than Stripe asks for."""
        asked = await self._asked(which)
        if asked is not None:
            more = asked["amount_remaining"] + 100 * part
            await self.world.stripe.ask_for("pay", {"invoice": asked["id"], "amount": more})

    async def pays_outside(self, which: int, part: int) -> None:
        """A customer, or somebody unknown, pays beside the invoices, naming some or none."""
        bill = self._bill(which)
        currency = bill.currency if bill is not None else "USD"
        mine = [number(b.ref) for b in self.bills if bill and b.customer == bill.customer]
        amount = 150 * part if currency != "JPY" else 100 * part
        form = {"amount": str(amount), "currency": currency.lower(), "confirm": "true",
                "payment_method": "pm_card_visa"}  # fmt: skip
        payer = None if bill is None else self._stripe_customer(bill.customer)
        if payer and which % 2:
            form["customer"] = payer
        if mine and part % 3:
            form["metadata[erp_invoice]"] = ",".join(mine[: part % 3])
        await self.world.stripe.try_post("payment_intents", form, self._key)

    async def marks_paid_at_stripe(self, which: int, part: int) -> None:
        """Somebody marks a Stripe invoice as paid elsewhere, or voids it."""
        asked = await self._asked(which)
        if asked is None:
            return
        act = ("pay", {"paid_out_of_band": "true"}) if part % 2 else ("void", {})
        await self.world.stripe.try_post(f"invoices/{asked['id']}/{act[0]}", act[1], self._key)

    # -- what the back office and the banks do

    async def refunds(self, which: int, part: int) -> None:
        """The back office gives a part of a payment back."""
        charge = self._charge(which)
        if charge is not None:
            left = charge["amount"] - charge["amount_refunded"]
            amount = max(1, left * part // 100)
            await self.world.stripe.ask_for("refund", {"charge": charge["id"], "amount": amount})

    async def ends_a_refund(self, which: int, part: int) -> None:
        """A bank refuses a refund, or a pending one succeeds."""
        refund = self._one("refund", which)
        if refund is not None and refund["status"] in {"pending", "succeeded"}:
            said = {"outcome": "failed" if part % 2 else "succeeded"}
            await self.world.stripe.ask_for(f"refunds/{refund['id']}", said)

    async def returns_a_debit(self, which: int, part: int) -> None:
        """A bank takes a debit back, days after it succeeded."""
        debits = [
            c for c in self.rows("charge")
            if c["id"].startswith("py_") and c["status"] == "succeeded" and not c["amount_refunded"]
            and not c["disputed"]
        ]  # fmt: skip
        if debits:
            one = debits[which % len(debits)]
            await self.world.stripe.ask_for(f"charges/{one['id']}/return", {})

    async def disputes(self, which: int, part: int) -> None:
        """A cardholder disputes a part of a payment; a bank may only ask."""
        charge = self._charge(which)
        if charge is not None and charge["id"].startswith("ch_"):
            left = charge["amount"] - charge["amount_refunded"]
            body = {"charge": charge["id"], "amount": max(1, left * part // 100)}
            await self.world.stripe.ask_for("disputes", body | {"inquiry": which % 3 == 2})

    async def decides_a_dispute(self, which: int, part: int) -> None:
        """A bank decides, or the other side appeals."""
        dispute = self._one("dispute", which)
        if dispute is not None:
            outcome = ("lost", "won", "escalate", "appeal")[part % 4]
            await self.world.stripe.ask_for(f"disputes/{dispute['id']}", {"outcome": outcome})

    # -- what Stripe does

    async def pays_out(self, which: int, part: int) -> None:
        """Days pass, and Stripe pays out what is available."""
        await self.world.pass_minutes(4 * DAY)
        await self.world.stripe.ask_for("payouts/run", {"instant": bool(part % 2)})

    async def pays_out_by_hand(self, which: int, part: int) -> None:
        """Somebody pays a part of the balance out at the Dashboard; or thinks better of it."""
        form = {"amount": str(50 * part), "currency": "usd"}
        made = await self.world.stripe.try_post("payouts", form, self._key)
        if made is not None and which % 2:
            await self.world.stripe.try_post(f"payouts/{made['id']}/cancel", {}, self._key)

    async def returns_a_payout(self, which: int, part: int) -> None:
        """The bank sends a payout back."""
        payout = self._one("payout", which)
        if payout is not None:
            await self.world.stripe.ask_for(f"payouts/{payout['id']}/fail", {})

    async def tops_up(self, which: int, part: int) -> None:
        """Money is brought to Stripe, and may be taken back."""
        kind = ("topup", "topup_reversal")[which % 2]
        amount = 100 * part * (1 if kind == "topup" else -1)
        await self._moves(kind, kind, amount)

    async def bills_its_own(self, which: int, part: int) -> None:
        """Stripe bills a product, or moves money under a name that nobody has heard of."""
        if which % 3:
            await self.world.stripe.ask_for("fees", {"amount": part, "currency": "usd"})
        else:
            await self._moves("gift_card", "gift", -part)

    async def holds_a_reserve(self, which: int, part: int) -> None:
        """Stripe holds money aside for some days."""
        body = {"amount": 10 * part, "currency": "usd", "days": 1 + which}
        await self.world.stripe.ask_for("reserves", body)

    async def _moves(self, kind: str, category: str, amount: int) -> None:
        row = {"type": kind, "reporting_category": category, "amount": amount, "currency": "usd"}
        await self.world.stripe.ask_for("adjust", row)

    # -- what goes wrong

    async def a_worker_dies(self, which: int, part: int) -> None:
        """The next call of one kind is the last of its worker, before or after it took effect."""
        side, step = STEPS[(which * 10 + part) % len(STEPS)]
        killed: list[Dying] = []

        def through(c: Connected) -> Any:
            if not killed:
                killed.append(Dying(getattr(c, side), step, "before" if part % 2 else "after"))
            return replace(c, **{side: killed[0]})

        self.world.through = through

    async def a_line_breaks(self, which: int, part: int) -> None:
        """One side cannot be reached for some calls, or its answer is lost."""
        side = self.world.erp if which % 2 else self.world.stripe
        await side.spoil(TROUBLES[part % len(TROUBLES)])

    async def time_passes(self, which: int, part: int) -> None:
        """Hours or days go by."""
        await self.world.pass_minutes(60 * part if which % 2 else 3 * part)

    # -- what the connector does meanwhile

    async def works(self) -> None:
        """Events arrive, the quick polls run, what is due is done."""
        await self.world.live()
        await self.world.mirror()

    async def hears(self) -> None:
        """Events arrive, and what they lead to is done."""
        await self.world.live()

    async def hears_badly(self) -> None:
        """Events arrive twice, the newest first."""
        await self.world.deliver(times=2, backwards=True)
        await self.world.settle()

    async def misses_the_news(self) -> None:
        """Events never arrive."""
        await self.world.stripe.ask("settled")
        self.world.delivered |= {hint(body).id for body in self.world.bodies()}

    async def polls(self) -> None:
        """Every stream is looked at; no event has arrived."""
        await self.world.sync()

    async def rests(self) -> None:
        """Nothing is done; events wait."""

    # -- whom it concerns

    @property
    def _key(self) -> str:
        return self.world.new.secrets.stripe_key

    def _bill(self, which: int) -> Bill | None:
        return self.bills[which % len(self.bills)] if self.bills else None

    def rows(self, table: str) -> list[Json]:
        return list(self.world.stripe_app.world.tables[table])

    def _one(self, table: str, which: int) -> Json | None:
        rows = self.rows(table)
        return rows[which % len(rows)] if rows else None

    def _charge(self, which: int) -> Json | None:
        """A payment of which something is left."""
        whole = [
            c for c in self.rows("charge")
            if c["status"] == "succeeded" and c["amount_refunded"] < c["amount"]
        ]  # fmt: skip
        return whole[which % len(whole)] if whole else None

    async def _asked(self, which: int) -> Json | None:
        """A Stripe invoice that can be paid."""
        rows = (await self.world.stripe.ask("invoices"))["invoices"]
        open_ = [row for row in rows if row["status"] == "open" and row["amount_remaining"]]
        return open_[which % len(open_)] if open_ else None

    def _stripe_customer(self, code: str) -> str | None:
        rows = self.rows("customer")
        return next((r["id"] for r in rows if r["metadata"].get("erp_customer") == code), None)

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


ACTS = (
    "invoices", "pays", "refunds", "settles_by_check", "credits", "pays_out", "disputes",
    "decides_a_dispute", "pays_too_much", "pays_outside", "returns_a_debit", "ends_a_refund",
    "marks_paid_at_stripe", "pays_out_by_hand", "returns_a_payout", "tops_up", "bills_its_own",
    "holds_a_reserve", "edits_a_customer", "voids_a_payment_of_ours", "applies_a_rest_of_ours",
    "redates_a_payment_of_ours", "restores_what_was_changed", "releases_what_is_left",
    "changes_a_policy", "closes_the_month", "opens_every_month", "time_passes", "a_worker_dies",
    "a_line_breaks",
)  # fmt: skip
OFTEN = ("invoices", "invoices", "pays", "pays", "pays", "refunds", "disputes", "decides_a_dispute")
"""Without these the others would find nothing to do."""


def number(ref: ErpRef) -> str:
    return ref.partition("|")[2]


def minor(amount: Decimal, currency: str) -> int:
    return int(amount if currency in WITHOUT_CENTS else amount * 100)


def major(amount: int, currency: str) -> Decimal:
    return Decimal(amount) if currency in WITHOUT_CENTS else Decimal(amount) / 100


def _line(price: str) -> Json:
    return {"TransactionDescription": "Service", "Account": "40000", "Qty": 1,
            "UnitPrice": Decimal(price), "TaxCategory": "EXEMPT"}  # fmt: skip


async def begin(world: World, life: Life) -> Living:
    """Before anything happens: policies are chosen, the customers are in Stripe."""
    settled = ["usd", "eur", "gbp", "jpy"]
    await world.stripe.tell("rates", {"settlement": settled})
    await world.change(mapping_text=mapping_of(life.policies))
    await world.mirror()
    return Living(world, dict(life.policies))


async def live(one: Living, acts: Sequence[Act]) -> None:
    """Everything happens in its turn."""
    for act in acts:
        await getattr(one, act.what)(act.which, act.part)
        await getattr(one, act.then)()
