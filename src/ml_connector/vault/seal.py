"""Seals a secret so that only its key, at its own place, opens it again.

Format: version byte (1), key id (4 bytes), nonce (12 random bytes), AES-256-GCM ciphertext with
its tag. The place (`table/row/field`) and the head are authenticated, so a sealed value that was
moved to another row, or changed by one bit, does not open.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ml_connector.basics.errors import Misconfigured
from ml_connector.vault.keyring import ID_BYTES, KeyRing

VERSION = b"\x01"
NONCE_BYTES = 12
HEAD_BYTES = 1 + ID_BYTES
SHORTEST = HEAD_BYTES + NONCE_BYTES + 16


class BrokenSeal(Misconfigured):
    """A sealed value that does not open: changed, moved from its place, or of another ring."""

    def __init__(self, place: str, key_id: str) -> None:
        super().__init__(
            f"The secret at {place} (key {key_id}) does not open: it was changed or moved.",
            cause=f"vault.broken_seal:{place}",
            remedy="Enter the secret again.",
        )


def place_of(table: str, row: str, field: str) -> str:
    """Where a secret lives, as its seal names it."""
    return f"{table}/{row}/{field}"


def seal(ring: KeyRing, secret: bytes, place: str) -> bytes:
    """Seals with the ring's active key for one place."""
    active = ring.active  # asked once: a ring may move on meanwhile
    head = VERSION + bytes.fromhex(active)
    nonce = os.urandom(NONCE_BYTES)
    box = AESGCM(ring.key(active))
    return head + nonce + box.encrypt(nonce, secret, head + place.encode())


def open_seal(ring: KeyRing, sealed: bytes, place: str) -> bytes:
    """Opens what was sealed for this place; raises BrokenSeal or UnknownKey."""
    head, nonce = sealed[:HEAD_BYTES], sealed[HEAD_BYTES : HEAD_BYTES + NONCE_BYTES]
    key_id = head[1:].hex()
    if len(sealed) < SHORTEST or head[:1] != VERSION:
        raise BrokenSeal(place, key_id)
    box = AESGCM(ring.key(key_id))
    try:
        return box.decrypt(nonce, sealed[HEAD_BYTES + NONCE_BYTES :], head + place.encode())
    except InvalidTag:
        raise BrokenSeal(place, key_id) from None


def reseal(ring: KeyRing, sealed: bytes, place: str) -> bytes:
    """The same secret under the active key; unchanged when it is under that key already."""
    if sealed[1:HEAD_BYTES].hex() == ring.active:
        return sealed
    return seal(ring, open_seal(ring, sealed, place), place)


def seal_text(ring: KeyRing, secret: str, place: str) -> str:
    """Seals a text; the sealed value in base64, for columns that hold text."""
    return b64encode(seal(ring, secret.encode(), place)).decode()


def open_text(ring: KeyRing, sealed: str, place: str) -> str:
    """Opens what `seal_text` sealed; raises BrokenSeal or UnknownKey."""
    return open_seal(ring, _raw(sealed, place), place).decode()


def key_of_text(sealed: str) -> str:
    """The id of the key under which `seal_text` sealed; empty for what is no seal."""
    try:
        return b64decode(sealed, validate=True)[1:HEAD_BYTES].hex()
    except (NotBase64, ValueError):
        return ""


def reseal_text(ring: KeyRing, sealed: str, place: str) -> str:
    """Like `reseal`, for what `seal_text` sealed."""
    return b64encode(reseal(ring, _raw(sealed, place), place)).decode()


def _raw(sealed: str, place: str) -> bytes:
    try:
        return b64decode(sealed, validate=True)
    except (NotBase64, ValueError):
        raise BrokenSeal(place, "unreadable") from None
