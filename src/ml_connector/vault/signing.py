"""The key that signs proofs: Ed25519; who has the public part can check, only we can sign."""

import re
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ml_connector.basics.errors import Misconfigured

PUBLIC_BYTES = 32


class BadPublicKey(Misconfigured):
    """A text that is not the public part of a signing key."""

    def __init__(self) -> None:
        super().__init__(
            "That is not a public key.",
            cause="signing.bad_public_key",
            remedy="A public key is 64 hexadecimal digits, its id 24, or give a file that holds"
            " public keys: what `ml-connector keys show` prints.",
        )


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair; `private` is never shown, `public` is 64 hexadecimal digits."""

    private: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new key pair from the system's random source."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def public(self) -> str:
        """The part that everybody may know."""
        key = Ed25519PrivateKey.from_private_bytes(self.private)
        return key.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature of a message: 128 hexadecimal digits."""
        return Ed25519PrivateKey.from_private_bytes(self.private).sign(message).hex()


def genuine(public: str, signature: str, message: bytes) -> bool:
    """Whether the owner of a public key has signed the message; raises BadPublicKey."""
    key = Ed25519PublicKey.from_public_bytes(_raw(public))
    try:
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(text: str) -> list[str]:
    """Every public key among the words of a text; raises BadPublicKey when there is none."""
    found = [word.lower() for word in re.findall(rf"\b[0-9a-fA-F]{{{2 * PUBLIC_BYTES}}}\b", text)]
    if not found:
        raise BadPublicKey
    return found


def _raw(public: str) -> bytes:
    try:
        raw = bytes.fromhex(public)
    except ValueError:
        raise BadPublicKey from None
    if len(raw) != PUBLIC_BYTES:
        raise BadPublicKey
    return raw
