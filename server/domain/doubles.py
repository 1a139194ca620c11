"""Who may be registered twice, and two people side by side for who decides. Writes nothing."""

from typing import Any

from sqlalchemy import Connection, func, select

from server.db import tables
from server.domain import names

_CITIZEN, _PLACE = tables.Citizen.__table__, tables.Place.__table__
_DOSSIER, _EVIDENCE = tables.Dossier.__table__, tables.Evidence.__table__
PAGE = 50


def count(conn: Connection, commune_id: int) -> int:
    return int(conn.execute(select(func.count()).select_from(_pairs(commune_id).subquery())).scalar_one())


def page(conn: Connection, commune_id: int, number: int = 1) -> tuple[list[dict[str, Any]], int]:
    """One page of pairs: `one` and `other` with name, year of birth and place; and how many there are."""
    query = _pairs(commune_id).order_by(_CITIZEN.c.search_name, _CITIZEN.c.id).limit(PAGE).offset((max(number, 1) - 1) * PAGE)
    pairs = [(row[0], row[1]) for row in conn.execute(query)]
    people = names.citizens(conn, commune_id, [ident for pair in pairs for ident in pair])
    places = names.places(conn, commune_id)
    for ident, citizen in people.items():
        citizen |= {"id": ident, "place": places.get(citizen["place_id"], "")}
    return [{"one": people[a], "other": people[b]} for a, b in pairs], count(conn, commune_id)


def _pairs(commune_id: int) -> Any:
    other = _CITIZEN.alias("other")
    return (
        select(_CITIZEN.c.id, _CITIZEN.c.possible_duplicate)
        .join(other, (other.c.commune_id == _CITIZEN.c.commune_id) & (other.c.id == _CITIZEN.c.possible_duplicate))
        .where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.deleted.is_(False), other.c.deleted.is_(False))
    )


def person(conn: Connection, commune_id: int, citizen_id: str) -> dict[str, Any] | None:
    """One living person with `place`, `dossiers` by year and how many `photos`."""
    query = select(_CITIZEN, _PLACE.c.name.label("place")).join(
        _PLACE, (_PLACE.c.commune_id == _CITIZEN.c.commune_id) & (_PLACE.c.id == _CITIZEN.c.place_id)
    )
    query = query.where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.id == citizen_id, _CITIZEN.c.deleted.is_(False))
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    papers = select(_DOSSIER.c.year, _DOSSIER.c.state).where(
        _DOSSIER.c.commune_id == commune_id, _DOSSIER.c.citizen_id == citizen_id, _DOSSIER.c.deleted.is_(False)
    )
    photos = select(func.count()).select_from(_EVIDENCE).where(
        _EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.citizen_id == citizen_id, _EVIDENCE.c.deleted.is_(False)
    )
    dossiers = [dict(each) for each in conn.execute(papers.order_by(_DOSSIER.c.year)).mappings()]
    return {**row, "dossiers": dossiers, "photos": int(conn.execute(photos).scalar_one())}


def merged_into(conn: Connection, commune_id: int, citizen_id: str) -> str | None:
    """Who stayed, where this person was merged."""
    query = select(_CITIZEN.c.merged_into).where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.id == citizen_id)
    return conn.execute(query).scalar()
