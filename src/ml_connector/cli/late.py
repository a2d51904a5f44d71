"""What accountants look through at the end of a month: late arrivals, money paid twice."""

from ml_connector.basics.ids import in_words
from ml_connector.cli.frame import Exit, Json, Name, Office, actor, opened


def late(name: Name = "", *, json: Json = False) -> int:
    """List what was booked on the next open day because its own period was closed."""

    async def body(office: Office) -> int:
        from ml_connector.cli import show
        from ml_connector.flows.questions.late import late_arrivals, totals_by_month

        found = await late_arrivals(office.place.store, await office.only(name))
        totals = totals_by_month(found)
        if json:
            listed = [
                {"key": one.key, "document": in_words(one.document),
                 "description": one.description, "true_day": one.true_day, "day": one.day,
                 "money": show.money(one.money), "state": one.state}
                for one in found
            ]  # fmt: skip
            added = [
                {"true_month": one.true_month, "month": one.month, "count": one.count,
                 "money": show.money(one.money)}
                for one in totals
            ]  # fmt: skip
            show.as_json({"late": listed, "totals": added})
            return Exit.OK
        rows = [
            (str(one.true_day), str(one.day), in_words(one.document), one.description,
             str(one.money))
            for one in found
        ]  # fmt: skip
        columns = ("happened", "booked on", "document", "description", "money ")
        show.table("Late arrivals", columns, rows)
        for one in totals:
            show.say(f"{one.money} of {one.true_month} in {one.month} ({one.count} documents)")
        return Exit.OK

    return opened(body, as_json=json)


def acknowledge(invoice: str, *, connection: Name = "", json: Json = False) -> int:
    """Take note of money paid twice on an invoice: it stays on the customer's account."""

    async def body(office: Office) -> int:
        from ml_connector.basics.ids import ErpRef
        from ml_connector.cli import show
        from ml_connector.flows.mirror.acknowledge import acknowledge as take_note

        c = await office.board.connected(await office.only(connection))
        excess = await take_note(c, ErpRef(invoice), actor())
        if json:
            show.as_json({"invoice": invoice, "acknowledged": show.money(excess)})
        else:
            show.say(f"{excess} more than invoice {invoice} is owed: noted, and not told again.")
        return Exit.OK

    return opened(body, as_json=json)
