"""The file that a phone hands out when it cannot send: checked, kept, and put into quarantine."""

import hashlib
import json
import uuid
import zipfile
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import Connection, insert, select

from server.db import tables
from server.db.session import Database
from server.domain import devices, keys, receipts
from server.domain.keeping import storable
from server.storage.disk import PhotoStore
from sync.errors import Problem
from sync.photos import MAX_PHOTO_BYTES, sniff
from sync.protocol import is_sha256, is_uuid

MAX_DEPOSIT_BYTES = 200 * 1024 * 1024
MAX_OUTBOX_BYTES = 20 * 1024 * 1024
MAX_FILES = 5000
_QUARANTINE = tables.Quarantine.__table__


@dataclass
class Kept:
    mutations: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def take(db: Database, store: PhotoStore, file: BinaryIO, now: str, staff: dict[str, Any] | None) -> Kept:
    """Keeps all that is whole in a deposit; only what it returns counts as sent.

    Raises Problem `deposit.invalid`, `device.unknown`, `signature.invalid`, `too_large`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _take(db, store, archive, now, staff)
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.") from error


def _take(db: Database, store: PhotoStore, archive: zipfile.ZipFile, now: str, staff: dict[str, Any] | None) -> Kept:
    names = archive.infolist()
    if len(names) > MAX_FILES or sum(i.file_size for i in names) > MAX_DEPOSIT_BYTES:
        raise Problem("too_large", "Gói quá lớn.", max=MAX_DEPOSIT_BYTES)
    raw = _member(archive, "outbox.json", MAX_OUTBOX_BYTES)
    content = _content(raw)
    with db.read() as conn:
        commune_id, device_id = _sender(conn, archive, raw, content, staff)
        people = set(devices.actors(conn, commune_id, device_id)) if device_id else set()
        everyone = people | _listed_people(conn, commune_id, device_id)
    kept = Kept()
    photos = _photos(archive, store, commune_id, content)
    with db.write() as conn:
        for sha256, by, kind, size in photos:
            if by in everyone:
                receipts.give(conn, commune_id, by, sha256, kind, size, now, device_id)
            kept.photos.append(sha256)
        for mutation in content["mutations"]:
            if isinstance(mutation, dict) and is_uuid(mutation.get("id")):
                if not _known(conn, commune_id, mutation["id"]):
                    conn.execute(insert(_QUARANTINE).values(_row(commune_id, device_id, mutation, now)))
                kept.mutations.append(mutation["id"])
    return kept


def _content(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.") from error
    if not isinstance(content, dict) or not isinstance(content.get("mutations"), list):
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.")
    return content


def _sender(
    conn: Connection, archive: zipfile.ZipFile, raw: bytes, content: dict[str, Any], staff: dict[str, Any] | None
) -> tuple[int, str | None]:
    device_id = content.get("device")
    commune_id = devices.commune_of(conn, str(device_id)) if is_uuid(device_id) else None
    row = devices.find(conn, commune_id, str(device_id)) if commune_id is not None else None
    if row is not None and commune_id is not None and "signature" in archive.namelist():
        keys.verify(
            row["key"], _member(archive, "signature", 200).decode("ascii", "replace").strip(), raw.decode("utf-8", "surrogateescape")
        )
        return commune_id, str(device_id)
    if staff is not None:
        return staff["commune_id"], str(device_id) if row is not None else None
    raise Problem("device.unknown", "Chỉ nhận gói có chữ ký của máy đã ghép với xã.")


def _listed_people(conn: Connection, commune_id: int, device_id: str | None) -> set[str]:
    """All who ever used the phone: a revoked one still delivers."""
    pair = tables.DevicePerson.__table__
    query = select(pair.c.person_id).where(pair.c.commune_id == commune_id, pair.c.device_id == device_id)
    return set(conn.execute(query).scalars())


def _photos(archive: zipfile.ZipFile, store: PhotoStore, commune_id: int, content: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """Photos whose bytes have their hash, kept on disk: (sha256, by, type, size)."""
    senders = {p.get("sha256"): str(p.get("by")) for p in content.get("photos", []) if isinstance(p, dict)}
    found = []
    for name in archive.namelist():
        sha256 = name.removeprefix("photos/")
        if not name.startswith("photos/") or not is_sha256(sha256):
            continue
        body = _member(archive, name, MAX_PHOTO_BYTES)
        kind = sniff(body[:32])
        if hashlib.sha256(body).hexdigest() == sha256 and kind is not None:
            store.put(commune_id, sha256, body)
            found.append((sha256, senders.get(sha256, ""), kind, len(body)))
    return found


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        with archive.open(name) as member:
            body = member.read(limit + 1)
    except (KeyError, RuntimeError) as error:
        raise Problem("deposit.invalid", "Gói thiếu một phần.", part=name) from error
    if len(body) > limit:
        raise Problem("too_large", "Một phần của gói quá lớn.", max=limit)
    return body


def _known(conn: Connection, commune_id: int, mutation_id: str) -> bool:
    log = tables.MutationLog.__table__
    for column, owner in ((log.c.mutation_id, log), (_QUARANTINE.c.mutation_id, _QUARANTINE)):
        query = select(column).where(owner.c.commune_id == commune_id, column == mutation_id)
        if conn.execute(query).first() is not None:
            return True
    return False


def _row(commune_id: int, device_id: str | None, mutation: dict[str, Any], now: str) -> dict[str, Any]:
    patch = mutation.get("set")
    sha256 = patch.get("sha256") if isinstance(patch, dict) else None
    return {
        "commune_id": commune_id,
        "id": str(uuid.uuid4()),
        "device_id": device_id,
        "seq": mutation.get("seq") if isinstance(mutation.get("seq"), int) else None,
        "mutation_id": mutation["id"],
        "person_id": str(mutation.get("by"))[:36] if mutation.get("by") else None,
        "reason": "deposit",
        "payload": storable(mutation),
        "state": "open",
        "photos": [sha256] if isinstance(sha256, str) else [],
        "received_at": now,
    }
