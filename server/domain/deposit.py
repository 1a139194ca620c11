"""The file that a phone hands out when it cannot send: checked, kept, and put into quarantine."""

import hashlib
import json
import lzma
import uuid
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sqlalchemy import Connection, insert, select

from server.db import tables
from server.db.session import Database
from server.domain import devices, keys, receipts
from server.domain.keeping import storable
from server.storage.base import PhotoStore
from sync.errors import Problem
from sync.photos import MAX_PHOTO_BYTES, sniff
from sync.protocol import is_sha256, is_uuid

MAX_DEPOSIT_BYTES = 200 * 1024 * 1024
MAX_OUTBOX_BYTES = 20 * 1024 * 1024
MAX_FILES = 5000
LARGEST_NUMBER = 2**63 - 1
REST_NAMESPACE = uuid.UUID("0c0b5a0e-7d3f-4f0e-8f35-5f6b5b1f7a52")
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError)
_QUARANTINE = tables.Quarantine.__table__


@dataclass
class Kept:
    mutations: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)
    drafts: int = 0
    aside: int = 0


def take(db: Database, store: PhotoStore, file: BinaryIO, now: str, staff: dict[str, Any] | None) -> Kept:
    """Keeps all that is whole in a deposit; only what it returns counts as sent.

    Raises Problem `deposit.invalid`, `device.unknown`, `signature.invalid`, `too_large`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _take(db, store, archive, now, staff)
    except BROKEN as error:
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.") from error


def _take(db: Database, store: PhotoStore, archive: zipfile.ZipFile, now: str, staff: dict[str, Any] | None) -> Kept:
    names = archive.infolist()
    if len(names) > MAX_FILES or sum(i.file_size for i in names) > MAX_DEPOSIT_BYTES:
        raise Problem("too_large", "Gói quá lớn.", max=MAX_DEPOSIT_BYTES)
    raw = _member(archive, "outbox.json", MAX_OUTBOX_BYTES)
    content = _content(raw)
    with db.read() as conn:
        commune_id, device_id = _sender(conn, archive, raw, content, staff)
        senders = _senders(conn, commune_id, device_id, content, staff)
    kept = Kept()
    photos = _photos(archive, store, commune_id)
    with db.write() as conn:
        for sha256, kind, size in photos:
            for by in senders.get(sha256) or ([staff["person_id"]] if staff else ()):  # nobody of ours: staff vouch
                receipts.give(conn, commune_id, by, sha256, kind, size, now, device_id)
            kept.photos.append(sha256)
        for mutation in content["mutations"]:
            if isinstance(mutation, dict) and is_uuid(mutation.get("id")):
                if not _known(conn, commune_id, mutation["id"]):
                    conn.execute(insert(_QUARANTINE).values(_row(commune_id, device_id, mutation, now)))
                kept.mutations.append(mutation["id"])
        kept.drafts = _keep_rest(conn, commune_id, device_id, "draft", content.get("drafts"), now)
        kept.aside = _keep_rest(conn, commune_id, device_id, "aside", content.get("aside"), now)
    return kept


def _keep_rest(conn: Connection, commune_id: int, device_id: str | None, reason: str, rest: Any, now: str) -> int:
    """Open drafts, and rows that a restored server lacked: no mutations, but perhaps the last copy."""
    items = rest if isinstance(rest, list) else []
    for item in items:
        text = json.dumps([device_id, reason, item], sort_keys=True)
        ident = str(uuid.uuid5(REST_NAMESPACE, text))  # the same piece twice is one row
        query = select(_QUARANTINE.c.id).where(_QUARANTINE.c.commune_id == commune_id, _QUARANTINE.c.id == ident)
        if conn.execute(query).first() is None:
            conn.execute(
                insert(_QUARANTINE).values(
                    commune_id=commune_id, id=ident, device_id=device_id, reason=reason, state="open", photos=[],
                    payload=storable(item if isinstance(item, dict) else {"value": item}), received_at=now,
                )
            )  # fmt: skip
    return len(items)


def _content(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.") from error
    if not isinstance(content, dict) or not isinstance(content.get("mutations"), list):
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _sender(
    conn: Connection, archive: zipfile.ZipFile, raw: bytes, content: dict[str, Any], staff: dict[str, Any] | None
) -> tuple[int, str | None]:
    device_id = content.get("device")
    commune_id = devices.commune_of(conn, str(device_id)) if is_uuid(device_id) else None
    row = devices.find(conn, commune_id, str(device_id)) if commune_id is not None else None
    if row is not None and commune_id is not None and "signature" in archive.namelist():
        signature = _member(archive, "signature", 200).decode("ascii", "replace").strip()
        keys.verify(row["key"], signature, _text(raw))
        return commune_id, str(device_id)
    if staff is not None:
        return staff["commune_id"], str(device_id) if row is not None else None
    raise Problem("device.unknown", "Chỉ nhận gói có chữ ký của máy đã ghép với xã.")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Problem("deposit.invalid", "Tệp này không phải gói của ứng dụng.") from error


def _senders(
    conn: Connection, commune_id: int, device_id: str | None, content: dict[str, Any], staff: dict[str, Any] | None
) -> dict[str, set[str]]:
    """Whose each hash is, by the list of photos and by the entries; only of the phone's own people, or where
    staff hand the file in, of the commune's."""
    named: dict[str, set[str]] = {}
    photos = content.get("photos")
    for item in photos if isinstance(photos, list) else []:
        if isinstance(item, dict) and is_sha256(item.get("sha256")) and is_uuid(item.get("by")):
            named.setdefault(item["sha256"], set()).add(item["by"])
    for mutation in content["mutations"]:
        patch = mutation.get("set") if isinstance(mutation, dict) else None
        if isinstance(patch, dict) and is_sha256(patch.get("sha256")) and is_uuid(mutation.get("by")):
            named.setdefault(patch["sha256"], set()).add(mutation["by"])
    known = devices.uploaders(conn, commune_id, device_id) if device_id else set()
    if staff is not None:
        person = tables.Person.__table__
        known |= set(conn.execute(select(person.c.id).where(person.c.commune_id == commune_id)).scalars())
    return {sha256: people & known for sha256, people in named.items()}


def _photos(archive: zipfile.ZipFile, store: PhotoStore, commune_id: int) -> list[tuple[str, str, int]]:
    """Photos whose bytes have their hash, kept on disk: (sha256, type, size). A damaged one costs no other."""
    found = []
    for name in archive.namelist():
        sha256 = name.removeprefix("photos/")
        if not name.startswith("photos/") or not is_sha256(sha256):
            continue
        try:
            body = _member(archive, name, MAX_PHOTO_BYTES)
        except (*BROKEN, Problem):
            continue
        kind = sniff(body[:32])
        if hashlib.sha256(body).hexdigest() == sha256 and kind is not None:
            store.put(commune_id, sha256, body)
            found.append((sha256, kind, len(body)))
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
    patch, seq = mutation.get("set"), mutation.get("seq")
    sha256 = patch.get("sha256") if isinstance(patch, dict) else None
    numbered = type(seq) is int and 0 <= seq <= LARGEST_NUMBER
    return {
        "commune_id": commune_id,
        "id": str(uuid.uuid4()),
        "device_id": device_id,
        "seq": seq if numbered else None,
        "mutation_id": mutation["id"],
        "person_id": mutation["by"] if is_uuid(mutation.get("by")) else None,
        "reason": "deposit",
        "payload": storable(mutation),
        "state": "open",
        "photos": [sha256] if is_sha256(sha256) else [],
        "received_at": now,
    }
