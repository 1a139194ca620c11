"""Makes a backup of a database and its photos while both are in use.

First the journal of revocations, then the database in one snapshot, then the photos: an original is never
changed nor taken away, so every receipt of the snapshot finds its bytes. The manifest comes last.
"""

import gzip
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from sqlalchemy import Connection, Table, select

from server.backup import rows
from server.backup.vessel import Target, new_backup
from server.db import migrate, tables
from server.db.journal import NAME as JOURNAL
from server.db.session import Database
from server.storage.base import PhotoStore

FORMAT = 1
PHOTO_LIST = "photos.txt.gz"
MOST_NAMED = 20
_COMMUNE, _RECEIPT = tables.Commune.__table__, tables.Receipt.__table__
Missing = tuple[int, str]  # commune, SHA-256


@dataclass
class Report:
    """What a backup holds. `missing` counts receipts without right bytes in it, `damaged` originals whose bytes
    do not have their hash; a few are named."""

    name: str
    rows: int = 0
    photos: int = 0
    photo_bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    missing: int = 0
    damaged: int = 0
    named: list[Missing] = field(default_factory=list)

    def name_one(self, commune_id: int, sha256: str) -> None:
        if len(self.named) < MOST_NAMED and (commune_id, sha256) not in self.named:
            self.named.append((commune_id, sha256))

    @property
    def complete(self) -> bool:
        return not self.missing and not self.damaged


class Hashed:
    """Counts and hashes what goes through to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.bytes = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        self.bytes += len(content)
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()


def stamp_of(at: str) -> str:
    """A backup's name from a time in RFC 3339: it sorts, and every file system takes it."""
    return at.replace(":", "-")


def backup(db: Database, store: PhotoStore | None, path: Path, now: str) -> Report:
    """Makes a backup at `path` (a folder, or a file `*.zip`); without `store` one of the database alone.

    Raises Problem `backup.exists`, `backup.foreign`, `backup.busy`, `backup.disk_full`, `backup.unwritable`.
    """
    report = Report(stamp_of(now))
    with new_backup(path, report.name) as target, tempfile.TemporaryFile("w+") as promised:
        files: list[dict[str, Any]] = []
        _copy_journal(db, target, files)
        with db.read() as conn:
            communes = [dict(row) for row in conn.execute(select(_COMMUNE.c.id, _COMMUNE.c.name, _COMMUNE.c.epoch)).mappings()]
            described = [_dump(conn, table, target, files) for table in rows.kept_tables()]
            _spool_receipts(conn, promised)
        if store is not None:
            _copy_photos(store, target, [c["id"] for c in communes], files, report)
            _check_receipts(target, promised, report)
        report.rows = sum(table["rows"] for table in described)
        manifest = {
            "format": FORMAT, "software": version("minhchung"), "schema": migrate.current(db), "at": now, "communes": communes,
            "tables": described, "files": files, "with_photos": store is not None, "photos": report.photos,
            "photo_bytes": report.photo_bytes, "missing": report.missing, "damaged": report.damaged,
        }  # fmt: skip
        target.seal(sealed(manifest))
    return report


def sealed(manifest: dict[str, Any]) -> bytes:
    """The manifest with its own digest, so that a changed one is known."""
    return json.dumps({**manifest, "digest": digest_of(manifest)}, ensure_ascii=False, indent=1).encode()


def digest_of(manifest: dict[str, Any]) -> str:
    content = {name: value for name, value in manifest.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@contextmanager
def _listed(target: Target, name: str, files: list[dict[str, Any]]) -> Iterator[Hashed]:
    """A file of the backup whose size and hash come into the manifest."""
    with target.file(name) as file:
        hashed = Hashed(file)
        yield hashed
    files.append({"name": name, "bytes": hashed.bytes, "sha256": hashed.digest.hexdigest()})


def _copy_journal(db: Database, target: Target, files: list[dict[str, Any]]) -> None:
    with _listed(target, JOURNAL, files) as out:
        for entry in db.journal.entries() if db.journal is not None else ():
            out.write(json.dumps(entry, sort_keys=True).encode() + b"\n")


def _dump(conn: Connection, table: Table, target: Target, files: list[dict[str, Any]]) -> dict[str, Any]:
    with _listed(target, rows.file_name(table.name), files) as out:
        count = rows.write(conn, table, out)
    return {**rows.describe(table), "rows": count}


def _spool_receipts(conn: Connection, spool: TextIO) -> None:
    query = select(_RECEIPT.c.commune_id, _RECEIPT.c.sha256).distinct()
    for commune_id, sha256 in conn.execution_options(yield_per=rows.STEP).execute(query):
        spool.write(f"{commune_id} {sha256}\n")


def _copy_photos(store: PhotoStore, target: Target, communes: list[int], files: list[dict[str, Any]], report: Report) -> None:
    """Every original that the store has; of those that the folder has already only the name."""
    with tempfile.TemporaryFile() as listing:
        with gzip.GzipFile(fileobj=listing, mode="wb", mtime=0) as packed:
            for commune_id in communes:
                for sha256, size in store.originals(commune_id):
                    if _copied(store, target, commune_id, sha256, report):
                        packed.write(f"{commune_id} {sha256} {size}\n".encode())
                        report.photos += 1
                        report.photo_bytes += size
        listing.seek(0)
        with _listed(target, PHOTO_LIST, files) as out:
            shutil.copyfileobj(listing, out)


def _copied(store: PhotoStore, target: Target, commune_id: int, sha256: str, report: Report) -> bool:
    if target.has_photo(commune_id, sha256):
        return True
    with store.original(commune_id, sha256) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        report.damaged += 1
        report.name_one(commune_id, sha256)
        return False
    target.put_photo(commune_id, sha256, content)
    report.copied += 1
    report.copied_bytes += len(content)
    return True


def _check_receipts(target: Target, promised: TextIO, report: Report) -> None:
    promised.seek(0)
    for line in promised:
        commune_id, sha256 = line.split()
        if not target.has_photo(int(commune_id), sha256):
            report.missing += 1
            report.name_one(int(commune_id), sha256)
