"""What was paid in one currency and settled in another, for who clears the exchange difference."""

from ml_connector.cli.frame import Exit, Json, Name, Office, opened


def exchange(name: Name = "", *, json: Json = False) -> int:
    """List each payment that Stripe settled in another currency, at which rate, and the sums."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.questions.exchange import exchange_list, sums

        found = await exchange_list(office.place.store, await office.only(name))
        added = sums(found)
        if json:
            listed = [
                {"transaction": one.transaction, "day": one.day, "charge": one.charge,
                 "paid": show.money(one.paid), "settled": show.money(one.settled),
                 "rate": f"{one.rate:f}", "cleared": one.cleared}
                for one in found
            ]  # fmt: skip
            totals = [
                {"cleared": one.cleared, "count": one.count, "paid": show.money(one.paid),
                 "settled": show.money(one.settled)}
                for one in added
            ]  # fmt: skip
            show.as_json({"exchange": listed, "totals": totals})
            return Exit.OK
        rows = [
            (str(one.day), one.charge, str(one.paid), str(one.settled), f"{one.rate:f}",
             "cleared" if one.cleared else "listed")
            for one in found
        ]  # fmt: skip
        columns = ("day", "charge", "paid ", "settled ", "rate ", "difference")
        show.table("Settled in another currency", columns, rows)
        for one in added:
            stands = "cleared to gain or loss" if one.cleared else "between transit and counterpart"
            show.say(f"{one.paid} settled as {one.settled} ({one.count}), {stands}")
        return Exit.OK

    return opened(body, as_json=json)
