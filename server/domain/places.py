"""Hamlets and units: numbers that are unique on the server, documents of the commune's scope."""

import uuid
from typing import Any

from sqlalchemy import Connection, func, insert, select

from server.db import tables
from server.domain.text import tidy
from server.domain.workspace import reserve
from sync.errors import Problem

_PLACE = tables.Place.__table__
_COUNTER = tables.Counter.__table__
_DIRECTORY = tables.Directory.__table__


def add(conn: Connection, commune_id: int, name: str, now: str, kind: str = "hamlet") -> int:
    """A new place; returns its number. Raises Problem `name.invalid`, `kind.invalid`."""
    name = tidy(name)
    if not 1 <= len(name) <= 120:
        raise Problem("name.invalid", "Tên cần từ 1 đến 120 chữ.")
    if kind not in ("hamlet", "unit"):
        raise Problem("kind.invalid", "Loại chỉ có thể là hamlet hoặc unit.")
    number = _next_number(conn)
    conn.execute(insert(_COUNTER).values(commune_id=commune_id, scope=f"place:{number}", value=0, floor=0))
    conn.execute(insert(_DIRECTORY).values(kind="place", key_hash=str(number), commune_id=commune_id))
    conn.execute(
        insert(_PLACE).values(
            commune_id=commune_id,
            id=number,
            doc=str(uuid.uuid4()),
            name=name,
            kind=kind,
            rev=1,
            seq=reserve(conn, commune_id, f"commune:{commune_id}", 1),
            deleted=False,
            created_at=now,
        )
    )
    return number


def _next_number(conn: Connection) -> int:
    """Unique on the server: the directory, not a commune's own table, tells the last one."""
    rows = conn.execute(select(_DIRECTORY.c.key_hash).where(_DIRECTORY.c.kind == "place")).scalars()
    return max((int(key) for key in rows), default=0) + 1


def rename(conn: Connection, commune_id: int, place_id: int, name: str) -> None:
    """Raises Problem `place.unknown`, `name.invalid`."""
    name = tidy(name)
    if not 1 <= len(name) <= 120:
        raise Problem("name.invalid", "Tên cần từ 1 đến 120 chữ.")
    seq = reserve(conn, commune_id, f"commune:{commune_id}", 1)
    changed = conn.execute(
        _PLACE.update()
        .where(_PLACE.c.commune_id == commune_id, _PLACE.c.id == place_id)
        .values(name=name, rev=_PLACE.c.rev + 1, seq=seq)
    )
    if changed.rowcount == 0:
        raise Problem("place.unknown", "Thôn hoặc đơn vị không rõ.")


def all_of(conn: Connection, commune_id: int) -> list[dict[str, Any]]:
    query = select(_PLACE).where(_PLACE.c.commune_id == commune_id, _PLACE.c.deleted.is_(False))
    return [dict(row) for row in conn.execute(query.order_by(func.lower(_PLACE.c.name))).mappings()]


def check(conn: Connection, commune_id: int, place_id: int | None) -> None:
    """Raises Problem `place.unknown`."""
    query = select(_PLACE.c.id).where(_PLACE.c.commune_id == commune_id, _PLACE.c.id == place_id)
    if place_id is None or conn.execute(query).first() is None:
        raise Problem("place.unknown", "Thôn hoặc đơn vị không rõ.")
