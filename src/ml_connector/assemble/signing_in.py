"""How a connection signs in to Acumatica: the session, its sealed tokens, a person's consent."""

import base64
import hashlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from ml_connector.acumatica.cookies import CookieLogin, CookieSession
from ml_connector.acumatica.session import OAuthSession, Session
from ml_connector.acumatica.signin import OAuthApp, authorize_url
from ml_connector.acumatica.tokens import Tokens
from ml_connector.acumatica.turns import Turns
from ml_connector.assemble.installation import Installation
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.http.transport import Transport
from ml_connector.store import tokens as sealed
from ml_connector.store.connections import Connection, Secrets, SignIn
from ml_connector.store.engine import Store
from ml_connector.store.locks import one_at_a_time


def session_of(
    place: Installation, record: Connection, secret: Secrets, transport: Transport
) -> Session:
    """The session that a connection's calls go through, by the way it signs in."""
    erp = record.acumatica
    if erp.sign_in is SignIn.COOKIE:
        login = CookieLogin(erp.url, erp.user, secret.acumatica_password, erp.tenant, erp.branch)
        return CookieSession(login, transport=transport)
    return _oauth(place, record, _app(record, secret), transport)


def _app(record: Connection, secret: Secrets) -> OAuthApp:
    erp = record.acumatica
    with_password = erp.sign_in is SignIn.PASSWORD
    return OAuthApp(
        url=erp.url,
        client_id=erp.client_id,
        client_secret=secret.acumatica_client_secret,
        username=erp.user if with_password else "",
        password=secret.acumatica_password if with_password else "",
    )


def _oauth(
    place: Installation, record: Connection, app: OAuthApp, transport: Transport
) -> OAuthSession:
    held = SealedTokens(place, record.id)
    turns = SharedTurns(place.store, record.id)
    return OAuthSession(app, tokens=held, transport=transport, clock=place.clock, turns=turns)


class Consent:
    """A person's sign-in by authorization code with PKCE: `address` is where it begins."""

    def __init__(
        self,
        place: Installation,
        record: Connection,
        secret: Secrets,
        transport: Transport,
        redirect_uri: str,
    ) -> None:
        app = _app(record, secret)
        self._session = _oauth(place, record, app, transport)
        self._redirect_uri = redirect_uri
        self._state = secrets.token_urlsafe(16)
        self._verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self._verifier.encode()).digest()
        self.address = authorize_url(
            app,
            redirect_uri=redirect_uri,
            state=self._state,
            challenge=base64.urlsafe_b64encode(digest).decode().rstrip("="),
        )

    async def take(self, answer: str) -> None:
        """Trades the address where the browser ended for tokens, stored sealed.

        Raises Misconfigured when it is not the answer to this very sign-in.
        """
        given = parse_qs(urlsplit(answer.strip()).query)
        state, code = given.get("state", [""])[0], given.get("code", [""])[0]
        if not code or not secrets.compare_digest(state, self._state):
            raise Misconfigured(
                "That address is not the answer to this sign-in.",
                cause="acumatica.consent",
                remedy="Start again, and paste the whole address with its code and state.",
            )
        await self._session.sign_in(code, redirect_uri=self._redirect_uri, verifier=self._verifier)


class SealedTokens:
    """The tokens of one connection in the store, sealed (a `TokenStore` of the client's)."""

    def __init__(self, place: Installation, connection: ConnectionId) -> None:
        self._place = place
        self._connection = connection

    async def read(self) -> Tokens | None:
        """The stored tokens; None before the first sign-in."""
        async with self._place.store.transaction() as tx:
            kept = await sealed.read(tx, self._connection, self._place.keyring)
        if kept is None:
            return None
        return Tokens(kept.access, kept.refresh, kept.expires_at, kept.version)

    async def replace(self, tokens: Tokens, expected_version: int) -> bool:
        """Stores new tokens unless somebody was faster."""
        kept = sealed.Tokens(
            tokens.access_token, tokens.refresh_token, tokens.expires_at, tokens.version
        )
        async with self._place.store.transaction() as tx:
            return await sealed.replace(
                tx, self._connection, self._place.keyring, kept, expected_version
            )

    def lock(self) -> AbstractAsyncContextManager[object]:
        """Held by the one worker, of all processes, that renews."""
        return self._locked()

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[None]:
        async with self._place.store.transaction() as tx:
            await one_at_a_time(tx, f"tokens/{self._connection}")
            yield


class SharedTurns:
    """The turns of a server session that several processes share, by locks in the database.

    A grant is one session wherever it is used from (fact A2.1), and a form of it takes no call
    while an action runs. A process that dies lets go of its locks.
    """

    def __init__(self, store: Store, connection: ConnectionId) -> None:
        self._store = store
        self._connection = connection
        self._here = Turns()

    @asynccontextmanager
    async def ordinary(self, form: str) -> AsyncGenerator[None]:
        """A call beside other calls, of whichever process."""
        async with self._here.ordinary(form), self._locked("pg_advisory_xact_lock_shared", form):
            yield

    @asynccontextmanager
    async def alone(self, form: str) -> AsyncGenerator[None]:
        """An action: no process uses the form meanwhile."""
        async with self._here.alone(form), self._locked("pg_advisory_xact_lock", form):
            yield

    @asynccontextmanager
    async def _locked(self, lock: str, form: str) -> AsyncGenerator[None]:
        name = {"name": f"form/{self._connection}/{form}"}
        async with self._store.transaction() as tx:
            await tx.execute(text(f"SELECT {lock}(hashtext(:name))"), name)
            yield
