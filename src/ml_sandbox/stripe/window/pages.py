"""Answers requests for the window: finds the page, carries out acts, comes back."""

import secrets
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from ml_sandbox.stripe.api import Answer, Api, Request
from ml_sandbox.stripe.control import Control
from ml_sandbox.stripe.money import exponent
from ml_sandbox.stripe.webhook_sender import WebhookSender
from ml_sandbox.stripe.window import forms
from ml_sandbox.stripe.window.details import PAGES, back_link
from ml_sandbox.stripe.window.frame import whole
from ml_sandbox.stripe.window.lists import LISTS, deliveries, ledger, listing
from ml_sandbox.stripe.window.markup import Html, joined, section, tag
from ml_sandbox.stripe.window.overview import overview
from ml_sandbox.stripe.wire import Obj
from ml_sandbox.stripe.world import World

PREFIX = "/_window"
# Act -> the control request behind it; the id of the object stands in for {id}.
ACTS = {
    "pay": "pay", "refund": "refund", "dispute": "disputes", "decide": "disputes/{id}",
    "payouts": "payouts/run", "fail_payout": "payouts/{id}/fail", "fee": "fees",
    "clock": "clock", "mischief": "webhooks", "resend": "events/{id}/resend",
    "thin": "webhooks/{id}/thin", "return": "charges/{id}/return", "switch": "switches",
}  # fmt: skip
TICKS = {"dispute": ("inquiry",), "payouts": ("instant",), "thin": ("on",)}


