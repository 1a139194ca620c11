"""One batch's documents in memory: loaded by one select per type, written by one statement per table.

Knows tables and counters; knows no rule of merging, rights or states.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from server.db import tables
from server.domain.text import fold
from sync.fields import TYPES

TABLES = {
    "citizen": tables.Citizen.__table__,
    "dossier": tables.Dossier.__table__,
    "evidence": tables.Evidence.__table__,
    "comment": tables.Comment.__table__,
    "conflict": tables.Conflict.__table__,
}
ORDER = ("citizen", "dossier", "evidence", "comment", "conflict")  # parents before children
AFTER_RESTORE = timedelta(days=30)  # what phones keep to send again, and how long a stale step waits for its state
_COUNTER = tables.Counter.__table__


def _update_statement(table: Any) -> Any:
    """Its SET clause is every column that the parameters name."""
    return update(table).where(
        table.c.commune_id == bindparam("key_commune"), table.c.id == bindparam("key_id")
    )


INSERTS = {name: insert(table) for name, table in TABLES.items()}
UPDATES = {name: _update_statement(table) for name, table in TABLES.items()}
LOGS = {
    "history": insert(tables.History.__table__),
    "log": insert(tables.MutationLog.__table__),
    "quarantine": insert(tables.Quarantine.__table__),
    "exits": insert(tables.ScopeExit.__table__),
}
Likeness = tuple[int, str, int | None]  # place, folded name, year of birth
_EMPTY = {name: {c.name: None for c in table.columns} for name, table in TABLES.items()}


@dataclass
class Doc:
    type: str
    row: dict[str, Any]
    is_new: bool = False
    dirty: bool = False

    @property
    def id(self) -> str:
        return str(self.row["id"])

    def get(self, name: str) -> Any:
        return self.row[TYPES[self.type][name].column]

    def put(self, name: str, value: Any) -> None:
        self.row[TYPES[self.type][name].column] = value


@dataclass
class Workspace:
    """The state of one batch. `now` is the server's time as text."""

    conn: Connection
    commune_id: int
    now: str
    docs: dict[str, Doc] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    conflicts: dict[str, list[Doc]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in LOGS})
    exits: list[tuple[Doc, int, str]] = field(default_factory=list)  # a document, the place and person that it leaves
    alike: dict[Likeness, list[str]] = field(default_factory=dict)

    @cached_property
    def revision_floor(self) -> int:
        """After a restore revisions go on from here, so that none is given out twice."""
        commune = tables.Commune.__table__
        query = select(commune.c.revision_floor).where(commune.c.id == self.commune_id)
        return int(self.conn.execute(query).scalar() or 0)

    @property
    def restored_lately(self) -> bool:
        """Whether a backup was put back in the last 30 days; the floor is the Unix time of it in milliseconds."""
        now = datetime.fromisoformat(self.now.replace("Z", "+00:00"))
        return self.revision_floor > (now - AFTER_RESTORE).timestamp() * 1000

    def bump(self, doc: Doc) -> int:
        """Gives a document that is written its next revision."""
        doc.row["rev"] = max(doc.row["rev"], self.revision_floor) + 1
        doc.dirty = True
        return int(doc.row["rev"])

    def load(self, ids: Iterable[str], *, again: bool = False) -> None:
        """Brings the documents of these ids, with their open conflicts."""
        wanted = sorted({i for i in ids if again or (i not in self.docs and i not in self.absent)})
        for start in range(0, len(wanted), 400):
            self._load(wanted[start : start + 400])
        self.absent.update(i for i in wanted if i not in self.docs)

    def _load(self, ids: list[str]) -> None:
        for name, table in TABLES.items():
            query = select(table).where(table.c.commune_id == self.commune_id, table.c.id.in_(ids))
            for row in self.conn.execute(query).mappings():
                self.docs[row["id"]] = Doc(name, _own(dict(row)))
        table = TABLES["conflict"]
        query = select(table).where(
            table.c.commune_id == self.commune_id, table.c.doc_id.in_(ids), table.c.state == "open"
        )
        for ident in ids:
            self.conflicts[ident] = []
        for row in self.conn.execute(query).mappings():
            doc = self.docs.setdefault(row["id"], Doc("conflict", _own(dict(row))))
            self.conflicts[row["doc_id"]].append(doc)

    def forget(self) -> None:
        """Drops what was read before a lock was taken."""
        self.docs.clear()
        self.absent.clear()
        self.conflicts.clear()
        self.alike.clear()

    def get(self, ident: str | None) -> Doc | None:
        if ident is None:
            return None
        if ident not in self.docs and ident not in self.absent:
            self.load([ident])
        return self.docs.get(ident)

    def load_under(self, citizen_id: str) -> None:
        """Brings all that hangs under a citizen."""
        ids = [citizen_id]
        for table in TABLES.values():
            query = select(table.c.id).where(
                table.c.commune_id == self.commune_id, table.c.citizen_id == citizen_id
            )
            ids.extend(self.conn.execute(query).scalars())
        self.load(ids)

    def people_moved(self, citizen_id: str, place_id: int) -> None:
        """Who acts as this citizen belongs to the new place too."""
        person = tables.Person.__table__
        self.conn.execute(
            update(person)
            .where(
                person.c.commune_id == self.commune_id, person.c.citizen_id == citizen_id, person.c.role == "citizen"
            )
            .values(place_id=place_id)
        )  # fmt: skip

    def place_exists(self, place_id: int) -> bool:
        place = tables.Place.__table__
        query = select(place.c.id).where(place.c.commune_id == self.commune_id, place.c.id == place_id)
        return self.conn.execute(query).first() is not None

    def load_alike(self, wanted: Iterable[Likeness]) -> None:
        """Brings who is registered already under these names, places and years, by few selects for a whole batch."""
        asked = set(wanted) - self.alike.keys()
        self.alike.update({likeness: [] for likeness in asked})
        names = sorted({name for _, name, _ in asked})
        table = TABLES["citizen"]
        for start in range(0, len(names), 400):
            query = select(table.c.place_id, table.c.search_name, table.c.birth_year, table.c.id).where(
                table.c.commune_id == self.commune_id,
                table.c.place_id.in_({place for place, _, _ in asked}),
                table.c.search_name.in_(names[start : start + 400]),
                table.c.deleted.is_(False),
            )
            for place, name, year, ident in self.conn.execute(query):
                self.alike.setdefault((place, name, year), []).append(ident)

    def citizen_like(self, doc: Doc) -> str | None:
        """The id of another living citizen with the place, folded name and year of birth of `doc`, which is noted too."""
        likeness = (doc.row["place_id"], doc.row["search_name"], doc.row["birth_year"])
        self.load_alike([likeness])
        found = None
        for ident in self.alike[likeness]:
            other = self.docs.get(ident)
            if other is None or (other is not doc and not other.row["deleted"] and other.row["place_id"] == likeness[0]):
                found = found or ident
        self.alike[likeness].append(doc.id)
        return found

    def value_at(self, doc: Doc, name: str, rev: int) -> Any:
        """A field as it stood at an earlier revision, from history; None where it was empty."""
        table = tables.History.__table__
        query = select(table.c.rev, table.c.patch).where(
            table.c.commune_id == self.commune_id, table.c.doc_id == doc.id, table.c.rev <= rev
        )
        found = [(row[0], row[1]) for row in self.conn.execute(query)]
        found += [(r["rev"], r["patch"]) for r in self.rows["history"] if r["doc_id"] == doc.id and r["rev"] <= rev]
        named = [(at, patch[name][1]) for at, patch in found if name in patch]
        return max(named, key=lambda pair: pair[0])[1] if named else None

    def written_at(self, doc: Doc, rev: int) -> dict[str, Any]:
        """When a revision was written: `at` by the server's clock, `device_at` by the phone's."""
        table = tables.History.__table__
        query = select(table.c.server_at, table.c.device_at).where(
            table.c.commune_id == self.commune_id, table.c.doc_id == doc.id, table.c.rev == rev
        )
        rows = self.rows["history"]
        new = [(r["server_at"], r["device_at"]) for r in rows if r["doc_id"] == doc.id and r["rev"] == rev]
        found = new[0] if new else self.conn.execute(query).first()
        return {"at": found[0], "device_at": found[1]} if found else {"at": doc.row["updated_at"]}

    def leave(self, doc: Doc) -> None:
        """Tells the readers of its place and person, as they are now, that a document goes from there."""
        self.exits.append((doc, doc.row["place_id"], doc.row["citizen_id"]))

    def open_conflicts(self, ident: str) -> list[Doc]:
        return [c for c in self.conflicts.get(ident, []) if c.row["state"] == "open"]

    def add(self, kind: str, values: dict[str, Any]) -> Doc:
        """A new document; `values` are columns."""
        row: dict[str, Any] = {**_EMPTY[kind], "commune_id": self.commune_id, "rev": 0, "seq": 0, "deleted": False}
        row |= {"field_versions": {}, "created_at": self.now, "updated_at": self.now, **values}
        doc = Doc(kind, row, is_new=True, dirty=True)
        self.docs[doc.id] = doc
        self.absent.discard(doc.id)
        if kind == "conflict":
            self.conflicts.setdefault(row["doc_id"], []).append(doc)
        return doc

    def lock(self, place_ids: Iterable[int]) -> None:
        """Takes the places' counter rows in order, so that two writers of one place take turns."""
        scopes = [f"place:{p}" for p in sorted(set(place_ids))]
        if scopes and self.conn.dialect.name != "sqlite":
            query = (
                select(_COUNTER.c.scope)
                .where(_COUNTER.c.commune_id == self.commune_id, _COUNTER.c.scope.in_(scopes))
                .order_by(_COUNTER.c.scope)
                .with_for_update()
            )
            self.conn.execute(query).all()

    def flush(self) -> None:
        """Gives every changed row its own counter value and writes all of it."""
        dirty = [d for kind in ORDER for d in self.docs.values() if d.type == kind and d.dirty]
        for doc in dirty:
            if doc.type == "citizen":
                doc.row["search_name"] = fold(doc.row["full_name"])
        self._number(dirty)
        for kind in ORDER:
            of_kind = [d for d in dirty if d.type == kind]
            new = [d.row for d in of_kind if d.is_new]
            old = [_keyed(d.row) for d in of_kind if not d.is_new]
            if new:
                self.conn.execute(INSERTS[kind], new)
            if old:
                self.conn.execute(UPDATES[kind], old)
        for name, rows in self.rows.items():
            if rows:
                self.conn.execute(LOGS[name], rows)
                self.rows[name] = []
        for doc in dirty:
            doc.dirty = doc.is_new = False

    def _number(self, dirty: list[Doc]) -> None:
        counts: dict[int, int] = {}
        for doc in dirty:
            counts[doc.row["place_id"]] = counts.get(doc.row["place_id"], 0) + 1
        for _, place_id, _ in self.exits:
            counts[place_id] = counts.get(place_id, 0) + 1
        following = {p: reserve(self.conn, self.commune_id, f"place:{p}", n) for p, n in sorted(counts.items())}
        for doc, place_id, citizen_id in self.exits:  # before the documents: one that stays in its place comes again after
            self.rows["exits"].append(
                {
                    "commune_id": self.commune_id,
                    "place_id": place_id,
                    "seq": following[place_id],
                    "type": doc.type,
                    "doc_id": doc.id,
                    "citizen_id": citizen_id,
                    "rev": doc.row["rev"],
                    "at": self.now,
                }
            )
            following[place_id] += 1
        for doc in dirty:
            doc.row["seq"] = following[doc.row["place_id"]]
            following[doc.row["place_id"]] += 1
        self.exits = []


def reserve(conn: Connection, commune_id: int, scope: str, count: int) -> int:
    """Takes `count` values of a scope's counter in one update; returns the first of them."""
    statement = (
        update(_COUNTER)
        .where(_COUNTER.c.commune_id == commune_id, _COUNTER.c.scope == scope)
        .values(value=_COUNTER.c.value + count)
        .returning(_COUNTER.c.value)
    )
    value = conn.execute(statement).scalar_one_or_none()
    if value is None:
        conn.execute(insert(_COUNTER).values(commune_id=commune_id, scope=scope, value=count, floor=0))
        value = count
    return int(value) - count + 1


def _own(row: dict[str, Any]) -> dict[str, Any]:
    row["field_versions"] = dict(row["field_versions"] or {})
    return row


def _keyed(row: dict[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in row.items() if name not in ("commune_id", "id")}
    return {**columns, "key_commune": row["commune_id"], "key_id": row["id"]}
