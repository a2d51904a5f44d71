"""Inquiries: read by PUT with parameters, answered with rows computed from the ledger."""

from decimal import Decimal
from typing import Any

from ml_sandbox.acumatica.forms.base import cannot_be_found
from ml_sandbox.acumatica.ledger import Batch, Line, Turnover, total
from ml_sandbox.acumatica.records import Record, Row
from ml_sandbox.acumatica.setup import Company
from ml_sandbox.acumatica.values import Body
from ml_sandbox.acumatica.world import World

INQUIRIES = frozenset(
    ("AccountSummaryInquiry", "AccountDetailsForPeriodInquiry", "CompaniesStructure")
)


def inquire(world: World, entity: str, body: Body) -> Record:
    """The answer of an inquiry as a record with `Results`; it is never saved."""
    record = Record(entity, world.guid())
    if entity == "AccountSummaryInquiry":
        _summary(world, record, body)
    elif entity == "AccountDetailsForPeriodInquiry":
        _details(world, record, body)
    else:
        record.values["Results"] = [
            _branch(world, company, code)
            for company in world.setup.companies
            for code in company.branches
        ]
    return record


def _period(world: World, sent: Any) -> str:
    text = str(sent or "").replace("-", "")
    return text or world.setup.periods.code_for(world.today())


def _check_parameters(world: World, record: Record, body: Body, periods: tuple[str, ...]) -> None:
    record.set(Ledger=body.get("Ledger") or "ACTUAL")
    if world.find("Ledger", record.get("Ledger")) is None:
        record.fail("Ledger", cannot_be_found("Ledger"))
    for name in periods:
        record.values[name] = _period(world, body.get(name))
        if record.values[name] not in world.setup.periods.by_code:
            record.fail(name, cannot_be_found("Financial Period"))


def _summary(world: World, record: Record, body: Body) -> None:
    _check_parameters(world, record, body, ("Period",))
    for name in ("Branch", "Subaccount", "AccountClass"):
        record.values[name] = body.get(name)
    if record.errors:
        return
    grouped: dict[tuple[str, str, str], dict[str, dict[str, Turnover]]] = {}
    for (account, subaccount, branch, currency), periods in world.ledger.places():
        mine = world.setup.company_of(branch).ledger == record.get("Ledger")
        if (
            mine
            and body.get("Branch") in {None, branch}
            and body.get("Subaccount") in {None, subaccount}
        ):
            grouped.setdefault((account, subaccount, branch), {})[currency] = periods
    upto = _sortable(record.get("Period"))
    record.values["Results"] = [
        _summary_row(world, place, by_currency, upto) for place, by_currency in grouped.items()
    ]


def _sortable(period: str) -> str:
    return period[2:] + period[:2]


def _summary_row(
    world: World,
    place: tuple[str, str, str],
    by_currency: dict[str, dict[str, Turnover]],
    upto: str,
) -> Row:
    account = world.tables["Account"].find(place[0])
    row = Row(world.guid())
    kind = account.get("Type") if account else "Asset"
    sign = 1 if kind in {"Asset", "Expense"} else -1
    every = [item for periods in by_currency.values() for item in periods.items()]
    before = total(turnover for code, turnover in every if _sortable(code) < upto)
    during = total(turnover for code, turnover in every if _sortable(code) == upto)
    active = [_sortable(code) for code, _ in every if _sortable(code) <= upto]
    last = max(active, default="")
    row.set(
        Account=place[0],
        Subaccount=place[1],
        Branch=place[2],
        Description=account.get("Description") if account else None,
        AccountClass=account.get("AccountClass") if account else None,
        Type=kind,
        LedgerID=1,
        LastActivity=last[4:] + last[:4] if last else None,
        BeginningBalance=sign * before.base_balance,
        DebitTotal=during.base_debit,
        CreditTotal=during.base_credit,
        PtdTotal=sign * during.base_balance,
        EndingBalance=sign * (before.base_balance + during.base_balance),
    )
    own = (account.get("CurrencyID") if account else None) or _cash_currency(world, place)
    if own:
        _currency_columns(row, own, by_currency.get(own, {}), upto, sign)
    return row


def _cash_currency(world: World, place: tuple[str, str, str]) -> str | None:
    cash = world.setup.cash_by_place(*place)
    return cash.currency if cash else None


def _currency_columns(
    row: Row, currency: str, periods: dict[str, Turnover], upto: str, sign: int
) -> None:
    before = total(each for code, each in periods.items() if _sortable(code) < upto)
    during = total(each for code, each in periods.items() if _sortable(code) == upto)
    row.set(
        CurrencyID=currency,
        CurrencyBeginningBalance=sign * before.balance,
        CurrencyDebitTotal=during.debit,
        CurrencyCreditTotal=during.credit,
        CurrencyPtdTotal=sign * during.balance,
        CurrencyEndingBalance=sign * (before.balance + during.balance),
    )


def _details(world: World, record: Record, body: Body) -> None:
    _check_parameters(world, record, body, ("FromPeriod", "ToPeriod"))
    record.set(
        IncludeUnposted=bool(body.get("IncludeUnposted")),
        IncludeUnreleased=bool(body.get("IncludeUnreleased")),
    )
    if record.errors:
        return
    first, last = _sortable(record.get("FromPeriod")), _sortable(record.get("ToPeriod"))
    record.values["Results"] = [
        _detail_row(world, batch, line)
        for batch in world.ledger.batches
        if first <= _sortable(batch.period) <= last
        and batch.ledger == record.get("Ledger")
        and (batch.posted or record.get("IncludeUnposted"))
        for line in batch.lines
    ]


def _detail_row(world: World, batch: Batch, line: Line) -> Row:
    row = Row(world.guid())
    zero = Decimal(0)
    row.set(
        Account=line.account,
        Subaccount=line.subaccount,
        Branch=line.branch,
        Ledger=batch.ledger,
        Module=batch.module,
        BatchNumber=batch.number,
        Currency=batch.currency,
        CustomerVendor=line.customer or None,
        DebitAmount=max(line.amount, zero),
        CreditAmount=max(-line.amount, zero),
        DebitAmountInBaseCurrency=max(line.base, zero),
        CreditAmountInBaseCurrency=max(-line.base, zero),
        PeriodID=batch.period,
        Posted=batch.posted,
        Released=True,
        RefNumber=line.reference or None,
        TransactionDate=batch.day,
        TransactionDescription=line.description,
        TransactionType=batch.document.rpartition(" ")[0] or None,
    )
    return row


def _branch(world: World, company: Company, code: str) -> Row:
    row = Row(world.guid())
    row.set(
        BaseCurrencyID=company.base,
        BranchCountry=company.country,
        BranchID=code,
        BranchName=world.setup.branches[code],
        BranchStatus=True,
        CompanyID=company.code,
        CompanyName=company.name,
        CompanyStatus=True,
        CompanyType="With Branches Requiring Balancing"
        if world.switches.branches_balance
        else "With Branches Not Requiring Balancing",
    )
    return row
