"""The pull: what changed in the scopes a device may read since its cursors, in counter order."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from server.db import tables
from server.domain.permissions import APPRAISERS, Actor
from server.domain.workspace import TABLES
from sync import cursors
from sync.fields import TYPES

_COUNTER = tables.Counter.__table__
_EXIT = tables.ScopeExit.__table__
_PERSON, _DEVICE = tables.Person.__table__, tables.Device.__table__
ROW_BYTES = 300  # few documents are smaller: how many rows a page may hold
_UNSEEN = ("field_versions", "decided_snapshot", "search_name")
READS = {kind: select(*[c for c in table.c if c.name not in _UNSEEN]) for kind, table in TABLES.items()}
SHOWN_TO_CITIZEN = {
    "chapter": ("returned", "not_eligible", "decided"),
    "chapter_note": ("returned", "not_eligible", "decided"),
    "final": ("not_eligible", "decided"),
}
# a citizen neither settles nor sees a disagreement about others' scores
HIDDEN_CONFLICTS = ("chapter", "final")


@dataclass
class Pulled:
    changes: list[dict[str, Any]] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)
    more: bool = False
    resync: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scope:
    name: str
    counter: str
    place_id: int | None = None
    citizen_id: str | None = None


@dataclass(frozen=True)
class Reader:
    """A device's people, and so its eyes: it gets the union of what they may see."""

    conn: Connection
    commune_id: int
    actors: tuple[Actor, ...]
    names: dict[str, str | None] = field(default_factory=dict, compare=False)

    def name_of(self, table: Any, ident: Any) -> str | None:
        """What a person or a device is called; None for one that is not known here (a staff page is no phone)."""
        if not isinstance(ident, str):
            return None
        if ident not in self.names:
            query = select(table.c.name).where(table.c.commune_id == self.commune_id, table.c.id == ident)
            self.names[ident] = self.conn.execute(query).scalar_one_or_none()
        return self.names[ident]

    @property
    def eyes(self) -> str:
        text = ",".join(sorted(f"{a.person_id}:{a.role}:{a.place_id}:{a.citizen_id}" for a in self.actors))
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def scopes(self) -> list[Scope]:
        """The full list now granted."""
        commune = f"commune:{self.commune_id}"
        found = {commune: Scope(commune, commune)}
        for actor in self.actors:
            if actor.role in APPRAISERS and actor.place_id is not None:
                name = f"place:{actor.place_id}"
                found[name] = Scope(name, name, place_id=actor.place_id)
            if actor.citizen_id is not None:
                place = self._place_of(actor.citizen_id)
                if place is not None:
                    name = f"citizen:{actor.citizen_id}"
                    found[name] = Scope(name, f"place:{place}", place_id=place, citizen_id=actor.citizen_id)
        return list(found.values())

    def _place_of(self, citizen_id: str) -> int | None:
        citizen = tables.Citizen.__table__
        query = select(citizen.c.place_id).where(
            citizen.c.commune_id == self.commune_id, citizen.c.id == citizen_id
        )
        return self.conn.execute(query).scalar_one_or_none()


def pull(reader: Reader, sent: dict[str, str], limit_bytes: int) -> Pulled:
    """One page over all scopes. The counter is read in the same snapshot as the rows."""
    pulled = Pulled()
    room = limit_bytes
    for scope in reader.scopes():
        value, floor = _counter(reader, scope.counter)
        begun = cursors.decode(sent.get(scope.name, ""))
        cursor, resync = cursors.start(begun, scope.counter, reader.eyes, floor)
        if resync:
            pulled.resync.append(scope.name)
        most = room // ROW_BYTES + 1
        rows = _rows(reader, scope, cursor.value, most, anew=begun is None or resync)
        taken, room = _take(scope, rows, room, bool(pulled.changes))
        pulled.changes.extend(change for _, change in taken)
        cut = len(taken) < len(rows) or len(rows) >= most
        reached = (taken[-1][0] if taken else cursor.value) if cut else value
        pulled.more = pulled.more or cut
        mark = cursors.Cursor(scope.counter, reader.eyes, reached, cursor.floor if cut else -1)
        pulled.cursors[scope.name] = mark.encode()
    return pulled


def _counter(reader: Reader, scope: str) -> tuple[int, int]:
    query = select(_COUNTER.c.value, _COUNTER.c.floor).where(
        _COUNTER.c.commune_id == reader.commune_id, _COUNTER.c.scope == scope
    )
    row = reader.conn.execute(query).first()
    return (row[0], row[1]) if row else (0, 0)


def _take(
    scope: Scope, rows: list[tuple[int, dict[str, Any]]], room: int, something: bool
) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """As many rows as fit; a first one that is larger than the page comes alone."""
    taken: list[tuple[int, dict[str, Any]]] = []
    for seq, change in rows:
        size = len(json.dumps(change, ensure_ascii=False))
        if size > room and (taken or something):
            break
        room -= size
        taken.append((seq, {"scope": scope.name, **change}))
        if room <= 0:
            break
    return taken, max(room, 0)


