"""The identity server: authorization code with PKCE, password, and strictly rotating refresh."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from ml_sandbox.acumatica.client_auth import (
    ASSERTION,
    right_assertion,
    right_secret,
    secret_of,
)
from ml_sandbox.acumatica.consent import consent_page
from ml_sandbox.acumatica.sessions import TENANT, USER, Session, Sessions
from ml_sandbox.acumatica.wire import Answer, Json, json_answer
from ml_sandbox.acumatica.world import World

_SCOPES = frozenset(
    ("api", "offline_access", "api:concurrent_access", "openid", "profile", "email", "phone")
)


class OAuthError(Exception):
    """A refusal in OAuth's own words (HTTP 400)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Grant:
    """One consent: its chain of refresh tokens and the session it shares."""

    scope: str
    began: datetime
    user: str = USER
    renewed: datetime | None = None
    session: str | None = None
    revoked: bool = False


@dataclass
class Code:
    """A single-use authorization code."""

    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires: datetime


@dataclass
class Access:
    """An access token's grant and expiry."""

    grant: Grant
    expires: datetime


@dataclass
class Application:
    """The connected application's registration (SM303010).

    No redirect address registered accepts any; `sliding_days` 0 means the chain of refresh tokens
    ends `absolute_days` after the consent, otherwise a token unused for that long is dead and
    `absolute_days` 0 is no end.
    """

    redirect_uris: list[str] = field(default_factory=list[str])
    keys: list[Json] = field(default_factory=list[Json])
    sliding_days: int = 0
    absolute_days: int = 30

    def alive(self, grant: Grant, now: datetime) -> bool:
        """Whether the grant may still be refreshed."""
        if self.sliding_days:
            last = grant.renewed or grant.began
            if now > last + timedelta(days=self.sliding_days):
                return False
        return not self.absolute_days or now <= grant.began + timedelta(days=self.absolute_days)


