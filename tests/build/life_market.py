"""What buyers, banks, the back office and Stripe itself do in a lived life."""

from build.life_base import DAY, Place, number
from build.sandboxes import Json

CARDS = ("4242424242424242", "4000000000005126", "4000000000007726", "000123456789")
"""A card, one whose refunds fail later, one whose refunds are pending first, a bank debit."""


class Market(Place):
    """Everybody whom Stripe hears of."""

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
