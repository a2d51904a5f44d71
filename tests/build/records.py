"""Records with sensible defaults; a test names only what matters to it."""

from collections.abc import Mapping as ReadOnly
from datetime import UTC, date, datetime
from decimal import Decimal

from ml_connector.basics.ids import ErpRef, PostingKey, StripeId, erp_ref
from ml_connector.basics.money import Money
from ml_connector.books.mapping import CurrencyAccounts, Mapping, Role, TransitAccounts
from ml_connector.books.matching import Match, MirroredInvoice
from ml_connector.books.policies import Policies
from ml_connector.books.postings import Application, Journal, Line, Posting, Purpose, State
from ml_connector.books.proof import Carried, Member
from ml_connector.books.records import (
    PAYMENTS,
    BalanceTransaction,
    Charge,
    ErpInvoice,
    ErpLine,
    ErpTax,
    FeePart,
    Payout,
    StripeInvoice,
)

NOON = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)

CLEARING = "10300"
BANK = "10200"
ACCOUNTS: ReadOnly[str, str] = {
    Role.FEES: "60100",
    Role.INPUT_TAX: "13500",
    Role.WITHHELD_TAX: "13600",
    Role.REFUNDS: "40900",
    Role.DISPUTED: "12800",
    Role.DISPUTE_FEES: "60110",
    Role.RESERVE: "12900",
    Role.SUSPENSE: "24900",
    Role.FX_GAIN_LOSS: "83000",
    Role.CHARGEBACK_LOSS: "60120",
    Role.IN_TRANSIT: "10510",
}
ENTRY_TYPES: ReadOnly[str, str] = {Role.FEES: "STRIPEFEE", Role.INPUT_TAX: "STRIPETAX"}


def money(amount: str | Money) -> Money:
    """`"12.00 USD"` as money."""
    if isinstance(amount, Money):
        return amount
    number, currency = amount.split()
    return Money.of(Decimal(number), currency)


def dollar_accounts() -> CurrencyAccounts:
    return CurrencyAccounts(clearing_cash="STRIPEUSD", clearing=CLEARING, bank=BANK)


def euro_accounts() -> CurrencyAccounts:
    return CurrencyAccounts(clearing_cash="STRIPEEUR", clearing="10310", bank="10210")


def a_mapping(
    *,
    currencies: ReadOnly[str, CurrencyAccounts] | None = None,
    accounts: ReadOnly[str, str] | None = None,
    pairs: ReadOnly[str, str] | None = None,
    time_zone: str = "America/New_York",
    transit: ReadOnly[str, TransitAccounts] | None = None,
    policies: Policies | None = None,
    entry_types: ReadOnly[str, str] | None = None,
    fee_kinds: ReadOnly[str, str] | None = None,
) -> Mapping:
    """Two currencies and an account for every role."""
    both = {"USD": dollar_accounts(), "EUR": euro_accounts()}
    return Mapping(
        version=1,
        time_zone=time_zone,
        branch="HQ",
        subaccount="000-000",
        payment_method="STRIPE",
        currencies=both if currencies is None else currencies,
        accounts=ACCOUNTS if accounts is None else accounts,
        pairs={} if pairs is None else pairs,
        fee_kinds={} if fee_kinds is None else fee_kinds,
        transit={} if transit is None else transit,
        policies=policies or Policies(),
        entry_types=ENTRY_TYPES if entry_types is None else entry_types,
    )


def a_fee_part(amount: str | Money = "0.65 USD", kind: str = "stripe_fee") -> FeePart:
    return FeePart(kind=kind, amount=money(amount), description="Stripe processing fees")


def a_balance_transaction(
    pair: str = "charge/charge",
    amount: str | Money = "12.00 USD",
    fee: str | Money | None = None,
    *,
    fee_parts: tuple[FeePart, ...] | None = None,
    net: str | Money | None = None,
    id: str = "txn_1",  # noqa: A002 - the record's own word
    source: str | None = "ch_1",
    created: datetime = NOON,
    balance: str = PAYMENTS,
    rate: str | None = None,
) -> BalanceTransaction:
    """A change of the Stripe balance, of a `type/category`; `net` follows unless it is given."""
    kind, _, category = pair.partition("/")
    gross = money(amount)
    kept = Money.zero(gross.currency) if fee is None else money(fee)
    parts = (a_fee_part(kept),) if fee_parts is None and kept else fee_parts or ()
    return BalanceTransaction(
        id=StripeId(id),
        type=kind,
        category=category,
        amount=gross,
        fee=kept,
        net=gross - kept if net is None else money(net),
        fee_parts=parts,
        source=None if source is None else StripeId(source),
        created=created,
        available_on=created,
        status="pending",
        description="Payment for Invoice",
        balance=balance,
        rate=None if rate is None else Decimal(rate),
    )


def a_charge(
    amount: str | Money = "12.00 USD",
    *,
    id: str = "ch_1",  # noqa: A002 - the record's own word
    status: str = "succeeded",
    transaction: BalanceTransaction | None = None,
) -> Charge:
    """A succeeded payment; its balance transaction only when given."""
    return Charge(
        id=StripeId(id),
        payment_intent=StripeId("pi_1"),
        customer=StripeId("cus_1"),
        amount=money(amount),
        status=status,
        created=NOON,
        description="",
        transaction=transaction,
    )


