"""Phones that need somebody's eye: silent for a week, emptier than they left, or owing photos that they announced."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from server.db import tables
from server.domain import devices, names
from sync.protocol import timestamp

_DEVICE, _PAIR = tables.Device.__table__, tables.DevicePerson.__table__
_EVIDENCE, _RECEIPT = tables.Evidence.__table__, tables.Receipt.__table__
_QUARANTINE = tables.Quarantine.__table__
SILENCE = timedelta(days=7)
LOW_BYTES = 300 * 1024 * 1024  # below this a phone soon refuses to keep photos
MOST_OWED = 1000


def heard(conn: Connection, row: dict[str, Any], waiting: dict[str, Any], handled: int, now: str) -> dict[str, Any]:
    """What to remember of a phone that says `waiting`, of which `handled` were just taken.

    `left`: how many edits it must still hold. Where it holds fewer than were left the last time, and no deposit
    brought them, it lost them: `lost` says how many and when that was seen, until staff say that they asked.
    """
    before = row["waiting"] or {}
    said = waiting.get("mutations")
    kept = {**waiting, **({"lost": before["lost"]} if before.get("lost") else {})}
    if not isinstance(said, int):
        return kept
    missing = int(before.get("left") or 0) - said
    if missing > 0:
        missing -= _deposited(conn, row)
    if missing > 0:
        kept["lost"] = {"mutations": missing + int((before.get("lost") or {}).get("mutations") or 0), "at": now}
    return {**kept, "left": max(0, said - handled)}


def _deposited(conn: Connection, row: dict[str, Any]) -> int:
    query = select(func.count()).select_from(_QUARANTINE).where(
        _QUARANTINE.c.commune_id == row["commune_id"], _QUARANTINE.c.device_id == row["id"],
        _QUARANTINE.c.received_at >= (row["last_seen_at"] or ""),
    )  # fmt: skip
    return int(conn.execute(query).scalar_one())


def asked(conn: Connection, commune_id: int, device_id: str) -> None:
    """Staff asked the phone's people what was lost: it is not told any more."""
    row = devices.find(conn, commune_id, device_id)
    if row is not None and row["waiting"]:
        waiting = {k: v for k, v in row["waiting"].items() if k != "lost"}
        conn.execute(update(_DEVICE).where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id).values(waiting=waiting))


def silent_before(now: str) -> str:
    """Last heard before this time is too long ago."""
    return timestamp(datetime.fromisoformat(now.replace("Z", "+00:00")) - SILENCE)


def count(conn: Connection, commune_id: int, now: str) -> int:
    """How many phones in use are silent for a week."""
    heard_at = func.coalesce(_DEVICE.c.last_seen_at, _DEVICE.c.created_at)
    query = select(func.count()).select_from(_DEVICE).where(
        _DEVICE.c.commune_id == commune_id, _DEVICE.c.revoked_at.is_(None), heard_at < silent_before(now)
    )
    return int(conn.execute(query).scalar_one())


def phones(conn: Connection, commune_id: int, now: str) -> list[dict[str, Any]]:
    """Every phone, those that need an eye first. Beside its row:

    `people`, `silent`, `low` (of room), `owed` (photos announced and not received, each with `citizen` and `indicator`),
    `emptier` (it says that it holds fewer photos than it owes, or lost edits), `newer` (a later phone of the same person).
    """
    rows = devices.all_of(conn, commune_id)
    owed = _owed(conn, commune_id)
    newer = _newer(conn, commune_id, rows)
    for row in rows:
        waiting = row["waiting"] = row["waiting"] or {}
        row["people"] = devices.people(conn, commune_id, row["id"])
        row["silent"] = row["revoked_at"] is None and (row["last_seen_at"] or row["created_at"]) < silent_before(now)
        row["low"] = isinstance(waiting.get("free_bytes"), int) and waiting["free_bytes"] < LOW_BYTES
        row["owed"] = owed.get(row["id"], [])
        holds = waiting.get("photos")
        different = {(entry["author"], entry["sha256"]) for entry in row["owed"]}
        row["photos_lost"] = isinstance(holds, int) and holds < len(different)
        row["emptier"] = row["photos_lost"] or bool(waiting.get("lost"))
        row["newer"] = newer.get(row["id"])
    return sorted(rows, key=lambda r: (not r["emptier"], not r["silent"], r["revoked_at"] is not None))


def owed_by_person(conn: Connection, commune_id: int) -> list[dict[str, Any]]:
    """Who announced photos that have not come: `name`, `entries`; most first."""
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entries in _owed(conn, commune_id).values():
        for entry in entries:
            by[entry["author"]].append(entry)
    people = names.people(conn, commune_id, by)
    found = [{"name": people.get(who, ""), "entries": entries} for who, entries in by.items()]
    return sorted(found, key=lambda each: (-len(each["entries"]), each["name"]))


def _owed(conn: Connection, commune_id: int) -> dict[str, list[dict[str, Any]]]:
    """By the device that announced them: entries whose author's bytes have not arrived."""
    columns = ("id", "author", "citizen_id", "indicator", "sha256", "caption", "captured_at", "created_at", "field_versions")
    received = (
        (_RECEIPT.c.commune_id == _EVIDENCE.c.commune_id) & (_RECEIPT.c.person_id == _EVIDENCE.c.author)
        & (_RECEIPT.c.sha256 == _EVIDENCE.c.sha256)
    )  # fmt: skip
    query = (
        select(*[_EVIDENCE.c[n] for n in columns])
        .outerjoin(_RECEIPT, received)
        .where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.deleted.is_(False), _EVIDENCE.c.moved_from.is_(None))
        .where(_RECEIPT.c.sha256.is_(None))
        .order_by(_EVIDENCE.c.created_at, _EVIDENCE.c.id)
        .limit(MOST_OWED)
    )
    entries = [dict(row) for row in conn.execute(query).mappings()]
    citizens = names.citizens(conn, commune_id, [entry["citizen_id"] for entry in entries])
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        version = entry.pop("field_versions").get("sha256") or [0, ""]
        entry["citizen"] = citizens.get(entry["citizen_id"], {}).get("full_name", "")
        found[str(version[1])].append(entry)
    return found


def _newer(conn: Connection, commune_id: int, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Device id to a later phone of one of its people, begun after this one was last heard: `name`, `added_at`, `person`."""
    query = select(_PAIR.c.device_id, _PAIR.c.person_id, _PAIR.c.added_at).where(_PAIR.c.commune_id == commune_id)
    pairs = conn.execute(query.where(_PAIR.c.removed_at.is_(None)).order_by(_PAIR.c.added_at)).all()
    people = names.people(conn, commune_id, [pair.person_id for pair in pairs])
    called = {row["id"]: row["name"] or row["platform"] for row in rows}
    uses: dict[str, list[Any]] = defaultdict(list)
    for pair in pairs:
        uses[pair.person_id].append(pair)
    heard_at = {row["id"]: row["last_seen_at"] or row["created_at"] for row in rows}
    found: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        for later in uses[pair.person_id]:
            if later.device_id != pair.device_id and later.added_at > heard_at.get(pair.device_id, "9"):
                said = {"name": called.get(later.device_id, ""), "added_at": later.added_at, "person": people.get(pair.person_id, "")}
                found[pair.device_id] = said
    return found
