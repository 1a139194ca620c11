"""Pairing codes and phones: one code, one person; a poster code, many; renewal by the phone's key."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from server.db import tables
from server.db.journal import note
from server.domain import devices, keys, people
from server.domain.workspace import Workspace
from sync.errors import Problem
from sync.fields import CITIZEN
from sync.protocol import is_uuid, tidy, timestamp

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0, O, 1, I, L
CODE_LENGTH = 8
CODE_LIFE = timedelta(days=14)
_CODE = tables.PairingCode.__table__
_DIRECTORY = tables.Directory.__table__


def make_code(
    conn: Connection,
    commune_id: int,
    role: str,
    place_id: int,
    citizen_id: str | None = None,
    *,
    name: str | None = None,
    by: str | None = None,
    now: datetime | None = None,
) -> tuple[str, str]:
    """A single-use code of 14 days: (code, expires_at).

    For `citizen`, the person of `citizen_id`; for an appraiser's role, a person called `name`.
    Raises Problem `role.invalid`, `citizen.unknown`.
    """
    moment = now or datetime.now(UTC)
    at = timestamp(moment)
    if role == "citizen":
        if citizen_id is None:
            raise Problem("citizen.unknown", "Cần chọn công dân.")
        person_id = people.person_of_citizen(conn, commune_id, citizen_id, at)
    elif role in people.ROLES:
        person_id = people.add_person(conn, commune_id, name or "Chi hội khuyến học", role, at, place_id, citizen_id)
    else:
        raise Problem("role.invalid", "Vai trò chỉ có thể là chapter, head, contact hoặc citizen.")
    return _store(conn, commune_id, "single", at, timestamp(moment + CODE_LIFE), place_id, person_id, by)


def code_for_person(
    conn: Connection, commune_id: int, person_id: str, *, by: str | None = None, now: datetime | None = None
) -> tuple[str, str]:
    """A code for somebody who exists already."""
    moment = now or datetime.now(UTC)
    person = people.person(conn, commune_id, person_id)
    if person is None:
        raise Problem("person.unknown", "Không tìm thấy người này.")
    expires = timestamp(moment + CODE_LIFE)
    return _store(conn, commune_id, "single", timestamp(moment), expires, person["place_id"], person_id, by)


def make_poster(conn: Connection, commune_id: int, place_id: int, *, by: str | None = None) -> str:
    """A place's poster code, in place of the last one."""
    now = timestamp(datetime.now(UTC))
    where = (_CODE.c.commune_id == commune_id, _CODE.c.kind == "poster", _CODE.c.place_id == place_id, _CODE.c.replaced_at.is_(None))
    for replaced in conn.execute(select(_CODE.c.code_hash).where(*where)).scalars().all():
        note(conn, "code.replaced", commune_id, code=replaced)
    conn.execute(update(_CODE).where(*where).values(replaced_at=now))
    return _store(conn, commune_id, "poster", now, "9999-12-31T00:00:00.000Z", place_id, None, by)[0]


def _store(
    conn: Connection, commune_id: int, kind: str, now: str, expires: str, place_id: int, person_id: str | None,
    by: str | None,
) -> tuple[str, str]:  # fmt: skip
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    conn.execute(insert(_DIRECTORY).values(kind="pair", key_hash=_hash(code), commune_id=commune_id))
    conn.execute(
        insert(_CODE).values(
            commune_id=commune_id, code_hash=_hash(code), kind=kind, person_id=person_id, place_id=place_id,
            created_by=by, created_at=now, expires_at=expires,
        )
    )  # fmt: skip
    return code, expires


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def tidy_code(code: object) -> str:
    """As typed by a person: case, spaces and dashes do not count."""
    return "".join(c for c in str(code).upper() if c.isalnum())[:32]


def commune_of_code(conn: Connection, code: str) -> int:
    """Raises Problem `pair.unknown`."""
    query = select(_DIRECTORY.c.commune_id).where(
        _DIRECTORY.c.kind == "pair", _DIRECTORY.c.key_hash == _hash(code)
    )
    commune = conn.execute(query).scalar_one_or_none()
    if commune is None:
        raise Problem("pair.unknown", "Mã này không đúng, mời xem lại.")
    return int(commune)


def pair(conn: Connection, code: str, body: dict[str, Any], now: str) -> tuple[int, str, str]:
    """Pairs a phone; the same call again gives the same answer. Returns (commune, device, person).

    Raises Problem `pair.unknown`, `pair.spent`, `pair.taken`, `device.revoked`, `bad_request`,
    `signature.invalid`.
    """
    commune_id = commune_of_code(conn, code)
    device = keys.read_device(body.get("device"))
    keys.verify(device["key"], body.get("signature"), f"pair\n{body.get('code')}")
    query = select(_CODE).where(_CODE.c.commune_id == commune_id, _CODE.c.code_hash == _hash(code))
    row = conn.execute(query.with_for_update()).mappings().one()
    known = devices.find(conn, commune_id, device["id"])
    _check_device(conn, commune_id, known, device)
    if row["kind"] == "poster":
        person_id = _poster_person(conn, commune_id, dict(row), body, now, device)
    else:
        person_id = _single_person(conn, commune_id, dict(row), device, now)
    if known is None:
        devices.add(conn, commune_id, {**device, "created_at": now})
    devices.add_person(conn, commune_id, device["id"], person_id, now, row["created_at"])
    return commune_id, device["id"], person_id


