"""Photos on disk, named by their SHA-256. Knows bytes and paths; no database, no pixels.

`parts/` unfinished uploads, `originals/` as received (never served), `clean/<size>/` what is shown.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from server.storage.base import BLOCK, Copy

NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)  # file systems without hard links


class DiskStore:
    """One folder per commune, so that no hash tells one commune of another's files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def at(cls, url: str) -> "DiskStore":
        """`url`: file:///folder."""
        return cls(Path(unquote(urlsplit(url).path)))

    def append(self, commune_id: int, upload_id: str, offset: int, chunk: bytes) -> None:
        """Writes a chunk at its offset, durable before it returns.

        Never shortens the file: a writer that stalled past its lease must not cut what its successor wrote. What a
        crash left beyond the offset is written over, for no chunk goes beyond the announced length.
        """
        path = self._part(commune_id, upload_id)
        _make_folder(path.parent)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(fd).st_nlink > 1:  # an original already, whose receipt a crash prevented: originals never change
                shared, fd = fd, _open_copy(path)
                os.close(shared)
            rest = memoryview(chunk)
            while rest:  # a disk that fills up takes a part first, and raises at the next try
                rest = rest[os.pwrite(fd, rest, offset + len(chunk) - len(rest)) :]
            os.fsync(fd)
        finally:
            os.close(fd)

    def part_hash(self, commune_id: int, upload_id: str) -> tuple[str, bytes]:
        """SHA-256 hex and the first 32 bytes of an upload."""
        digest = hashlib.sha256()
        head = b""
        with self._part(commune_id, upload_id).open("rb") as file:
            while block := file.read(BLOCK):
                head = head or block[:32]
                digest.update(block)
        return digest.hexdigest(), head

    def finish(self, commune_id: int, upload_id: str, sha256: str) -> None:
        """Makes a whole upload the original of its hash, durable before it returns; its part stays until `drop_part`."""
        part, target = self._part(commune_id, upload_id), self._original(commune_id, sha256)
        _make_folder(target.parent)
        draft = target.with_name(f".{sha256}.{upload_id}")
        try:
            draft.unlink(missing_ok=True)
            os.link(part, draft)
            os.replace(draft, target)  # also over one that was damaged since
            draft.unlink(missing_ok=True)  # a rename between two names of one file does nothing
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            os.replace(part, target)
        _sync_folder(target.parent)

    def put(self, commune_id: int, sha256: str, content: bytes) -> None:
        """Keeps bytes that came whole (from the office or a deposit)."""
        target = self._original(commune_id, sha256)
        if not target.exists():
            _write(target, content)

    def drop_part(self, commune_id: int, upload_id: str) -> None:
        self._part(commune_id, upload_id).unlink(missing_ok=True)

    def has_original(self, commune_id: int, sha256: str) -> bool:
        return self._original(commune_id, sha256).is_file()

    @contextmanager
    def original(self, commune_id: int, sha256: str) -> Iterator[BinaryIO]:
        with self._original(commune_id, sha256).open("rb") as file:
            yield file

    def originals(self, commune_id: int) -> Iterator[tuple[str, int]]:
        folder = self.root / str(commune_id) / "originals"
        for path in sorted(folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
            if not path.name.startswith("."):  # a draft that a crash left
                yield path.name, path.stat().st_size

    def put_clean(self, commune_id: int, sha256: str, size: str, content: bytes) -> None:
        _write(self.clean_path(commune_id, sha256, size), content)

    def clean(self, commune_id: int, sha256: str, size: str) -> Copy | None:
        try:
            file = self.clean_path(commune_id, sha256, size).open("rb")
        except FileNotFoundError:
            return None
        return Copy(file, os.fstat(file.fileno()).st_size)

    def check(self) -> str:
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.root) as file:
            file.write(b"probe")
            file.flush()
            os.fsync(file.fileno())
        return str(self.root)

    def clean_path(self, commune_id: int, sha256: str, size: str) -> Path:
        return self.root / str(commune_id) / "clean" / size / sha256[:2] / f"{sha256}.jpg"

    def _part(self, commune_id: int, upload_id: str) -> Path:
        return self.root / str(commune_id) / "parts" / upload_id

    def _original(self, commune_id: int, sha256: str) -> Path:
        return self.root / str(commune_id) / "originals" / sha256[:2] / sha256[2:4] / sha256


def _open_copy(path: Path) -> int:
    """A part that shares its bytes with nobody, open for writing."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    shutil.copyfile(path, draft)
    os.replace(draft, path)
    return os.open(path, os.O_RDWR)


def _write(target: Path, content: bytes) -> None:
    """Whole or not at all, also across a crash."""
    _make_folder(target.parent)
    draft = target.with_name(f".{target.name}.{os.urandom(6).hex()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    """A new folder's name lives in its parent, which must be on disk too before a receipt."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
