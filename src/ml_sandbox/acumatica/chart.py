"""The seeded chart of accounts, cash accounts, currencies, customers and items, as tables."""

from datetime import date

from ml_sandbox.acumatica.setup import CashAccount, Company, EntryType

# code, name, type, currency, control module
ACCOUNTS = (
    ("10200", "Company Checking Account", "Asset", None, None),
    ("10230", "Company Checking JPY", "Asset", "JPY", None),
    ("10240", "Company Checking EUR", "Asset", "EUR", None),
    ("10250", "Company Checking GBP", "Asset", "GBP", None),
    ("10500", "Cash in Transit", "Asset", None, None),
    ("10650", "Stripe Clearing USD", "Asset", None, None),
    ("10660", "Stripe Clearing JPY", "Asset", "JPY", None),
    ("10670", "Stripe Clearing EUR", "Asset", "EUR", None),
    ("10680", "Stripe Transit CAD", "Asset", "CAD", None),
    ("10690", "Stripe Clearing GBP", "Asset", "GBP", None),
    ("11000", "Accounts Receivable", "Asset", None, "AR"),
    ("12650", "Disputed Card Funds", "Asset", None, None),
    ("12660", "Stripe Reserves", "Asset", None, None),
    ("17000", "Tax Claimable", "Asset", None, None),
    ("19000", "Inter-Branch Balances", "Asset", None, None),
    ("20000", "Accounts Payable", "Liability", None, "AP"),
    ("24100", "Tax Payable", "Liability", None, None),
    ("24400", "Customer Deposits", "Liability", None, None),
    ("32000", "Retained Earnings", "Liability", None, None),
    ("40000", "Sales Revenue", "Income", None, None),
    ("40900", "Sales Returns", "Income", None, None),
    ("49300", "Interest Income", "Income", None, None),
    ("61100", "Bank Service Charges", "Expense", None, None),
    ("61150", "Input Tax on Fees", "Expense", None, None),
    ("61160", "Chargeback Losses", "Expense", None, None),
    ("61200", "Small Balance Write-Offs", "Expense", None, None),
    ("61300", "Cash Discounts", "Expense", None, None),
    ("81000", "Other Expenses", "Expense", None, None),
    ("83000", "Realized Gain/Loss", "Expense", None, None),
    ("83100", "Rounding Gain/Loss", "Expense", None, None),
)
BRANCHES = {
    "HEADOFFICE": "SweetLife Head Office and Wholesale Center",
    "RETAIL": "SweetLife Store",
    "EUROPE": "SweetLife Europe",
}
COMPANIES = (
    Company(
        "SWEETLIFE", "SweetLife Fruits & Jams", "USD", "ACTUAL", "US", ("HEADOFFICE", "RETAIL")
    ),
    Company("SWEETEU", "SweetLife Europe GmbH", "EUR", "ACTUALEU", "DE", ("EUROPE",)),
)
ALL_ENTRIES = frozenset(("STRIPEFEE", "STRIPETAX", "BANKCHARGE", "STRIPEADJ"))
CASH = (
    CashAccount(
        "10200WH", "10200", "USD", "HEADOFFICE", "Wholesale Checking", entry_types=ALL_ENTRIES
    ),
    CashAccount("10230WH", "10230", "JPY", "HEADOFFICE", "Checking JPY", entry_types=ALL_ENTRIES),
    CashAccount("10240WH", "10240", "EUR", "HEADOFFICE", "Checking EUR", entry_types=ALL_ENTRIES),
    CashAccount(
        "10650ST", "10650", "USD", "HEADOFFICE", "Stripe Clearing USD", entry_types=ALL_ENTRIES
    ),
    CashAccount(
        "10660ST", "10660", "JPY", "HEADOFFICE", "Stripe Clearing JPY", entry_types=ALL_ENTRIES
    ),
    CashAccount(
        "10670ST", "10670", "EUR", "HEADOFFICE", "Stripe Clearing EUR", entry_types=ALL_ENTRIES
    ),
    CashAccount("10250WH", "10250", "GBP", "HEADOFFICE", "Checking GBP", entry_types=ALL_ENTRIES),
    CashAccount(
        "10680ST", "10680", "CAD", "HEADOFFICE", "Stripe Transit CAD", entry_types=ALL_ENTRIES
    ),
    CashAccount(
        "10690ST", "10690", "GBP", "HEADOFFICE", "Stripe Clearing GBP", entry_types=ALL_ENTRIES
    ),
    CashAccount("10245EU", "10240", "EUR", "EUROPE", "Bank EUR", entry_types=ALL_ENTRIES),
    CashAccount(
        "10675EU", "10670", "EUR", "EUROPE", "Clearing EUR of Europe", entry_types=ALL_ENTRIES
    ),
    CashAccount("10205EU", "10200", "USD", "EUROPE", "Bank USD", entry_types=ALL_ENTRIES),
)
ENTRIES = (
    EntryType("STRIPEFEE", "61100", "Disbursement", "Stripe fee"),
    EntryType("STRIPETAX", "61150", "Disbursement", "Tax on Stripe fee"),
    EntryType("BANKCHARGE", "61100", "Disbursement", "Bank charge", deduct=False),
    EntryType("STRIPEADJ", "49300", "Receipt", "Stripe adjustment"),
)
# code, precision, symbol, rates to USD by effective date
CURRENCIES: tuple[tuple[str, int, str, tuple[tuple[date, str], ...]], ...] = (
    ("USD", 2, "$", ()),
    (
        "EUR",
        2,
        "€",
        ((date(2025, 1, 1), "1.0400"), (date(2026, 1, 1), "1.1700"), (date(2026, 11, 1), "1.1525")),
    ),
    (
        "GBP",
        2,
        "£",
        ((date(2025, 1, 1), "1.2500"), (date(2026, 1, 1), "1.3400"), (date(2026, 11, 1), "1.3150")),
    ),
    (
        "JPY",
        0,
        "¥",
        (
            (date(2025, 1, 1), "0.00640"),
            (date(2026, 1, 1), "0.00638"),
            (date(2026, 11, 1), "0.00647"),
        ),
    ),
    (
        "CAD",
        2,
        "C$",
        ((date(2025, 1, 1), "0.6950"), (date(2026, 1, 1), "0.7290"), (date(2026, 11, 1), "0.7125")),
    ),
)
CUSTOMERS = (
    ("FRUITICO", "FruitiCo Restaurant", "USD", None, "ap@fruitico.example"),
    ("GOODFOOD", "GoodFood One Restaurant", "USD", None, "billing@goodfood.example"),
    ("HMBAKERY", "HM's Bakery & Cafe", "USD", "NYSTATE", "office@hmbakery.example"),
    ("COFFEESHOP", "FourStar Coffee & Sweets Shop", "USD", None, "hello@coffeeshop.example"),
)
ITEMS = (
    ("CONSULT", "Consulting", "HOUR", "100", "TAXABLE"),
    ("CLEANING", "Cleaning service", "HOUR", "40", "TAXABLE"),
    ("ADVERT", "Advertising", "EACH", "250", "EXEMPT"),
)
