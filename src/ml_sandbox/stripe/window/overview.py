"""The overview: what the account holds, what happened, and the acts that concern all of it."""

from ml_sandbox.stripe.api import Api
from ml_sandbox.stripe.books import books
from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.window import forms
from ml_sandbox.stripe.window.lists import LISTS, rows_of
from ml_sandbox.stripe.window.markup import Html, joined, link, money, section, status, table, tag
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

MOST_CALLS = 12


def overview(world: World, api: Api, sender: WebhookSender) -> Html:
    """The first page."""
    found = books(world)
    newest = list(reversed(list(world.tables["charge"])))[:5]
    return joined(
        tag("h1", "Overview"),
        violations(found["invariant_violations"]),
        tag(
            "div",
            section("Balance", balances(found["currencies"])),
            section("Clock", moment(world), live=True),
            klass="columns",
        ),
        section("Act", acts(), live=False),
        section("What there is", counts(world, found, sender)),
        section("Newest payments", rows_of(world, "payments", newest)),
        section("Calls", calls(api)),
    )


def acts() -> Html:
    """The acts that concern the whole account."""
    return tag("div", forms.clock(""), forms.run_payouts(""), forms.product_fee(""), klass="acts")


def violations(found: list[str]) -> Html:
    """Broken invariants, loudly, or the good news."""
    if not found:
        good = tag("span", "balanced", klass="status good")
        body = joined(good, " Everything adds up to the cent.")
    else:
        body = joined(*(tag("p", text, klass="said bad") for text in found))
    return section("Books", body)


def balances(currencies: Obj) -> Html:
    """Available, pending and total per currency."""
    rows = [
        [
            link(f"ledger?currency={currency}", currency.upper()),
            money(row["available"], currency),
            money(row["pending"], currency),
            money(row["total"], currency),
        ]
        for currency, row in currencies.items()
    ]
    return table(["Currency", "Available>", "Pending>", "Total>"], rows, "No money has moved yet.")


def moment(world: World) -> Html:
    """The sandbox's present moment."""
    now = world.moment()
    day = now.strftime("%A, %d %B %Y")
    return joined(tag("span", now.strftime("%H:%M UTC"), klass="big"), tag("span", day))


def counts(world: World, found: Obj, sender: WebhookSender) -> Html:
    """How many of everything, and the states of invoices."""
    figures = [
        figure(link(place, str(len(world.tables[kind]))), title)
        for place, (title, kind, _, _) in LISTS.items()
    ]
    waiting = figure(str(sender.outstanding), "Deliveries under way")
    states: dict[str, int] = found["invoices_by_status"]
    words = joined(*(joined(status(word), f" {n} ") for word, n in states.items()))
    return joined(
        tag("div", *figures, waiting, klass="figures"),
        tag("p", "Invoices: ", words) if states else "",
    )


def figure(number: str, label: str) -> Html:
    """One number with its name below."""
    return tag("div", tag("span", number, klass="big"), tag("small", label))


def calls(api: Api) -> Html:
    """The routes that were called most."""
    rows = [[tag("code", route), count] for route, count in api.calls.most_common(MOST_CALLS)]
    total = tag("p", f"{sum(api.calls.values())} calls in all", klass="hint")
    return joined(total, table(["Route", "Calls>"], rows, "No calls yet."))
