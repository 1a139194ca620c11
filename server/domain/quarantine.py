"""What arrived and could not be applied, as staff read it. Writes nothing; `accepting` does."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from server.db import tables
from server.domain import names
from sync.protocol import is_sha256, is_uuid

_ROW = tables.Quarantine.__table__
_LOG, _PERSON = tables.MutationLog.__table__, tables.Person.__table__
_PHOTO, _RECEIPT = tables.Photo.__table__, tables.Receipt.__table__
_CITIZEN, _CONFLICT = tables.Citizen.__table__, tables.Conflict.__table__
_DOCS = (tables.Dossier.__table__, tables.Evidence.__table__, tables.Comment.__table__, _CONFLICT)
PAGE = 50
STATES = {"open": ("open",), "set_aside": ("set_aside",), "settled": ("applied", "moved")}
NO_MUTATION = ("draft", "aside")  # parts of a deposit that no function can apply: staff read them


@dataclass(frozen=True)
class Wish:
    """Which rows to list: `state` of STATES, one device's, what one deposit brought (`received_at`)."""

    state: str = "open"
    device_id: str | None = None
    received_at: str | None = None
    page: int = 1


def count(conn: Connection, commune_id: int) -> int:
    """How many wait for staff."""
    query = select(func.count()).select_from(_ROW).where(_ROW.c.commune_id == commune_id, _ROW.c.state == "open")
    return int(conn.execute(query).scalar_one())


def page(conn: Connection, commune_id: int, wish: Wish) -> tuple[list[dict[str, Any]], int]:
    """One page, oldest first (what is settled: newest first), and how many there are in all."""
    where = [_ROW.c.commune_id == commune_id, _ROW.c.state.in_(STATES.get(wish.state, ("open",)))]
    if wish.device_id is not None:
        where.append(_ROW.c.device_id == wish.device_id)
    if wish.received_at is not None:
        where.append(_ROW.c.received_at == wish.received_at)
    total = int(conn.execute(select(func.count()).select_from(_ROW).where(*where)).scalar_one())
    order = [_ROW.c.settled_at.desc()] if wish.state == "settled" else [_ROW.c.received_at, _ROW.c.seq]
    query = select(_ROW).where(*where).order_by(*order, _ROW.c.id).limit(PAGE).offset((max(wish.page, 1) - 1) * PAGE)
    return _told(conn, commune_id, [dict(row) for row in conn.execute(query).mappings()]), total


def one(conn: Connection, commune_id: int, ident: str) -> dict[str, Any] | None:
    found = row_of(conn, commune_id, ident)
    return _told(conn, commune_id, [found])[0] if found else None


def row_of(conn: Connection, commune_id: int, ident: str) -> dict[str, Any] | None:
    """The row as it is stored."""
    row = conn.execute(select(_ROW).where(_ROW.c.commune_id == commune_id, _ROW.c.id == ident)).mappings().first()
    return dict(row) if row else None


def about(conn: Connection, commune_id: int, docs: list[str]) -> list[dict[str, Any]]:
    """What waits for these documents or would hang under them."""
    named = [_ROW.c.payload["doc"].as_string(), *[_ROW.c.payload[("set", n)].as_string() for n in ("dossier", "citizen", "on")]]
    query = select(_ROW).where(_ROW.c.commune_id == commune_id, _ROW.c.state.in_(("open", "set_aside")))
    query = query.where(or_(*[column.in_(docs) for column in named])).order_by(_ROW.c.received_at, _ROW.c.seq).limit(PAGE)
    return _told(conn, commune_id, [dict(row) for row in conn.execute(query).mappings()]) if docs else []


def deposits(conn: Connection, commune_id: int) -> list[dict[str, Any]]:
    """Files that were handed in and are not settled: `device_id`, `device_name`, `received_at`, `count`."""
    query = (
        select(_ROW.c.device_id, _ROW.c.received_at, func.count().label("count"))
        .where(_ROW.c.commune_id == commune_id, _ROW.c.state == "open", _ROW.c.reason == "deposit")
        .group_by(_ROW.c.device_id, _ROW.c.received_at)
        .order_by(_ROW.c.received_at)
    )
    rows = [dict(row) for row in conn.execute(query).mappings()]
    devices = names.devices(conn, commune_id, [row["device_id"] for row in rows])
    return [{**row, "device_name": devices.get(row["device_id"] or "")} for row in rows]


def content(payload: dict[str, Any]) -> dict[str, Any]:
    """The mutation as it was sent; one with characters that a database cannot keep is unpacked to be read."""
    if set(payload) != {"escaped"}:
        return payload
    try:
        found = json.loads(str(payload["escaped"]).replace("\\\\", "\\"))
    except ValueError:
        return payload
    return found if isinstance(found, dict) else {"value": found}