def _check_device(
    conn: Connection, commune_id: int, known: dict[str, Any] | None, device: dict[str, Any]
) -> None:
    if known is None:
        if devices.commune_of(conn, device["id"]) is not None:
            raise Problem("device.cloned", "Máy này đã ghép với xã khác.")
        return
    if known["revoked_at"]:
        raise devices.is_revoked(conn, commune_id)
    if known["thumbprint"] != device["thumbprint"]:
        raise Problem("pair.spent", "Mã máy này đã có khoá khác.")


def _single_person(conn: Connection, commune_id: int, row: dict[str, Any], device: dict[str, Any], now: str) -> str:
    same = row["used_by"] == device["id"] and row["used_key"] == device["thumbprint"]
    if row["used_at"] is not None and not same:
        raise Problem("pair.spent", "Mã này đã dùng rồi, xin xã một mã mới.")
    if row["used_at"] is None and row["expires_at"] <= now:
        raise Problem("pair.spent", "Mã này đã hết hạn, xin xã một mã mới.")
    if row["used_at"] is None:
        conn.execute(
            update(_CODE)
            .where(_CODE.c.commune_id == commune_id, _CODE.c.code_hash == row["code_hash"])
            .values(used_at=now, used_by=device["id"], used_key=device["thumbprint"])
        )
    return str(row["person_id"])


def _poster_person(
    conn: Connection, commune_id: int, row: dict[str, Any], body: dict[str, Any], now: str, device: dict[str, Any]
) -> str:
    """Registers a citizen by themselves, unconfirmed until chapter or staff confirm."""
    if row["replaced_at"] is not None:
        raise Problem("pair.spent", "Mã trên tờ này đã được thay, mời quét tờ mới.")
    citizen = body.get("citizen")
    if not isinstance(citizen, dict) or not is_uuid(citizen.get("id")) or not citizen.get("consent"):
        raise Problem("pair.citizen_needed", "Cần họ tên, năm sinh và sự đồng ý.")
    for name in ("full_name", "birth_year", "group"):
        if not CITIZEN[name].check(citizen.get(name)):
            raise Problem("value.invalid", "Giá trị không hợp lệ.", field=name)
    known = Workspace(conn, commune_id, now).get(citizen["id"])
    if known is not None:
        registered = (known.row["consent"] or [{}])[0].get("device")
        if registered != device["id"]:
            raise Problem("pair.taken", "Người này đã đăng ký trên máy khác.")
        return people.person_of_citizen(conn, commune_id, citizen["id"], now)
    consent = {"version": tidy(citizen["consent"], 40), "how": "phone", "device": device["id"], "at": now}
    people.add_citizen(
        conn, commune_id, citizen["full_name"], row["place_id"], now, birth_year=citizen.get("birth_year"),
        group=citizen.get("group"), state="unconfirmed", consent=[consent], ident=citizen["id"],
    )  # fmt: skip
    return people.person_of_citizen(conn, commune_id, citizen["id"], now)


def renew(conn: Connection, body: dict[str, Any], challenge_ok: bool, now: str) -> tuple[int, str]:
    """A new cookie by the phone's key, and for a cloned phone an id of its own. Returns (commune, device).

    Raises Problem `challenge.expired`, `device.unknown`, `device.revoked`, `signature.invalid`.
    """
    device_id = body.get("device")
    if not challenge_ok:
        raise Problem("challenge.expired", "The challenge is not ours or too old.")
    commune_id = devices.commune_of(conn, str(device_id)) if is_uuid(device_id) else None
    known = devices.find(conn, commune_id, str(device_id)) if commune_id is not None else None
    if known is None or commune_id is None:
        raise Problem("device.unknown", "Máy này chưa ghép với xã.")
    clone = keys.read_clone(body.get("clone"))
    clone_part = f"{clone['id']}\n{clone['thumbprint']}" if clone else "\n"
    keys.verify(known["key"], body.get("signature"), f"renew\n{body.get('challenge')}\n{clone_part}")
    if known["revoked_at"]:
        raise devices.is_revoked(conn, commune_id)
    if clone is None:
        return commune_id, str(device_id)
    already = devices.find(conn, commune_id, clone["id"])
    if already is None:
        named = {"name": known["name"], "platform": known["platform"], "cloned_from": known["id"]}
        devices.add(conn, commune_id, {**clone, **named, "created_at": now})
        devices.copy_people(conn, commune_id, known["id"], clone["id"])
    elif already["thumbprint"] != clone["thumbprint"]:
        raise Problem("pair.taken", "Mã máy này đã có khoá khác.")
    return commune_id, clone["id"]
