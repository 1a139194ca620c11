"""What waited: for a document that was not known yet, or after a restore for a state that comes back.

Both are tried again in the transaction in which that arrives, in the order in which they came.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from server.db import tables
from server.domain import commands, dispatching
from server.domain.edits import Edit, Outcome
from server.domain.keeping import Batch, Handled, content, person_now, remember
from server.domain.workspace import AFTER_RESTORE, Workspace
from sync.protocol import timestamp

_QUARANTINE = tables.Quarantine.__table__
STALE = "state.stale"


def retry(batch: Batch, handled: list[Handled]) -> None:
    """Tries again what waited for the documents that this push made and the states that it brought."""
    docs = {each.mutation["doc"] for each in handled if _brings(each.mutation, each.outcome)}
    while docs:
        rows = _waiting_for(batch, sorted(docs))
        brought = _try_again(batch, rows) if rows else None
        if brought is None:
            return
        docs |= brought


def _brings(mutation: dict[str, Any], outcome: Outcome) -> bool:
    op = mutation.get("op")
    return (op == "create" or op in commands.STEPS) and not outcome.keep


def _try_again(batch: Batch, rows: list[dict[str, Any]]) -> set[str] | None:
    """The documents that this brought or changed; None where everything goes on waiting."""
    work = Workspace(batch.conn, batch.commune_id, batch.now)
    payloads = [row["payload"] for row in rows]
    remember(batch, payloads)
    dispatching.prefetch(work, payloads)
    settled = [(row, outcome) for row in rows if (outcome := _apply_waiting(batch, work, row)) is not None]
    if not settled:
        settled = [(row, Outcome("merged")) for row in rows if row["reason"] == STALE and _is_moot(work, row["payload"])]
    work.flush()
    for row, outcome in settled:
        _settle(batch, row, outcome)
    return {row["payload"]["doc"] for row, outcome in settled if _brings(row["payload"], outcome)} if settled else None


def _is_moot(work: Workspace, mutation: dict[str, Any]) -> bool:
    """Somebody made the same step meanwhile; it must not happen once more on a later day."""
    doc = work.get(mutation["doc"])
    return doc is not None and commands.is_reached(mutation, doc.row["state"])


def _settle(batch: Batch, row: dict[str, Any], outcome: Outcome) -> None:
    state, reason = ("open", outcome.code or outcome.result) if outcome.keep else ("applied", row["reason"])
    settled_at = None if outcome.waits_for else batch.now
    batch.conn.execute(
        update(_QUARANTINE)
        .where(_QUARANTINE.c.commune_id == batch.commune_id, _QUARANTINE.c.id == row["id"])
        .values(state=state, reason=reason, waits_for=outcome.waits_for, settled_at=settled_at)
    )


def _waiting_for(batch: Batch, docs: list[str]) -> list[dict[str, Any]]:
    """All that waits for these documents; a stale step only for 30 days."""
    since = timestamp(datetime.fromisoformat(batch.now.replace("Z", "+00:00")) - AFTER_RESTORE)
    query = (
        select(_QUARANTINE)
        .where(
            _QUARANTINE.c.commune_id == batch.commune_id,
            _QUARANTINE.c.waits_for.in_(docs),
            _QUARANTINE.c.state == "open",
            (_QUARANTINE.c.reason != STALE) | (_QUARANTINE.c.received_at > since),
        )
        .order_by(_QUARANTINE.c.received_at, _QUARANTINE.c.seq)
    )
    return [{**row, "payload": content(row["payload"])} for row in batch.conn.execute(query).mappings()]


def _apply_waiting(batch: Batch, work: Workspace, row: dict[str, Any]) -> Outcome | None:
    """What becomes of it now; None where it goes on waiting."""
    mutation = row["payload"]
    if row["reason"] == STALE:
        doc = work.get(mutation["doc"])
        if doc is None or not (doc.row["deleted"] or commands.is_ripe(mutation, doc.row["state"])):
            return None
        mutation = commands.the_step_alone(mutation)
    person = person_now(batch.conn, batch.commune_id, row["person_id"], row["device_id"])
    if person is None:
        return Outcome("out_of_scope", keep=True)
    outcome = dispatching.dispatch(work, Edit(mutation, person, row["seq"] or 0, batch.seq_of))
    return None if outcome.result == "waiting" else outcome
