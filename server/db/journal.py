"""What must outlive a restore: revocations, removals and deletions, in a file beside the database.

One JSON object a line, only ever appended, on disk before the transaction commits. It holds ids, public
keys and times and nothing that names a person. A line is `{"id", "at", "what", "commune", ...}`; a transaction
whose commit failed is taken back by `{"void": [ids]}`.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection

NAME = "revocations.jsonl"
_NOTES, _MARKS = "journal_notes", "journal_marks"


class Journal:
    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, entries: list[dict[str, Any]]) -> None:
        """Durable before it returns, also among several processes. Raises OSError."""
        lines = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries).encode()
        is_new = not self.path.exists()
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            size = os.fstat(fd).st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":  # a line that a crash cut
                lines = b"\n" + lines
            while lines:
                lines = lines[os.write(fd, lines) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        if is_new:
            _sync_folder(self.path.parent)

    def entries(self) -> list[dict[str, Any]]:
        """Every entry that stands, oldest first."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            return standing(file)

    def merge(self, others: Iterable[dict[str, Any]]) -> None:
        """Adds what is not here yet. Raises OSError."""
        here = {entry["id"] for entry in self.entries()}
        missing = [entry for entry in others if entry["id"] not in here]
        if missing:
            self.append(missing)


def standing(file: BinaryIO) -> list[dict[str, Any]]:
    """The entries of such a file that were not taken back; a line that a crash cut never took effect."""
    lines = list(_lines(file))
    void = {ident for line in lines for ident in line.get("void", ())}
    return [line for line in lines if "what" in line and line.get("id") not in void]


def _lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for raw in file:
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def note(conn: Connection, what: str, commune_id: int, **ids: Any) -> None:
    """Adds an entry to what this transaction writes to the journal at its end."""
    notes = conn.info.get(_NOTES)
    if notes is not None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        notes.append({"id": str(uuid.uuid4()), "at": at, "what": what, "commune": commune_id, **ids})


@contextmanager
def noting(conn: Connection) -> Iterator[list[dict[str, Any]]]:
    """Collects the notes of one transaction."""
    notes: list[dict[str, Any]] = []
    conn.info[_NOTES], conn.info[_MARKS] = notes, {}
    try:
        yield notes
    finally:
        conn.info.pop(_NOTES, None)
        conn.info.pop(_MARKS, None)


def on_savepoint(conn: Connection, name: str) -> None:
    if _NOTES in conn.info:
        conn.info[_MARKS][name] = len(conn.info[_NOTES])


def on_rollback_savepoint(conn: Connection, name: str, _context: Any) -> None:
    """What a savepoint took back was not done."""
    if _NOTES in conn.info:
        del conn.info[_NOTES][conn.info[_MARKS].get(name, 0) :]


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
