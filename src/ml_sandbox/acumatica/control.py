"""The control plane under /_sandbox/: clock, books, switches, periods, tokens, clerk's entries."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ml_sandbox.acumatica import books, calendars
from ml_sandbox.acumatica.clerk import NEWEST, Clerk
from ml_sandbox.acumatica.control_people import (
    change_application,
    order_conflicts,
    put_user,
    show_application,
    show_conflicts,
    show_users,
)
from ml_sandbox.acumatica.errors import Problem, Refused
from ml_sandbox.acumatica.push import Push
from ml_sandbox.acumatica.render import Node
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.values import decode
from ml_sandbox.acumatica.wire import Answer, Json, Request, encode, json_answer

Handler = Callable[[Request, Json], object]


class Control:
    """Unauthenticated, uncounted; for tests and demonstrations only."""

    def __init__(self, site: Site, push: Push) -> None:
        self._site = site
        self._world = site.world
        self._push = push
        self.clerk = Clerk(site)
        self._get: dict[str, Handler] = {
            "clock": lambda _request, _body: self._clock(),
            "ledger": lambda _request, _body: books.trial_balance(self._world),
            "cash-accounts": lambda _request, _body: books.cash_accounts(self._world),
            "books": lambda _request, _body: books.books(self._world),
            "calls": lambda _request, _body: self._calls(),
            "switches": lambda _request, _body: self._world.switches.describe(),
            "documents": self._documents,
            "push": lambda _request, _body: self._push_state(),
            "sessions": lambda _request, _body: {"open": len(site.sessions.open)},
            "rates": lambda _request, _body: self._world.setup.rates.rows(),
            "users": lambda _request, _body: show_users(site),
            "application": lambda _request, _body: show_application(site),
            "conflicts": lambda _request, _body: show_conflicts(site),
        }
        self._post: dict[str, Handler] = {
            "clock": self._move_clock,
            "switches": self._switch,
            "periods": self._period,
            "calendar": self._calendar,
            "accounts": self._account,
            "customers": self._customer,
            "tokens": self._tokens,
            "push": self._configure_push,
            "write": self._write,
            "rates": self._rate,
            "post": self._post_batches,
            "calls": self._reset_calls,
            "users": lambda _request, body: put_user(site, body),
            "application": lambda _request, body: change_application(site, body),
            "conflicts": lambda _request, body: order_conflicts(site, body),
        }

    async def handle(self, request: Request) -> Answer:
        """Answers one control request; its own mistakes are 400 with a sentence."""
        name = request.segments[0] if request.segments else ""
        table = self._get if request.method == "GET" else self._post
        handler = table.get(name)
        if handler is None:
            return json_answer({"error": f"no control named {name}"}, 404)
        try:
            body = decode(request.body) if request.body.strip() else {}
            return Answer(200, encode(handler(request, body)), [_JSON])
        except Problem as problem:
            return problem.to_answer(with_trace=False)
        except Refused as refused:
            return json_answer(refused.echo, 422)
        except (ValueError, KeyError, TypeError) as error:
            return json_answer({"error": str(error)}, 400)

    def _clock(self) -> Json:
        return {"now": self._world.clock.now().isoformat()}

    def _move_clock(self, request: Request, body: Json) -> Json:
        del request
        if "now" in body:
            moment = datetime.fromisoformat(str(body["now"]))
            self._world.clock.set(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        else:
            self._world.clock.advance(timedelta(seconds=float(body["advance_seconds"])))
        return self._clock()

    def _calls(self) -> Json:
        calls = self._site.calls
        return {"total": sum(calls.values()), "calls": dict(sorted(calls.items()))}

    def _reset_calls(self, request: Request, body: Json) -> Json:
        del body
        if request.segments[1:] != ["reset"]:
            raise ValueError("POST calls/reset")
        self._site.calls.clear()
        return self._calls()

    def _switch(self, request: Request, body: Json) -> Json:
        del request
        self._world.switches.change(body)
        self._site.refresh_writers()
        calendars.show(self._world)
        return self._world.switches.describe()

    def _period(self, request: Request, body: Json) -> Json:
        del request
        code, module = str(body["period"]).replace("-", ""), str(body["module"])
        return self.clerk.close_period(code, module, closed=bool(body["closed"]))

    def _calendar(self, request: Request, body: Json) -> Json:
        """Begins the financial years in {first_month}, or generates one {generate: true}."""
        del request
        if "first_month" in body:
            calendars.begin_years_in(self._world, int(body["first_month"]))
            return {"first_month": body["first_month"]}
        return {"generated": calendars.generate(self._world)}

    def _account(self, request: Request, body: Json) -> Json:
        account = self._world.find("Account", request.segments[1])
        if account is None:
            raise ValueError(f"no account {request.segments[1]}")
        unit = self._world.unit()
        unit.edit(account).set(Active=bool(body["active"]))
        unit.commit()
        return {"account": request.segments[1], "active": bool(body["active"])}

    def _customer(self, request: Request, body: Json) -> Json:
        customer = self._world.find("Customer", request.segments[1])
        if customer is None:
            raise ValueError(f"no customer {request.segments[1]}")
        unit = self._world.unit()
        unit.edit(customer).set(Status=str(body["status"]))
        unit.commit()
        return {"customer": request.segments[1], "status": str(body["status"])}

    def _tokens(self, request: Request, body: Json) -> Json:
        del request
        identity = self._site.identity
        if "lifetime_seconds" in body:
            identity.lifetime = int(body["lifetime_seconds"])
            return {"lifetime_seconds": identity.lifetime}
        if body.get("expire") == "access":
            return {"expired": identity.expire_access()}
        if body.get("revoke"):
            return {"revoked": identity.revoke()}
        raise ValueError('one of {"expire": "access"}, {"revoke": true}, {"lifetime_seconds": n}')

    def _push_state(self) -> Json:
        push = self._push
        return {
            "config": {
                name: getattr(push.config, name) for name in push.config.__dataclass_fields__
            },
            "waiting": len(push.waiting),
            "attempts": push.attempts,
            "delivered": push.delivered,
            "given_up": push.given_up,
        }

    def _configure_push(self, request: Request, body: Json) -> Json:
        del request
        self._push.config.change(body)
        return self._push_state()

    def _rate(self, request: Request, body: Json) -> Json:
        del request
        rates = self._world.setup.rates
        effective = date.fromisoformat(str(body["date"]))
        rates.add(str(body["currency"]), effective, Decimal(str(body["rate"])))
        return dict(rates.rows())

    def _post_batches(self, request: Request, body: Json) -> Json:
        """Posts every unposted batch, as the Post Transactions form does."""
        del request, body
        waiting = [batch for batch in self._world.ledger.batches if not batch.posted]
        unit = self._world.unit()
        for batch in waiting:
            self._world.ledger.post(batch)
            record = self._world.find("JournalTransaction", batch.module, batch.number)
            if record is not None:
                unit.edit(record).set(Status="Posted")
        unit.commit()
        return {"posted": len(waiting)}

    def _write(self, request: Request, body: Json) -> object:
        """A clerk's entry: the PUT, and the release when asked, at once and uncounted."""
        del request
        action = "release" if body.get("release") else str(body.get("action") or "")
        return self.clerk.write(str(body["entity"]), body.get("body") or {}, action)

    def _documents(self, request: Request, body: Json) -> list[Json]:
        """Every document of a type: an entity name, or an AR document type.

        `expand` names the rows of an entity that are shown with it.
        """
        del body
        wanted = request.query.get("type", "Payment")
        rows = request.query.get("expand", "").split(",")
        entities = self._site.entities[NEWEST]
        entity = entities.endpoint.top(wanted)
        if entity is not None and entity.name in self._world.tables:
            records = list(self._world.tables[entity.name])
            node = Node(children={name: Node() for name in rows if name})
            return [entities.renderer.record(each, entity, node) for each in records]
        found: list[Json] = []
        for name in ("Invoice", "Payment"):
            kind = entities.endpoint.entities[name]
            found += [
                entities.renderer.record(each, kind, Node())
                for each in self._world.tables[name]
                if each.get("Type") == wanted
            ]
        return found


_JSON = (b"content-type", b"application/json; charset=utf-8")
