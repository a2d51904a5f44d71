"""The screen for a mapping: one page on this machine alone, for who holds its address.

It does what the commands of `ml-connector mapping` do, by the same functions. Who opens the address
first gets a cookie for it, and nobody else does after; every change needs a word that only the page
knows.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ml_connector.assemble import Installation, Switchboard
from ml_connector.basics.errors import ConnectorError
from ml_connector.basics.ids import ConnectionId
from ml_connector.books.finding import Finding, Severity
from ml_connector.flows.mapping.lint import lint
from ml_connector.flows.mapping.mapping_change import Proposal, propose, put_in_force, version_of
from ml_connector.flows.mapping.mapping_edit import differences
from ml_connector.flows.questions.what_if import what_if
from ml_connector.store import mapping
from ml_connector.web.mapping_page import STYLE_HASH, Told, View, document, page, trouble

COOKIE = "ml_mapping"
LARGEST_FORM = 1024 * 1024
IDLE_SECONDS = 30 * 60
DAYS = 90
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(slots=True)
class Screen:
    """One screen while it is open: whose mapping, who sits before it, and what lets them in."""

    place: Installation
    board: Switchboard
    connection: ConnectionId
    author: str
    hosts: frozenset[str]
    ticket: str | None = field(default_factory=lambda: secrets.token_urlsafe(32))
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    last_seen: float = field(default_factory=time.monotonic)

    async def until_ended(self, *, idle: float = IDLE_SECONDS) -> None:
        """Returns when a person has closed it, or nobody has used it for so many seconds."""
        while not self.ended.is_set():
            left = self.last_seen + idle - time.monotonic()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self.ended.wait(), left)
            except TimeoutError:
                continue


def create_screen(screen: Screen) -> Starlette:
    """The web application of a screen."""

    def guarded(
        act: Callable[[Screen, Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            response = await _let_in(screen, request) or await act(screen, request)
            response.headers.update(HEADERS)
            return response

        return answer

    return Starlette(
        routes=[
            Route("/", guarded(_read)),
            Route("/", guarded(_change), methods=["POST"]),
            Route("/version/{version:int}", guarded(_compare)),
        ]
    )


async def _let_in(screen: Screen, request: Request) -> Response | None:
    """None for who may go on; else the answer. The ticket is good once."""
    if request.headers.get("host", "") not in screen.hosts:
        return _closed("This address is not the screen's.")
    ticket = request.query_params.get("ticket", "")
    if screen.ticket is not None and _equal(ticket, screen.ticket):
        screen.ticket = None
        entry = RedirectResponse("/", status_code=303)
        entry.set_cookie(COOKIE, screen.session, httponly=True, samesite="strict", path="/")
        return entry
    if not _equal(request.cookies.get(COOKIE, ""), screen.session):
        return _closed("The address is good once, in the browser that opened it first.")
    screen.last_seen = time.monotonic()
    return None


def _equal(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _closed(reason: str) -> Response:
    told = f"<h1>Not here</h1><p>{reason} Run <code>ml-connector mapping screen</code> again.</p>"
    return HTMLResponse(document("Not here", told), status_code=403)


async def _read(screen: Screen, _: Request) -> Response:
    return HTMLResponse(page(await _view(screen)))


async def _compare(screen: Screen, request: Request) -> Response:
    """An older version beside the one in force."""
    number = int(request.path_params["version"])
    view = await _view(screen)
    try:
        old = await version_of(screen.place.store, screen.connection, number)
        now = await version_of(screen.place.store, screen.connection)
    except ConnectorError as error:
        return HTMLResponse(page(replace(view, told=trouble(error))), status_code=404)
    changed = differences(now.body, old.body)
    return HTMLResponse(page(replace(view, changed=changed, looking_at=number)))


async def _change(screen: Screen, request: Request) -> Response:
    """Check, what if, put in force, back, end: whichever button was pressed."""
    form = await _form(request)
    if form is None or not _equal(form.get("csrf", ""), screen.csrf):
        return _closed("The form was not this page's.")
    if form.get("act") == "end":
        screen.ended.set()
        return HTMLResponse(document("Closed", "<h1>Closed</h1><p>The screen is closed.</p>"))
    try:
        return HTMLResponse(page(await _acted(screen, form)))
    except ConnectorError as error:
        view = await _view(screen)
        kept = form.get("text", view.text)
        base = int(form["base"]) if form.get("base", "").isdecimal() else view.base
        view = replace(view, text=kept, note=form.get("note", ""), base=base, told=trouble(error))
        return HTMLResponse(page(view), status_code=409)


async def _acted(screen: Screen, form: dict[str, str]) -> View:
    """The page after a button; the text that somebody typed is never lost."""
    store, name, act = screen.place.store, screen.connection, form.get("act", "")
    base = await version_of(store, name, _number(form.get("base", "")))
    note = form.get("note", "").strip()
    if act == "back":
        old = await version_of(store, name, _number(form.get("version", "")))
        proposal = await propose(store, name, old.text, base)
        note = note or f"Back to version {old.version}."
    else:
        proposal = await propose(store, name, form.get("text", ""), base)
    view = await _view(screen)
    view = replace(view, text=proposal.text, note=note, base=base.version, changed=proposal.changed)
    if act == "what_if":
        c = await screen.board.connected(name)
        return replace(view, what_if=await what_if(c, proposal.mapping, DAYS), days=DAYS)
    findings = await lint(await screen.board.trying(name, proposal.mapping))
    view = replace(view, findings=findings)
    if act in {"put", "back"}:
        return await _put(screen, view, proposal, findings)
    return replace(view, told=_checked(findings))


async def _put(screen: Screen, view: View, proposal: Proposal, findings: list[Finding]) -> View:
    """In force as a new version, unless the lint fails; as `mapping set` does it."""
    told = _checked(findings)
    if _fails(findings):
        return replace(view, told=replace(told, word="Not put in force"))
    if proposal.same:
        reason = f"The text is that of version {view.base} already."
        return replace(view, told=Told("Nothing to do", reason, "Change the text, then try again."))
    store, clock = screen.place.store, screen.place.clock
    version = await put_in_force(store, clock, proposal, author=screen.author, note=view.note)
    reason = f"Version {version} is in force."
    after = Told("Done", reason, "Nothing: what was waiting goes on by itself.")
    now = await _view(screen)
    return replace(now, told=after, findings=findings, changed=proposal.changed)


def _checked(findings: list[Finding]) -> Told:
    if _fails(findings):
        return Told("Fails", "The text does not fit the tenant.", "Cure what fails, then check.")
    if any(not one.unchecked for one in findings):
        return Told("Works", "Nothing fails; something deserves a look.", "Read the findings.")
    return Told("Fits", "The text fits the tenant.", "Put it in force when you are content.")


def _fails(findings: list[Finding]) -> bool:
    return any(one.severity is Severity.FAIL for one in findings)


async def _view(screen: Screen) -> View:
    """What is in force now, with every version."""
    now = await version_of(screen.place.store, screen.connection)
    async with screen.place.store.transaction() as tx:
        versions = await mapping.every(tx, screen.connection)
        made = await mapping.made_under(tx, screen.connection)
    return View(
        screen.connection, now.text, now.version, now.version, versions, made, screen.csrf
    )  # fmt: skip


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form, with line breaks as files have them; None when it is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    # Browsers send every line break of a text area as two characters.
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
