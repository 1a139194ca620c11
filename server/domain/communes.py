"""Communes: the tenants of one server."""

import uuid
from typing import Any

from sqlalchemy import Connection, func, insert, select

from server.db import tables
from server.domain import programme
from server.domain.text import tidy

_COMMUNE = tables.Commune.__table__


def add(conn: Connection, name: str, year: int, now: str, *, practice: bool = False) -> int:
    """A new commune with this year's programme; returns its number."""
    number = int(conn.execute(select(func.coalesce(func.max(_COMMUNE.c.id), 0))).scalar_one()) + 1
    conn.execute(
        insert(_COMMUNE).values(
            id=number,
            name=tidy(name),
            epoch=f"e{uuid.uuid4().hex[:12]}",
            year=year,
            practice=practice,
            revision_floor=0,
            created_at=now,
        )
    )
    conn.execute(
        insert(tables.Counter.__table__).values(commune_id=number, scope=f"commune:{number}", value=0, floor=0)
    )
    programme.ensure_year(conn, number, year, now)
    return number


def all_of(conn: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(_COMMUNE).order_by(_COMMUNE.c.id)).mappings()]


def find(conn: Connection, commune_id: int) -> dict[str, Any]:
    return dict(conn.execute(select(_COMMUNE).where(_COMMUNE.c.id == commune_id)).mappings().one())
