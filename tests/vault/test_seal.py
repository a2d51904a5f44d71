"""The seal: opens at its place with its key, and under no other circumstances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.basics.errors import Misconfigured
from ml_connector.vault.keyring import KeyRing, UnknownKey
from ml_connector.vault.seal import (
    SHORTEST,
    BrokenSeal,
    open_seal,
    open_text,
    place_of,
    reseal,
    reseal_text,
    seal,
    seal_text,
)

RING = KeyRing.generate().rotated()
PLACE = place_of("connections", "main", "stripe_key")


@given(secret=st.binary(max_size=200), place=st.text(max_size=40))
def test_what_is_sealed_opens_at_its_place(secret: bytes, place: str) -> None:
    assert open_seal(RING, seal(RING, secret, place), place) == secret


@given(secret=st.text(max_size=100))
def test_a_sealed_text_opens_as_the_same_text(secret: str) -> None:
    assert open_text(RING, seal_text(RING, secret, PLACE), PLACE) == secret


@given(secret=st.binary(max_size=60), data=st.data())
def test_any_changed_byte_is_refused(secret: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(RING, secret, PLACE))
    at = data.draw(st.integers(0, len(sealed) - 1), label="byte")
    sealed[at] ^= data.draw(st.integers(1, 255), label="change")
    with pytest.raises(Misconfigured):
        open_seal(RING, bytes(sealed), PLACE)


@given(secret=st.binary(max_size=60), data=st.data())
def test_any_cut_is_refused(secret: bytes, data: st.DataObject) -> None:
    sealed = seal(RING, secret, PLACE)
    with pytest.raises(Misconfigured):
        open_seal(RING, sealed[: data.draw(st.integers(0, len(sealed) - 1))], PLACE)


@given(here=st.text(max_size=30), there=st.text(max_size=30))
def test_a_secret_moved_to_another_place_is_refused(here: str, there: str) -> None:
    if here != there:
        with pytest.raises(BrokenSeal):
            open_seal(RING, seal(RING, b"secret", here), there)


def test_sealing_twice_gives_two_different_texts() -> None:
    assert seal(RING, b"same", PLACE) != seal(RING, b"same", PLACE)


def test_a_head_that_names_another_key_of_the_ring_is_refused() -> None:
    sealed = seal(RING, b"secret", PLACE)
    (other,) = RING.ids - {RING.active}
    with pytest.raises(BrokenSeal):
        open_seal(RING, sealed[:1] + bytes.fromhex(other) + sealed[5:], PLACE)


def test_a_secret_of_a_lost_key_names_the_key_and_nothing_else() -> None:
    lost = KeyRing.generate()
    with pytest.raises(UnknownKey, match=lost.active) as refused:
        open_seal(RING, seal(lost, b"sk_live_1", PLACE), PLACE)
    assert "sk_live" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "not base64!", "AAAA"])
def test_a_text_that_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(BrokenSeal, match="connections/main/stripe_key"):
        open_text(RING, text, PLACE)


def test_rotation_seals_anew_and_the_old_key_can_go() -> None:
    old = KeyRing.generate()
    sealed = seal_text(old, "sk_live_1", PLACE)
    ring = old.rotated()
    anew = reseal_text(ring, sealed, PLACE)
    assert open_text(ring.only_active(), anew, PLACE) == "sk_live_1"
    assert reseal_text(ring, anew, PLACE) == anew


def test_a_format_of_another_version_is_refused() -> None:
    sealed = seal(RING, b"x", PLACE)
    assert len(sealed) == SHORTEST + 1
    with pytest.raises(BrokenSeal):
        open_seal(RING, b"\x02" + sealed[1:], PLACE)
    assert reseal(RING, sealed, PLACE) == sealed
