"""What waited for a document that was not known yet: tried again in the transaction in which that arrives."""

from typing import Any

from sqlalchemy import select, update

from server.db import tables
from server.domain import dispatching
from server.domain.edits import Edit, Outcome
from server.domain.keeping import Batch, Handled, person_now
from server.domain.workspace import Workspace

_QUARANTINE = tables.Quarantine.__table__


def retry(batch: Batch, handled: list[Handled]) -> None:
    """Tries again what waited for the documents that this push made."""
    arrived = [h.mutation["doc"] for h in handled if h.mutation.get("op") == "create" and not h.outcome.keep]
    while arrived:
        rows = _waiting_for(batch, arrived)
        arrived = []
        if not rows:
            return
        work = Workspace(batch.conn, batch.commune_id, batch.now)
        dispatching.prefetch(work, [row["payload"] for row in rows])
        for row in rows:
            outcome = _apply_waiting(batch, work, row)
            if outcome.result == "waiting":
                continue
            state, reason = ("open", outcome.code or outcome.result) if outcome.keep else ("applied", row["reason"])
            batch.conn.execute(
                update(_QUARANTINE)
                .where(_QUARANTINE.c.commune_id == batch.commune_id, _QUARANTINE.c.id == row["id"])
                .values(state=state, reason=reason, waits_for=None, settled_at=batch.now)
            )
            if row["payload"].get("op") == "create" and not outcome.keep:
                arrived.append(row["payload"]["doc"])
        work.flush()


def _waiting_for(batch: Batch, docs: list[str]) -> list[dict[str, Any]]:
    query = (
        select(_QUARANTINE)
        .where(
            _QUARANTINE.c.commune_id == batch.commune_id,
            _QUARANTINE.c.waits_for.in_(docs),
            _QUARANTINE.c.state == "open",
        )
        .order_by(_QUARANTINE.c.received_at, _QUARANTINE.c.seq)
    )
    return [dict(row) for row in batch.conn.execute(query).mappings()]


def _apply_waiting(batch: Batch, work: Workspace, row: dict[str, Any]) -> Outcome:
    person = person_now(batch.conn, batch.commune_id, row["person_id"], row["device_id"])
    if person is None:
        return Outcome("out_of_scope", keep=True)
    return dispatching.dispatch(work, Edit(row["payload"], person, row["seq"] or 0, batch.seq_of))
