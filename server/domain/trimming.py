"""What is kept 400 days and then let go: the signs that rows left a scope, and the stored answers to phones.

Numbers, ids, documents and their history stay for ever. A phone that was away longer pages from the start.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, null, select, update

from server.db import tables
from server.db.session import Database
from sync.protocol import timestamp

KEEP = timedelta(days=400)
_EXIT, _LOG, _COUNTER = tables.ScopeExit.__table__, tables.MutationLog.__table__, tables.Counter.__table__


def trim(db: Database, now: datetime | None = None) -> int:
    """Lets go of what is older than 400 days in every commune; returns how many rows that touched."""
    before = timestamp((now or datetime.now(UTC)) - KEEP)
    with db.read() as conn:
        communes = list(conn.execute(select(tables.Commune.__table__.c.id)).scalars())
    touched = 0
    for commune_id in communes:
        with db.write() as conn:
            touched += _exits(conn, commune_id, before) + _answers(conn, commune_id, before)
    return touched


def _exits(conn: Connection, commune_id: int, before: str) -> int:
    """The floor rises in the same transaction: a cursor below it would miss what was let go."""
    old = and_(_EXIT.c.commune_id == commune_id, _EXIT.c.at < before)
    last = conn.execute(select(_EXIT.c.place_id, func.max(_EXIT.c.seq)).where(old).group_by(_EXIT.c.place_id)).all()
    for place_id, seq in sorted(tuple(row) for row in last):
        scope = and_(_COUNTER.c.commune_id == commune_id, _COUNTER.c.scope == f"place:{place_id}")
        conn.execute(update(_COUNTER).where(scope, _COUNTER.c.floor < seq).values(floor=seq))
    return _count(conn.execute(delete(_EXIT).where(old))) if last else 0


def _answers(conn: Connection, commune_id: int, before: str) -> int:
    """A replay after that answers without its old result; that the number was handled is remembered."""
    old = and_(_LOG.c.commune_id == commune_id, _LOG.c.at < before, _LOG.c.result.is_not(null()))
    return _count(conn.execute(update(_LOG).where(old).values(result=null())))


def _count(result: Any) -> int:
    return int(result.rowcount)