def author_id(row: dict[str, Any]) -> str | None:
    by = row["payload"].get("by")
    return row["person_id"] or (by if is_uuid(by) else None)


def photo_of(conn: Connection, commune_id: int, row: dict[str, Any]) -> dict[str, Any] | None:
    """The photo that a row brings or is about: `sha256`, and `photo_state` once the bytes came from somebody who may send them."""
    sha256, author = next((s for s in row["photos"] if is_sha256(s)), None), author_id(row)
    if sha256 is None:
        entry = _entry(conn, commune_id, content(row["payload"]))
        if entry is None:
            return None
        sha256, author = entry
    query = (
        select(_PHOTO.c.state)
        .join(_RECEIPT, (_RECEIPT.c.commune_id == _PHOTO.c.commune_id) & (_RECEIPT.c.sha256 == _PHOTO.c.sha256))
        .join(_PERSON, (_PERSON.c.commune_id == _RECEIPT.c.commune_id) & (_PERSON.c.id == _RECEIPT.c.person_id))
        .where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256 == sha256)
        .where((_RECEIPT.c.person_id == author) | (_PERSON.c.role == "staff"))
    )
    return {"sha256": sha256, "photo_state": conn.execute(query.limit(1)).scalar(), "caption": None}


def _entry(conn: Connection, commune_id: int, sent: dict[str, Any]) -> tuple[str, str] | None:
    """The hash and author of the photo that an edit names."""
    table = tables.Evidence.__table__
    if sent.get("type") != "evidence" or not is_uuid(sent.get("doc")):
        return None
    query = select(table.c.sha256, table.c.author).where(table.c.commune_id == commune_id, table.c.id == sent["doc"])
    row = conn.execute(query).first()
    return (row[0], row[1]) if row else None


def _told(conn: Connection, commune_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds who sent it, from which phone, whom it is about, the fields that it sets, and its photo."""
    people = names.people(conn, commune_id, [author_id(row) for row in rows])
    devices = names.devices(conn, commune_id, [row["device_id"] for row in rows])
    for row in rows:
        row["sent"] = content(row["payload"])
        row["person_name"], row["device_name"] = people.get(author_id(row) or ""), devices.get(row["device_id"] or "")
        row["photo"] = photo_of(conn, commune_id, row)
        row["arrived"] = row["state"] == "open" and row["reason"] == "deposit" and is_handled(conn, commune_id, row["mutation_id"])
    subjects = _subjects(conn, commune_id, rows)
    citizens = names.citizens(conn, commune_id, subjects.values())
    for row in rows:
        row["about"] = subjects.get(row["id"])
        row["citizen"] = citizens.get(row["about"] or "") or _newcomer(row)
    return rows


def is_handled(conn: Connection, commune_id: int, mutation_id: str | None) -> bool:
    """Whether the phone sent this by sync too."""
    query = select(_LOG.c.mutation_id).where(_LOG.c.commune_id == commune_id, _LOG.c.mutation_id == mutation_id, _LOG.c.spent_id.is_(True))
    return mutation_id is not None and conn.execute(query.limit(1)).first() is not None


def _subjects(conn: Connection, commune_id: int, rows: list[dict[str, Any]]) -> dict[str, str]:
    """Row id to the citizen whom it is about, as far as that can be known."""
    found: dict[str, str] = {}
    for row in rows:
        for ident in _named(row["sent"]):
            citizen = _citizen_of(conn, commune_id, ident)
            if citizen is not None:
                found[row["id"]] = citizen
                break
    return found


def _named(sent: dict[str, Any]) -> list[str]:
    patch = sent.get("set")
    parents = [patch.get(name) for name in ("citizen", "dossier", "on")] if isinstance(patch, dict) else []
    return [str(ident) for ident in (*parents, sent.get("doc")) if is_uuid(ident)]


def _citizen_of(conn: Connection, commune_id: int, ident: str) -> str | None:
    query = select(_CITIZEN.c.id).where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.id == ident)
    known = conn.execute(query).scalar()
    for table in () if known else _DOCS:
        query = select(table.c.citizen_id).where(table.c.commune_id == commune_id, table.c.id == ident)
        known = known or conn.execute(query).scalar()
    return str(known) if known else None


def _newcomer(row: dict[str, Any]) -> dict[str, Any]:
    """Somebody whom nobody registered yet, by what the row itself says."""
    patch = row["sent"].get("set")
    name = patch.get("full_name") if isinstance(patch, dict) else None
    return {"full_name": name} if isinstance(name, str) else {}
