"""One sync push: numbers, each applied exactly once in one transaction with its effects.

A batch runs at once; if it fails, it runs again one by one under savepoints, so that no mutation
can block the queue. Only a lost database or a lock time-out fails the batch.
"""

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import OperationalError

from server.db import tables
from server.domain import applying, commands, programme
from server.domain.applying import Edit, Outcome
from server.domain.permissions import Actor
from server.domain.workspace import Workspace
from sync.errors import Problem
from sync.fields import check_mutation
from sync.protocol import digest, is_uuid, timestamp

log = logging.getLogger(__name__)
_DEVICE = tables.Device.__table__
_LOG = tables.MutationLog.__table__
_QUARANTINE = tables.Quarantine.__table__


@dataclass
class Pushed:
    """`touched`: documents that the answer must show; `left`: those it must take off the phone."""

    ack: int
    results: list[dict[str, Any]] = field(default_factory=list)
    touched: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Handled:
    mutation: dict[str, Any]
    seq: int
    outcome: Outcome
    spent: bool = True


@dataclass
class Batch:
    """What one transaction needs to know of the device that pushes."""

    conn: Connection
    commune_id: int
    device_id: str
    actors: dict[str, Actor]
    now: str
    known: dict[str, tuple[str, int, dict[str, Any] | None]] = field(default_factory=dict)

    def seq_of(self, mutation_id: str) -> tuple[str, int] | None:
        known = self.known.get(mutation_id)
        return (known[0], known[1]) if known else None


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
        _remember(batch, fresh)
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
            _quarantine(batch, Handled(mutation, mutation["seq"], applying.rejected("replay.changed", "")))
        if row["result"]:
            pushed.results.append({"seq": mutation["seq"], **row["result"]})
        if row["doc"]:
            pushed.touched.append((row["type"] or "", row["doc"]))


def _remember(batch: Batch, fresh: list[dict[str, Any]]) -> None:
    """Which ids of this batch, and of those that its forms showed, were handled before."""
    ids = {m["id"] for m in fresh}
    for mutation in fresh:
        after = mutation.get("after")
        ids.update(v for v in after.values() if is_uuid(v)) if isinstance(after, dict) else None
    wanted = sorted(ids)
    for start in range(0, len(wanted), 400):
        query = select(_LOG.c.mutation_id, _LOG.c.device_id, _LOG.c.seq, _LOG.c.result).where(
            _LOG.c.commune_id == batch.commune_id,
            _LOG.c.mutation_id.in_(wanted[start : start + 400]),
            _LOG.c.spent_id.is_(True),
        )
        for row in batch.conn.execute(query):
            batch.known.setdefault(row[0], (row[1], row[2], row[3]))


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
            failed = Handled(mutation, mutation["seq"], applying.rejected("internal", "Xã đã giữ lại để xem."))
            _store(batch, [failed])
            handled.append(failed)
    return handled


def _apply_all(batch: Batch, mutations: list[dict[str, Any]]) -> list[Handled]:
    work = Workspace(batch.conn, batch.commune_id, batch.now)
    _prefetch(work, mutations)
    handled = [_apply(batch, work, mutation, mutation["seq"]) for mutation in mutations]
    work.flush()
    _store(batch, handled)
    _retry_waiting(batch, handled)
    return handled


def _prefetch(work: Workspace, mutations: list[dict[str, Any]]) -> None:
    """Loads what the mutations name, under the locks of its places (SQLite has one lock already)."""
    ids: set[str] = set()
    places: set[int] = set()
    for mutation in mutations:
        sent = mutation.get("set")
        patch: dict[str, Any] = sent if isinstance(sent, dict) else {}
        named = [mutation.get("doc"), *[patch.get(name) for name in ("citizen", "dossier", "on", "replaces")]]
        ids.update(str(ident) for ident in named if is_uuid(ident))
        place = patch.get("place")
        if isinstance(place, int) and not isinstance(place, bool):
            places.add(place)
    work.load(ids)
    if work.conn.dialect.name == "sqlite":
        return
    locked: set[int] = set()
    while (wanted := places | {d.row["place_id"] for d in work.docs.values()}) - locked:
        work.lock(wanted)  # somebody may have changed or moved them since they were read
        locked |= wanted
        work.forget()
        work.load(ids)


