"""After a restore from backup: a new epoch, and numbers that were never given out before."""

import time
import uuid

from sqlalchemy import Connection, select, update

from server.db import tables

_COMMUNE = tables.Commune.__table__
_COUNTER = tables.Counter.__table__


def new_epoch(conn: Connection, commune_id: int, unix_ms: int | None = None) -> str:
    """Tells every phone, at its next request, that the server was restored; returns the epoch.

    Revisions and counters go on from `unix_ms` (now) or the highest known, if that is more.
    """
    start = int(time.time() * 1000) if unix_ms is None else unix_ms
    known = conn.execute(select(_COMMUNE.c.revision_floor).where(_COMMUNE.c.id == commune_id)).scalar_one()
    epoch = f"e{uuid.uuid4().hex[:12]}"
    conn.execute(
        update(_COMMUNE).where(_COMMUNE.c.id == commune_id).values(epoch=epoch, revision_floor=max(start, known))
    )
    conn.execute(
        update(_COUNTER)
        .where(_COUNTER.c.commune_id == commune_id, _COUNTER.c.value < start)
        .values(value=start)
    )
    return epoch
