"""The connections: one Acumatica tenant joined to one Stripe account, with sealed credentials."""

from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ml_connector.basics.errors import Bug, Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.store.rows import JsonObject, moment
from ml_connector.store.tables import connections
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.seal import key_of_text, open_text, place_of, reseal_text, seal_text


class SignIn(StrEnum):
    """How the connector signs in to Acumatica."""

    OAUTH = "oauth"
    """A person consents once; tokens are refreshed."""
    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    """OAuth with the password of a user made for the connector."""
    COOKIE = "cookie"
    """A session by `/entity/auth/login`."""


class UnknownConnection(Misconfigured):
    """No connection has this name."""

    def __init__(self, connection: ConnectionId) -> None:
        super().__init__(
            f"There is no connection named {connection!r}.",
            cause="connection.unknown",
            remedy="`ml-connector status` lists the names; `ml-connector connect` makes a new one.",
        )


@dataclass(frozen=True, slots=True)
class StripeSide:
    """Where Stripe answers, and which account is spoken for."""

    url: str
    account: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class AcumaticaSide:
    """Where Acumatica answers, by which endpoint, tenant and branch, and who signs in how."""

    url: str
    endpoint: str
    version: str
    tenant: str
    branch: str
    sign_in: SignIn
    client_id: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Secrets:
    """A connection's credentials, opened; empty where there is none. Its repr shows names only."""

    stripe_key: str = ""
    stripe_webhook: str = ""
    acumatica_client_secret: str = ""
    acumatica_password: str = ""
    acumatica_webhook: str = ""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(known_secrets(self))})"


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What a person enters to make or change a connection."""

    id: ConnectionId
    title: str
    time_zone: str
    start_date: date
    stripe: StripeSide
    acumatica: AcumaticaSide
    secrets: Secrets = Secrets()
    policies: JsonObject = field(default_factory=dict[str, object])
    cadence: JsonObject = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as stored; `sealed` holds its secrets by name, sealed."""

    id: ConnectionId
    title: str
    time_zone: str
    start_date: date
    stripe: StripeSide
    acumatica: AcumaticaSide
    policies: JsonObject
    cadence: JsonObject
    sealed: dict[str, str] = field(repr=False)
    active: bool
    paused_reason: str
    mapping_version: int | None
    created_at: datetime
    updated_at: datetime


def known_secrets(secrets: Secrets) -> list[str]:
    """The names of the secrets that are there."""
    return [name for name, value in _by_name(secrets).items() if value]


async def save(
    tx: AsyncConnection, new: NewConnection, keyring: KeyRing, *, now: datetime | None = None
) -> Connection:
    """Makes the connection, or changes it; a secret left empty keeps the one that is stored."""
    given = {
        name: seal_text(keyring, value, _place(new.id, name))
        for name, value in _by_name(new.secrets).items()
        if value
    }
    facts: dict[str, Any] = {
        "title": new.title,
        "time_zone": new.time_zone,
        "start_date": new.start_date,
        "stripe": asdict(new.stripe),
        "acumatica": asdict(new.acumatica),
        "policies": new.policies,
        "cadence": new.cadence,
        "updated_at": moment(now),
    }
    fresh = {"id": new.id, "active": True, "paused_reason": "", "created_at": moment(now)}
    statement = insert(connections).values(**facts, **fresh, secrets=given)
    merged = connections.c.secrets.concat(statement.excluded.secrets)
    statement = statement.on_conflict_do_update(
        index_elements=[connections.c.id], set_={**facts, "secrets": merged}
    )
    return _connection((await tx.execute(statement.returning(connections))).mappings().one())


async def find(tx: AsyncConnection, connection: ConnectionId) -> Connection | None:
    """The connection of that name; None when there is none."""
    found = await tx.execute(select(connections).where(connections.c.id == connection))
    row = found.mappings().one_or_none()
    return None if row is None else _connection(row)


async def get(tx: AsyncConnection, connection: ConnectionId) -> Connection:
    """The connection of that name; raises UnknownConnection."""
    found = await find(tx, connection)
    if found is None:
        raise UnknownConnection(connection)
    return found