def _rows(reader: Reader, scope: Scope, since: int, most: int, *, anew: bool) -> list[tuple[int, dict[str, Any]]]:
    """`anew`: the phone has nothing of the scope yet, and needs no word of what is gone."""
    if scope.place_id is None:
        found = _commune_rows(reader, since, most)
    else:
        found = []
        for kind, table in TABLES.items():
            query = READS[kind].where(
                table.c.commune_id == reader.commune_id, table.c.place_id == scope.place_id, table.c.seq > since
            )
            if scope.citizen_id is not None:
                query = query.where(table.c.citizen_id == scope.citizen_id)
            if kind == "conflict" and not _sees_scores(reader, scope.place_id):
                query = query.where(*[table.c.field.not_like(f"{part}%") for part in HIDDEN_CONFLICTS])
            if anew:
                query = query.where(table.c.deleted.is_(False))
            for row in reader.conn.execute(query.order_by(table.c.seq).limit(most)).mappings():
                found.append((row["seq"], change(reader, kind, dict(row))))
        found.extend([] if anew else _exits(reader, scope, since, most))
    found.sort(key=lambda pair: pair[0])
    return found[:most]


def _exits(reader: Reader, scope: Scope, since: int, most: int) -> list[tuple[int, dict[str, Any]]]:
    query = select(_EXIT).where(
        _EXIT.c.commune_id == reader.commune_id, _EXIT.c.place_id == scope.place_id, _EXIT.c.seq > since
    )
    if scope.citizen_id is not None:
        query = query.where(_EXIT.c.citizen_id == scope.citizen_id)
    rows = reader.conn.execute(query.order_by(_EXIT.c.seq).limit(most)).mappings()
    return [(r["seq"], {"type": r["type"], "doc": r["doc_id"], "rev": r["rev"], "left": True}) for r in rows]


def _commune_rows(reader: Reader, since: int, most: int) -> list[tuple[int, dict[str, Any]]]:
    found = []
    place, reference = tables.Place.__table__, tables.Reference.__table__
    query = select(place).where(place.c.commune_id == reader.commune_id, place.c.seq > since).order_by(place.c.seq)
    for row in reader.conn.execute(query).mappings():
        data = {"place": row["id"], "name": row["name"], "kind": row["kind"]}
        found.append((row["seq"], {"type": "place", "doc": row["doc"], "rev": row["rev"], "data": data}))
    query = select(reference).where(reference.c.commune_id == reader.commune_id, reference.c.seq > since)
    for row in reader.conn.execute(query.order_by(reference.c.seq).limit(most)).mappings():
        data = {"year": row["year"], **row["data"]}
        found.append((row["seq"], {"type": row["type"], "doc": row["id"], "rev": row["rev"], "data": data}))
    return found


def change(reader: Reader, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """A document as this device may see it, without its scope."""
    base = {"type": kind, "doc": row["id"], "rev": row["rev"]}
    if row["deleted"]:
        return {**base, "deleted": True}
    data = {name: value for name, spec in TYPES[kind].items() if (value := row[spec.column]) is not None}
    data |= {"author": row["author"], "updated_at": row["updated_at"]}
    if kind == "citizen" and row["possible_duplicate"]:
        data["possible_duplicate"] = row["possible_duplicate"]
    if kind == "conflict":
        data["citizen"] = row["citizen_id"]
        data |= {side: _named(reader, data[side]) for side in ("theirs", "mine") if isinstance(data.get(side), dict)}
    if kind == "comment":
        data["author_name"] = reader.name_of(_PERSON, row["author"])
    if kind == "dossier" and not _sees_scores(reader, row["place_id"]):
        hidden = {part for part, states in SHOWN_TO_CITIZEN.items() if row["state"] not in states}
        data = {n: v for n, v in data.items() if n.split(".")[0] not in hidden}
    return {**base, "data": data}


def _named(reader: Reader, said: dict[str, Any]) -> dict[str, Any]:
    """One of two values with the names of who gave it and of the phone: ids say nothing on a screen."""
    names = {"by_name": reader.name_of(_PERSON, said.get("by")), "device_name": reader.name_of(_DEVICE, said.get("device"))}
    return {**said, **names}


def _sees_scores(reader: Reader, place_id: int) -> bool:
    return any(a.role in APPRAISERS and a.place_id == place_id for a in reader.actors)


def touched(reader: Reader, docs: list[tuple[str, str]], left: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Every document that a request's mutations touched, through a granted scope, else as `left`."""
    scopes = reader.scopes()
    found = _rows_of(reader, {ident for _, ident in [*docs, *left]})
    settled = {row["doc_id"] for kind, row in found if kind == "conflict"}  # a choice writes the document in question
    found += _rows_of(reader, settled - {row["id"] for _, row in found})
    answer = []
    for kind, row in found:
        granted = _granted(scopes, row)
        hidden = kind == "conflict" and row["field"].startswith(HIDDEN_CONFLICTS)
        if granted is None or (hidden and not _sees_scores(reader, row["place_id"])):
            answer.append({"scope": "", "type": kind, "doc": row["id"], "rev": row["rev"], "left": True})
        else:
            answer.append({"scope": granted, **change(reader, kind, row)})
    known = {row["id"] for _, row in found}
    answer += [{"scope": "", "type": k, "doc": i, "rev": 0, "left": True} for k, i in left if i not in known]
    return answer


def _rows_of(reader: Reader, wanted: set[str]) -> list[tuple[str, dict[str, Any]]]:
    ids = sorted(wanted)
    found: list[tuple[str, dict[str, Any]]] = []
    for kind, table in TABLES.items():
        for start in range(0, len(ids), 400):
            query = READS[kind].where(
                table.c.commune_id == reader.commune_id, table.c.id.in_(ids[start : start + 400])
            )
            found.extend((kind, dict(row)) for row in reader.conn.execute(query).mappings())
    return found


def _granted(scopes: list[Scope], row: dict[str, Any]) -> str | None:
    for scope in scopes:
        if scope.place_id == row["place_id"] and scope.citizen_id in (None, row["citizen_id"]):
            return scope.name
    return None
