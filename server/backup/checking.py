"""Looks over a home in use: the database by itself, and whether every promise about a photo holds.

Reads only; findings come one by one, memory stays flat. Rows are read page by page, never in one long snapshot.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, and_, func, select

from server.backup import rows
from server.backup.reading import MOST_NAMED, Finding, hash_of
from server.db import migrate, tables
from server.db.session import Database
from server.storage.base import PhotoStore
from sync.photos import SIZES

_COMMUNE, _COUNTER, _PLACE = tables.Commune.__table__, tables.Counter.__table__, tables.Place.__table__
_RECEIPT, _PHOTO, _EVIDENCE = tables.Receipt.__table__, tables.Photo.__table__, tables.Evidence.__table__
_DEVICE, _LOG, _EXIT = tables.Device.__table__, tables.MutationLog.__table__, tables.ScopeExit.__table__
_SYNCED: list[Table] = [t.__table__ for t in (tables.Citizen, tables.Dossier, tables.Evidence, tables.Comment, tables.Conflict)]


def findings(db: Database, store: PhotoStore) -> Iterator[Finding]:
    """All that can be wrong, one line each; what is only worth knowing is fine."""
    yield True, "database", f"schema {migrate.current(db)}"
    yield _integrity(db)
    yield _foreign_keys(db)
    yield _counters(db)
    yield _numbers(db)
    yield from _receipts(db, store)
    yield _promised(db)
    yield _copies(db, store)
    yield _unreferenced(db, store)


def _integrity(db: Database) -> Finding:
    if not db.is_sqlite:
        return True, "integrity", "PostgreSQL checks its own pages (data_checksums, pg_amcheck)"
    with db.read() as conn:
        lines = conn.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return lines == ["ok"], "integrity", "; ".join(lines[:3])


def _foreign_keys(db: Database) -> Finding:
    """Children without their parent, by our own question: the same on both databases."""
    broken = []
    with db.read() as conn:
        for table in tables.metadata.sorted_tables:
            for constraint in table.foreign_key_constraints:
                parent = constraint.referred_table.alias()
                pairs = [(e.parent, parent.c[e.column.name]) for e in constraint.elements]
                query = select(func.count()).select_from(table.outerjoin(parent, and_(*(a == b for a, b in pairs))))
                count = conn.execute(query.where(pairs[-1][1].is_(None), *(a.is_not(None) for a, _ in pairs))).scalar_one()
                if count:
                    broken.append(f"{count} of {table.name} without their {constraint.referred_table.name}")
    return not broken, "foreign keys", "; ".join(broken) or "every row has its parent"


def _counters(db: Database) -> Finding:
    """A counter below a row's value would hide the next change from phones."""
    behind = []
    with db.read() as conn:
        for commune_id, scope, value in conn.execute(select(_COUNTER.c.commune_id, _COUNTER.c.scope, _COUNTER.c.value)):
            most = _most(conn, commune_id, scope)
            if most > value:
                behind.append(f"{scope} stands at {value}, a row has {most}")
    return not behind, "counters", "; ".join(behind[:5]) or "none is behind its rows"


def _most(conn: Connection, commune_id: int, scope: str) -> int:
    kind, _, number = scope.partition(":")
    found = [_PLACE, tables.Reference.__table__] if kind == "commune" else [*_SYNCED, _EXIT]
    most = 0
    for table in found:
        query = select(func.coalesce(func.max(table.c.seq), 0)).where(table.c.commune_id == commune_id)
        if kind == "place":
            query = query.where(table.c.place_id == int(number))
        most = max(most, int(conn.execute(query).scalar_one()))
    return most


def _numbers(db: Database) -> Finding:
    query = (
        select(_DEVICE.c.id, _DEVICE.c.last_seq, func.max(_LOG.c.seq))
        .join(_LOG, (_LOG.c.commune_id == _DEVICE.c.commune_id) & (_LOG.c.device_id == _DEVICE.c.id))
        .group_by(_DEVICE.c.commune_id, _DEVICE.c.id, _DEVICE.c.last_seq)
        .having(func.max(_LOG.c.seq) > _DEVICE.c.last_seq)
    )
    with db.read() as conn:
        behind = [f"phone {ident} stands at {last}, its log at {most}" for ident, last, most in conn.execute(query)]
    return not behind, "numbers", "; ".join(behind[:5]) or "every phone's number is its log's"


def _all(db: Database, query: Any) -> Any:
    """Each page in a short read of its own."""
    with db.read() as conn:
        return conn.execute(query).mappings().all()


def _receipts(db: Database, store: PhotoStore) -> Iterator[Finding]:
    """Every promise is checked against the bytes themselves."""
    good = wrong = 0
    for row in rows.pages(lambda query: _all(db, query), _RECEIPT):
        fault = _fault(store, row["commune_id"], row["sha256"])
        if fault is None:
            good += 1
            continue
        wrong += 1
        if wrong <= MOST_NAMED:
            yield False, "receipt", f"{row['sha256']} of commune {row['commune_id']}: {fault}"
    yield not wrong, "receipts", f"the bytes of {good} have their hashes" + (f", {wrong} do not" if wrong else "")


def _fault(store: PhotoStore, commune_id: int, sha256: str) -> str | None:
    try:
        with store.original(commune_id, sha256) as file:
            return None if hash_of(file) == sha256 else "its bytes have another hash"
    except FileNotFoundError:
        return "its bytes are missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"


def _promised(db: Database) -> Finding:
    """Entries whose photo has not come yet: no fault of the server's, but worth knowing."""
    held = select(_PHOTO.c.sha256).where(_PHOTO.c.commune_id == _EVIDENCE.c.commune_id, _PHOTO.c.sha256 == _EVIDENCE.c.sha256)
    query = select(func.count(), func.count().filter(~held.exists())).select_from(_EVIDENCE).where(_EVIDENCE.c.deleted.is_(False))
    with db.read() as conn:
        total, waiting = conn.execute(query).one()
    return True, "entries", f"{total} photo entries, {waiting} of them still wait for their photo"


def _copies(db: Database, store: PhotoStore) -> Finding:
    ready = due = unreadable = absent = 0
    for row in rows.pages(lambda query: _all(db, query), _PHOTO):
        due += row["state"] == "received"
        unreadable += row["state"] == "unreadable"
        if row["state"] == "ready":
            ready += 1
            absent += not all(_has_copy(store, row["commune_id"], row["sha256"], size) for size in SIZES)
    text = f"{ready} photos ready, {due} due, {unreadable} unreadable"
    return not absent, "clean copies", text + (f"; {absent} called ready lack a copy" if absent else "")


def _has_copy(store: PhotoStore, commune_id: int, sha256: str, size: str) -> bool:
    copy = store.clean(commune_id, sha256, size)
    if copy is not None:
        copy.file.close()
    return copy is not None


def _unreferenced(db: Database, store: PhotoStore) -> Finding:
    """Originals without a row: arriving just now, deposited by somebody unknown, or from before a restore."""
    total = loose = 0
    with db.read() as conn:
        communes = conn.execute(select(_COMMUNE.c.id)).scalars().all()
    for commune_id in communes:
        for sha256, _ in store.originals(commune_id):
            total += 1
            with db.read() as conn:
                query = select(_PHOTO.c.sha256).where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256 == sha256)
                loose += conn.execute(query).first() is None
    return True, "originals", f"{total} kept, {loose} of them named by no receipt (kept all the same)"
