"""Connections: entered by a person, sealed, and paused."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from build.stored import MAIN, NOON, OTHER, a_connection
from ml_connector.basics.errors import Bug, Misconfigured
from ml_connector.store import connections, tables
from ml_connector.store.connections import Secrets
from ml_connector.store.engine import Store
from ml_connector.vault.keyring import KeyRing
from ml_connector.vault.seal import BrokenSeal

pytestmark = pytest.mark.anyio
RING = KeyRing.generate()


async def test_a_connection_comes_back_as_it_was_entered(store: Store) -> None:
    new = a_connection(policies={"unmatched": "hold"}, cadence={"events": 60})
    async with store.transaction() as tx:
        saved = await connections.save(tx, new, RING, now=NOON)
        read = await connections.get(tx, MAIN)
    assert read == saved
    assert (read.stripe, read.acumatica, read.start_date) == (
        new.stripe,
        new.acumatica,
        new.start_date,
    )
    assert (read.policies, read.cadence, read.active) == (new.policies, new.cadence, True)
    assert connections.open_secrets(read, RING) == new.secrets


async def test_no_secret_stands_readable_in_the_database_or_in_a_log(store: Store) -> None:
    async with store.transaction() as tx:
        saved = await connections.save(tx, a_connection(), RING)
        row = (await tx.execute(select(tables.connections))).one()
    opened = connections.open_secrets(saved, RING)
    for shown in (repr(row), repr(saved), repr(opened), repr(a_connection())):
        assert "sk_test_1" not in shown
        assert "hush" not in shown
    assert repr(opened) == "Secrets(stripe_key, acumatica_client_secret)"


async def test_a_secret_left_empty_keeps_the_one_that_is_stored(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), RING)
        again = a_connection(title="Renamed", secrets=Secrets(stripe_webhook="whsec_1"))
        saved = await connections.save(tx, again, RING)
    assert saved.title == "Renamed"
    assert connections.open_secrets(saved, RING) == Secrets(
        stripe_key="sk_test_1", stripe_webhook="whsec_1", acumatica_client_secret="hush"
    )


async def test_a_secret_is_replaced_by_its_name(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), RING)
        await connections.update_secret(tx, MAIN, "stripe_key", "sk_test_2", RING)
        opened = connections.open_secrets(await connections.get(tx, MAIN), RING)
        with pytest.raises(Bug, match="no secret named"):
            await connections.update_secret(tx, MAIN, "stripe", "x", RING)
    assert opened.stripe_key == "sk_test_2"
    assert opened.acumatica_client_secret == "hush"


async def test_a_secret_copied_to_another_connection_does_not_open(store: Store) -> None:
    async with store.transaction() as tx:
        saved = await connections.save(tx, a_connection(), RING)
    with pytest.raises(BrokenSeal, match="connections/other"):
        connections.open_secrets(replace(saved, id=OTHER), RING)


async def test_after_a_rotation_the_old_key_is_not_needed(store: Store) -> None:
    ring = RING.rotated()
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), RING)
        await connections.save(tx, a_connection("other"), RING)
        assert await connections.reseal(tx, ring) == 4
        for connection in await connections.every(tx):
            opened = connections.open_secrets(connection, ring.only_active())
            assert opened == a_connection().secrets


async def test_a_paused_connection_says_why_until_it_is_resumed(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), RING)
        await connections.save(tx, a_connection("other"), RING)
        await connections.pause(tx, MAIN, "The secret has expired.")
        assert (await connections.get(tx, MAIN)).paused_reason == "The secret has expired."
        assert [c.id for c in await connections.every(tx)] == [MAIN, OTHER]
        assert [c.id for c in await connections.every(tx, active_only=True)] == [OTHER]
        await connections.resume(tx, MAIN)
        resumed = await connections.get(tx, MAIN)
    assert (resumed.active, resumed.paused_reason) == (True, "")


async def test_saving_a_paused_connection_does_not_wake_it(store: Store) -> None:
    async with store.transaction() as tx:
        await connections.save(tx, a_connection(), RING)
        await connections.set_mapping_version(tx, MAIN, 3)
        await connections.pause(tx, MAIN, "For the audit.")
        saved = await connections.save(tx, a_connection(title="Renamed"), RING)
    assert (saved.active, saved.paused_reason, saved.mapping_version) == (
        False,
        "For the audit.",
        3,
    )


async def test_an_unknown_name_is_refused_with_where_to_look(store: Store) -> None:
    async with store.transaction() as tx:
        for act in (
            connections.get(tx, OTHER),
            connections.pause(tx, OTHER, "x"),
        ):
            with pytest.raises(Misconfigured, match="no connection named 'other'"):
                await act
