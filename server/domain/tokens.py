"""Signed tokens by itsdangerous: one salt per purpose, so that none can stand in for another."""

from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

DEVICE_COOKIE_MAX_AGE_S = 400 * 24 * 3600
STAFF_COOKIE_MAX_AGE_S = 12 * 3600
CHALLENGE_MAX_AGE_S = 600
_SALTS = {
    "device": "minhchung.device-cookie.1",
    "staff": "minhchung.staff-session.1",
    "challenge": "minhchung.renewal-challenge.1",
}
_MAX_AGE_S = {"device": DEVICE_COOKIE_MAX_AGE_S, "staff": STAFF_COOKIE_MAX_AGE_S, "challenge": CHALLENGE_MAX_AGE_S}


class Tokens:
    """Makes and reads tokens of a named purpose."""

    def __init__(self, secret: str) -> None:
        self._serializers = {name: URLSafeTimedSerializer(secret, salt=salt) for name, salt in _SALTS.items()}

    def make(self, purpose: str, content: dict[str, Any]) -> str:
        return str(self._serializers[purpose].dumps(content))

    def read(self, purpose: str, token: str | None) -> dict[str, Any] | None:
        """The content; None where it is absent, forged, of another purpose or too old."""
        if not token or len(token) > 4096 or not token.isascii():
            return None
        try:
            content = self._serializers[purpose].loads(token, max_age=_MAX_AGE_S[purpose])
        except (BadSignature, SignatureExpired):
            return None
        return content if isinstance(content, dict) else None
