"""The envelope of a sync request: names, limits, and the checks that need no database."""

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.errors import Problem

VERSION = 1
MAX_SENT_BYTES = 256 * 1024
MAX_UNPACKED_BYTES = 1024 * 1024
MAX_MUTATION_BYTES = 64 * 1024
MAX_MUTATIONS = 500
OLDEST_APP = (2026, 11)  # year and month; raise it at most twelve months behind
MIN_PAGE_BYTES, MAX_PAGE_BYTES = 4 * 1024, 1024 * 1024
DOSSIER_NAMESPACE = uuid.UUID("6f0d9c1e-3b57-4d5a-9d0c-3a2f5e8b7c41")
_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


def dossier_id(citizen_id: str, year: int) -> str:
    """UUIDv5 of `<citizen id>/<year>`: two phones that begin it offline mean the same one."""
    return str(uuid.uuid5(DOSSIER_NAMESPACE, f"{citizen_id.lower()}/{year}"))


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and bool(_UUID.match(value))


def is_sha256(value: object) -> bool:
    return isinstance(value, str) and bool(_SHA256.match(value))


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def is_timestamp(value: object) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def is_too_old(app: str) -> bool:
    """Whether the pull is refused; a version that we cannot read is taken as new."""
    parts = app.split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return False
    return (int(parts[0]), int(parts[1])) < OLDEST_APP


def digest(mutation: dict[str, Any]) -> str:
    """SHA-256 of a mutation's content without its number: renumbering keeps it."""
    content = {k: v for k, v in mutation.items() if k != "seq"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Envelope:
    device: str
    app: str
    now: str | None
    epoch: str | None
    limit: int
    waiting: dict[str, Any]
    cursors: dict[str, str]
    photos: list[dict[str, Any]]
    mutations: list[dict[str, Any]] = field(default_factory=list)


def parse_envelope(body: object) -> Envelope:
    """Checks the envelope alone; a bad single mutation is never a reason to refuse the rest.

    Raises Problem `bad_request` where it is not an object, or a mutation has no number or id.
    """
    if not isinstance(body, dict):
        raise Problem("bad_request", "The body must be a JSON object.")
    if body.get("v") != VERSION:
        raise Problem("bad_request", "Unknown protocol version.", field="v")
    device = body.get("device")
    if not is_uuid(device):
        raise Problem("bad_request", "`device` must be a UUID.", field="device")
    mutations = _list_of_objects(body, "mutations")
    if len(mutations) > MAX_MUTATIONS:
        raise Problem("too_large", "Too many mutations in one request.", max=MAX_MUTATIONS)
    for mutation in mutations:
        _check_numbered(mutation)
    cursors = body.get("cursors") or {}
    if not isinstance(cursors, dict) or not all(isinstance(v, str) for v in cursors.values()):
        raise Problem("bad_request", "`cursors` must map scopes to texts.", field="cursors")
    limit = body.get("limit", 64 * 1024)
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise Problem("bad_request", "`limit` must be a number.", field="limit")
    return Envelope(
        device=str(device),
        app=tidy(body.get("app"), 40),
        now=body["now"] if is_timestamp(body.get("now")) else None,
        epoch=body.get("epoch") if isinstance(body.get("epoch"), str) else None,
        limit=min(max(limit, MIN_PAGE_BYTES), MAX_PAGE_BYTES),
        waiting=_waiting(body.get("waiting")),
        cursors=cursors,
        photos=[p for p in _list_of_objects(body, "photos")[:1000] if is_sha256(p.get("sha256"))],
        mutations=mutations,
    )


def tidy(value: object, limit: int) -> str:
    """A short text that every database can keep, whatever was sent."""
    return str(value or "").encode("utf-8", "ignore").decode()[:limit].replace("\x00", "")


def _waiting(value: object) -> dict[str, Any]:
    """What a phone says of what it still holds: whole numbers, yes or no, one time."""
    if not isinstance(value, dict):
        return {}
    kept = {name: value.get(name) for name in ("mutations", "photos", "free_bytes", "persisted", "oldest_at")}
    return {name: item for name, item in kept.items() if isinstance(item, int) or is_timestamp(item)}


def _list_of_objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Problem("bad_request", f"`{name}` must be a list of objects.", field=name)
    return value


def _check_numbered(mutation: dict[str, Any]) -> None:
    seq, ident = mutation.get("seq"), mutation.get("id")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq < 2**63 or not is_uuid(ident):
        raise Problem("bad_request", "Every mutation needs a `seq` and an `id`.", field="mutations")