def _apply(batch: Batch, work: Workspace, mutation: dict[str, Any], seq: int) -> Handled:
    """One mutation in memory. Never raises for what a client sent."""
    if mutation.get("op") == "void":
        return Handled(mutation, seq, Outcome(), spent=False)
    earlier = batch.known.get(mutation["id"])
    if earlier is not None:
        return Handled(mutation, seq, Outcome("duplicate", extra={"was": earlier[2]}))
    batch.known[mutation["id"]] = (batch.device_id, seq, None)
    size = len(json.dumps(mutation, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    fault = check_mutation(mutation, size)
    if fault is not None:
        extra = {"field": fault.field} if fault.field else {}
        return Handled(mutation, seq, applying.rejected(fault.code, fault.message, **extra))
    actor = _actor(batch, mutation)
    if actor is None:
        return Handled(mutation, seq, Outcome("out_of_scope", keep=True))
    edit = Edit(mutation, actor, seq, batch.seq_of)
    return Handled(mutation, seq, dispatch(work, edit))


def dispatch(work: Workspace, edit: Edit) -> Outcome:
    op = edit.mutation["op"]
    if op == "create":
        return applying.create(work, edit)
    if op == "update":
        return applying.update(work, edit)
    return commands.command(work, edit, programme.rule_of(work.conn, work.commune_id))


def _actor(batch: Batch, mutation: dict[str, Any]) -> Actor | None:
    if "by" in mutation:
        return batch.actors.get(str(mutation["by"]))
    return next(iter(batch.actors.values())) if len(batch.actors) == 1 else None


def _store(batch: Batch, handled: list[Handled]) -> None:
    rows = []
    for each in handled:
        wire = each.outcome.wire()
        batch.known[each.mutation["id"]] = (batch.device_id, each.seq, wire)
        doc = each.mutation.get("doc")
        rows.append(
            {
                "commune_id": batch.commune_id,
                "device_id": batch.device_id,
                "seq": each.seq,
                "mutation_id": each.mutation["id"],
                "spent_id": each.spent,
                "digest": digest(each.mutation),
                "result": wire,
                "doc": doc if is_uuid(doc) else None,
                "type": str(each.mutation.get("type") or "")[:20],
                "at": batch.now,
            }
        )
        if each.outcome.keep:
            _quarantine(batch, each)
    batch.conn.execute(insert(_LOG), rows)


def _quarantine(batch: Batch, each: Handled) -> None:
    actor = _actor(batch, each.mutation)
    patch = each.mutation.get("set") if isinstance(each.mutation.get("set"), dict) else {}
    sha256 = (patch or {}).get("sha256")
    batch.conn.execute(
        insert(_QUARANTINE).values(
            commune_id=batch.commune_id,
            id=str(uuid.uuid4()),
            device_id=batch.device_id,
            seq=each.seq,
            mutation_id=each.mutation["id"],
            person_id=actor.person_id if actor else None,
            place_id=actor.place_id if actor else None,
            citizen_id=actor.citizen_id if actor else None,
            reason=each.outcome.code or each.outcome.result,
            payload=_storable(each.mutation),
            state="open",
            waits_for=each.outcome.waits_for,
            photos=[sha256] if isinstance(sha256, str) else [],
            received_at=batch.now,
        )
    )


def _storable(mutation: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's JSON takes neither NUL nor lone surrogates: such content is kept escaped."""
    text = json.dumps(mutation)
    if "\\u0000" in text or "\\ud" in text.lower():
        return {"escaped": text.replace("\\", "\\\\")}
    return mutation


def _retry_waiting(batch: Batch, handled: list[Handled]) -> None:
    """What waited for a document is tried again in the transaction in which that arrives."""
    arrived = [h.mutation["doc"] for h in handled if h.mutation.get("op") == "create" and not h.outcome.keep]
    while arrived:
        rows = _waiting_for(batch, arrived)
        arrived = []
        if not rows:
            return
        work = Workspace(batch.conn, batch.commune_id, batch.now)
        _prefetch(work, [row["payload"] for row in rows])
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
    person = people_actor(batch.conn, batch.commune_id, row["person_id"], row["device_id"])
    if person is None:
        return Outcome("out_of_scope", keep=True)
    return dispatch(work, Edit(row["payload"], person, row["seq"] or 0, batch.seq_of))


def people_actor(conn: Connection, commune_id: int, person_id: str | None, device_id: str | None) -> Actor | None:
    """A person's rights as they are now; None for one who is gone."""
    person = tables.Person.__table__
    query = select(person).where(
        person.c.commune_id == commune_id, person.c.id == person_id, person.c.active.is_(True)
    )
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    return Actor(row["id"], row["role"], row["place_id"], row["citizen_id"], device_id or "")


def _note(pushed: Pushed, batch: Batch, handled: list[Handled]) -> None:
    for each in handled:
        wire = each.outcome.wire()
        if wire is not None:
            pushed.results.append({"seq": each.seq, **wire})
        doc, kind = each.mutation.get("doc"), str(each.mutation.get("type") or "")
        if is_uuid(doc):
            (pushed.left if each.outcome.left else pushed.touched).append((kind, str(doc)))


def write_as_staff(
    conn: Connection, commune_id: int, person_id: str, mutations: list[dict[str, Any]], now: str | None = None
) -> list[dict[str, Any] | None]:
    """The staff pages' way in: the same merge, with the revision that the form was drawn from as base.

    Raises Problem `conflict` with both values per field where the form was stale; nothing is then
    written (the caller's transaction must end). Raises Problem with the code of a rejected mutation.
    """
    now = now or timestamp(datetime.now(UTC))
    actor = people_actor(conn, commune_id, person_id, f"web:{person_id}")
    if actor is None:
        raise Problem("right.missing", "Không có quyền làm việc này.")
    work = Workspace(conn, commune_id, now)
    full = [{"id": str(uuid.uuid4()), "at": now, "by": person_id, **m} for m in mutations]
    _prefetch(work, full)
    outcomes = [_staff_outcome(work, actor, mutation) for mutation in full]
    work.flush()
    batch = Batch(conn, commune_id, actor.device_id, {person_id: actor}, now)
    _retry_waiting(batch, [Handled(m, 0, o) for m, o in zip(full, outcomes, strict=True)])
    return [outcome.wire() for outcome in outcomes]


def _staff_outcome(work: Workspace, actor: Actor, mutation: dict[str, Any]) -> Outcome:
    fault = check_mutation(mutation, len(json.dumps(mutation)))
    if fault is not None:
        raise Problem(fault.code, fault.message, field=fault.field)
    nothing: Callable[[str], None] = lambda _ident: None  # noqa: E731 - a form has no earlier writes
    outcome = dispatch(work, Edit(mutation, actor, 0, nothing))
    if outcome.result == "held":
        fields = {}
        for name, ident in outcome.extra["conflicts"].items():
            conflict = work.docs[ident]
            fields[name] = {"mine": conflict.row["mine"], "theirs": conflict.row["theirs"]}
        raise Problem("conflict", "Nội dung này vừa có người khác sửa.", fields=fields)
    if outcome.result in ("rejected", "gone", "out_of_scope", "waiting"):
        raise Problem(outcome.code or outcome.result, outcome.message or "", **outcome.extra)
    return outcome
