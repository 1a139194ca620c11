"""What was deleted and staff may bring back: people and single photos."""

from typing import Any

from sqlalchemy import Connection, func, select

from server.db import tables
from server.domain import receipts

_CITIZEN, _EVIDENCE = tables.Citizen.__table__, tables.Evidence.__table__
_PLACE, _PHOTO, _HISTORY = tables.Place.__table__, tables.Photo.__table__, tables.History.__table__
_PERSON, _DOSSIER = tables.Person.__table__, tables.Dossier.__table__
PAGE = 50


def people(conn: Connection, commune_id: int, number: int = 1) -> tuple[list[dict[str, Any]], int]:
    """One page of deleted people, latest first, with who deleted them; those merged into another are not among them."""
    where = (_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.deleted.is_(True), _CITIZEN.c.merged_into.is_(None))
    total = int(conn.execute(select(func.count()).select_from(_CITIZEN).where(*where)).scalar_one())
    query = (
        select(_CITIZEN.c.id, _CITIZEN.c.full_name, _CITIZEN.c.birth_year, _CITIZEN.c.updated_at, _PLACE.c.name.label("place"),
               _PERSON.c.name.label("by_name"))
        .join(_PLACE, (_PLACE.c.commune_id == _CITIZEN.c.commune_id) & (_PLACE.c.id == _CITIZEN.c.place_id))
        .outerjoin(_HISTORY, (_HISTORY.c.commune_id == _CITIZEN.c.commune_id) & (_HISTORY.c.doc_id == _CITIZEN.c.id)
                   & (_HISTORY.c.rev == _CITIZEN.c.rev))
        .outerjoin(_PERSON, (_PERSON.c.commune_id == _CITIZEN.c.commune_id) & (_PERSON.c.id == _HISTORY.c.person_id))
        .where(*where)
        .order_by(_CITIZEN.c.updated_at.desc(), _CITIZEN.c.id)
    )  # fmt: skip
    rows = conn.execute(query.limit(PAGE).offset((max(number, 1) - 1) * PAGE)).mappings()
    return [dict(row) for row in rows], total


def photo(conn: Connection, commune_id: int, evidence_id: str) -> dict[str, Any] | None:
    """A withdrawn photo (`sha256`, `citizen_id`, `photo_state`), where its author's bytes arrived."""
    query = (
        select(_EVIDENCE, _PHOTO.c.state.label("photo_state"))
        .outerjoin(_PHOTO, (_PHOTO.c.commune_id == _EVIDENCE.c.commune_id) & (_PHOTO.c.sha256 == _EVIDENCE.c.sha256))
        .where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.id == evidence_id, _EVIDENCE.c.deleted.is_(True))
    )
    row = conn.execute(query).mappings().first()
    if row is None or not receipts.has(conn, commune_id, row["author"], row["sha256"]):
        return None
    return dict(row)


def seen(conn: Connection, commune_id: int, citizen_id: str) -> dict[str, int]:
    """Document id to revision of all that a deletion of this person would take, as it stands now."""
    found: dict[str, int] = {}
    for table in (_CITIZEN, _DOSSIER, _EVIDENCE, tables.Comment.__table__):
        query = select(table.c.id, table.c.rev).where(
            table.c.commune_id == commune_id, table.c.citizen_id == citizen_id, table.c.deleted.is_(False)
        )
        found.update({row[0]: row[1] for row in conn.execute(query)})
    return found