class Window:
    """The pages under /_window."""

    def __init__(self, world: World, api: Api, control: Control, sender: WebhookSender) -> None:
        self._world = world
        self._api = api
        self._control = control
        self._sender = sender

    def answer(self, request: Request) -> Answer:
        """A page, or the way back to one after an act."""
        path = request.path.removeprefix(PREFIX).strip("/")
        if request.method == "POST" and path.startswith("act/"):
            return self._act(path.removeprefix("act/"), request)
        self._world.schedule.run_due()
        query = dict(parse_qsl(request.query))
        found = self._page(path, query)
        if found is None:
            return self._html(404, "", "Not found", tag("h1", "There is no such page."), None)
        title, body = found
        said = (query["said"], query.get("ok") == "1") if "said" in query else None
        return self._html(200, path.partition("/")[0], title, body, said)

    def _html(
        self, status: int, place: str, title: str, body: Html, said: tuple[str, bool] | None
    ) -> Answer:
        nonce = secrets.token_urlsafe(12)
        policy = (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
        }
        return Answer(status, whole(place, title, said, nonce, body).encode(), headers)

    def _page(self, path: str, query: dict[str, str]) -> tuple[str, Html] | None:
        """Title and body of a page, or None."""
        place, _, key = path.partition("/")
        number = int(query["page"]) if query.get("page", "").isdecimal() else 0
        if not place:
            return "Overview", overview(self._world, self._api, self._sender)
        if place == "ledger":
            title, body = ledger(self._world, query.get("currency", "usd"), number)
            return title, joined(tag("h1", title), body)
        if place == "switches":
            return "Switches", self._switches()
        if place not in LISTS:
            return None
        if key:
            return self._detail(place, key)
        title, body = listing(self._world, place, number)
        return title, joined(tag("h1", title), body, self._beside(place))

    def _beside(self, place: str) -> Html:
        """What stands below some lists."""
        if place == "payouts":
            return section("Run", forms.run_payouts("payouts"), live=False)
        if place == "endpoints":
            settings = asdict(self._sender.mischief)
            scale = {"delay_scale": self._world.schedule.scale}
            return joined(
                section("Newest deliveries", deliveries(self._sender, lambda _row: True)),
                section("Mischief", forms.mischief(settings | scale, "endpoints"), live=False),
            )
        return joined()

    def _detail(self, place: str, key: str) -> tuple[str, Html] | None:
        kind, page = PAGES[place]
        row = self._world.tables[kind].rows.get(key)
        if row is None:
            return None
        title = LISTS[place][0]
        return key, joined(back_link(place, title), page(self._world, self._sender, row))

    def _switches(self) -> Html:
        rows = [
            forms.switch(name, row["value"], row["meaning"], "switches")
            for name, row in self._world.switches.described().items()
        ]
        hint = "Rules for the layer in front of the sandbox: slow, refused, cut, lost after commit."
        return joined(
            tag("h1", "Switches"),
            section("Faults", tag("p", hint, klass="hint"), forms.faults(), live=False),
            tag("div", section("Switches", *rows, live=False), klass="switches"),
        )

    def _act(self, name: str, request: Request) -> Answer:
        """Carries out an act by the control plane and goes back with what it said."""
        if name not in ACTS or foreign(request):
            return self._html(400, "", "Refused", tag("h1", "That cannot be done here."), None)
        given = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        back = given.pop("back", "")
        try:
            body = self._typed(name, given)
        except (InvalidOperation, ValueError) as error:
            return back_to(back, f"That could not be read: {error}", ok=False)
        path = f"/_sandbox/{ACTS[name].replace('{id}', given.get('id', ''))}"
        answer = self._control.answer(Request("POST", path, "", {}, msgspec.json.encode(body)))
        told: Obj = self._world.wire.decode(answer.body)
        if answer.status != 200:
            return back_to(back, told["error"]["message"], ok=False)
        return back_to(back, "Done.", ok=True)

    def _typed(self, name: str, given: dict[str, str]) -> Obj:
        """The form's texts as what the control plane takes."""
        if name == "switch":
            return {given["name"]: like(self._known(given["name"]), given.get("value", "false"))}
        if name == "mischief":
            settings: Obj = asdict(self._sender.mischief) | {"delay_scale": 1.0}
            asked = {k: v for k, v in settings.items() if k in given or isinstance(v, bool)}
            return {k: like(v, given.get(k, "false")) for k, v in asked.items()}
        body: Obj = {k: v for k, v in given.items() if v != ""}
        for tick in TICKS.get(name, ()):
            body[tick] = given.get(tick) == "true"
        if "now" in body:
            body["now"] = f"{body['now']}+00:00"
        if "advance_seconds" in body:
            body["advance_seconds"] = int(body["advance_seconds"])
        if "amount" in body:
            places = exponent(str(body.get("currency", "usd")))
            body["amount"] = minor(body["amount"], places)
            self._whole_rest(name, body)
        return body

    def _whole_rest(self, name: str, body: Obj) -> None:
        """Paying exactly what remains is paying the invoice itself, not a part of it."""
        if name != "pay":
            return
        invoice = self._world.tables["invoice"].rows.get(str(body.get("invoice")))
        if invoice is not None and invoice["amount_remaining"] == body["amount"]:
            del body["amount"]

    def _known(self, name: str) -> object:
        return getattr(self._world.switches, name, None)


def minor(text: str, places: int) -> int:
    """An amount in major units as minor units; raises ValueError for too many decimals."""
    amount = Decimal(text.replace(",", "")).scaleb(places)
    if amount != amount.to_integral_value():
        raise ValueError(f"{text} has more decimals than the currency")
    return int(amount)


def like(known: object, text: str) -> object:
    """A text in the type of a known value."""
    if isinstance(known, bool):
        return text == "true"
    return type(known)(text) if isinstance(known, int | float) else text


def foreign(request: Request) -> bool:
    """Whether another site's page sent this form."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def back_to(place: str, said: str, *, ok: bool) -> Answer:
    """Leads back to a page of the window and says what came of it."""
    query = urlencode({"said": said, "ok": int(ok)})
    address = f"{PREFIX}/{place.lstrip('/')}".rstrip("/")
    return Answer(303, b"", {"Location": f"{address}?{query}", "Content-Type": "text/plain"})
