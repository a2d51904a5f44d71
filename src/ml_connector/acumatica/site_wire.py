"""What a site says around its records: its endpoints, its refusals, its tokens."""

import msgspec

from ml_connector.acumatica.fields import Field


class EndpointWire(msgspec.Struct, frozen=True):
    """One endpoint that a site offers."""

    name: str
    version: str


class BuildWire(msgspec.Struct, frozen=True):
    """The site's build."""

    build: str = msgspec.field(default="", name="acumaticaBuildVersion")


class SiteWire(msgspec.Struct, frozen=True):
    """The answer of `GET /entity`; older builds send only the list inside."""

    endpoints: tuple[EndpointWire, ...]
    version: BuildWire | None = None


class ActionWire(msgspec.Struct, frozen=True):
    """The body of an action: the keys of the record that it is for."""

    entity: dict[str, Field[str]]


class HttpErrorWire(msgspec.Struct, frozen=True, rename="camel"):
    """The body of most refusals; the inner one often says more."""

    message: str = ""
    exception_message: str = ""
    exception_type: str = ""
    message_detail: str = ""
    model_state: dict[str, list[str]] = msgspec.field(default_factory=dict[str, list[str]])
    inner_exception: "HttpErrorWire | None" = None


class TokenWire(msgspec.Struct, frozen=True):
    """The token endpoint's answer; `refresh_token` comes only with `offline_access`."""

    access_token: str
    expires_in: int = 3600
    refresh_token: str = ""


class TokenErrorWire(msgspec.Struct, frozen=True):
    """The token endpoint's refusal."""

    error: str = ""
    error_description: str = ""
