"""What the ledger answers when it is asked for lines: the movements of one account."""

from ml_connector.acumatica import wire
from ml_connector.acumatica.calls import Endpoint
from ml_connector.acumatica.errors import Call
from ml_connector.acumatica.fields import ABSENT, day, held, number, sent, text
from ml_connector.basics.errors import Bug
from ml_connector.basics.money import Money
from ml_connector.books.drift import Movement

INQUIRY = "AccountDetailsForPeriodInquiry"


async def lines(
    endpoint: Endpoint, ledger: str, period: str, *, unposted: bool = False
) -> list[wire.DetailRowWire]:
    """Every line of the released batches of a period, of all accounts: one call.

    The inquiry has no parameter for the account. Those released and not posted yet by wish.
    """
    call = Call(INQUIRY, f"the lines of {period}", writes=False)
    asked = wire.DetailsWire(
        ledger=sent(ledger),
        from_period=sent(period),
        to_period=sent(period),
        include_unposted=sent(True) if unposted else ABSENT,
    )
    answer = await endpoint.put(call, asked, wire.DetailsWire, {"$expand": "Results"})
    return list(answer.results)


def movement(row: wire.DetailRowWire, currency: str) -> Movement:
    """A line as a movement; in its own currency where it has that, else in the ledger's."""
    amount = number(row.debit_amount) - number(row.credit_amount)
    if text(row.currency) != currency:
        amount = number(row.debit_amount_in_base_currency) - number(
            row.credit_amount_in_base_currency
        )
    happened = day(row.transaction_date)
    if happened is None:
        raise Bug("A line of the ledger has no date.", cause="acumatica.lacks:TransactionDate")
    return Movement(
        day=happened,
        amount=Money.of(amount, currency),
        module=held(row.module, "Module").strip(),
        batch=text(row.batch_number),
        number=text(row.ref_number),
        kind=text(row.transaction_type),
        customer=text(row.customer_vendor),
        text=text(row.transaction_description),
    )
