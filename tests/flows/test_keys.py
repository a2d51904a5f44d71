"""Keys are rotated while the service runs, and a rotation that was cut off is ended."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ml_connector.basics.clock import ManualClock
from ml_connector.basics.errors import Misconfigured
from ml_connector.basics.ids import ConnectionId
from ml_connector.flows.connections.keys import Part, rotate, sealing_keys, signing_keys
from ml_connector.store import audit, connections, signing, tokens
from ml_connector.store.connections import AcumaticaSide, NewConnection, Secrets, SignIn, StripeSide
from ml_connector.store.engine import Store
from ml_connector.store.tokens import Tokens
from ml_connector.vault.keyring import FileRing, KeyRing, UnknownKey

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CLOCK = ManualClock(AT)
MAIN = ConnectionId("main")
SECRETS = Secrets(stripe_key="rk_test_word", acumatica_password="a password")
BOTH = list(Part)


@pytest.fixture
def ring(tmp_path: Path) -> FileRing:
    return FileRing(tmp_path / "keys")


@pytest.fixture
async def kept(store: Store, ring: FileRing) -> Store:
    """An installation with a connection, its tokens and a signing key."""
    erp = AcumaticaSide("http://erp", "Default", "24.200.001", "T", "B", SignIn.PASSWORD)
    new = NewConnection(
        MAIN, "Main", "UTC", date(2026, 10, 1), StripeSide("", "acct_1", livemode=False), erp,
        SECRETS,
    )  # fmt: skip
    async with store.transaction() as tx:
        await connections.save(tx, new, ring, now=AT)
        await tokens.replace(tx, MAIN, ring, Tokens("access", "refresh", AT), 0, now=AT)
        await signing.key(tx, ring)
    return store


async def opens(store: Store, ring: KeyRing) -> bool:
    async with store.transaction() as tx:
        record = await connections.get(tx, MAIN)
        found = await tokens.read(tx, MAIN, ring)
        await signing.key(tx, ring)
    known = connections.open_secrets(record, ring)
    return known == SECRETS and found is not None and found.refresh == "refresh"


async def test_a_rotation_seals_everything_anew_and_keeps_the_old_keys(
    kept: Store, ring: FileRing
) -> None:
    old = ring.active
    done = await rotate(kept, CLOCK, ring, "ann", BOTH)
    assert done.sealing is not None
    assert (done.sealing.secrets, done.sealing.finished) == (4, False)
    stored = KeyRing.from_file(ring.path)
    assert stored.active == done.sealing.key != old
    assert stored.ids == {old, stored.active}
    assert await opens(kept, stored.only_active())
    used = [(one.id, one.active, one.secrets) for one in await sealing_keys(kept, ring)]
    assert used == [(stored.active, True, 4), (old, False, 0)]


async def test_a_service_that_was_running_goes_on_after_a_rotation(
    kept: Store, ring: FileRing
) -> None:
    of_the_service = FileRing(ring.path)
    await rotate(kept, CLOCK, ring, "ann", BOTH)
    assert of_the_service.active != ring.active
    assert await opens(kept, of_the_service)
    assert of_the_service.active == ring.active


async def test_a_rotation_cut_off_after_the_file_is_ended_with_the_same_key(
    kept: Store, ring: FileRing
) -> None:
    ring.rotated().save(ring.path)  # and then the lights went out
    begun = KeyRing.from_file(ring.path)
    done = await rotate(kept, CLOCK, FileRing(ring.path), "ann", BOTH)
    assert done.sealing is not None
    assert (done.sealing.key, done.sealing.finished) == (begun.active, True)
    assert KeyRing.from_file(ring.path).ids == begun.ids
    assert await opens(kept, begun.only_active())


async def test_a_rotation_that_fails_in_the_database_loses_nothing(
    kept: Store, ring: FileRing
) -> None:
    async with kept.transaction() as tx:
        await tx.execute(text("UPDATE tokens SET sealed = 'AQAAAAA='"))
    with pytest.raises(Misconfigured):
        await rotate(kept, CLOCK, ring, "ann", BOTH)
    async with kept.transaction() as tx:
        record = await connections.get(tx, MAIN)
    assert connections.open_secrets(record, KeyRing.from_file(ring.path)) == SECRETS
    assert len(await signing_keys(kept, ring)) == 1


async def test_two_rotations_at_once_queue_and_no_key_is_lost(kept: Store, ring: FileRing) -> None:
    other = FileRing(ring.path)
    await rotate(kept, CLOCK, ring, "ann", [Part.SEALING])
    await rotate(kept, CLOCK, other, "bob", [Part.SEALING])
    assert len(KeyRing.from_file(ring.path).ids) == 3
    assert await opens(kept, KeyRing.from_file(ring.path))


async def test_a_ring_in_the_environment_is_changed_by_its_owner_and_then_sealed_with(
    kept: Store, ring: FileRing
) -> None:
    given = KeyRing.from_text(ring.to_text())
    with pytest.raises(Misconfigured) as refused:
        await rotate(kept, CLOCK, given, "ann", BOTH)
    assert "ML_KEYS" in refused.value.sentence
    changed = given.rotated()
    done = await rotate(kept, CLOCK, changed, "ann", [Part.SEALING])
    assert done.sealing is not None
    assert (done.sealing.key, done.sealing.secrets) == (changed.active, 4)
    assert await opens(kept, changed.only_active())


async def test_a_secret_of_a_lost_key_stops_the_rotation_and_names_the_key(
    kept: Store, ring: FileRing
) -> None:
    lost = ring.active
    KeyRing.generate().save(ring.path)
    with pytest.raises(UnknownKey, match=lost):
        await rotate(kept, CLOCK, FileRing(ring.path), "ann", BOTH)


async def test_a_rotation_stands_in_the_audit_trail_and_shows_no_secret(
    kept: Store, ring: FileRing
) -> None:
    async with kept.transaction() as tx:
        private = (await signing.key(tx, ring)).private.hex()
    later = ManualClock(AT + timedelta(days=1))
    done = await rotate(kept, later, ring, "ann", BOTH)
    async with kept.transaction() as tx:
        (entry,) = await audit.show(tx, ConnectionId(""), "keys")
    assert done.signing is not None
    assert (entry.actor, entry.action) == ("ann", "keys rotated")
    assert entry.detail["signing"] == done.signing.public
    known = await signing_keys(kept, ring)
    assert [one.until for one in known] == [None, later.now()]
    assert known[0] == replace(done.signing, since=known[0].since)
    told = repr((entry, done, known))
    secret = [line.partition(":")[2] for line in ring.to_text().split()]
    assert not any(word in told for word in (private, *secret))
