"""One sync push: numbers, each applied exactly once in one transaction with its effects.

A batch runs at once; if it fails, it runs again one by one under savepoints, so that no mutation
can block the queue. Only a lost database or a lock time-out fails the batch.
"""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from server.db import tables
from server.domain import dispatching, waiting
from server.domain.edits import Edit, Outcome, rejected
from server.domain.keeping import Batch, Handled, Pushed, actor_of, person_now, quarantine, remember, store
from server.domain.permissions import Actor
from server.domain.workspace import Workspace
from sync.errors import Problem
from sync.fields import check_mutation
from sync.protocol import digest, is_uuid, tidy, timestamp

__all__ = ["Batch", "Pushed", "push", "write_as_staff"]
log = logging.getLogger(__name__)
_DEVICE = tables.Device.__table__
_LOG = tables.MutationLog.__table__


def push(batch: Batch, mutations: list[dict[str, Any]]) -> Pushed:
    """Handles the numbered mutations of one device.

    Raises Problem `seq.gap` (with `expected`) and `device.cloned`.
    """
    conn, commune_id, device_id = batch.conn, batch.commune_id, batch.device_id
    query = select(_DEVICE.c.last_seq).where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id)
    last = int(conn.execute(query.with_for_update()).scalar_one())
    ordered = sorted(mutations, key=lambda m: m["seq"])
    fresh = [m for m in ordered if m["seq"] > last]
    pushed = Pushed(ack=last)
    _replay(batch, [m for m in ordered if m["seq"] <= last], pushed)
    if [m["seq"] for m in fresh] != list(range(last + 1, last + 1 + len(fresh))):
        raise Problem("seq.gap", "Numbers are missing.", expected=last + 1)
    if fresh:
        remember(batch, fresh)
        _note(pushed, batch, _handle(batch, fresh))
        pushed.ack = last + len(fresh)
        conn.execute(
            update(_DEVICE)
            .where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id)
            .values(last_seq=pushed.ack)
        )
    return pushed


def _replay(batch: Batch, old: list[dict[str, Any]], pushed: Pushed) -> None:
    """Equal number and id: the stored answer; another id: this phone was cloned."""
    query = select(_LOG).where(
        _LOG.c.commune_id == batch.commune_id,
        _LOG.c.device_id == batch.device_id,
        _LOG.c.seq.in_([m["seq"] for m in old]),
    )
    stored = {row["seq"]: row for row in batch.conn.execute(query).mappings()} if old else {}
    for mutation in old:
        row = stored.get(mutation["seq"])
        if row is None:
            continue
        if row["mutation_id"] != mutation["id"]:
            raise Problem("device.cloned", "This number was used by another copy of the phone.")
        if row["digest"] != digest(mutation):
            quarantine(batch, Handled(mutation, mutation["seq"], rejected("replay.changed", "")))
        if row["result"]:
            pushed.results.append({"seq": mutation["seq"], **row["result"]})
        if row["doc"]:  # with its answer let go after 400 days, a document that never came to be is told as `left`
            (pushed.touched if row["result"] else pushed.left).append((row["type"] or "", row["doc"]))
        if row["result"] and "doc" in row["result"]:
            pushed.touched.append((row["type"] or "", row["result"]["doc"]))


def _handle(batch: Batch, fresh: list[dict[str, Any]]) -> list[Handled]:
    known = dict(batch.known)
    try:
        with batch.conn.begin_nested():
            return _apply_all(batch, fresh)
    except OperationalError:
        raise
    except Exception:  # one bad mutation must not take the others with it
        log.exception("a batch failed and runs again one by one")
    batch.known = known
    handled = []
    for mutation in fresh:
        known = dict(batch.known)
        try:
            with batch.conn.begin_nested():
                handled.extend(_apply_all(batch, [mutation]))
        except OperationalError:
            raise
        except Exception:
            log.exception("a mutation failed and is kept in quarantine")
            batch.known = known
            failed = Handled(mutation, mutation["seq"], rejected("internal", "Xã đã giữ lại để xem."))
            store(batch, [failed])
            handled.append(failed)
    return handled