@dataclass
class Identity:
    """All codes and tokens. Times are the sandbox clock's."""

    world: World
    sessions: Sessions
    seed: int
    lifetime: int = 3600
    application: Application = field(default_factory=Application)
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    access: dict[str, Access] = field(default_factory=dict[str, Access])
    refresh: dict[str, Grant] = field(default_factory=dict[str, Grant])

    def __post_init__(self) -> None:
        """The connected application's id and secret are fixed by the seed."""
        tenant = self.world.tenant
        own = "" if tenant == TENANT else f" of {tenant}"
        source = Random(f"connected application {self.seed}{own}")
        guid = str(UUID(int=source.getrandbits(128), version=4)).upper()
        self.client_id = f"{guid}@{tenant}"
        self.client_secret = base64.urlsafe_b64encode(source.randbytes(18)).decode()

    def discovery(self, issuer: str) -> Answer:
        """The OpenID configuration."""
        return json_answer(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/connect/authorize",
                "token_endpoint": f"{issuer}/connect/token",
                "scopes_supported": sorted(_SCOPES),
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "password", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                    "private_key_jwt",
                ],
            }
        )

    def authorize(self, query: dict[str, str]) -> Answer:
        """Signs in and consents at once, and redirects with a code."""
        refused = self._refuses(query)
        if refused is not None:
            return refused
        if self.world.switches.consent == "page":
            return consent_page(query, self.world.tenant)
        return self._send_back(query, USER)

    def decide(self, form: dict[str, str]) -> Answer:
        """What the person decided on the consent page."""
        refused = self._refuses(form)
        if refused is not None:
            return refused
        if form.get("decision") != "allow":
            return self._redirect(form, {"error": "access_denied"})
        user = self.world.users.signed_in(form.get("username"), form.get("password"))
        if user is None:
            return consent_page(form, self.world.tenant, wrong=True)
        return self._send_back(form, user.name)

    def _refuses(self, query: dict[str, str]) -> Answer | None:
        redirect = query.get("redirect_uri", "")
        if query.get("client_id", "") != self.client_id or not urlsplit(redirect).scheme:
            return json_answer({"error": "unauthorized_client"}, 400)
        registered = self.application.redirect_uris
        if registered and redirect not in registered:
            return json_answer({"error": "invalid_request"}, 400)
        return None

    def _redirect(self, query: dict[str, str], back: dict[str, str]) -> Answer:
        redirect = query["redirect_uri"]
        if "state" in query:
            back["state"] = query["state"]
        joint = "&" if "?" in redirect else "?"
        target = f"{redirect}{joint}{urlencode(back)}"
        return Answer(302, b"", [(b"location", target.encode())])

    def _send_back(self, query: dict[str, str], user: str) -> Answer:
        redirect = query["redirect_uri"]
        scope = query.get("scope", "api")
        back: dict[str, str] = {}
        if query.get("response_type") != "code":
            back["error"] = "unsupported_response_type"
        elif not set(scope.split()) <= _SCOPES:
            back["error"] = "invalid_scope"
        elif query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            back["error"] = "invalid_request"
        else:
            now = self.world.clock.now()
            code = self._secret()
            self.codes[code] = Code(
                Grant(scope, now, user),
                redirect,
                query.get("code_challenge"),
                now + timedelta(minutes=5),
            )
            back["code"] = code
        return self._redirect(query, back)

    def token(self, body: bytes, authorization: str) -> Answer:
        """The token endpoint; refusals are OAuth's JSON with status 400."""
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        try:
            self._check_client(form, authorization)
            grant, fresh = self._grant(form)
            return json_answer(self._issue(grant, fresh=fresh))
        except OAuthError as error:
            return json_answer({"error": error.code}, 400)

    def _check_client(self, form: dict[str, str], authorization: str) -> None:
        if form.get("client_assertion_type") == ASSERTION:
            assertion = form.get("client_assertion", "")
            good = right_assertion(assertion, self.client_id, self.application.keys)
        else:
            given = secret_of(form, authorization)
            good = right_secret(given, self.client_id, self.client_secret)
        if not good:
            raise OAuthError("invalid_client")

    def _grant(self, form: dict[str, str]) -> tuple[Grant, bool]:
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._redeem(form), True
        if kind == "refresh_token":
            return self._rotate(form.get("refresh_token", "")), False
        if kind == "password":
            return self._password(form), True
        raise OAuthError("unsupported_grant_type")

    def _redeem(self, form: dict[str, str]) -> Grant:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code.expires < self.world.clock.now():
            raise OAuthError("invalid_grant")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthError("invalid_grant")
        if code.challenge is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
                raise OAuthError("invalid_grant")
        return code.grant

    def _rotate(self, token: str) -> Grant:
        grant = self.refresh.pop(token, None)
        now = self.world.clock.now()
        if grant is None or grant.revoked or not self.application.alive(grant, now):
            raise OAuthError("invalid_grant")
        grant.renewed = now
        return grant

    def _password(self, form: dict[str, str]) -> Grant:
        user = self.world.users.signed_in(form.get("username"), form.get("password"))
        if user is None:
            raise OAuthError("invalid_grant")
        scope = form.get("scope", "api")
        if not set(scope.split()) <= _SCOPES:
            raise OAuthError("invalid_scope")
        return Grant(scope, self.world.clock.now(), user.name)

    def _issue(self, grant: Grant, *, fresh: bool) -> Json:
        if not fresh and "offline_access" not in grant.scope.split():
            raise OAuthError("invalid_grant")
        token = "eyJ" + self._secret() + self._secret()
        expires = self.world.clock.now() + timedelta(seconds=self.lifetime)
        self.access[token] = Access(grant, expires)
        answer: Json = {
            "access_token": token,
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": grant.scope,
        }
        if "offline_access" in grant.scope.split():
            answer["refresh_token"] = self._secret().upper()
            self.refresh[answer["refresh_token"]] = grant
        if "openid" in grant.scope.split():
            answer["id_token"] = "eyJ" + self._secret()
        return answer

    def session_of(self, token: str, cookies: str) -> Session | None:
        """The session behind a bearer token; None when the token is not good any more.

        One grant shares one session, except that `api:concurrent_access` follows the cookies.
        """
        access = self.access.get(token)
        if access is None or access.grant.revoked or access.expires <= self.world.clock.now():
            return None
        if "api:concurrent_access" in access.grant.scope.split():
            return self.sessions.by_cookie(cookies) or self.sessions.begin(user=access.grant.user)
        known = self.sessions.use(access.grant.session) if access.grant.session else None
        if known is None:
            known = self.sessions.begin(user=access.grant.user)
            access.grant.session = known.id
        return known

    def is_concurrent(self, token: str) -> bool:
        """Whether the token's client manages sessions by cookies."""
        return "api:concurrent_access" in self.access[token].grant.scope.split()

    def expire_access(self) -> int:
        """Ends every access token; refresh tokens stay good."""
        count = len(self.access)
        self.access.clear()
        return count

    def revoke(self) -> int:
        """Withdraws every consent."""
        grants = [*self.refresh.values(), *(each.grant for each in self.access.values())]
        for grant in grants:
            grant.revoked = True
        return len(grants)

    def _secret(self) -> str:
        return self.world.random.getrandbits(256).to_bytes(32, "big").hex()
