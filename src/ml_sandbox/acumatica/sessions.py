"""API sessions: signing in by cookie or by token, the session limit, idle closing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from ml_sandbox.acumatica.errors import Problem
from ml_sandbox.acumatica.people import ADMIN, ADMIN_PASSWORD
from ml_sandbox.acumatica.wire import Answer, Json
from ml_sandbox.acumatica.world import World

TENANT, USER, PASSWORD = "U100", ADMIN, ADMIN_PASSWORD
SESSION_COOKIE = "ASP.NET_SessionId"


@dataclass
class Session:
    """One signed-in session; `busy` names screens with a running operation."""

    id: str
    salt: int
    branch: str
    used: datetime
    user: str = ADMIN
    busy: dict[str, int] = field(default_factory=dict[str, int])
    operations: dict[str, object] = field(default_factory=dict[str, object])
    cookies: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])


class Sessions:
    """The sessions that are open now."""

    def __init__(self, world: World, path: str) -> None:
        self._world = world
        self._path = path or "/"
        self.open: dict[str, Session] = {}

    def begin(self, branch: str | None = None, user: str = ADMIN) -> Session:
        """A new session; raises when the licence allows no more."""
        self._close_idle()
        if len(self.open) >= self._world.switches.max_sessions:
            raise Problem(
                self._world.switches.session_limit_status,
                "Error: API Login Limit has been reached.",
            )
        session_id = self._world.guid().replace("-", "")[:24]
        session = Session(
            id=session_id,
            salt=self._world.random.getrandbits(120),
            branch=branch or "HEADOFFICE",
            used=self._world.clock.now(),
            user=user,
        )
        session.cookies = self._refreshed(session)
        self.open[session.id] = session
        return session

    def end(self, session: Session) -> None:
        """Closes a session."""
        self.open.pop(session.id, None)

    def by_cookie(self, header: str) -> Session | None:
        """The session that a Cookie header names, if it is still open."""
        if SESSION_COOKIE not in header:
            return None
        try:
            cookies: SimpleCookie = SimpleCookie(header)
        except CookieError:
            return None
        morsel = cookies.get(SESSION_COOKIE)
        return None if morsel is None else self.use(morsel.value)

    def use(self, session_id: str) -> Session | None:
        """An open session, marked as used now; an idle one is closed instead."""
        session = self.open.get(session_id)
        if session is None:
            return None
        now = self._world.clock.now()
        if now - session.used > timedelta(minutes=self._world.switches.idle_minutes):
            self.end(session)
            return None
        session.used = now
        return session

    def sign_in(self, body: Json) -> Answer:
        """Cookie login; a wrong password is a 500 with the recorded sentence."""
        tenant = body.get("tenant") or body.get("company") or self._world.tenant
        if str(tenant).upper() != self._world.tenant:
            raise Problem(
                500,
                "A proper company ID cannot be determined.",
                "PX.Data.PXUndefinedCompanyException",
            )
        user = self._world.users.signed_in(body.get("name"), body.get("password"))
        if user is None:
            raise Problem(500, "Error: Invalid credentials. Please try again.")
        branch = str(body.get("branch") or "HEADOFFICE")
        if branch not in self._world.setup.branches:
            raise Problem(500, f"The {branch} branch cannot be found in the system.")
        session = self.begin(branch, user.name)
        own = [
            self._cookie(".ASPXAUTH", self._world.guid().replace("-", "").upper(), http_only=True),
            self._cookie(SESSION_COOKIE, session.id, http_only=True),
            self._cookie("CompanyID", self._world.tenant),
        ]
        return Answer(204, b"", own + session.cookies)

    def sign_out(self, session: Session | None) -> Answer:
        """Cookie logout; always 204, and the cookies expire."""
        if session is not None:
            self.end(session)
        gone = [
            self._cookie(name, "", expired=True)
            for name in (".ASPXAUTH", SESSION_COOKIE, "CompanyID", "Locale", "UserBranch")
        ]
        return Answer(204, b"", gone)

    def _refreshed(self, session: Session) -> list[tuple[bytes, bytes]]:
        number = list(self._world.setup.branches).index(session.branch) + 1
        return [
            self._cookie("Locale", "TimeZone=GMTM0800A&Culture=en-US"),
            self._cookie("UserBranch", str(number)),
            self._cookie("requestid", session.id.upper()),
            self._cookie("requeststat", "+st:0+sc:~/entity+start:0+tg:"),
        ]

    def _cookie(
        self, name: str, value: str, *, http_only: bool = False, expired: bool = False
    ) -> tuple[bytes, bytes]:
        text = f"{name}={value}; path={self._path}"
        if expired:
            text += "; expires=Thu, 01 Jan 1970 00:00:00 GMT"
        if http_only:
            text += "; HttpOnly"
        return b"set-cookie", text.encode("latin-1")

    def _close_idle(self) -> None:
        limit = self._world.clock.now() - timedelta(minutes=self._world.switches.idle_minutes)
        for session in [each for each in self.open.values() if each.used < limit]:
            self.end(session)
