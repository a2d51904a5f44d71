"""What the ledger answers when it is asked for lines: the movements of one account."""

from ml_connector.acumatica import wire
from ml_connector.acumatica.calls import Endpoint
from ml_connector.acumatica.errors import Call
from ml_connector.acumatica.fields import day, held, number, sent, text
from ml_connector.basics.errors import Bug
from ml_connector.basics.money import Money
from ml_connector.books.drift import Movement

INQUIRY = "AccountDetailsForPeriodInquiry"


async def lines_of(
    endpoint: Endpoint, ledger: str, account: str, *, first: str, last: str
) -> list[wire.DetailRowWire]:
    """Every posted line of an account in the periods from `first` to `last`: one call.

    The inquiry has no parameter for the account: it answers with all accounts of the periods.
    """
    call = Call(INQUIRY, f"the lines of account {account}", writes=False)
    asked = wire.DetailsWire(ledger=sent(ledger), from_period=sent(first), to_period=sent(last))
    answer = await endpoint.put(call, asked, wire.DetailsWire, {"$expand": "Results"})
    return [row for row in answer.results if text(row.account) == account]


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
