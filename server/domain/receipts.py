"""Receipts: the bytes of a hash arrived whole from a person. What sync tells phones of their photos."""

import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from server.db import tables
from server.domain.permissions import Actor
from sync.protocol import timestamp

_RECEIPT = tables.Receipt.__table__
_UPLOAD = tables.Upload.__table__
_PHOTO = tables.Photo.__table__
_HAS = select(_RECEIPT.c.upload_id).where(
    _RECEIPT.c.commune_id == bindparam("commune"), _RECEIPT.c.person_id == bindparam("person"),
    _RECEIPT.c.sha256 == bindparam("hash"),
)  # fmt: skip
# the first receipt and the first photo of a hash stand
_KEEP: dict[str, dict[str, Any]] = {
    "sqlite": {"receipt": sqlite.insert(_RECEIPT).on_conflict_do_nothing(), "photo": sqlite.insert(_PHOTO).on_conflict_do_nothing()},
    "postgresql": {
        "receipt": postgresql.insert(_RECEIPT).on_conflict_do_nothing(),
        "photo": postgresql.insert(_PHOTO).on_conflict_do_nothing(),
    },
}


class HasPeople(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def people(self) -> dict[str, Actor]: ...

    @property
    def senders(self) -> frozenset[str]: ...


def states(
    conn: Connection, commune_id: int, device: HasPeople, wanted: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """For every hash that the phone lists: `stored`, or `needed` with the upload that stands there."""
    asked = [(str(w.get("by") or next(iter(device.people), "")), str(w["sha256"])) for w in wanted]
    asked = [(by, sha256) for by, sha256 in asked if by in device.senders]
    hashes = sorted({sha256 for _, sha256 in asked})
    now = timestamp(datetime.now(UTC))
    stored: set[tuple[str, str]] = set()
    uploads: dict[tuple[str, str], tuple[str, int]] = {}
    for start in range(0, len(hashes), 400):
        some = hashes[start : start + 400]
        query = select(_RECEIPT.c.person_id, _RECEIPT.c.sha256).where(
            _RECEIPT.c.commune_id == commune_id, _RECEIPT.c.sha256.in_(some)
        )
        stored.update((row[0], row[1]) for row in conn.execute(query))
        query = select(_UPLOAD.c.person_id, _UPLOAD.c.sha256, _UPLOAD.c.id, _UPLOAD.c.offset).where(
            _UPLOAD.c.commune_id == commune_id, _UPLOAD.c.sha256.in_(some), _UPLOAD.c.expires_at > now
        )
        uploads.update({(row[0], row[1]): (row[2], row[3]) for row in conn.execute(query)})
    return [_state(pair, stored, uploads) for pair in asked]


def _state(
    pair: tuple[str, str], stored: set[tuple[str, str]], uploads: dict[tuple[str, str], tuple[str, int]]
) -> dict[str, Any]:
    by, sha256 = pair
    if pair in stored:
        return {"sha256": sha256, "by": by, "state": "stored"}
    answer: dict[str, Any] = {"sha256": sha256, "by": by, "state": "needed"}
    if pair in uploads:
        ident, offset = uploads[pair]
        answer |= {"upload": f"/api/v1/files/{ident}", "offset": offset}
    return answer


def has(conn: Connection, commune_id: int, person_id: str, sha256: str) -> bool:
    return conn.execute(_HAS, {"commune": commune_id, "person": person_id, "hash": sha256}).first() is not None


def upload_of(conn: Connection, commune_id: int, person_id: str, sha256: str) -> str:
    """The name under which tus knows what was received; made at need for what came another way."""
    where = (_RECEIPT.c.commune_id == commune_id, _RECEIPT.c.person_id == person_id, _RECEIPT.c.sha256 == sha256)
    known = conn.execute(select(_RECEIPT.c.upload_id).where(*where)).scalar()
    if known is None:
        known = str(uuid.uuid4())
        conn.execute(update(_RECEIPT).where(*where).values(upload_id=known))
    return str(known)


def give(
    conn: Connection, commune_id: int, person_id: str, sha256: str, kind: str, size: int, now: str,
    device: str | None = None, upload: str | None = None,
) -> None:  # fmt: skip
    """Records a receipt, and the photo for the worker to clean. The bytes must be durable already."""
    receipt = {
        "commune_id": commune_id, "person_id": person_id, "sha256": sha256, "device_id": device, "received_at": now,
        "upload_id": upload,
    }  # fmt: skip
    photo = {
        "commune_id": commune_id, "sha256": sha256, "bytes": size, "type": kind, "state": "received", "attempts": 0,
        "received_at": now,
    }  # fmt: skip
    keep = _KEEP[conn.dialect.name]
    conn.execute(keep["receipt"], receipt)
    conn.execute(keep["photo"], photo)
