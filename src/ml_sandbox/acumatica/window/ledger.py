"""The general ledger: batches, accounts with their cards, and financial periods."""

from collections import defaultdict
from decimal import Decimal

from ml_sandbox.acumatica.ledger import Batch, Line, total
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.setup import Period
from ml_sandbox.acumatica.window.invoices import filters
from ml_sandbox.acumatica.window.view import View, amount, day, paged
from ml_sandbox.page import Content, Html, button, facts, form, join, mark, panel, table, tag

_ZERO = Decimal(0)


def journal_list(view: View) -> Html:
    """All batches, newest first."""
    every = list(view.world.tables["JournalTransaction"])[::-1]
    wanted = view.request.query.get("status")
    records = [each for each in every if not wanted or each.get("Status") == wanted]

    def row(each: Record) -> tuple[Content, ...]:
        debit = sum((line.get("DebitAmount", _ZERO) for line in each.rows("Details")), _ZERO)
        return (
            view.batch(str(each.get("Module")), str(each.get("BatchNbr"))),
            day(each.get("TransactionDate")),
            each.get("PostPeriod"),
            each.get("Description"),
            each.get("BranchID"),
            amount(debit, str(each.get("CurrencyID"))),
            each.get("CurrencyID"),
            mark(each.get("Status")),
        )

    columns = (
        "!Batch",
        "!Date",
        "Period",
        "Description",
        "Branch",
        "#Debits",
        "Currency",
        "!Status",
    )
    shown = paged(view, columns, records, row, "journals")
    return panel("", filters(view, "journals", every), shown)


def journal_card(view: View, batch: Record) -> Html:
    """One batch with its lines."""
    currency = str(batch.get("CurrencyID"))
    rows = [
        (
            row.get("LineNbr"),
            join([view.account(row.get("Account")), f" {row.get('Description') or ''}"]),
            row.get("Subaccount"),
            row.get("BranchID"),
            row.get("TransactionDescription"),
            row.get("ReferenceNbr"),
            amount(row.get("DebitAmount"), currency, blank=True),
            amount(row.get("CreditAmount"), currency, blank=True),
        )
        for row in batch.rows("Details")
    ]
    sums = [
        sum((row.get(name, _ZERO) for row in batch.rows("Details")), _ZERO)
        for name in ("DebitAmount", "CreditAmount")
    ]
    about = facts(
        [
            ("Description", batch.get("Description")),
            ("Date", day(batch.get("TransactionDate"))),
            ("Post period", batch.get("PostPeriod")),
            ("Ledger", batch.get("LedgerID")),
            ("Branch", batch.get("BranchID")),
            ("Currency", currency),
        ]
    )
    columns = (
        "!Line",
        "Account",
        "!Subaccount",
        "Branch",
        "Description",
        "`Reference",
        "#Debit",
        "#Credit",
    )
    foot = (None, "Total", None, None, None, None, *(amount(each, currency) for each in sums))
    return join([panel("About", about), panel("Lines", table(columns, rows, foot=foot))])


def account_list(view: View) -> Html:
    """The chart of accounts with balances in base."""
    balances: dict[str, dict[str, Decimal]] = defaultdict(dict)
    setup = view.world.setup
    for (account, _, branch, _), periods in view.world.ledger.places():
        base = setup.base_of(branch)
        sums = balances[account]
        sums[base] = sums.get(base, _ZERO) + total(periods.values()).base_balance
    bases = list(dict.fromkeys(company.base for company in setup.companies))

    def row(each: Record) -> tuple[Content, ...]:
        code = str(each.get("AccountCD"))
        shown = (amount(balances[code].get(base), base, blank=True) for base in bases)
        return (
            view.account(code),
            each.get("Description"),
            each.get("Type"),
            each.custom.get("AccountRecords.ControlAccountModule"),
            each.get("CurrencyID"),
            *shown,
            mark("Active" if each.get("Active") else "Inactive"),
        )

    records = sorted(view.world.tables["Account"], key=lambda each: str(each.get("AccountCD")))
    columns = (
        "Account",
        "Name",
        "Type",
        "Control of",
        "Currency",
        *(f"#Balance {base}" for base in bases),
        "Status",
    )
    sums = (
        amount(sum((each.get(base, _ZERO) for each in balances.values()), _ZERO), base)
        for base in bases
    )
    foot = ("Total", None, None, None, None, *sums, None)
    return panel("", table(columns, [row(each) for each in records], foot=foot))


def account_card(view: View, account: Record) -> Html:
    """One account's ledger card with a running balance for each base currency."""
    code = str(account.get("AccountCD"))
    running: dict[str, Decimal] = defaultdict(Decimal)
    rows: list[tuple[Content, ...]] = []
    for batch, line in _lines(view, code):
        base = view.world.setup.base_of(line.branch)
        running[base] += line.base
        rows.append(
            (
                day(batch.day),
                view.batch(batch.module, batch.number),
                batch.document,
                line.description,
                line.branch,
                amount(line.amount, batch.currency, show=True),
                amount(max(line.base, _ZERO), base, blank=True),
                amount(max(-line.base, _ZERO), base, blank=True),
                amount(running[base], base, show=True),
            )
        )
    rows.reverse()
    columns = (
        "!Date",
        "!Batch",
        "Document",
        "Description",
        "Branch",
        "#In currency",
        "#Debit",
        "#Credit",
        "#Balance",
    )
    active = bool(account.get("Active"))
    change = form(
        view.place("accounts", code, "active"),
        button("Deactivate" if active else "Activate", "danger" if active else ""),
        kind="row",
        active="0" if active else "1",
    )
    return join(
        [
            tag("div", change, style="margin:0 0 1.25rem"),
            panel("Ledger card, newest first", table(columns, rows, empty="Nothing was posted.")),
        ]
    )


def _lines(view: View, code: str) -> list[tuple[Batch, Line]]:
    return [
        (batch, line)
        for batch in view.world.ledger.batches
        for line in batch.lines
        if line.account == code
    ]


def period_list(view: View) -> Html:
    """The calendar; each module of a period can be closed and opened."""

    def cell(period: Period, module: str) -> Html:
        closed = module in period.closed
        return tag(
            "div",
            mark("Closed" if closed else "Open", "bad" if closed else "good"),
            " ",
            form(
                view.place("periods"),
                button("Reopen" if closed else "Close", "quiet"),
                kind="small",
                period=period.code,
                module=module,
                closed="0" if closed else "1",
            ),
            style="display:flex;gap:.6rem;align-items:center",
        )

    parts: list[Html] = []
    today = view.world.today()
    for year in sorted({each.code[2:] for each in view.world.setup.periods.by_code.values()}):
        rows = [
            (
                tag("b", each.shown) if each.start <= today <= each.end else each.shown,
                day(each.start),
                day(each.end),
                *(cell(each, module) for module in ("AR", "CA", "GL")),
            )
            for each in view.world.setup.periods.by_code.values()
            if each.code.endswith(year)
        ]
        columns = ("!Period", "!From", "!To", "Receivables", "Cash", "General ledger")
        body = panel("", table(columns, rows))
        opened = {"open": ""} if year == str(today.year) else {}
        summary = tag("summary", year, style="cursor:pointer;font-weight:600;margin:0 0 .8rem")
        parts.append(tag("details", summary, body, **opened))
    return join(parts)
