"""A mapping beside the one in force: no account is left while our money still stands on it."""

from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly

from ml_connector.basics.money import Money
from ml_connector.books.finding import Finding, fail
from ml_connector.books.mapping import Mapping
from ml_connector.books.tenant import Tenant


def left_behind(mapping: Mapping, tenant: Tenant) -> Iterator[Finding]:
    """A clearing or transit account that is changed or dropped and is not empty."""
    if tenant.in_force is not None:
        yield from leaving(mapping, tenant.in_force, tenant.standing)


def leaving(
    mapping: Mapping, in_force: Mapping, standing: ReadOnly[str, Money]
) -> Iterator[Finding]:
    """The same, by what stands in each place of the mapping in force."""
    before, after = _accounts(in_force), _accounts(mapping)
    for place, named in before.items():
        amount = standing.get(place)
        now = after.get(place)
        if not amount or now == named:
            continue
        if now is None:
            yield _dropped(place, named, amount)
            continue
        for word, account in named.items():
            if now[word] != account:
                yield _changed(f"{place}.{word}", account, now[word], amount)


def clearing(code: str) -> str:
    """The place of a settlement currency in the mapping."""
    return f"currencies.{code}"


def transit(code: str) -> str:
    """The place of a transit currency in the mapping."""
    return f"transit.{code}"


def _accounts(mapping: Mapping) -> dict[str, dict[str, str]]:
    """The accounts that hold what is Stripe's, by their place and word."""
    found = {
        clearing(code): {"clearing_cash": one.clearing_cash, "clearing": one.clearing}
        for code, one in mapping.currencies.items()
    }
    for code, one in mapping.transit.items():
        found[transit(code)] = {"cash": one.cash, "account": one.account}
    return found


def _changed(key: str, account: str, now: str, amount: Money) -> Finding:
    return fail(
        key,
        f"It is to be {now}, but by our books {amount} still stand on {account}.",
        _remedy(key, account),
    )


def _dropped(place: str, named: dict[str, str], amount: Money) -> Finding:
    accounts = " and ".join(dict.fromkeys(named.values()))
    return fail(
        place,
        f"It is to be dropped, but by our books {amount} still stand on {accounts}.",
        _remedy(place, accounts),
    )


def _remedy(place: str, account: str) -> str:
    way = (
        "until Stripe has paid everything out"
        if place.startswith("currencies.")
        else "until the transit is cleared"
    )
    return (
        f"Keep {account} {way}. Only if a journal of yours has moved that amount to the new"
        " account already, put the mapping in force with --force."
    )
