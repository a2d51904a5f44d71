"""The key ring: made once, kept private, rotated without losing what older keys sealed."""

import base64
from multiprocessing import get_context
from pathlib import Path

import pytest

from ml_connector.basics.errors import Misconfigured
from ml_connector.vault.keyring import KeyRing, UnknownKey

KEY = base64.b64encode(bytes(32)).decode()


def test_the_first_use_makes_a_key_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keys"
    ring = KeyRing.from_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyRing.from_file(path).to_text() == ring.to_text() == path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["keys"]


def _ids(path: Path) -> list[str]:
    return sorted(KeyRing.from_file(path).ids)


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with get_context("spawn").Pool(3) as pool:
        found = pool.map(_ids, [tmp_path / "keys"] * 6, chunksize=1)
    assert len({tuple(ids) for ids in found}) == 1


def test_a_key_file_that_others_can_read_is_refused_with_the_command_to_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys"
    KeyRing.from_file(path)
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match=r"chmod 600"):
        KeyRing.from_file(path)


def test_rotation_adds_an_active_key_and_keeps_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    old = KeyRing.from_file(path)
    new = old.rotated()
    new.save(path)
    stored = KeyRing.from_file(path)
    assert stored.active == new.active != old.active
    assert stored.ids == {old.active, new.active}
    assert stored.key(old.active) == old.key(old.active)
    assert stored.only_active().ids == {new.active}


def test_keys_from_the_environment_may_be_separated_in_any_way() -> None:
    ring = KeyRing.from_text(f"# spare first\n aaaaaaaa:{KEY},bbbbbbbb:{KEY}  cccccccc:{KEY}")
    assert ring.active == "aaaaaaaa"
    assert ring.ids == {"aaaaaaaa", "bbbbbbbb", "cccccccc"}


@pytest.mark.parametrize(
    "text",
    [
        "aaaaaaaa",
        "aaaaaaaa:AAAA",
        f"aaaa:{KEY}",
        f"zzzzzzzz:{KEY}",
        "aaaaaaaa:not-base64!",
        f":{KEY}",
    ],
)
def test_a_text_that_is_not_a_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Misconfigured, match="Key 2 in ML_KEYS") as refused:
        KeyRing.from_text(f"aaaaaaab:{KEY} {text}")
    assert text not in str(refused.value)


def test_an_empty_key_file_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no key"):
        KeyRing.from_text("# nothing\n")


def test_a_ring_never_shows_a_key() -> None:
    ring = KeyRing.from_text(f"aaaaaaaa:{KEY}")
    assert repr(ring) == "KeyRing(active='aaaaaaaa', ids=['aaaaaaaa'])"


def test_a_key_that_the_ring_does_not_hold_is_named() -> None:
    ring = KeyRing.from_text(f"aaaaaaaa:{KEY}")
    with pytest.raises(UnknownKey, match="bbbbbbbb"):
        ring.key("bbbbbbbb")
    with pytest.raises(UnknownKey, match="bbbbbbbb"):
        KeyRing("bbbbbbbb", {"aaaaaaaa": bytes(32)})
