"""The disagreements that wait for a choice, as the person who chooses needs to see them. Writes nothing."""

from typing import Any

from sqlalchemy import Connection, func, select

from server.db import tables
from server.domain import names

_CONFLICT, _HISTORY = tables.Conflict.__table__, tables.History.__table__
_EVIDENCE, _PHOTO = tables.Evidence.__table__, tables.Photo.__table__
PAGE = 50
MOST_PHOTOS = 12


def count(conn: Connection, commune_id: int) -> int:
    """How many wait in the commune."""
    return int(conn.execute(select(func.count()).select_from(_CONFLICT).where(*_open(commune_id))).scalar_one())


def page(conn: Connection, commune_id: int, number: int = 1, citizen_id: str | None = None) -> tuple[list[dict[str, Any]], int]:
    """One page of open ones, oldest first, and how many there are in all."""
    where = _open(commune_id)
    if citizen_id is not None:
        where.append(_CONFLICT.c.citizen_id == citizen_id)
    total = int(conn.execute(select(func.count()).select_from(_CONFLICT).where(*where)).scalar_one())
    query = select(_CONFLICT).where(*where).order_by(_CONFLICT.c.created_at, _CONFLICT.c.id)
    rows = conn.execute(query.limit(PAGE).offset((max(number, 1) - 1) * PAGE)).mappings()
    return _told(conn, commune_id, [dict(row) for row in rows]), total


def one(conn: Connection, commune_id: int, ident: str) -> dict[str, Any] | None:
    """One conflict, open or not, with the photos that it is about."""
    query = select(_CONFLICT).where(_CONFLICT.c.commune_id == commune_id, _CONFLICT.c.id == ident)
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    told = _told(conn, commune_id, [dict(row)])[0]
    told["photos"] = _photos(conn, commune_id, told)
    return told


def following(conn: Connection, commune_id: int, ident: str) -> str | None:
    """The open one after this, in the list's order; the first where this was the last."""
    key = select(_CONFLICT.c.created_at).where(_CONFLICT.c.commune_id == commune_id, _CONFLICT.c.id == ident)
    at = conn.execute(key).scalar() or ""
    query = select(_CONFLICT.c.id).where(*_open(commune_id), _CONFLICT.c.id != ident).order_by(_CONFLICT.c.created_at, _CONFLICT.c.id)
    later = query.where((_CONFLICT.c.created_at > at) | ((_CONFLICT.c.created_at == at) & (_CONFLICT.c.id > ident)))
    found = conn.execute(later.limit(1)).scalar() or conn.execute(query.limit(1)).scalar()
    return str(found) if found else None


def _open(commune_id: int) -> list[Any]:
    return [_CONFLICT.c.commune_id == commune_id, _CONFLICT.c.state == "open", _CONFLICT.c.deleted.is_(False)]


def _told(conn: Connection, commune_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds whose it is, and to each side `by_name`, `device_name`, `device_at` and `at` (the server's)."""
    written = _when_written(conn, commune_id, rows)
    for row in rows:
        row["theirs"] = {**(row["theirs"] or {}), **written.get((row["doc_id"], (row["theirs"] or {}).get("rev")), {})}
        row["mine"] = dict(row["mine"] or {})
    sides = [row[side] for row in rows for side in ("mine", "theirs")]
    people = names.people(conn, commune_id, [s.get("by") for s in sides])
    devices = names.devices(conn, commune_id, [s.get("device") for s in sides])
    for side in sides:
        side["by_name"], side["device_name"] = people.get(side.get("by") or ""), devices.get(side.get("device") or "")
    citizens = names.citizens(conn, commune_id, [row["citizen_id"] for row in rows])
    places = names.places(conn, commune_id)
    for row in rows:
        row["citizen"] = citizens.get(row["citizen_id"], {})
        row["place"] = places.get(row["place_id"], "")
        row["indicator"] = _indicator(conn, commune_id, row)
    return rows


def _when_written(conn: Connection, commune_id: int, rows: list[dict[str, Any]]) -> dict[tuple[str, Any], dict[str, Any]]:
    """Who wrote the server's value and when, from history: the conflict itself may only know the revision."""
    docs = sorted({row["doc_id"] for row in rows})
    wanted = {(row["doc_id"], (row["theirs"] or {}).get("rev")) for row in rows}
    query = select(_HISTORY).where(
        _HISTORY.c.commune_id == commune_id, _HISTORY.c.doc_id.in_(docs), _HISTORY.c.rev.in_(sorted({rev for _, rev in wanted if rev}))
    )
    found: dict[tuple[str, Any], dict[str, Any]] = {}
    for row in conn.execute(query).mappings() if docs else ():
        if (row["doc_id"], row["rev"]) in wanted:
            said = {"by": row["person_id"], "device": row["device_id"], "at": row["server_at"], "device_at": row["device_at"]}
            found[(row["doc_id"], row["rev"])] = said
    return found


def _indicator(conn: Connection, commune_id: int, row: dict[str, Any]) -> int | None:
    last = row["field"].rsplit(".", 1)[-1]
    if row["type"] == "dossier":
        return int(last) if last.isdigit() else None
    if row["type"] == "evidence":
        query = select(_EVIDENCE.c.indicator).where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.id == row["doc_id"])
        return conn.execute(query).scalar()
    return None


def _photos(conn: Connection, commune_id: int, row: dict[str, Any]) -> list[dict[str, Any]]:
    """The photo in question, or those of the indicator or person that the field is about."""
    query = (
        select(_EVIDENCE.c.id, _EVIDENCE.c.sha256, _EVIDENCE.c.caption, _EVIDENCE.c.indicator, _PHOTO.c.state.label("photo_state"))
        .outerjoin(_PHOTO, (_PHOTO.c.commune_id == _EVIDENCE.c.commune_id) & (_PHOTO.c.sha256 == _EVIDENCE.c.sha256))
        .where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.deleted.is_(False))
        .order_by(_EVIDENCE.c.captured_at, _EVIDENCE.c.id)
        .limit(MOST_PHOTOS)
    )
    if row["type"] == "evidence":
        query = query.where(_EVIDENCE.c.id == row["doc_id"])
    elif row["type"] == "dossier" and row["indicator"]:
        query = query.where(_EVIDENCE.c.dossier_id == row["doc_id"], _EVIDENCE.c.indicator == row["indicator"])
    elif row["type"] == "citizen" and row["field"] == "delete":
        query = query.where(_EVIDENCE.c.citizen_id == row["doc_id"])
    else:
        return []
    return [dict(each) for each in conn.execute(query).mappings()]

