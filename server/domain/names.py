"""What people and phones are called, for whoever reads who did what."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from server.db import tables

_PERSON, _DEVICE = tables.Person.__table__, tables.Device.__table__
_CITIZEN, _PLACE = tables.Citizen.__table__, tables.Place.__table__
SOME = 400


def people(conn: Connection, commune_id: int, ids: Iterable[str | None]) -> dict[str, str]:
    """Person id to name."""
    return {i: r[0] for i, r in _rows(conn, commune_id, _PERSON, ids, [_PERSON.c.name]).items()}


def devices(conn: Connection, commune_id: int, ids: Iterable[str | None]) -> dict[str, str]:
    """Device id to what its owner's phone calls itself. The staff site's own ids (`web:...`) have none."""
    rows = _rows(conn, commune_id, _DEVICE, ids, [_DEVICE.c.name, _DEVICE.c.platform])
    return {i: " · ".join(part for part in row if part) for i, row in rows.items()}


def citizens(conn: Connection, commune_id: int, ids: Iterable[str | None]) -> dict[str, dict[str, Any]]:
    """Citizen id to `full_name`, `birth_year`, `place_id`, `deleted`, `merged_into`; deleted ones too."""
    names = ("full_name", "birth_year", "place_id", "deleted", "merged_into")
    rows = _rows(conn, commune_id, _CITIZEN, ids, [_CITIZEN.c[n] for n in names])
    return {i: dict(zip(names, row, strict=True)) for i, row in rows.items()}


def places(conn: Connection, commune_id: int) -> dict[int, str]:
    """Place number to name, of all the commune's places."""
    return {r[0]: r[1] for r in conn.execute(select(_PLACE.c.id, _PLACE.c.name).where(_PLACE.c.commune_id == commune_id))}


def _rows(conn: Connection, commune_id: int, table: Any, ids: Iterable[str | None], columns: list[Any]) -> dict[str, Any]:
    wanted = sorted({i for i in ids if i})
    found: dict[str, Any] = {}
    for start in range(0, len(wanted), SOME):
        query = select(table.c.id, *columns).where(table.c.commune_id == commune_id, table.c.id.in_(wanted[start : start + SOME]))
        found.update({row[0]: tuple(row[1:]) for row in conn.execute(query)})
    return found
