"""A mapping compared with the tenant that it is for: every gap as a finding, before money meets it.

Another check is another function in `CHECKS`.
"""

from collections.abc import Callable, Iterable, Iterator

from ml_connector.books import link_place, lint_accounts, lint_changes
from ml_connector.books.calendar import AR, CA, GL
from ml_connector.books.finding import Finding, Severity, fail, unchecked, warn
from ml_connector.books.lint_accounts import METHODS
from ml_connector.books.mapping import Mapping, Role
from ml_connector.books.policies import FeesPosted, WhenLost, WhenUnmatched
from ml_connector.books.tenant import Tenant, bare

Check = Callable[[Mapping, Tenant], Iterable[Finding]]


def findings(mapping: Mapping, tenant: Tenant) -> list[Finding]:
    """Everything that does not fit, what must be cured first; empty when all is well."""
    found = [one for check in CHECKS for one in check(mapping, tenant)]
    return sorted(found, key=lambda one: (one.severity is not Severity.FAIL, one.unchecked))


def payment_method(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A method that is missing, inactive, not for receivables, or processes cards itself."""
    method, key, name = tenant.method, "payment_method", mapping.payment_method
    if method is None:
        remedy = f"Correct the name, or add the method on {METHODS}."
        yield fail(key, f"Acumatica has no payment method {name!r}.", remedy)
        return
    if not method.active:
        yield fail(key, f"The payment method {name} is inactive.", f"Activate it on {METHODS}.")
    if not method.use_in_ar:
        yield fail(
            key,
            f"The payment method {name} is not used in accounts receivable.",
            f"Tick Use in AR on {METHODS}.",
        )
    if method.integrated:
        yield fail(
            key,
            f"The payment method {name} has integrated card processing.",
            "Use one without it, or payments stay in Pending Processing.",
        )


def branch(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """The branch of the documents, and those that the mirror names."""
    if tenant.branches is None:
        return
    found = tenant.branches.get(mapping.branch)
    if mapping.branch and found is None:
        known = ", ".join(sorted(tenant.branches)) or "none"
        yield fail(
            "branch",
            f"Acumatica has no branch {mapping.branch!r}; there are: {known}.",
            "Map one of these.",
        )
    if found is not None and not found.active:
        remedy = "Activate it on Branches (CS102000), or map another one."
        yield fail("branch", f"The branch {mapping.branch} is inactive.", remedy)
    base = tenant.ledger_currency
    if found is not None and base and found.currency and found.currency != base:
        yield fail(
            "branch",
            f"The branch {mapping.branch} belongs to a company kept in {found.currency}, but the"
            f" ledger is kept in {base}.",
            f"Map a branch of a company kept in {base}.",
        )
    known_names = {name.casefold() for name in tenant.branches}
    chosen = mapping.mirror.branches
    for name in (*chosen.include, *chosen.exclude):
        if name.casefold() not in known_names:
            yield warn(
                "mirror.branches",
                f"Acumatica has no branch {name!r}, so naming it in the mirror does nothing.",
                "Correct the name, or leave it out.",
            )


def subaccount(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A subaccount that is missing, inactive or of another shape than the tenant's."""
    code, known = mapping.subaccount, tenant.subaccounts
    if not code or known is None:
        return
    key, form = "subaccount", "Subaccounts (GL203000)"
    found = next((one for one in known if bare(one.subaccount) == bare(code)), None)
    if found is not None and not found.active:
        remedy = f"Activate it on {form}, or map another one."
        yield fail(key, f"The subaccount {code} is inactive.", remedy)
    if found is not None:
        return
    example = known[0].subaccount if known else ""
    if example and len(bare(example)) != len(bare(code)):
        yield fail(
            key,
            f"The subaccount {code!r} has {len(bare(code))} characters; the tenant's have"
            f" {len(bare(example))}, such as {example}.",
            "Write all segments of the subaccount.",
        )
        return
    yield fail(key, f"Acumatica has no subaccount {code!r}.", f"Correct it, or add it on {form}.")


def period(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A period of today that takes no postings; `mapping` says nothing about it."""
    del mapping
    if tenant.periods is None:
        return
    today, form = tenant.today, "Master Financial Calendar (GL201000)"
    found = tenant.periods.holding(today)
    if found is None:
        remedy = f"Generate the periods of the year on {form}."
        yield fail("period", f"No financial period is there for {today:%Y-%m-%d}.", remedy)
        return
    shut = [module for module in (GL, AR, CA) if module not in found.open_in]
    if shut:
        where = "the ledger" if GL in shut else " and ".join(shut)
        yield fail(
            "period",
            f"The financial period {found.id[:2]}-{found.id[2:]} of today is not open in {where}.",
            f"Open it on {form}; until then what happens today waits.",
        )


def roles(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """Roles that will be met, by the nature of things or by a policy, and have no account."""
    del tenant
    policies, disputed = mapping.policies, mapping.accounts.get(Role.DISPUTED)
    met = {
        Role.FEES: True,
        Role.SUSPENSE: policies.unmatched is WhenUnmatched.SUSPENSE,
        Role.CHARGEBACK_LOSS: bool(disputed) and policies.dispute_lost is WhenLost.LOSS,
        Role.FX_GAIN_LOSS: bool(mapping.transit),  # under any policy: of what comes back later
    }
    for role, needed in met.items():
        if needed and not mapping.accounts.get(role):
            yield warn(
                f"accounts.{role}",
                f"No account is mapped for {role.value!r}: money that meets it waits.",
                f"Map an account for {role.value!r}.",
            )


def link(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A plain field for the payment link that the contract lacks, or that people write into."""
    key, place, form = "mirror.write_link", mapping.mirror.write_link, mapping.mirror.source
    if not link_place.is_plain(place):
        return
    if tenant.link_fields is None and key not in tenant.unread:
        told = f"Whether {form} has a field {place!r} cannot be checked before a first invoice."
        yield unchecked(key, told, "Look again when there is one.")
    wrong = link_place.misplaced(place, form, tenant.link_fields or ())
    if tenant.link_fields is not None and wrong:
        remedy = "Name a field of that form, extend the endpoint (SM207060), or choose another"
        yield fail(key, wrong, f"{remedy} source: Acumatica would ignore it without a word.")
    if place.casefold() in link_place.OVERWRITES:
        told = f"The payment link takes the place of what people wrote as {place}."
        yield warn(key, told, "Use ExternalRef of SalesInvoice, the note, or a field of your own.")


def tax_category(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A tax category for the memos of refunds that is missing or inactive."""
    key, name, known = "refunds_tax_category", mapping.refunds_tax_category, tenant.tax_categories
    if not name or known is None:
        return
    form = "Tax Categories (TX205500)"
    found = next((one for one in known if one.category.casefold() == name.casefold()), None)
    if found is None:
        told = f"Acumatica has no tax category {name!r}: the credit memos of refunds are refused."
        yield fail(key, told, f"Correct it, or add it on {form}.")
    elif not found.active:
        yield fail(key, f"The tax category {name} is inactive.", f"Activate it on {form}.")


def entry_types(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """Entry types for fees on payments, which Acumatica shows only on a payment that bears one."""
    if mapping.policies.fees is not FeesPosted.PAYMENT_CHARGE:
        return
    for role, name in mapping.entry_types.items():
        if name in tenant.entry_types:
            continue
        yield unchecked(
            f"entry_types.{role}",
            f"Whether there is an entry type {name!r} cannot be checked: Acumatica shows it only"
            " on a payment that bears it, and none of ours does yet.",
            "Look on Entry Types (CA203000): a disbursement, deducted from the payment, assigned"
            " to the clearing cash accounts.",
        )


def unread(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """What could not be read at all, with the reason."""
    del mapping
    for key, why in tenant.unread.items():
        yield unchecked(
            key,
            f"The {key} cannot be checked. {why}",
            "Give the user the right to read that form, or let it be where its feature is off.",
        )


CHECKS: tuple[Check, ...] = (
    lint_accounts.accounts,
    lint_accounts.cash_accounts,
    payment_method,
    branch,
    subaccount,
    period,
    roles,
    lint_accounts.shared_clearing,
    lint_changes.left_behind,
    lint_accounts.control_told,
    link,
    tax_category,
    entry_types,
    unread,
)
"""Every comparison that is made."""
