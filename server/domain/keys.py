"""Phones' public keys: ECDSA P-256 as JWK, RFC 7638 thumbprints, raw r and s signatures."""

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sync.errors import Problem
from sync.protocol import is_uuid, tidy


def read_device(device: object) -> dict[str, Any]:
    """id, name, platform, key, thumbprint of a `device` object. Raises Problem `bad_request`."""
    if not isinstance(device, dict) or not is_uuid(device.get("id")):
        raise Problem("bad_request", "`device` needs an `id` and a `key`.", field="device")
    key = _public_jwk(device.get("key"))
    return {
        "id": device["id"],
        "name": tidy(device.get("name"), 80),
        "platform": tidy(device.get("platform"), 80),
        "key": key,
        "thumbprint": thumbprint(key),
    }


def read_clone(clone: object) -> dict[str, Any] | None:
    if clone is None:
        return None
    if not isinstance(clone, dict) or not is_uuid(clone.get("id")):
        raise Problem("bad_request", "`clone` needs an `id` and a `key`.", field="clone")
    key = _public_jwk(clone.get("key"))
    return {"id": clone["id"], "key": key, "thumbprint": thumbprint(key)}


def thumbprint(key: dict[str, Any]) -> str:
    """RFC 7638, base64url without padding."""
    content = json.dumps({n: key[n] for n in ("crv", "kty", "x", "y")}, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()


def verify(key: dict[str, Any], signature: object, text: str) -> None:
    """Raises Problem `signature.invalid`."""
    try:
        raw = _unbase64(str(signature))
        if len(raw) != 64:
            raise ValueError("a signature has 64 bytes")
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        _key(key).verify(der, text.encode("utf-8", "surrogatepass"), ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature, binascii.Error) as error:
        raise Problem("signature.invalid", "The signature does not fit the key.") from error


def _public_jwk(key: object) -> dict[str, Any]:
    if not isinstance(key, dict):
        raise Problem("bad_request", "`key` must be a JWK.", field="key")
    jwk = {name: key.get(name) for name in ("kty", "crv", "x", "y")}
    try:
        if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
            raise ValueError("only EC P-256")
        _key(jwk)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Problem("bad_request", "`key` must be a P-256 public key.", field="key") from error
    return jwk


def _key(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(_unbase64(str(jwk[n])), "big") for n in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
