"""The control plane under /_sandbox/: the clock, the switches, mischief, books; no key needed."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from ml_sandbox.stripe.api import Answer, Api, Request
from ml_sandbox.stripe.books import books
from ml_sandbox.stripe.control_money import MONEY
from ml_sandbox.stripe.errors import StripeError, bad, missing
from ml_sandbox.stripe.limits import REASONS
from ml_sandbox.stripe.money import FeeRule
from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

Act = Callable[[Obj], Obj]
PREFIX = "/_sandbox/"


class Control:
    """Answers control requests; bodies and answers are JSON."""

    def __init__(self, world: World, api: Api, sender: WebhookSender) -> None:
        self._world = world
        self._api = api
        self._sender = sender
        self._acts: dict[str, Act] = {
            "GET /_sandbox/clock": self.clock,
            "POST /_sandbox/clock": self.clock,
            "GET /_sandbox/switches": self.switches,
            "POST /_sandbox/switches": self.switches,
            "GET /_sandbox/webhooks": self.webhooks,
            "POST /_sandbox/webhooks": self.webhooks,
            "GET /_sandbox/webhooks/deliveries": self.deliveries,
            "POST /_sandbox/events/{id}/resend": self.resend,
            "POST /_sandbox/webhooks/{id}/secrets": self.roll_secret,
            "POST /_sandbox/keys": self.keys,
            "GET /_sandbox/calls": self.calls,
            "POST /_sandbox/calls/reset": self.reset_calls,
            "GET /_sandbox/books": lambda _given: books(world),
            "GET /_sandbox/settled": self.settled,
            "POST /_sandbox/rates": self.rates,
            "POST /_sandbox/webhooks/{id}/thin": self.thin,
            "POST /_sandbox/locks": self.locks,
            "POST /_sandbox/limits": self.limits,
            "POST /_sandbox/live_ids": self.live_ids,
        }
        for key, act in MONEY.items():
            self._acts[key] = lambda given, act=act: act(world, given)

    def answer(self, request: Request) -> Answer:
        """The answer to a control request; a wrong one is told in the API's error shape."""
        try:
            self._world.schedule.run_due()
            result = self._act(request)
            self._world.schedule.wake()
        except StripeError as error:
            return self._answer(error.status, {"error": error.error})
        except (KeyError, TypeError, ValueError) as error:
            return self._answer(400, {"error": {"message": f"bad control request: {error!r}"}})
        except AssertionError as error:
            return self._answer(500, {"error": {"message": str(error)}})
        return self._answer(200, result)

    def _answer(self, status: int, body: Obj) -> Answer:
        return Answer(status, self._world.wire.encode(body), {})

    def _act(self, request: Request) -> Obj:
        given: Obj = msgspec.json.decode(request.body, type=Obj) if request.body else {}
        exact = self._acts.get(f"{request.method} {request.path}")
        if exact is not None:
            return exact(given)
        parts = request.path.removeprefix(PREFIX).split("/")
        template = PREFIX + "/".join([parts[0], "{id}", *parts[2:]])
        act = self._acts.get(f"{request.method} {template}")
        if act is None or len(parts) < 2:
            raise missing("control", request.path, "path")
        return act({**given, "id": parts[1]})

    def clock(self, given: Obj) -> Obj:
        """Reads the clock, sets it, or advances it."""
        if "now" in given:
            self._world.clock.set(datetime.fromisoformat(given["now"]))
        if "advance_seconds" in given:
            self._world.clock.advance(timedelta(seconds=given["advance_seconds"]))
        self._world.schedule.run_due()
        return {"now": self._world.moment().isoformat()}

    def switches(self, given: Obj) -> Obj:
        """Reads the switches, or turns those that are given."""
        self._world.switches.set(given)
        return self._world.switches.described()

    def webhooks(self, given: Obj) -> Obj:
        """Reads or sets how events are made and delivered."""
        rest = dict(given)
        if (seed := rest.pop("seed", None)) is not None:
            self._sender.reseed(seed)
        if (scale := rest.pop("delay_scale", None)) is not None:
            self._world.schedule.rescale(float(scale))
        known = asdict(self._sender.mischief)
        if unknown := rest.keys() - known.keys():
            raise bad(f"unknown settings: {sorted(unknown)}")
        self._sender.mischief = type(self._sender.mischief)(**(known | rest))
        return asdict(self._sender.mischief) | {"delay_scale": self._world.schedule.scale}

    def deliveries(self, _given: Obj) -> Obj:
        """The delivery log, oldest first."""
        return {"deliveries": [d.shown() for d in self._sender.log]}

    def resend(self, given: Obj) -> Obj:
        """Sends an event again."""
        return {"deliveries": self._sender.resend(self._world.get("event", given["id"]))}

    def roll_secret(self, given: Obj) -> Obj:
        """Gives an endpoint a new secret; the old one stays active unless `expire` is set."""
        self._world.get("webhook_endpoint", given["id"])
        secrets = self._world.notes.secrets
        fresh = f"whsec_{self._world.ids.text(32)}"
        kept = [] if given.get("expire") else secrets[given["id"]]
        secrets[given["id"]] = [fresh, *kept]
        return {"secret": fresh}

    def thin(self, given: Obj) -> Obj:
        """Lets an endpoint get thin bodies (of /v2), or snapshots again."""
        self._world.get("webhook_endpoint", given["id"])
        thin = self._world.notes.thin
        (thin.add if given.get("on", True) else thin.discard)(given["id"])
        return {"id": given["id"], "thin": given["id"] in thin}

    def locks(self, given: Obj) -> Obj:
        """Answers so many coming writes that name one object with 429 lock_timeout."""
        self._world.notes.locks[str(given["id"])] = int(given.get("times", 1))
        return {"locks": self._world.notes.locks}

    def limits(self, given: Obj) -> Obj:
        """Answers so many coming requests 429, naming a reason in the header."""
        if given["reason"] not in REASONS:
            raise bad(f"the reasons are {', '.join(sorted(REASONS))}", "reason")
        self._world.notes.limits += [given["reason"]] * int(given.get("times", 1))
        return {"coming": self._world.notes.limits}

    def live_ids(self, given: Obj) -> Obj:
        """Says that ids exist in live mode: reading one here tells so."""
        self._world.notes.live.update(given["ids"])
        return {"ids": sorted(self._world.notes.live)}

    def keys(self, given: Obj) -> Obj:
        """Restricts or revokes a key."""
        permissions = given.get("permissions")
        self._api.keys.set(given["key"], permissions, revoked=given.get("revoked", False))
        return {"key": given["key"]}

    def calls(self, _given: Obj) -> Obj:
        """How often each route was called."""
        counts = dict(sorted(self._api.calls.items()))
        return {"calls": counts, "total": sum(counts.values())}

    def reset_calls(self, _given: Obj) -> Obj:
        """Starts counting again."""
        self._api.calls.clear()
        return self.calls({})

    def settled(self, _given: Obj) -> Obj:
        """Whether no effect and no delivery is outstanding."""
        waiting = self._world.schedule.outstanding + self._sender.outstanding
        return {"idle": waiting == 0, "outstanding": waiting}

    def rates(self, given: Obj) -> Obj:
        """Reads or sets rates to the dollar, fees, and the settlement currencies."""
        money = self._world.money
        for currency, rate in given.get("rates", {}).items():
            money.rates[currency] = Decimal(str(rate))
        for currency, rule in given.get("fees", {}).items():
            money.fees[currency] = FeeRule(Decimal(str(rule["percent"])), int(rule["fixed"]))
        money.settlement = given.get("settlement", money.settlement)
        money.check_settlement()
        return {
            "rates": money.rates,
            "fees": {c: {"percent": f.percent, "fixed": f.fixed} for c, f in money.fees.items()},
            "settlement": money.settlement,
        }
