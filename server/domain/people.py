"""Persons and citizens: registration at the office, persons who act, search without diacritics."""

import uuid
from typing import Any

from sqlalchemy import Connection, insert, select

from server.db import tables
from server.domain import places
from server.domain.text import fold, tidy
from server.domain.workspace import Workspace
from sync.errors import Problem
from sync.fields import CITIZEN

_PERSON = tables.Person.__table__
_CITIZEN = tables.Citizen.__table__
ROLES = ("citizen", "chapter", "head", "contact")


def add_citizen(
    conn: Connection,
    commune_id: int,
    full_name: str,
    place_id: int,
    now: str,
    *,
    by: str = "",
    birth_year: int | None = None,
    gender: str | None = None,
    group: int | None = None,
    phone: str | None = None,
    state: str = "confirmed",
    consent: list[dict[str, Any]] | None = None,
    ident: str | None = None,
) -> str:
    """Registers a citizen; returns the id. Raises Problem `value.invalid`, `place.unknown`."""
    places.check(conn, commune_id, place_id)
    values: dict[str, Any] = {
        "full_name": tidy(full_name),
        "birth_year": birth_year,
        "gender": gender,
        "group": group,
        "phone": phone,
    }
    for name, value in values.items():
        if not CITIZEN[name].check(value):
            raise Problem("value.invalid", "Giá trị không hợp lệ.", field=name)
    ident = ident or str(uuid.uuid4())
    work = Workspace(conn, commune_id, now)
    work.lock([place_id])
    rev = work.revision_floor + 1
    version = [rev, f"web:{by}", str(uuid.uuid4()), 0]
    doc = work.add(
        "citizen",
        {
            **values,
            "id": ident,
            "rev": rev,
            "place_id": place_id,
            "citizen_id": ident,
            "author": by,
            "state": state,
            "consent": consent or [],
            "search_name": fold(full_name),
            "field_versions": {name: version for name in (*values, "place")},
        },
    )
    doc.row["possible_duplicate"] = work.citizen_like(doc)
    work.rows["history"].append(
        {
            "commune_id": commune_id, "doc_id": doc.id, "rev": rev, "type": "citizen", "op": "create",
            "patch": {name: [None, value] for name, value in (*values.items(), ("place", place_id)) if value is not None},
            "person_id": by or None, "device_id": version[1], "mutation_id": version[2], "device_at": None,
            "server_at": now,
        }
    )  # fmt: skip
    work.flush()
    return ident


def add_person(
    conn: Connection,
    commune_id: int,
    name: str,
    role: str,
    now: str,
    place_id: int | None = None,
    citizen_id: str | None = None,
) -> str:
    """Somebody who may act; returns the id."""
    ident = str(uuid.uuid4())
    conn.execute(
        insert(_PERSON).values(
            commune_id=commune_id,
            id=ident,
            name=tidy(name),
            role=role,
            place_id=place_id,
            citizen_id=citizen_id,
            active=True,
            created_at=now,
        )
    )
    return ident


def person_of_citizen(conn: Connection, commune_id: int, citizen_id: str, now: str) -> str:
    """The person who stands for a citizen, made at need. Raises Problem `citizen.unknown`."""
    query = select(_PERSON.c.id).where(
        _PERSON.c.commune_id == commune_id, _PERSON.c.citizen_id == citizen_id, _PERSON.c.role == "citizen"
    )
    known = conn.execute(query).scalar()
    if known is not None:
        return str(known)
    query = select(_CITIZEN.c.full_name, _CITIZEN.c.place_id).where(
        _CITIZEN.c.commune_id == commune_id, _CITIZEN.c.id == citizen_id, _CITIZEN.c.deleted.is_(False)
    )
    row = conn.execute(query).first()
    if row is None:
        raise Problem("citizen.unknown", "Không tìm thấy công dân này.")
    return add_person(conn, commune_id, row[0], "citizen", now, row[1], citizen_id)


def person(conn: Connection, commune_id: int, person_id: str) -> dict[str, Any] | None:
    query = select(_PERSON).where(_PERSON.c.commune_id == commune_id, _PERSON.c.id == person_id)
    row = conn.execute(query).mappings().first()
    return dict(row) if row else None