def _apply_all(batch: Batch, mutations: list[dict[str, Any]]) -> list[Handled]:
    work = Workspace(batch.conn, batch.commune_id, batch.now)
    dispatching.prefetch(work, mutations)
    handled = [_apply(batch, work, mutation, mutation["seq"]) for mutation in mutations]
    work.flush()
    store(batch, handled)
    waiting.retry(batch, handled)
    return handled


def _apply(batch: Batch, work: Workspace, mutation: dict[str, Any], seq: int) -> Handled:
    """One mutation in memory. Never raises for what a client sent."""
    if mutation.get("op") == "void":
        return Handled(mutation, seq, Outcome(), spent=False)
    earlier = batch.known.get(mutation["id"])
    if earlier is not None:
        return Handled(mutation, seq, Outcome("duplicate", extra={"was": earlier[2]}), spent=False)
    batch.known[mutation["id"]] = (batch.device_id, seq, None)
    size = len(json.dumps(mutation, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    fault = check_mutation(mutation, size)
    if fault is not None:
        extra = {"field": tidy(fault.field, 40)} if fault.field else {}
        return Handled(mutation, seq, rejected(fault.code, fault.message, **extra))
    actor = actor_of(batch, mutation)
    if actor is None:
        return Handled(mutation, seq, Outcome("out_of_scope", keep=True))
    edit = Edit(mutation, actor, seq, batch.seq_of)
    return Handled(mutation, seq, dispatching.dispatch(work, edit))


def _note(pushed: Pushed, batch: Batch, handled: list[Handled]) -> None:
    for each in handled:
        wire = each.outcome.wire()
        if wire is not None:
            pushed.results.append({"seq": each.seq, **wire})
        doc, kind = each.mutation.get("doc"), str(each.mutation.get("type") or "")
        if is_uuid(doc):
            (pushed.left if each.outcome.left else pushed.touched).append((kind, str(doc)))
        if "doc" in each.outcome.extra:  # it was redirected
            pushed.touched.append((kind, each.outcome.extra["doc"]))


def write_as_staff(
    conn: Connection, commune_id: int, person_id: str, mutations: list[dict[str, Any]], now: str | None = None
) -> list[dict[str, Any] | None]:
    """The staff pages' way in: the same merge, with the revision that the form was drawn from as base.

    Raises Problem `conflict` with both values per field where the form was stale; nothing is then
    written (the caller's transaction must end). Raises Problem with the code of a rejected mutation.
    """
    now = now or timestamp(datetime.now(UTC))
    actor = person_now(conn, commune_id, person_id, f"web:{person_id}")
    if actor is None:
        raise Problem("right.missing", "Không có quyền làm việc này.")
    work = Workspace(conn, commune_id, now)
    full = [{"id": str(uuid.uuid4()), "at": now, "by": person_id, **m} for m in mutations]
    dispatching.prefetch(work, full)
    outcomes = [_staff_outcome(work, actor, mutation) for mutation in full]
    work.flush()
    batch = Batch(conn, commune_id, actor.device_id, {person_id: actor}, now)
    waiting.retry(batch, [Handled(m, 0, o) for m, o in zip(full, outcomes, strict=True)])
    return [outcome.wire() for outcome in outcomes]


def _staff_outcome(work: Workspace, actor: Actor, mutation: dict[str, Any]) -> Outcome:
    fault = check_mutation(mutation, len(json.dumps(mutation)))
    if fault is not None:
        raise Problem(fault.code, fault.message, field=fault.field)
    nothing: Callable[[str], None] = lambda _ident: None  # noqa: E731 - a form has no earlier writes
    outcome = dispatching.dispatch(work, Edit(mutation, actor, 0, nothing))
    if outcome.result == "held":
        fields = {}
        for name, ident in outcome.extra["conflicts"].items():
            conflict = work.docs[ident]
            fields[name] = {"mine": conflict.row["mine"], "theirs": conflict.row["theirs"]}
        doc = work.docs[outcome.extra.get("doc") or mutation["doc"]]
        told = {"fields": fields, "type": doc.type, "rev": doc.row["rev"]}
        raise Problem("conflict", "Nội dung này vừa có người khác sửa.", **told)
    if outcome.result in ("rejected", "gone", "out_of_scope", "waiting"):
        raise Problem(outcome.code or outcome.result, outcome.message or "", **outcome.extra)
    return outcome
