"""Reads a backup and checks it: manifest, every file's hash, every photo's, every receipt's bytes."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

from server.backup import rows
from server.backup.making import FORMAT, PHOTO_LIST, digest_of
from server.backup.vessel import MANIFEST, Source, find_backup
from server.db import migrate
from server.db.journal import NAME as JOURNAL
from server.db.journal import standing
from server.storage.base import BLOCK
from sync.errors import Problem

Finding = tuple[bool, str, str]  # fine, name, what it saw
Manifest = dict[str, Any]
MOST_NAMED = 20


def open_backup(path: Path, name: str | None = None) -> tuple[Source, Manifest]:
    """The backup and its manifest. Raises Problem `backup.missing`, `.unfinished`, `.damaged`, `.newer`."""
    source = find_backup(path, name)
    try:
        with closing(source.open(MANIFEST)) as file:
            manifest = json.loads(file.read())
        wrong = manifest["digest"] != digest_of(manifest)
    except (ValueError, KeyError, TypeError) as error:
        raise Problem("backup.damaged", "the manifest cannot be read", part=MANIFEST) from error
    if manifest.get("format", 0) > FORMAT or not migrate.knows(manifest.get("schema")):
        software = manifest.get("software", "?")
        raise Problem("backup.newer", f"this backup was made by version {software}; install that version or a later one")
    if wrong:
        raise Problem("backup.damaged", "the manifest was changed after it was written", part=MANIFEST)
    return source, manifest


def findings(source: Source, manifest: Manifest) -> Iterator[Finding]:
    """Everything that can be wrong with a backup, one line each; memory stays flat."""
    yield True, "manifest", f"made {manifest['at']} by version {manifest['software']}, schema {manifest['schema']}"
    sound = True
    for listed in manifest["files"]:
        fault = _fault(source, listed)
        if fault is not None:
            sound = False
            yield False, listed["name"], fault
    if not sound:
        return
    yield True, "files", f"{len(manifest['files'])} files have their hashes"
    for described in manifest["tables"]:
        count = sum(1 for _ in rows.read(source, described))
        if count != described["rows"]:
            yield False, described["name"], f"{count} rows where the manifest says {described['rows']}"
    yield True, "rows", f"{sum(t['rows'] for t in manifest['tables'])} rows in {len(manifest['tables'])} tables"
    if manifest["with_photos"]:
        yield from _photo_findings(source)
        yield _receipt_finding(source, manifest)


def _fault(source: Source, listed: dict[str, Any]) -> str | None:
    try:
        with closing(source.open(listed["name"])) as file:
            found = hash_of(file)
    except Problem as problem:
        return problem.message
    except (OSError, EOFError, ValueError) as error:  # a ZIP checks its members as it reads them
        return f"cannot be read: {error}"
    return None if found == listed["sha256"] else "does not have the hash that the manifest says"


def hash_of(file: BinaryIO) -> str:
    """SHA-256 of what is left to read, block by block."""
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def photos(source: Source) -> Iterator[tuple[int, str]]:
    """(commune, SHA-256) of every photo that belongs to the backup. Raises Problem `backup.damaged`."""
    with closing(source.open(PHOTO_LIST)) as raw, gzip.GzipFile(fileobj=raw) as packed:
        for line in packed:
            commune_id, sha256, _ = line.decode("ascii").split()
            yield int(commune_id), sha256


def photo(source: Source, commune_id: int, sha256: str) -> bytes | None:
    """A photo's bytes; None where they are missing or do not have their hash."""
    content = source.photo(commune_id, sha256)
    return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None


def _photo_findings(source: Source) -> Iterator[Finding]:
    good = wrong = 0
    for commune_id, sha256 in photos(source):
        if photo(source, commune_id, sha256) is not None:
            good += 1
            continue
        wrong += 1
        if wrong <= MOST_NAMED:
            yield False, "photo", f"{sha256} of commune {commune_id} is missing or does not have its hash"
    yield not wrong, "photos", f"{good} have their hashes" + (f", {wrong} are wrong" if wrong else "")


def _receipt_finding(source: Source, manifest: Manifest) -> Finding:
    described = next(t for t in manifest["tables"] if t["name"] == "receipt")
    owed = sum(1 for row in rows.read(source, described) if source.photo(row["commune_id"], row["sha256"]) is None)
    return not owed, "receipts", f"{described['rows']} promises, {owed} without bytes in this backup"


def journal(source: Source) -> list[dict[str, Any]]:
    """The revocations and deletions that were known when the backup was made."""
    with closing(source.open(JOURNAL)) as file:
        return list(standing(file))