async def every(tx: AsyncConnection, *, active_only: bool = False) -> list[Connection]:
    """All connections by name; without the paused ones when asked."""
    question = select(connections).order_by(connections.c.id)
    if active_only:
        question = question.where(connections.c.active)
    return [_connection(row) for row in (await tx.execute(question)).mappings()]


def open_secrets(connection: Connection, keyring: KeyRing) -> Secrets:
    """The connection's credentials, opened; raises BrokenSeal or UnknownKey."""
    known = {part.name for part in fields(Secrets)}
    opened = {
        name: open_text(keyring, sealed, _place(connection.id, name))
        for name, sealed in connection.sealed.items()
        if name in known
    }
    return Secrets(**opened)


async def update_secret(
    tx: AsyncConnection,
    connection: ConnectionId,
    name: str,
    secret: str,
    keyring: KeyRing,
    *,
    now: datetime | None = None,
) -> None:
    """Replaces one secret by its name in `Secrets`; raises UnknownConnection, Bug."""
    if name not in {part.name for part in fields(Secrets)}:
        raise Bug(f"There is no secret named {name!r}.")
    sealed: JsonObject = {name: seal_text(keyring, secret, _place(connection, name))}
    await _change(tx, connection, now, secrets=connections.c.secrets.concat(sealed))


async def sealed_with(tx: AsyncConnection) -> list[str]:
    """The id of the key under which each secret of each connection is sealed."""
    rows = (await tx.execute(select(connections.c.secrets))).scalars()
    return [key_of_text(str(one)) for secrets in rows for one in secrets.values()]


async def reseal(tx: AsyncConnection, keyring: KeyRing) -> int:
    """Seals every connection's secrets under the active key; how many secrets there are."""
    count = 0
    rows = await tx.execute(select(connections.c.id, connections.c.secrets).with_for_update())
    for name, sealed in rows.all():
        place = ConnectionId(name)
        anew = {k: reseal_text(keyring, str(v), _place(place, k)) for k, v in sealed.items()}
        statement = update(connections).where(connections.c.id == name)
        await tx.execute(statement.values(secrets=anew))
        count += len(anew)
    return count


async def pause(
    tx: AsyncConnection, connection: ConnectionId, reason: str, *, now: datetime | None = None
) -> None:
    """Stops all work of the connection, saying why; raises UnknownConnection."""
    await _change(tx, connection, now, active=False, paused_reason=reason)


async def resume(
    tx: AsyncConnection, connection: ConnectionId, *, now: datetime | None = None
) -> None:
    """Lets the connection work again; raises UnknownConnection."""
    await _change(tx, connection, now, active=True, paused_reason="")


async def set_mapping_version(
    tx: AsyncConnection, connection: ConnectionId, version: int, *, now: datetime | None = None
) -> None:
    """Makes one version of the mapping the one in force; raises UnknownConnection."""
    await _change(tx, connection, now, mapping_version=version)


async def set_start_date(
    tx: AsyncConnection, connection: ConnectionId, day: date, *, now: datetime | None = None
) -> None:
    """Lets the books begin on another day; raises UnknownConnection."""
    await _change(tx, connection, now, start_date=day)


async def _change(
    tx: AsyncConnection, connection: ConnectionId, now: datetime | None, **values: object
) -> None:
    statement = update(connections).where(connections.c.id == connection)
    done = await tx.execute(statement.values(**values, updated_at=moment(now)))
    if not done.rowcount:
        raise UnknownConnection(connection)


def _by_name(secrets: Secrets) -> dict[str, str]:
    # Not `asdict`: its recursion would be one more way for a secret to be copied around.
    return {part.name: getattr(secrets, part.name) for part in fields(secrets)}


def _place(connection: ConnectionId, name: str) -> str:
    return place_of("connections", connection, name)


def _connection(row: RowMapping) -> Connection:
    columns = {str(name): value for name, value in row.items()}
    erp: dict[str, Any] = columns.pop("acumatica")
    return Connection(
        stripe=StripeSide(**columns.pop("stripe")),
        acumatica=AcumaticaSide(**{**erp, "sign_in": SignIn(erp["sign_in"])}),
        sealed=columns.pop("secrets"),
        **columns,
    )
