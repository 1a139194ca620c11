"""Unfinished uploads: (offset, length, hash) rows and a lease, no process lock. Knows nothing of HTTP."""

import base64
import binascii
import hashlib
import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from server.db import tables
from server.db.session import Database
from server.domain import receipts
from server.storage.base import PhotoStore
from sync.errors import Problem
from sync.photos import MAX_PHOTO_BYTES, UPLOAD_DAYS, sniff
from sync.protocol import is_sha256, timestamp

log = logging.getLogger(__name__)
_UPLOAD = tables.Upload.__table__
LEASE = timedelta(seconds=30)
# every chunk runs these: built once
_OF_HASH = select(_UPLOAD).where(
    _UPLOAD.c.commune_id == bindparam("commune"), _UPLOAD.c.person_id == bindparam("person"),
    _UPLOAD.c.sha256 == bindparam("hash"),
)  # fmt: skip
_TAKE = (
    update(_UPLOAD)
    .where(
        _UPLOAD.c.commune_id == bindparam("commune"), _UPLOAD.c.id == bindparam("upload"),
        _UPLOAD.c.person_id.in_(bindparam("people", expanding=True)), _UPLOAD.c.expires_at > bindparam("moment"),
        or_(_UPLOAD.c.lease.is_(None), _UPLOAD.c.lease_until < bindparam("moment")),
    )
    .values(lease=bindparam("token"), lease_until=bindparam("until"))
    .returning(*_UPLOAD.c)
)  # fmt: skip
_MINE = (
    _UPLOAD.c.commune_id == bindparam("commune"), _UPLOAD.c.id == bindparam("upload"), _UPLOAD.c.lease == bindparam("token"),
)  # fmt: skip
_ADVANCE = update(_UPLOAD).where(*_MINE).values(offset=bindparam("reached"), lease=None, lease_until=None)
_RELEASE = update(_UPLOAD).where(*_MINE).values(lease=None, lease_until=None)
_END = delete(_UPLOAD).where(_UPLOAD.c.commune_id == bindparam("commune"), _UPLOAD.c.id == bindparam("upload"))


@dataclass(frozen=True)
class Progress:
    """Where an upload stands; `receipt` is the hash once the bytes are kept for good."""

    id: str
    offset: int
    length: int
    expires_at: str | None = None
    receipt: str | None = None


def create(db: Database, store: PhotoStore, commune_id: int, device_id: str, person_id: str, wish: dict[str, Any]) -> Progress:
    """Begins an upload, or answers the one that this person has for the hash already.

    `wish`: sha256, length, type. Raises Problem `too_large`, `upload.hash_missing`, `upload.empty`.
    """
    sha256, length = wish.get("sha256"), wish["length"]
    if not is_sha256(sha256):
        raise Problem("upload.hash_missing", "Upload-Metadata must carry the sha256 of the file.")
    if length > MAX_PHOTO_BYTES:
        raise Problem("too_large", "The file is too large.", max=MAX_PHOTO_BYTES)
    if length == 0:
        raise Problem("upload.empty", "The file has no bytes.")
    now = datetime.now(UTC)
    with db.write() as conn:
        if receipts.has(conn, commune_id, person_id, str(sha256)):
            ident = receipts.upload_of(conn, commune_id, person_id, str(sha256))
            return Progress(ident, length, length, None, str(sha256))
        row = conn.execute(_OF_HASH, {"commune": commune_id, "person": person_id, "hash": sha256}).mappings().first()
        if row is not None and row["length"] == length and row["expires_at"] > timestamp(now):
            return Progress(row["id"], row["offset"], row["length"], row["expires_at"])
        if row is not None:
            conn.execute(delete(_UPLOAD).where(_UPLOAD.c.commune_id == commune_id, _UPLOAD.c.id == row["id"]))
            store.drop_part(commune_id, row["id"])
        expires = timestamp(now + timedelta(days=UPLOAD_DAYS))
        ident = str(uuid.uuid4())
        conn.execute(
            insert(_UPLOAD).values(
                commune_id=commune_id, id=ident, person_id=person_id, device_id=device_id, sha256=sha256,
                type=str(wish.get("type") or "")[:60], length=length, offset=0, expires_at=expires,
                created_at=timestamp(now),
            )
        )  # fmt: skip
    return Progress(ident, 0, length, expires)


