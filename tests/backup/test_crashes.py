"""The process dies at each effect on the disk, one after the other: a backup is whole or none, a restore is old or new."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.backup import reading
from server.backup.making import backup
from server.db.session import Database
from sync.errors import Problem
from tests.backup.conftest import TIMES, Site, wrong_with
from tests.phones import Phone
from tests.pictures import jpeg, send
from tests.world import World

EFFECTS = ("fsync", "replace", "rename", "link", "mkdir", "open")
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
DIED, DONE = 9, 0


def dies_at(effect: int, act: Callable[[], Any]) -> int:
    """Runs `act` in a process of its own that is gone just before its n-th effect; DIED or DONE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: the child only touches files of its own
        child = os.fork()
    if child == 0:
        left = effect

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                left -= 1
                return os._exit(DIED) if left == 0 else real(*args, **kwargs)

            return call

        try:
            for name in EFFECTS:
                setattr(os, name, counted(getattr(os, name)))
            act()
            os._exit(DONE)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@ON_SQLITE
@pytest.mark.parametrize("name", ["backups", "one.zip"])
def test_a_backup_is_whole_or_none(db: Database, here: Site, chapter: Phone, tmp_path: Path, name: str) -> None:
    db.close()
    where = tmp_path / name
    effect, whole, ended = 0, 0, DIED
    while ended == DIED:
        effect += 1
        at = next(TIMES)
        ended = dies_at(effect, lambda at=at: backup(here.open(), here.store, where, at))  # type: ignore[misc]
        try:
            reading.open_backup(where)
        except Problem as problem:
            assert problem.code in ("backup.missing", "backup.unfinished")
        else:
            assert wrong_with(where) == []
            whole += 1
            if where.is_file():
                break
    assert ended == DONE or where.is_file()
    assert effect > 3 and whole >= 1


@ON_SQLITE
def test_a_restore_is_the_old_state_or_the_new(
    db: Database, here: Site, world: World, chapter: Phone, folder: Path, tmp_path: Path
) -> None:
    backup(db, here.store, folder, next(TIMES))
    chapter.do("update", "dossier", world.dossier(), {"self.3": 5})
    send(chapter, jpeg(colour="white"), chapter.person["id"])
    db.close()
    old = here.rows()
    effect, ended = 0, DIED
    states = []
    while ended == DIED:
        effect += 1
        next(TIMES)  # the child takes its time from a copy
        ended = dies_at(effect, lambda: here.restore(folder, replace=True))
        rows = here.rows()
        assert here.wrong() == []
        if rows == old:
            states.append("old")
        else:
            assert [row["self_3"] for row in rows["dossier"]] == [9]
            states.append("new")
    assert ended == DONE and states[-1] == "new"
    assert states == sorted(states, reverse=True), "never back to the old one"
    assert states.count("old") > 5
