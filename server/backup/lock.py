"""One file in the home tells a restore that somebody serves, and everybody that a restore is under way."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync.errors import Problem

NAME = "serving.lock"


@contextmanager
def in_use(home: Path) -> Iterator[None]:
    """Held by all who serve or back up. Raises Problem `restore.running`."""
    with _locked(home, fcntl.LOCK_SH, Problem("restore.running", f"a backup is being put back into {home}; try again when it is done")):
        yield


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Held by a restore. Raises Problem `restore.serving`; the system frees it when a process dies."""
    with _locked(home, fcntl.LOCK_EX, Problem("restore.serving", f"{home} is being served or backed up; stop that first")):
        yield


@contextmanager
def _locked(home: Path, kind: int, refused: Problem) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    fd = os.open(home / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refused from None
        yield
    finally:
        os.close(fd)
