"""Where a backup lies: a folder that takes many (each photo once), or one ZIP file.

Both hold the same names: `manifest.json`, written last, `rows/<table>.jsonl.gz`, `photos.txt.gz` and
`revocations.jsonl`; photos lie at `photos/<commune>/<first two digits>/<sha256>`. What has no manifest is no backup.
"""

import errno
import fcntl
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from sync.errors import Problem

MANIFEST = "manifest.json"
MARK, MARK_TEXT = "minhchung-backup", b"A folder of backups made by Minh Chung; see docs/operations.md.\n"
PARTIAL = ".partial-"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Target(Protocol):
    """A backup that is being made."""

    def file(self, name: str) -> AbstractContextManager[BinaryIO]: ...

    def has_photo(self, commune_id: int, sha256: str) -> bool: ...

    def put_photo(self, commune_id: int, sha256: str, content: bytes) -> None: ...

    def seal(self, manifest: bytes) -> None: ...


class Source(Protocol):
    """A backup that is read; each call raises Problem `backup.damaged` where a part cannot be read."""

    def open(self, name: str) -> BinaryIO: ...

    def photo(self, commune_id: int, sha256: str) -> bytes | None:
        """The bytes as they lie there, unchecked; None where they are missing."""


def photo_name(commune_id: int, sha256: str) -> str:
    return f"photos/{commune_id}/{sha256[:2]}/{sha256}"


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turns what a disk does into Problems: `backup.disk_full`, `backup.unwritable`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Problem("backup.disk_full", f"no room for the backup at {path}; what was there before still stands") from error
        where = error.filename or path
        raise Problem("backup.unwritable", f"{where}: {error.strerror or error}") from error


@contextmanager
def new_backup(path: Path, stamp: str) -> Iterator[Target]:
    """A new backup at `path`, which counts only once it is sealed.

    Raises Problem `backup.exists`, `backup.foreign`, `backup.busy`, `backup.disk_full`, `backup.unwritable`.
    """
    with plain_errors(path):
        if path.suffix == ".zip" and not path.is_dir():
            with _new_file(path) as target:
                yield target
        else:
            with _new_in_folder(path, stamp) as target:
                yield target


class FolderTarget:
    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name
        self.folder = root / f"{PARTIAL}{name}"

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        with _durable(self.folder / name) as file:
            yield file

    def has_photo(self, commune_id: int, sha256: str) -> bool:
        return (self.root / photo_name(commune_id, sha256)).is_file()

    def put_photo(self, commune_id: int, sha256: str, content: bytes) -> None:
        path = self.root / photo_name(commune_id, sha256)
        draft = path.with_name(f"{PARTIAL}{sha256}")
        with _durable(draft) as file:
            file.write(content)
        os.replace(draft, path)
        sync_folder(path.parent)

    def seal(self, manifest: bytes) -> None:
        with self.file(MANIFEST) as file:
            file.write(manifest)
        os.rename(self.folder, self.root / self.name)
        sync_folder(self.root)


@contextmanager
def _new_in_folder(root: Path, name: str) -> Iterator[FolderTarget]:
    if not root.exists():
        make_folder(root)
    if not (root / MARK).exists():
        if any(root.iterdir()):
            raise Problem("backup.foreign", f"{root} holds other files; name a new or empty folder")
        with _durable(root / MARK) as file:
            file.write(MARK_TEXT)
    lock = os.open(root / MARK, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem("backup.busy", f"another backup into {root} is under way") from None
        if (root / name).exists():
            raise Problem("backup.exists", f"{root / name} is there already")
        for cut in root.glob(f"{PARTIAL}*"):  # of a backup that did not come to its end
            shutil.rmtree(cut)
        target = FolderTarget(root, name)
        make_folder(target.folder)
        try:
            yield target
        finally:
            shutil.rmtree(target.folder, ignore_errors=True)
    finally:
        os.close(lock)


class FileTarget:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.sealed = False

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        with self.archive.open(name, "w", force_zip64=True) as file:
            yield file  # type: ignore[misc]

    def has_photo(self, commune_id: int, sha256: str) -> bool:
        return photo_name(commune_id, sha256) in self.archive.NameToInfo

    def put_photo(self, commune_id: int, sha256: str, content: bytes) -> None:
        self.archive.writestr(photo_name(commune_id, sha256), content)

    def seal(self, manifest: bytes) -> None:
        self.archive.writestr(MANIFEST, manifest)
        self.sealed = True


@contextmanager
def _new_file(path: Path) -> Iterator[FileTarget]:
    if path.exists():
        raise Problem("backup.exists", f"{path} is there already; a backup never writes over another")
    if not path.parent.is_dir():
        make_folder(path.parent)
    draft = path.with_name(f"{PARTIAL}{path.name}")
    try:
        with draft.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                target = FileTarget(archive)
                yield target
            file.flush()
            os.fsync(file.fileno())
        if target.sealed:
            os.replace(draft, path)
            sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def find_backup(path: Path, name: str | None = None) -> "Source":
    """The backup at `path`: a ZIP file, or of a folder the newest (or the one called `name`).

    Raises Problem `backup.missing`, `backup.unfinished`, `backup.damaged`.
    """
    if path.is_file():
        return FileSource(path)
    if not path.exists():
        raise Problem("backup.missing", f"there is nothing at {path}")
    if (path / MANIFEST).is_file():  # one backup in such a folder was named itself
        return FolderSource(path.parent, path.name)
    found = sorted(p.parent.name for p in path.glob(f"*/{MANIFEST}") if not p.parent.name.startswith(PARTIAL))
    if name is not None and name not in found:
        raise Problem("backup.missing", f"{path} has no backup {name}; it has {', '.join(found) or 'none'}")
    if not found:
        if (path / MARK).exists():
            raise Problem("backup.unfinished", f"no backup in {path} was finished")
        raise Problem("backup.missing", f"{path} is no folder of backups")
    return FolderSource(path, name or found[-1])


class FolderSource:
    def __init__(self, root: Path, name: str) -> None:
        self.root, self.name = root, name

    def open(self, name: str) -> BinaryIO:
        try:
            return (self.root / self.name / name).open("rb")
        except OSError as error:
            raise Problem("backup.damaged", f"{self.root / self.name / name}: {error.strerror}", part=name) from error

    def photo(self, commune_id: int, sha256: str) -> bytes | None:
        try:
            return (self.root / photo_name(commune_id, sha256)).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Problem("backup.damaged", f"{photo_name(commune_id, sha256)}: {error.strerror}") from error


class FileSource:
    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self.archive = zipfile.ZipFile(path)
            self.names = set(self.archive.namelist())
        except (zipfile.BadZipFile, OSError) as error:
            raise Problem("backup.damaged", f"{path} is cut short or no backup: {error}") from error
        if MANIFEST not in self.names:
            raise Problem("backup.unfinished", f"{path} is no finished backup")

    def open(self, name: str) -> BinaryIO:
        if name not in self.names:
            raise Problem("backup.damaged", f"{name} is missing in {self.name}", part=name)
        return self.archive.open(name)  # type: ignore[return-value]

    def photo(self, commune_id: int, sha256: str) -> bytes | None:
        name = photo_name(commune_id, sha256)
        if name not in self.names:
            return None
        try:
            return self.archive.read(name)
        except (zipfile.BadZipFile, OSError, EOFError):
            return b""


@contextmanager
def _durable(path: Path) -> Iterator[BinaryIO]:
    """On disk when left; taken away where it was not finished."""
    if not path.parent.is_dir():
        make_folder(path.parent)
    try:
        with path.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