def a_mirrored_invoice(total: str | Money = "12.00 USD") -> MirroredInvoice:
    return MirroredInvoice(
        ref=erp_ref("Invoice", "000123"), customer_id="C000012", total=money(total)
    )


def a_match(charge: Charge | None = None) -> Match:
    """A charge that settles invoice 000123 in full."""
    paid = a_charge() if charge is None else charge
    application = Application(erp_ref("Invoice", "000123"), paid.amount)
    return Match(charge=paid, customer_id="C000012", applications=(application,))


def a_line(
    amount: str | Money = "12.00 USD",
    *,
    number: int = 1,
    description: str = "Hex bolt M8",
    quantity: str = "1",
    unit_price: str = "12",
) -> ErpLine:
    return ErpLine(
        number=number,
        description=description,
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        amount=money(amount),
    )


def a_tax(
    amount: str | Money = "0.99 USD",
    *,
    tax_id: str = "NYSTATE",
    rate: str = "8.25",
    taxable: str | Money = "12.00 USD",
) -> ErpTax:
    return ErpTax(tax_id=tax_id, rate=Decimal(rate), taxable=money(taxable), amount=money(amount))


def an_invoice(
    balance: str | Money = "12.00 USD",
    *,
    amount: str | Money | None = None,
    lines: tuple[ErpLine, ...] | None = None,
    taxes: tuple[ErpTax, ...] = (),
    ref: str = "Invoice|000123",
    status: str = "Open",
    due_date: date | None = date(2026, 4, 30),
    description: str = "Order SO-1001",
) -> ErpInvoice:
    """A released invoice with one line of its balance, unless told otherwise."""
    owed = money(balance)
    return ErpInvoice(
        ref=ErpRef(ref),
        customer_id="C000012",
        status=status,
        issued=date(2026, 3, 31),
        due_date=due_date,
        description=description,
        customer_order="PO-4711",
        branch="HQ",
        amount=owed if amount is None else money(amount),
        balance=owed,
        tax_total=sum((tax.amount for tax in taxes), Money.zero(owed.currency)),
        lines=(a_line(owed),) if lines is None else lines,
        taxes=taxes,
        modified=NOON,
    )


def a_stripe_invoice(
    amount_due: str | Money = "12.00 USD", *, starting_balance: str | Money | None = None
) -> StripeInvoice:
    """A finalized, unpaid Stripe invoice."""
    due = money(amount_due)
    nothing = Money.zero(due.currency)
    return StripeInvoice(
        id=StripeId("in_1"),
        customer=StripeId("cus_1"),
        status="open",
        total=due,
        amount_due=due,
        amount_paid=nothing,
        amount_remaining=due,
        starting_balance=nothing if starting_balance is None else money(starting_balance),
        tax=nothing,
        number="000123",
        hosted_url="https://invoice.example/in_1",
        payment_intent=None,
    )


def a_payout(
    amount: str | Money = "12.00 USD",
    *,
    automatic: bool = True,
    reconciliation: str = "completed",
    status: str = "paid",
) -> Payout:
    """An automatic payout that Stripe has reconciled."""
    return Payout(
        id=StripeId("po_1"),
        amount=money(amount),
        status=status,
        automatic=automatic,
        arrival_date=date(2026, 4, 2),
        created=NOON,
        reconciliation=reconciliation,
        transaction=StripeId("txn_po"),
        failure_transaction=None,
    )


def a_carried(
    clearing: str | Money = "12.00 USD",
    *,
    key: str = "payment:ch_1",
    state: State = State.VERIFIED,
) -> Carried:
    """A document that carries money, read back unless told otherwise."""
    return Carried(
        key=PostingKey(key),
        state=state,
        document=ErpRef("Payment|000777"),
        clearing=money(clearing),
        read_back="sha256:00",
    )


def a_member(
    net: str | Money = "12.00 USD",
    *,
    carried: tuple[Carried, ...] | None = None,
    id: str = "txn_1",  # noqa: A002 - the record's own word
    pair: str = "charge/charge",
) -> Member:
    """A balance transaction inside a payout, carried in full unless told otherwise."""
    kind, _, category = pair.partition("/")
    return Member(
        transaction=StripeId(id),
        type=kind,
        category=category,
        net=money(net),
        carried=(a_carried(net),) if carried is None else carried,
    )


def a_journal(*sides: tuple[str, str | Money], day: date = date(2026, 3, 31)) -> Journal:
    """A journal of `(account, amount)`; a positive amount debits the account."""
    lines = tuple(Line(account, "000-000", money(amount), "text") for account, amount in sides)
    return Journal(day=day, branch="HQ", description="Stripe fee of ch_1", lines=lines)


def a_posting(clearing: str | Money = "-0.65 USD", purpose: Purpose = Purpose.FEE) -> Posting:
    """A journal that moves the clearing account by an amount, against the fees account."""
    effect = money(clearing)
    journal = a_journal((ACCOUNTS[Role.FEES], -effect), (CLEARING, effect))
    return Posting(PostingKey(f"{purpose}:txn_1"), purpose, StripeId("txn_1"), journal, effect)
