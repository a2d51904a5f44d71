"""Going live: the opening position, old payments, and history."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened, progress_wanted

if TYPE_CHECKING:
    from ml_connector.basics.money import Money
    from ml_connector.books.opening import Opening
    from ml_connector.flows.connected import Connected
    from ml_connector.flows.rounds.backfill import Reckoning


def opening(
    name: Name = "",
    *,
    against: Annotated[str, Parameter(help="The account that takes the difference.")] = "",
    holds: Annotated[
        list[str] | None,
        Parameter(help="ACCOUNT=AMOUNT,CUR where the ledger cannot tell.", negative=""),
    ] = None,
    post: Annotated[bool, Parameter(negative="", help="Post the entry, once.")] = False,
    stub: Annotated[
        list[str] | None,
        Parameter(help="CHARGE=NUMBER: this payment stands for an old charge.", negative=""),
    ] = None,
    json: Json = False,
) -> int:
    """What Stripe held at the start date, and the one entry that brings the ledger there."""

    async def body(office: Office) -> int:
        from ml_connector.basics.ids import StripeId
        from ml_connector.flows.cash import stubs
        from ml_connector.flows.promise.opening import post as post_opening
        from ml_connector.flows.promise.opening import propose

        c = await office.board.connected(await office.only(name))
        for pair in stub or ():
            charge, number = _pair("--stub", pair)
            await stubs.name(c, StripeId(charge), number, actor())
        found = await propose(c, against, _amounts(holds or ()))
        if post:
            _require_account(found, against)
            found = [await post_opening(c, one, actor()) for one in found]
        await _show(c, found, as_json=json)
        return Exit.OK

    return opened(body, as_json=json)


def _pair(option: str, given: str) -> tuple[str, str]:
    from ml_connector.cli.given import wrong

    left, sign, right = given.partition("=")
    if not (left and sign and right):
        raise wrong(option, given, "Write it with = between the two.")
    return left, right


def _amounts(given: "tuple[str, ...] | list[str]") -> "dict[str, Money]":
    from decimal import Decimal, InvalidOperation

    from ml_connector.basics.money import Money
    from ml_connector.cli.given import wrong

    found: dict[str, Money] = {}
    for pair in given:
        account, amount = _pair("--holds", pair)
        number, _, code = amount.partition(",")
        try:
            found[account] = Money.of(Decimal(number), code)
        except (InvalidOperation, ValueError) as error:
            raise wrong("--holds", pair, "Write ACCOUNT=12.34,USD.") from error
    return found


def _require_account(found: "list[Opening]", against: str) -> None:
    from ml_connector.cli.given import wrong

    if not against and any(one.entry is not None and not one.against for one in found):
        raise wrong("--against", against, "Name the account that takes the difference.")


async def _show(c: "Connected", found: "list[Opening]", *, as_json: bool) -> None:
    from ml_connector.cli import show
    from ml_connector.flows.promise.opening import state_of

    states = [await state_of(c, one) for one in found]
    if as_json:
        show.as_json({"openings": [
            {"state": state, "position": one.position, "holds": one.holds, "entry": one.entry}
            for one, state in zip(found, states, strict=True)
        ]})  # fmt: skip
        return
    for one, state in zip(found, states, strict=True):
        place = one.position
        rows = [("Stripe balance", "", str(place.balance))]
        rows += [("payout on its way", part.subject, str(part.amount)) for part in place.in_transit]
        rows += [("open dispute", part.subject, str(part.amount)) for part in place.disputed]
        rows += [("reserve", "", str(place.reserved))] if place.reserved else []
        title = f"Position {place.currency} before {place.day}, {place.movements} movements"
        show.table(title, ("what", "number", "amount "), rows)
        wanted = place.wanted(c.mapping)
        accounts = [
            (account, str(held), str(amount), str(amount - held))
            for account, amount in wanted.items()
            for held in (one.holds[account],)
        ]
        show.table("The ledger", ("account", "holds ", "shall hold ", "entry "), accounts)
        show.say(f"{place.currency}: {state}.")
    if not found:
        show.say(f"Stripe has moved nothing before {c.record.start_date}.")


def backfill(
    name: Name = "",
    *,
    first: Annotated[str, Parameter(name="--from", help="The first day, YYYY-MM-DD.")],
    last: Annotated[str, Parameter(name="--to", help="The last day; yesterday by default.")] = "",
    days: Annotated[int, Parameter(help="How many days are loaded at once.")] = 7,
    move_start: Annotated[
        bool, Parameter(negative="", help="Let the books begin on that day.")
    ] = False,
    json: Json = False,
) -> int:
    """Load history day by day and hold it against Stripe's own list; goes on where it was ended."""

    async def body(office: Office) -> int:
        from ml_connector.basics.clock import day_in
        from ml_connector.cli.given import day_given
        from ml_connector.cli.work import work_until_idle
        from ml_connector.flows.rounds import backfill as flow

        chosen = await office.only(name)
        c = await office.board.connected(chosen)
        start = day_given("--from", first)
        yesterday = day_in(c.clock.now(), c.mapping.zone) - timedelta(days=1)
        end = day_given("--to", last) if last else yesterday
        if move_start and start < c.record.start_date:
            await flow.move_start(c, start, actor())
            c = await office.board.connected(chosen)
        await _loaded(c, start, end, max(days, 1), shown=progress_wanted(as_json=json))
        await work_until_idle(office, chosen, shown=progress_wanted(as_json=json))
        found = await flow.reckon(c, start, end)
        _show_reckoning(found, as_json=json)
        return Exit.OK if found.whole and not found.unposted else Exit.ATTENTION

    return opened(body, as_json=json)


async def _loaded(c: "Connected", start: date, end: date, days: int, *, shown: bool) -> None:
    """Loads window by window, telling how far it is."""
    from ml_connector.cli import show
    from ml_connector.flows.rounds import backfill as flow

    with show.progress(shown=shown) as bar:
        task = bar.add_task("loading", total=(end - start).days + 1) if bar else None
        async for progress in flow.backfill(c, start, end, days=days):
            if bar and task is not None:
                done = (progress.done_until - start).days
                bar.update(task, completed=done, description=f"loaded until {progress.done_until}")


def _show_reckoning(found: "Reckoning", *, as_json: bool) -> None:
    from ml_connector.cli import show

    if as_json:
        show.as_json({"whole": found.whole, "reckoning": found})
        return
    for code, sums in sorted(found.sums.items()):
        show.say(f"{code}: Stripe lists {sums.listed_count} movements, net {sums.listed}; stored"
                 f" are {sums.stored_count}, net {sums.stored}.")  # fmt: skip
    for one in found.astray:
        listed, stored = one.listed or "nothing", one.stored or "nothing"
        show.say(f"{one.id} of {one.day}: Stripe lists {listed}, stored is {stored}.",
                 mark="astray", colour="red")  # fmt: skip
    for name, amount, reason in found.unposted:
        show.say(f"{name} {amount}: {reason}")
    if found.whole:
        show.say("Every movement agrees with Stripe's own list.", mark="whole", colour="green")
    else:
        show.say("The same command again loads what is missing.")
