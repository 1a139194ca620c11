"""Puts a backup back: checks all of it first, fills a new place, and switches in one step.

SQLite: a new file beside the old one, then one rename. PostgreSQL: one transaction. Photos are only ever added.
What stood there before is kept aside in the home.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, delete, inspect, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from server.backup import lock, reading, rows
from server.backup.making import backup, stamp_of
from server.backup.reading import Manifest
from server.backup.vessel import Source, plain_errors, sync_folder
from server.db import migrate, tables
from server.db.journal import NAME as JOURNAL
from server.db.journal import Journal
from server.db.session import APPLICATION, Database
from server.domain import restoring
from server.storage.base import PhotoStore
from sync.errors import Problem

IN_FLIGHT = timedelta(minutes=10)  # what the journal had before a snapshot may have been committed after it
_RECEIPT, _PHOTO = tables.Receipt.__table__, tables.Photo.__table__


@dataclass
class Restored:
    """`owed`: receipts without bytes in the backup, which phones are asked for again; `again`: of the journal."""

    at: str
    rows: int = 0
    photos: int = 0
    left_out: int = 0
    owed: int = 0
    again: int = 0
    kept_aside: Path | None = None


@dataclass(frozen=True)
class Place:
    """Where to: `home` holds the journal and what is kept aside."""

    home: Path
    database_url: str
    store: PhotoStore


def restore(
    place: Place, path: Path, now: str, *, name: str | None = None, replace: bool = False, leave_out_damaged: bool = False
) -> Restored:
    """Puts the backup at `path` in the place of an empty database, or with `replace` of any.

    Raises Problem `backup.missing`, `.unfinished`, `.damaged`, `.newer`, `.disk_full`, `.unwritable`,
    `restore.serving`, `restore.not_empty`. Before the switch nothing that is in use was changed.
    """
    with lock.alone(place.home), plain_errors(place.home):
        source, manifest = reading.open_backup(path, name)
        _check(source, manifest, leave_out_damaged)
        holds = _holds(place.database_url)
        if holds and not replace:
            raise Problem("restore.not_empty", f"the database holds {holds}; --replace puts the backup in its place and keeps it aside")
        done = Restored(manifest["at"], rows=sum(t["rows"] for t in manifest["tables"]))
        aside = place.home / f"before-restore-{stamp_of(now)}"
        entries = _journal(place.home, source, manifest)
        if manifest["with_photos"]:
            _put_photos(place.store, source, done)
        switch = _switch_sqlite if make_url(place.database_url).get_backend_name() == "sqlite" else _switch_postgres
        if switch(place, source, manifest, entries, now, aside, done, bool(holds)):
            done.kept_aside = aside
    return done


def _check(source: Source, manifest: Manifest, leave_out_damaged: bool) -> None:
    for fine, name, text_ in reading.findings(source, manifest):
        if not fine and not (leave_out_damaged and name in ("photo", "photos", "receipts")) and name != "receipts":
            raise Problem("backup.damaged", f"{name}: {text_}; nothing was changed", part=name)


def _holds(url: str) -> str | None:
    """What stands in the way, in words; None where the database is empty or not there."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return None
    db = Database(url)
    try:
        with db.engine.connect() as conn:
            if not db.is_sqlite:
                _nobody_else(conn)
            if not inspect(conn).has_table("commune"):
                return None if not inspect(conn).get_table_names() else "tables of something else"
            names = conn.execute(text("SELECT name FROM commune")).scalars().all()
            return ", ".join(names) or None
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if not db.is_sqlite:
            raise
        return f"a file that cannot be read ({getattr(error, 'orig', error)})"
    finally:
        db.close()


