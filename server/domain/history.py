"""Every write of one person's documents, newest first: who, when by both clocks, from which phone, from what to what."""

from typing import Any

from sqlalchemy import Connection, func, select

from server.db import tables
from server.domain import names
from server.domain.workspace import TABLES

_HISTORY = tables.History.__table__
_CITIZEN, _PHOTO = tables.Citizen.__table__, tables.Photo.__table__
PAGE = 50


def docs_of(conn: Connection, commune_id: int, citizen_id: str) -> dict[str, dict[str, Any]]:
    """Id to row and `type` of all that is or was this person's, deleted and merged included.

    A conflict also has `about`, the type of what it is about.
    """
    query = select(_CITIZEN.c.id).where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.merged_into == citizen_id)
    people = [citizen_id, *conn.execute(query).scalars()]
    found: dict[str, dict[str, Any]] = {}
    for kind, table in TABLES.items():
        rows = conn.execute(select(table).where(table.c.commune_id == commune_id, table.c.citizen_id.in_(people))).mappings()
        found.update({row["id"]: {**row, "type": kind, "about": row.get("type")} for row in rows})
    return found


def page(
    conn: Connection, commune_id: int, docs: dict[str, dict[str, Any]], number: int = 1, doc_id: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """One page of writes of these documents, or of one of them, and how many there are in all.

    Each has `doc` (its document as it stands), `person_name`, `device_name`, `device_at`, `server_at` and `patch`.
    """
    ids = sorted({doc_id} & docs.keys() if doc_id is not None else docs)
    where = (_HISTORY.c.commune_id == commune_id, _HISTORY.c.doc_id.in_(ids))
    total = int(conn.execute(select(func.count()).select_from(_HISTORY).where(*where)).scalar_one())
    query = select(_HISTORY).where(*where).order_by(_HISTORY.c.server_at.desc(), _HISTORY.c.doc_id, _HISTORY.c.rev.desc())
    rows = [dict(row) for row in conn.execute(query.limit(PAGE).offset((max(number, 1) - 1) * PAGE)).mappings()]
    people = names.people(conn, commune_id, [row["person_id"] for row in rows])
    devices = names.devices(conn, commune_id, [row["device_id"] for row in rows])
    photos = _photo_states(conn, commune_id, [docs[row["doc_id"]] for row in rows])
    for row in rows:
        row["doc"] = docs[row["doc_id"]]
        row["person_name"], row["device_name"] = people.get(row["person_id"] or ""), devices.get(row["device_id"] or "")
        row["photo_state"] = photos.get(row["doc"].get("sha256") or "")
    return rows, total


def withdrawn(docs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Photos that somebody took away, newest first."""
    gone = [doc for doc in docs.values() if doc["type"] == "evidence" and doc["deleted"]]
    return sorted(gone, key=lambda doc: (doc["updated_at"], doc["id"]), reverse=True)


def _photo_states(conn: Connection, commune_id: int, docs: list[dict[str, Any]]) -> dict[str, str]:
    hashes = sorted({doc["sha256"] for doc in docs if doc["type"] == "evidence"})
    query = select(_PHOTO.c.sha256, _PHOTO.c.state).where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256.in_(hashes))
    return {row[0]: row[1] for row in conn.execute(query)} if hashes else {}
