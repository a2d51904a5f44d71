"""The window's addresses: GET shows a page, POST acts and goes back to one."""

from collections.abc import Callable
from urllib.parse import parse_qsl, quote

from ml_sandbox.acumatica.clerk import Clerk
from ml_sandbox.acumatica.errors import Problem, Refused
from ml_sandbox.acumatica.push import Push
from ml_sandbox.acumatica.records import Record
from ml_sandbox.acumatica.site import Site
from ml_sandbox.acumatica.window import actions
from ml_sandbox.acumatica.window.customers import customer_card, customer_list
from ml_sandbox.acumatica.window.invoices import invoice_card, invoice_list
from ml_sandbox.acumatica.window.ledger import (
    account_card,
    account_list,
    journal_card,
    journal_list,
    period_list,
)
from ml_sandbox.acumatica.window.logs import call_list, push_list, switch_list
from ml_sandbox.acumatica.window.overview import overview
from ml_sandbox.acumatica.window.payments import payment_card, payment_list
from ml_sandbox.acumatica.window.view import LINKS, View, moment
from ml_sandbox.acumatica.wire import Answer, Request
from ml_sandbox.page import Content, Html, link, mark, page, tag

_HTML = (b"content-type", b"text/html; charset=utf-8")
_LISTS: dict[str, tuple[str, Callable[[View], Html]]] = {
    "": ("Overview", overview),
    "customers": ("Customers", customer_list),
    "invoices": ("Invoices and memos", invoice_list),
    "payments": ("Payments", payment_list),
    "journals": ("Journal batches", journal_list),
    "accounts": ("Accounts", account_list),
    "periods": ("Financial periods", period_list),
    "push": ("Push notifications", push_list),
    "calls": ("API calls", call_list),
    "switches": ("Switches", switch_list),
}
_CARDS: dict[str, tuple[str, int, Callable[[View, Record], Html]]] = {
    "customers": ("Customer", 1, customer_card),
    "invoices": ("Invoice", 2, invoice_card),
    "payments": ("Payment", 2, payment_card),
    "journals": ("JournalTransaction", 2, journal_card),
    "accounts": ("Account", 1, account_card),
}
_SIMPLE: dict[str, Callable[[View, actions.Form], actions.Done]] = {
    "clock": actions.move_clock,
    "tokens": actions.change_tokens,
    "invoices": actions.write_invoice,
    "periods": actions.change_period,
    "push": actions.change_push,
    "switches": actions.change_switch,
    "calls": actions.reset_calls,
}
_CODED: dict[tuple[str, str], Callable[[View, actions.Form, str], actions.Done]] = {
    ("customers", "status"): actions.change_customer,
    ("accounts", "active"): actions.change_account,
}
_DOCUMENTS: dict[tuple[str, str], Callable[[View, actions.Form, str, str], actions.Done]] = {
    ("invoices", "check"): actions.record_check,
    ("invoices", "memo"): actions.write_memo,
    ("invoices", "button"): actions.press_invoice,
    ("payments", "button"): actions.press_payment,
}


class Window:
    """The window on one tenant; unauthenticated and uncounted."""

    def __init__(self, site: Site, push: Push, clerk: Clerk) -> None:
        self._site = site
        self._push = push
        self._clerk = clerk

    def handle(self, request: Request) -> Answer:
        """Answers one request of a browser; never raises."""
        view = View(self._site, self._push, self._clerk, request)
        if request.method == "POST":
            return self._post(view, request)
        if request.method not in {"GET", "HEAD"}:
            return self._page(view, "That is not possible", tag("p", "Use the forms."), status=405)
        return self._get(view, request.segments)

    def _get(self, view: View, segments: list[str]) -> Answer:
        name, rest = (segments[0] if segments else ""), segments[1:]
        if not rest and name in _LISTS:
            title, show = _LISTS[name]
            return self._page(view, title, show(view), here=name)
        if name in _CARDS:
            entity, keys, show_card = _CARDS[name]
            record = view.world.find(entity, *rest) if len(rest) == keys else None
            if record is not None:
                return self._card(view, name, record, show_card(view, record))
        home = link(view.place(), "the overview")
        return self._page(view, "There is no such page", tag("p", "Go to ", home, "."), status=404)

    def _card(self, view: View, name: str, record: Record, body: Html) -> Answer:
        trail = link(view.place(name), _LISTS[name][0])
        return self._page(
            view, _title(record), body, here=name, trail=trail, aside=mark(_status(record))
        )

    def _page(
        self,
        view: View,
        title: str,
        body: Html,
        *,
        here: str = "",
        status: int = 200,
        trail: Content = None,
        aside: Content = None,
    ) -> Answer:
        query = view.request.query
        content = page(
            title,
            body,
            brand=f"Acumatica · {view.world.tenant}",
            links=[(view.place(*place), label) for place, label in LINKS],
            here=view.place(here) if here else view.place(),
            clock=f"{moment(view.world.clock.now())[:16]} UTC",
            notice=query.get("said", ""),
            problem=query.get("problem", ""),
            trail=trail,
            aside=aside,
        )
        return Answer(status, content, [_HTML])

    def _post(self, view: View, request: Request) -> Answer:
        given = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        back = view.place(*request.segments[: _depth(request.segments)])
        try:
            place, said = _act(view, request.segments, given)
        except Problem as problem:
            return _go(back, problem=problem.message)
        except Refused as refused:
            return _go(back, problem=refused.sentence)
        except (ValueError, KeyError, TypeError) as error:
            return _go(back, problem=str(error))
        return _go(place, said=said)


def _act(view: View, segments: list[str], given: dict[str, str]) -> actions.Done:
    name = segments[0] if segments else ""
    if len(segments) == 1 and name in _SIMPLE:
        return _SIMPLE[name](view, given)
    if len(segments) == 3 and (name, segments[2]) in _CODED:
        return _CODED[name, segments[2]](view, given, segments[1])
    if len(segments) == 4 and (name, segments[3]) in _DOCUMENTS:
        return _DOCUMENTS[name, segments[3]](view, given, segments[1], segments[2])
    raise ValueError("There is no such form.")


def _depth(segments: list[str]) -> int:
    """How much of a form's address is the page that it stands on."""
    if segments and segments[0] in {"clock", "tokens"}:
        return 0
    return len(segments) if len(segments) <= 1 else len(segments) - 1


def _go(place: str, **said: str) -> Answer:
    name, sentence = next(iter(said.items()))
    joint = "&" if "?" in place else "?"
    target = f"{place}{joint}{name}={quote(sentence)}"
    return Answer(303, b"", [(b"location", target.encode())])


def _title(record: Record) -> str:
    if record.entity == "Customer":
        return f"{record.get('CustomerName')} ({record.get('CustomerID')})"
    if record.entity == "Account":
        return f"{record.get('AccountCD')} {record.get('Description')}"
    if record.entity == "JournalTransaction":
        return f"Batch {record.get('Module')} {record.get('BatchNbr')}"
    return f"{record.get('Type')} {record.get('ReferenceNbr')}"


def _status(record: Record) -> str:
    if record.entity == "Account":
        return "Active" if record.get("Active") else "Inactive"
    return str(record.get("Status") or "")