def _nobody_else(conn: Connection) -> None:
    """On PostgreSQL other machines may serve the same database. Raises Problem `restore.serving`."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :ours AND pid <> pg_backend_pid()"
    )
    count = conn.execute(query, {"ours": APPLICATION}).scalar_one()
    if count:
        raise Problem("restore.serving", f"{count} connections serve this database; stop those servers first")


def _journal(home: Path, source: Source, manifest: Manifest) -> list[dict[str, Any]]:
    """What the snapshot does not show yet. The home's journal takes in the backup's, in case the home is new."""
    journal = Journal(home / JOURNAL)
    known = reading.journal(source)
    journal.merge(known)
    shown = {entry["id"] for entry in known if entry["at"] < _earlier(manifest["at"])}
    return [entry for entry in journal.entries() if entry["id"] not in shown]


def _earlier(at: str) -> str:
    return (datetime.fromisoformat(at.replace("Z", "+00:00")) - IN_FLIGHT).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _put_photos(store: PhotoStore, source: Source, done: Restored) -> None:
    for commune_id, sha256 in reading.photos(source):
        if _sound(store, commune_id, sha256):
            continue
        content = reading.photo(source, commune_id, sha256)
        if content is None:
            done.left_out += 1
            continue
        if store.has_original(commune_id, sha256):  # damaged there: the whole one takes its place
            part = f"restore-{sha256}"
            store.append(commune_id, part, 0, content)
            store.finish(commune_id, part, sha256)
            store.drop_part(commune_id, part)
        else:
            store.put(commune_id, sha256, content)
        if _sound(store, commune_id, sha256):
            done.photos += 1
        else:
            done.left_out += 1


def _sound(store: PhotoStore, commune_id: int, sha256: str) -> bool:
    if not store.has_original(commune_id, sha256):
        return False
    with store.original(commune_id, sha256) as file:
        return reading.hash_of(file) == sha256


def _finish(conn: Connection, store: PhotoStore, entries: list[dict[str, Any]], now: str, done: Restored) -> None:
    """What a database needs before it serves again, in the transaction that filled it."""
    done.again = restoring.begin_anew(conn, entries, now)
    for row in rows.pages(lambda query: _all(conn, query), _RECEIPT):
        if not store.has_original(row["commune_id"], row["sha256"]):
            done.owed += 1
            key = (_RECEIPT.c.commune_id == row["commune_id"], _RECEIPT.c.sha256 == row["sha256"], _RECEIPT.c.person_id == row["person_id"])
            conn.execute(delete(_RECEIPT).where(*key))
    for row in rows.pages(lambda query: _all(conn, query), _PHOTO):
        one = (_PHOTO.c.commune_id == row["commune_id"], _PHOTO.c.sha256 == row["sha256"])
        if not store.has_original(row["commune_id"], row["sha256"]):
            conn.execute(delete(_PHOTO).where(*one))
        elif row["state"] == "ready" and not _has_copy(store, row["commune_id"], row["sha256"]):
            conn.execute(update(_PHOTO).where(*one).values(state="received", attempts=0))


def _has_copy(store: PhotoStore, commune_id: int, sha256: str) -> bool:
    copy = store.clean(commune_id, sha256, "thumb")  # the last that the worker writes
    if copy is not None:
        copy.file.close()
    return copy is not None


def _all(conn: Connection, query: Any) -> Any:
    return conn.execute(query).mappings().all()


def _load(conn: Connection, source: Source, manifest: Manifest) -> None:
    for described in manifest["tables"]:
        count = rows.load(conn, source, described)
        if count != described["rows"]:
            raise Problem("backup.damaged", f"{described['name']}: {count} rows where the manifest says {described['rows']}")


def _switch_sqlite(
    place: Place, source: Source, manifest: Manifest, entries: list[dict[str, Any]], now: str, aside: Path, done: Restored, holds: bool
) -> bool:
    target = Path(make_url(place.database_url).database or "").absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.restoring")
    with _removed(draft):
        db = Database(f"sqlite:///{draft}")
        try:
            migrate.upgrade(db, manifest["schema"])
            with db.write() as conn:
                _load(conn, source, manifest)
            migrate.upgrade(db)
            with db.write() as conn:
                _finish(conn, place.store, entries, now, done)
                broken = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
            with db.read() as conn:
                whole = conn.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        finally:
            db.close()
        if broken is not None or whole != "ok":
            raise Problem("backup.damaged", f"the rows do not fit together: {broken or whole}")
        _checkpoint(draft)
        stood = target.exists()
        if stood:
            _keep_aside(target, aside)
        os.replace(draft, target)
        sync_folder(target.parent)
    return stood


def _checkpoint(path: Path) -> None:
    """All of it in the one file, on disk, without a log beside it."""
    db = Database(f"sqlite:///{path}")
    with db.engine.connect() as conn:
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _keep_aside(target: Path, aside: Path) -> None:
    """The old file under a second name; its log must not meet the new file."""
    with suppress(DatabaseError, sqlite3.DatabaseError):  # a damaged one is kept as it is, log and all
        _checkpoint(target)
    aside.mkdir(mode=0o700)
    try:
        os.link(target, aside / target.name)
    except OSError:
        shutil.copy2(target, aside / target.name)
    for log in (target.with_name(target.name + end) for end in ("-wal", "-shm")):
        if log.exists():
            os.replace(log, aside / log.name)
    sync_folder(aside)
    sync_folder(aside.parent)


@contextmanager
def _removed(draft: Path) -> Iterator[None]:
    names = [draft, draft.with_name(draft.name + "-wal"), draft.with_name(draft.name + "-shm")]
    for path in names:
        path.unlink(missing_ok=True)
    try:
        yield
    finally:
        for path in names:
            path.unlink(missing_ok=True)


def _drop_ours(conn: Connection, manifest: Manifest) -> None:
    """What another program keeps in the same database stays."""
    ours = {*tables.metadata.tables, *(table["name"] for table in manifest["tables"]), "alembic_version"}
    old = MetaData()
    old.reflect(conn, only=lambda name, _: name in ours)
    old.drop_all(conn)


def _switch_postgres(
    place: Place, source: Source, manifest: Manifest, entries: list[dict[str, Any]], now: str, aside: Path, done: Restored, holds: bool
) -> bool:
    db = Database(place.database_url)
    try:
        kept = holds and migrate.current(db) is not None
        if kept:  # the rows alone: photos are only ever added
            migrate.upgrade(db)
            backup(db, None, aside, now)
        with db.engine.connect() as conn, conn.begin():
            _drop_ours(conn, manifest)
            migrate.upgrade_within(conn, manifest["schema"])
            _load(conn, source, manifest)
            migrate.upgrade_within(conn)
            _finish(conn, place.store, entries, now, done)
        return kept
    finally:
        db.close()
