"""Rate limits that several processes share: tries per key in a window, kept in the database."""

import time

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.db import tables
from sync.errors import Problem

_ATTEMPT = tables.Attempt.__table__


def count(conn: Connection, kind: str, key: str, limit: int, window_s: int) -> None:
    """Counts a try. Raises Problem `too_many` with `retry_after` beyond `limit` in the window."""
    window = int(time.time()) // window_s
    where = (_ATTEMPT.c.kind == kind, _ATTEMPT.c.key == key[:128], _ATTEMPT.c.window == window)
    one_more = update(_ATTEMPT).where(*where, _ATTEMPT.c.count < limit).values(count=_ATTEMPT.c.count + 1)
    while not conn.execute(one_more).rowcount:  # the row's lock makes tries of other processes wait: none slips past
        counted = conn.execute(select(_ATTEMPT.c.count).where(*where)).scalar()
        if counted is not None and counted >= limit:
            wait = window_s - int(time.time()) % window_s
            raise Problem("too_many", "Thử quá nhiều lần, xin đợi một lát.", retry_after=wait)
        if counted is None and _first(conn, kind, key[:128], window):
            return


def _first(conn: Connection, kind: str, key: str, window: int) -> bool:
    """The first try of a window; False where another process counted first."""
    conn.execute(_ATTEMPT.delete().where(_ATTEMPT.c.kind == kind, _ATTEMPT.c.window < window - 1))
    try:
        with conn.begin_nested():
            conn.execute(insert(_ATTEMPT).values(kind=kind, key=key, window=window, count=1))
    except IntegrityError:
        return False
    return True
