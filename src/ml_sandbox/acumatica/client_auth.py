"""How the connected application proves itself: its secret, or a JWT signed with its own key."""

import base64
import hmac
import json
import time
from binascii import Error as Base64Error
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Json = dict[str, Any]


def secret_of(form: dict[str, str], authorization: str) -> tuple[str, str] | None:
    """Client id and secret from the form or from HTTP Basic; None when Basic is unreadable."""
    if not authorization.lower().startswith("basic "):
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        text = base64.b64decode(authorization[6:]).decode()
    except (Base64Error, UnicodeDecodeError):
        return None
    client, _, secret = text.partition(":")
    return client, secret


def right_secret(given: tuple[str, str] | None, client_id: str, secret: str) -> bool:
    """Whether id and secret are the application's."""
    if given is None:
        return False
    client = given[0].replace("%40", "@")
    return client == client_id and hmac.compare_digest(given[1].encode(), secret.encode())


def right_assertion(text: str, client_id: str, keys: list[Json]) -> bool:
    """Whether a client assertion is by the application, for us, in time, and truly signed.

    `keys` are JWKs (RSA or P-256). Times are the caller's, so real time counts here.
    """
    parts = text.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = cast("Json", json.loads(_decoded(parts[1])))
        header = cast("Json", json.loads(_decoded(parts[0])))
        signature = _decoded(parts[2])
        in_time = time.time() < float(claims.get("exp", 0))
    except (ValueError, TypeError):
        return False
    audience = str(claims.get("aud", ""))
    ours = claims.get("iss") == claims.get("sub") == client_id and "/identity" in audience
    signed = f"{parts[0]}.{parts[1]}".encode()
    fitting = [key for key in keys if header.get("kid") in {None, key.get("kid")}]
    return in_time and ours and any(_verifies(key, signed, signature) for key in fitting)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text), "big")


def _verifies(key: Json, signed: bytes, signature: bytes) -> bool:
    try:
        if key.get("kty") == "RSA":
            public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
            public.verify(signature, signed, padding.PKCS1v15(), SHA256())
        else:
            x, y = _number(key["x"]), _number(key["y"])
            point = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            half = len(signature) // 2
            pair = (
                int.from_bytes(signature[:half], "big"),
                int.from_bytes(signature[half:], "big"),
            )
            point.verify(utils.encode_dss_signature(*pair), signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True
