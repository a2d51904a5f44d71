"""The keys that seal secrets: one active, older ones kept until everything is sealed anew."""

import base64
import binascii
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ml_connector.basics.errors import Misconfigured

KEY_BYTES = 32
ID_BYTES = 4
OTHERS_MAY_READ = 0o077


class BadKey(Misconfigured):
    """A line of the key file that is not a key; the line itself is never shown."""

    def __init__(self, place: str, number: int) -> None:
        super().__init__(
            f"Key {number} in {place} is not of the form id:key.",
            cause="vault.bad_key",
            remedy="An id is 8 hexadecimal digits, a key is 32 bytes in base64.",
        )


class UnknownKey(Misconfigured):
    """Something was sealed with a key that the ring does not hold."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"A stored secret was sealed with the key {key_id}, which the key ring does not hold.",
            cause=f"vault.unknown_key:{key_id}",
            remedy="Put that key back (ML_KEYS or the key file), or enter the secret again.",
        )


class KeyRing:
    """Keys by their id; `active` seals, all of them open. Its repr shows ids only."""

    def __init__(self, active: str, keys: Mapping[str, bytes]) -> None:
        if active not in keys:
            raise UnknownKey(active)
        self.active = active
        self._keys = dict(keys)

    def __repr__(self) -> str:
        return f"KeyRing(active={self.active!r}, ids={sorted(self._keys)!r})"

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all keys of the ring."""
        return frozenset(self._keys)

    def key(self, key_id: str) -> bytes:
        """The key of an id; raises UnknownKey, which names the id."""
        try:
            return self._keys[key_id]
        except KeyError:
            raise UnknownKey(key_id) from None

    @classmethod
    def generate(cls) -> "KeyRing":
        """A ring of one new key from the system's random source."""
        key_id = secrets.token_hex(ID_BYTES)
        return cls(key_id, {key_id: secrets.token_bytes(KEY_BYTES)})

    def rotated(self) -> "KeyRing":
        """The same ring with one new key, which becomes the active one."""
        new = KeyRing.generate()
        return KeyRing(new.active, {new.active: new.key(new.active), **self._keys})

    def only_active(self) -> "KeyRing":
        """The ring without its older keys, for when everything is sealed anew."""
        return KeyRing(self.active, {self.active: self._keys[self.active]})

    def to_text(self) -> str:
        """The ring as `id:base64` lines, the active key first: what the key file holds."""
        order = [self.active, *sorted(self.ids - {self.active})]
        return "".join(f"{i}:{base64.b64encode(self._keys[i]).decode()}\n" for i in order)

    @classmethod
    def from_text(cls, text: str, *, place: str = "ML_KEYS") -> "KeyRing":
        """A ring from `id:base64` words, the first one active; raises Misconfigured."""
        keys = dict(_parse(text, place))
        if not keys:
            raise Misconfigured(
                f"There is no key in {place}.",
                cause="vault.no_key",
                remedy="Restore the key file from its backup.",
            )
        return cls(next(iter(keys)), keys)

    @classmethod
    def from_file(cls, path: Path) -> "KeyRing":
        """The ring of a key file, created with one new key (mode 0600) on first use.

        Raises Misconfigured when other accounts can read the file.
        """
        if not path.exists():
            _create(path, cls.generate().to_text())
        if path.stat().st_mode & OTHERS_MAY_READ:
            raise Misconfigured(
                f"Other accounts can read the key file {path}.",
                cause="vault.key_file_open",
                remedy=f"Run: chmod 600 {path}",
            )
        return cls.from_text(path.read_text(), place=str(path))

    def save(self, path: Path) -> None:
        """Replaces a key file in one step, so that a crash leaves the old or the new one.

        When it returns, the file has reached the disk; its owner stays who it was.
        """
        new = _beside(path, self.to_text())
        if path.exists():
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (new.stat().st_uid, new.stat().st_gid):
                os.chown(new, owner.st_uid, owner.st_gid)
        new.replace(path)
        _flush(path.parent)


class FileRing(KeyRing):
    """The ring of a key file; reads it again for a key that it does not know.

    So a service that runs while another process rotates the keys goes on with the new ones.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._take(KeyRing.from_file(path))

    def key(self, key_id: str) -> bytes:
        """The key of an id; raises UnknownKey when the file does not hold it either."""
        if key_id not in self.ids:
            self.read_again()
        return super().key(key_id)

    def read_again(self) -> None:
        """Takes over what stands in the file now; raises Misconfigured."""
        self._take(KeyRing.from_file(self.path))

    def _take(self, ring: KeyRing) -> None:
        super().__init__(ring.active, {key_id: ring.key(key_id) for key_id in ring.ids})


def _parse(text: str, place: str) -> Iterable[tuple[str, bytes]]:
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    for number, word in enumerate((w for part in words for w in part.split(",") if w), start=1):
        key_id, _, encoded = word.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
            id_bytes = bytes.fromhex(key_id)
        except (binascii.Error, ValueError):
            raise BadKey(place, number) from None
        if len(key) != KEY_BYTES or len(id_bytes) != ID_BYTES:
            raise BadKey(place, number)
        yield key_id.lower(), key


def _beside(path: Path, text: str) -> Path:
    """A new file of mode 0600 next to the path, flushed to the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _flush(folder: Path) -> None:
    """A name that was moved is safe from a power cut when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(path: Path, text: str) -> None:
    """Creates the file unless another process was first: then its keys are the ones."""
    new = _beside(path, text)
    try:
        path.hardlink_to(new)
    except FileExistsError:
        return
    finally:
        new.unlink()
