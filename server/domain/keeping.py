"""What a push knows of itself, and how it is remembered: numbers, results, quarantine."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select

from server.db import tables
from server.domain.edits import Outcome
from server.domain.permissions import Actor
from sync.fields import is_known_type, well_formed
from sync.protocol import digest, is_uuid

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


def remember(batch: Batch, mutations: list[dict[str, Any]]) -> None:
    """Which ids of these, and of those that their forms showed, were handled before."""
    ids = {m["id"] for m in mutations}
    for mutation in mutations:
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
        applied = select(_QUARANTINE.c.mutation_id, _QUARANTINE.c.device_id, _QUARANTINE.c.seq).where(
            _QUARANTINE.c.commune_id == batch.commune_id,
            _QUARANTINE.c.mutation_id.in_(wanted[start : start + 400]),
            _QUARANTINE.c.state.in_(("applied", "moved")),  # staff applied what a deposit brought
        )
        for ident, device_id, seq in batch.conn.execute(applied):
            batch.known.setdefault(ident, (device_id or "", seq or 0, None))


def actor_of(batch: Batch, mutation: dict[str, Any]) -> Actor | None:
    """Who made it; a device with one person need not say."""
    if "by" in mutation:
        return batch.actors.get(str(mutation["by"]))
    return next(iter(batch.actors.values())) if len(batch.actors) == 1 else None


def person_now(conn: Connection, commune_id: int, person_id: str | None, device_id: str | None) -> Actor | None:
    """A person's rights as they are now; None for one who is gone."""
    person = tables.Person.__table__
    query = select(person).where(person.c.commune_id == commune_id, person.c.id == person_id, person.c.active.is_(True))
    row = conn.execute(query).mappings().first()
    if row is None:
        return None
    return Actor(row["id"], row["role"], row["place_id"], row["citizen_id"], device_id or "")


def store(batch: Batch, handled: list[Handled]) -> None:
    """Remembers each number with its result, and keeps what was not applied."""
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
                "type": each.mutation.get("type") if is_known_type(each.mutation.get("type")) else None,
                "at": batch.now,
            }
        )
        if each.outcome.keep:
            quarantine(batch, each)
    batch.conn.execute(insert(_LOG), rows)


def quarantine(batch: Batch, each: Handled) -> None:
    """Keeps the content for staff; it is never dropped."""
    actor = actor_of(batch, each.mutation)
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
            payload=storable(each.mutation),
            state="open",
            waits_for=each.outcome.waits_for,
            photos=[sha256] if isinstance(sha256, str) else [],
            received_at=batch.now,
        )
    )


def storable(mutation: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's JSON takes neither NUL nor lone surrogates: such content is kept escaped, see `content`."""
    if well_formed(json.dumps(mutation, ensure_ascii=False)) and "\\u0000" not in json.dumps(mutation):
        return mutation
    return {"escaped": json.dumps(mutation).replace("\\", "\\\\")}


def content(payload: dict[str, Any]) -> dict[str, Any]:
    """What was kept, as it was sent."""
    if set(payload) != {"escaped"}:
        return payload
    found: dict[str, Any] = json.loads(payload["escaped"].replace("\\\\", "\\"))
    return found