def find(db: Database, commune_id: int, people: list[str], upload_id: str) -> Progress:
    """Raises Problem `upload.gone`; a finished one answers with its receipt."""
    with db.read() as conn:
        row = _row(conn, commune_id, people, upload_id)
        if row is not None:
            return Progress(row["id"], row["offset"], row["length"], row["expires_at"])
        finished = _finished(conn, commune_id, people, upload_id)
    if finished is None:
        raise Problem("upload.gone", "This upload is not there (any more).")
    return finished


def _row(conn: Any, commune_id: int, people: list[str], upload_id: str) -> Any:
    query = select(_UPLOAD).where(
        _UPLOAD.c.commune_id == commune_id, _UPLOAD.c.id == upload_id, _UPLOAD.c.person_id.in_(people)
    )
    row = conn.execute(query).mappings().first()
    return row if row is not None and row["expires_at"] > timestamp(datetime.now(UTC)) else None


def _finished(conn: Any, commune_id: int, people: list[str], upload_id: str) -> Progress | None:
    receipt, photo = tables.Receipt.__table__, tables.Photo.__table__
    query = (
        select(receipt.c.sha256, photo.c.bytes)
        .join(photo, (photo.c.commune_id == receipt.c.commune_id) & (photo.c.sha256 == receipt.c.sha256))
        .where(receipt.c.commune_id == commune_id, receipt.c.person_id.in_(people), receipt.c.upload_id == upload_id)
    )
    row = conn.execute(query).first()
    return Progress(upload_id, row[1], row[1], None, row[0]) if row else None


def append(
    db: Database, store: PhotoStore, commune_id: int, people: list[str], upload_id: str, offset: int, chunk: bytes,
    checksum: str | None,
) -> Progress:  # fmt: skip
    """Adds a chunk; at the end checks the whole and gives the receipt.

    Raises Problem `upload.gone`, `upload.offset` (with `offset`), `upload.checksum`, `upload.busy`,
    `upload.hash` and `upload.type` (both begin anew).
    """
    lease = str(uuid.uuid4())
    row = _take(db, commune_id, people, upload_id, lease)
    if isinstance(row, Progress):
        if row.offset != offset:
            raise Problem("upload.offset", "The upload stands elsewhere.", offset=row.offset)
        return row
    try:
        if row["offset"] != offset:
            raise Problem("upload.offset", "The upload stands elsewhere.", offset=row["offset"])
        _verify(chunk, checksum)
        if offset + len(chunk) > row["length"]:
            raise Problem("too_large", "More bytes than were announced.", max=row["length"] - offset)
        store.append(commune_id, upload_id, offset, chunk)
        reached = offset + len(chunk)
        if reached == row["length"]:
            return _finish(db, store, commune_id, row)
        _advance(db, commune_id, upload_id, lease, reached)
        return Progress(upload_id, reached, row["length"], row["expires_at"])
    except BaseException:
        _release(db, commune_id, upload_id, lease)
        raise


def _take(db: Database, commune_id: int, people: list[str], upload_id: str, lease: str) -> Any:
    """The upload's row under our lease; a Progress where it is finished already."""
    now = datetime.now(UTC)
    wish = {"commune": commune_id, "upload": upload_id, "people": people, "moment": timestamp(now)}
    with db.write() as conn:
        taken = conn.execute(_TAKE, {**wish, "token": lease, "until": timestamp(now + LEASE)}).mappings().first()
        if taken is not None:
            return taken
        if _row(conn, commune_id, people, upload_id) is not None:
            raise Problem("upload.busy", "Another request is writing this upload.", retry_after=2)
        finished = _finished(conn, commune_id, people, upload_id)
        if finished is None:
            raise Problem("upload.gone", "This upload is not there (any more).")
        return finished


