"""Phones: who uses them, what they said of themselves, revocation."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from server.db import tables
from server.db.journal import note
from server.domain import communes
from server.domain.permissions import Actor
from sync.errors import Problem

_DEVICE = tables.Device.__table__
_PAIR = tables.DevicePerson.__table__
_PERSON = tables.Person.__table__
_DIRECTORY = tables.Directory.__table__
# every request asks these two: built once
_FIND = select(_DEVICE).where(_DEVICE.c.commune_id == bindparam("commune"), _DEVICE.c.id == bindparam("device"))
_CREW = (
    select(_PAIR.c.person_id, _PAIR.c.removed_at, _PERSON.c.role, _PERSON.c.place_id, _PERSON.c.citizen_id, _PERSON.c.active)
    .join(_PERSON, (_PAIR.c.commune_id == _PERSON.c.commune_id) & (_PAIR.c.person_id == _PERSON.c.id))
    .where(_PAIR.c.commune_id == bindparam("commune"), _PAIR.c.device_id == bindparam("device"))
    .order_by(_PAIR.c.added_at, _PERSON.c.id)
)


@dataclass(frozen=True)
class Crew:
    """`people` use a phone now, with their rights as they are now; `senders` are all who ever did, whose photos it may hold."""

    people: dict[str, Actor]
    senders: frozenset[str]


def find(conn: Connection, commune_id: int, device_id: str) -> dict[str, Any] | None:
    row = conn.execute(_FIND, {"commune": commune_id, "device": device_id}).mappings().first()
    return dict(row) if row else None


def commune_of(conn: Connection, device_id: str) -> int | None:
    query = select(_DIRECTORY.c.commune_id).where(
        _DIRECTORY.c.kind == "device", _DIRECTORY.c.key_hash == device_id
    )
    return conn.execute(query).scalar_one_or_none()


def add(conn: Connection, commune_id: int, device: dict[str, Any]) -> None:
    """`device`: id, name, platform, key, thumbprint, created_at, cloned_from."""
    conn.execute(insert(_DIRECTORY).values(kind="device", key_hash=device["id"], commune_id=commune_id))
    conn.execute(insert(_DEVICE).values(commune_id=commune_id, token_version=1, last_seq=0, skew_ms=0, **device))


def add_person(
    conn: Connection, commune_id: int, device_id: str, person_id: str, now: str, invited_at: str | None = None
) -> None:
    """Puts a person on a phone. One who was taken off comes back only by a code made after that (`invited_at`)."""
    query = select(_PAIR.c.removed_at).where(
        _PAIR.c.commune_id == commune_id, _PAIR.c.device_id == device_id, _PAIR.c.person_id == person_id
    )
    row = conn.execute(query).first()
    if row is None:
        conn.execute(
            insert(_PAIR).values(commune_id=commune_id, device_id=device_id, person_id=person_id, added_at=now)
        )
    elif row[0] is not None and (invited_at is None or invited_at > row[0]):
        note(conn, "person.back", commune_id, device=device_id, person=person_id)
        conn.execute(
            update(_PAIR)
            .where(_PAIR.c.commune_id == commune_id, _PAIR.c.device_id == device_id, _PAIR.c.person_id == person_id)
            .values(removed_at=None, added_at=now)
        )


def copy_people(conn: Connection, commune_id: int, device_id: str, to: str) -> None:
    """All who use or used a phone are a copy's people too: it may hold photos of one who was taken off."""
    query = select(_PAIR).where(_PAIR.c.commune_id == commune_id, _PAIR.c.device_id == device_id)
    rows = [{**row, "device_id": to} for row in conn.execute(query).mappings()]
    if rows:
        conn.execute(insert(_PAIR), rows)


def is_revoked(conn: Connection, commune_id: int) -> Problem:
    """What a revoked phone is told: also the epoch, for after a restore it hands in again what it had sent."""
    return Problem("device.revoked", "Máy này đã bị xã ngừng dùng.", epoch=communes.find(conn, commune_id)["epoch"])


def remove_person(conn: Connection, commune_id: int, device_id: str, person_id: str, now: str) -> None:
    """Takes one person off a phone; their scopes go at its next sync. Raises Problem `person.unknown`."""
    changed = conn.execute(
        update(_PAIR)
        .where(_PAIR.c.commune_id == commune_id, _PAIR.c.device_id == device_id, _PAIR.c.person_id == person_id)
        .where(_PAIR.c.removed_at.is_(None))
        .values(removed_at=now)
    )
    if changed.rowcount == 0:
        raise Problem("person.unknown", "Người này không dùng máy này.")
    note(conn, "person.removed", commune_id, device=device_id, person=person_id)


def crew(conn: Connection, commune_id: int, device_id: str) -> Crew:
    """Who uses a phone, and whose photos it may still hold."""
    rows = conn.execute(_CREW, {"commune": commune_id, "device": device_id}).all()
    now = [row for row in rows if row.removed_at is None and row.active]
    people = {row.person_id: Actor(row.person_id, row.role, row.place_id, row.citizen_id, device_id) for row in now}
    return Crew(people, frozenset(row.person_id for row in rows))


def actors(conn: Connection, commune_id: int, device_id: str) -> dict[str, Actor]:
    """The people who use a phone now, with their rights as they are now."""
    return crew(conn, commune_id, device_id).people


def uploaders(conn: Connection, commune_id: int, device_id: str) -> frozenset[str]:
    """All who ever used a phone: photos of one who was taken off it are still awaited."""
    return crew(conn, commune_id, device_id).senders


def people(conn: Connection, commune_id: int, device_id: str) -> list[dict[str, Any]]:
    """What a phone is told of its people."""
    query = (
        select(_PERSON)
        .join(_PAIR, (_PAIR.c.commune_id == _PERSON.c.commune_id) & (_PAIR.c.person_id == _PERSON.c.id))
        .where(_PAIR.c.commune_id == commune_id, _PAIR.c.device_id == device_id, _PAIR.c.removed_at.is_(None))
        .order_by(_PAIR.c.added_at, _PERSON.c.id)
    )
    return [
        {"id": r["id"], "name": r["name"], "role": r["role"], "place": r["place_id"], "citizen": r["citizen_id"]}
        for r in conn.execute(query).mappings()
    ]


def revoke(conn: Connection, commune_id: int, device_id: str, now: str) -> None:
    """From now on it may only deposit. Raises Problem `device.unknown`."""
    changed = conn.execute(
        update(_DEVICE)
        .where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id)
        .values(revoked_at=now, token_version=_DEVICE.c.token_version + 1)
    )
    if changed.rowcount == 0:
        raise Problem("device.unknown", "Không tìm thấy máy này.")
    row = conn.execute(
        select(_DEVICE.c.key, _DEVICE.c.thumbprint).where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id)
    ).one()
    note(conn, "device.revoked", commune_id, device=device_id, key=row[0], thumbprint=row[1])


def heard(conn: Connection, commune_id: int, device_id: str, values: dict[str, Any]) -> None:
    """Remembers what a phone says of itself at a sync."""
    conn.execute(
        update(_DEVICE).where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id).values(**values)
    )


def all_of(conn: Connection, commune_id: int) -> list[dict[str, Any]]:
    query = select(_DEVICE).where(_DEVICE.c.commune_id == commune_id).order_by(_DEVICE.c.last_seen_at.desc())
    return [dict(row) for row in conn.execute(query).mappings()]