def _release(db: Database, commune_id: int, upload_id: str, lease: str) -> None:
    """After a fault; a lease that cannot be given back ends by itself."""
    try:
        with db.write() as conn:
            conn.execute(_RELEASE, {"commune": commune_id, "upload": upload_id, "token": lease})
    except SQLAlchemyError:
        log.warning("a lease was left to run out", exc_info=True)


def _advance(db: Database, commune_id: int, upload_id: str, lease: str, offset: int) -> None:
    """Only while the lease holds: one that stalled past it must not move the offset of another. Gives the lease back."""
    with db.write() as conn:
        mine = {"commune": commune_id, "upload": upload_id, "token": lease}
        if conn.execute(_ADVANCE, {**mine, "reached": offset}).rowcount == 0:
            raise Problem("upload.busy", "Another request took this upload over.", retry_after=2)


def _verify(chunk: bytes, checksum: str | None) -> None:
    if checksum is None:
        return
    name, _, encoded = checksum.partition(" ")
    if name not in ("sha1", "sha256"):
        raise Problem("upload.algorithm", "Only sha1 and sha256 are checked.")
    try:
        wanted = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Problem("bad_request", "The checksum is not base64.") from error
    if hashlib.new(name, chunk).digest() != wanted:
        raise Problem("upload.checksum", "The chunk was damaged on the way.")


def _finish(db: Database, store: PhotoStore, commune_id: int, row: Any) -> Progress:
    sha256, head = store.part_hash(commune_id, row["id"])
    kind = sniff(head)
    if sha256 != row["sha256"] or kind is None:
        store.drop_part(commune_id, row["id"])
        with db.write() as conn:
            conn.execute(_END, {"commune": commune_id, "upload": row["id"]})
        if kind is None and sha256 == row["sha256"]:
            raise Problem("upload.type", "This is no photo that we know.")
        raise Problem("upload.hash", "The whole file does not have its hash; it must be sent anew.")
    store.finish(commune_id, row["id"], sha256)
    with db.write() as conn:
        now = timestamp(datetime.now(UTC))
        receipts.give(conn, commune_id, row["person_id"], sha256, kind, row["length"], now, row["device_id"], row["id"])
        conn.execute(_END, {"commune": commune_id, "upload": row["id"]})
    with suppress(OSError):  # the receipt stands; at worst its parts lie about
        store.drop_part(commune_id, row["id"])
    return Progress(row["id"], row["length"], row["length"], None, sha256)


def terminate(db: Database, store: PhotoStore, commune_id: int, people: list[str], upload_id: str) -> None:
    """Raises Problem `upload.gone`."""
    with db.write() as conn:
        if _row(conn, commune_id, people, upload_id) is None:
            raise Problem("upload.gone", "This upload is not there (any more).")
        conn.execute(delete(_UPLOAD).where(_UPLOAD.c.commune_id == commune_id, _UPLOAD.c.id == upload_id))
    store.drop_part(commune_id, upload_id)


def expire(db: Database, store: PhotoStore) -> int:
    """Takes away uploads past their 30 days; returns how many."""
    now = timestamp(datetime.now(UTC))
    with db.write() as conn:
        conn = conn.execution_options(every_commune="one worker expires for all")
        rows = conn.execute(select(_UPLOAD.c.commune_id, _UPLOAD.c.id).where(_UPLOAD.c.expires_at <= now)).all()
        conn.execute(delete(_UPLOAD).where(_UPLOAD.c.expires_at <= now))
    for commune_id, ident in rows:
        store.drop_part(commune_id, ident)
    return len(rows)
