"""A server whose disk is full, whose database is locked or may not be written: said plainly, nothing half done, nothing lost."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from server.db.session import Database
from server.storage import disk
from tests.phones import Phone
from tests.pictures import create, head, noisy, patch, sha256
from tests.world import World, new_id

Make = Callable[..., Phone]


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.sync()
    return one


@contextmanager
def every_connection(db: Database, statement: str, after: str) -> Iterator[None]:
    """Runs a statement as each transaction begins, and another one when all is over."""

    def begin(conn: Any) -> None:
        conn.exec_driver_sql(statement)

    event.listen(db.engine, "begin", begin)
    try:
        yield
    finally:
        event.remove(db.engine, "begin", begin)
        db.engine.dispose()
        with db.engine.connect() as conn:
            conn.exec_driver_sql(after)


def told(answer: Any) -> tuple[int, str]:
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.mimetype == "application/problem+json"
    return answer.status_code, answer.get_json()["code"]


def entry(chapter: Phone, text: str = "") -> dict[str, Any]:
    citizen = {"full_name": "Nông Thị Đào", "birth_year": 1971, "group": 1, "place": chapter.person["place"], "note": text}
    return chapter.queue("create", "citizen", new_id(), citizen)


def test_a_disk_that_fills_up_in_the_middle_of_a_photo(chapter: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    content = noisy(90_000)
    url = create(chapter, content).headers["Location"]
    assert patch(chapter, url, 0, content[:40_000]).status_code == 204
    written = []

    def pwrite(fd: int, part: Any, offset: int) -> int:
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(os.pwrite(fd, bytes(part)[:1000], offset))
        return written[0]

    with monkeypatch.context() as patched:
        patched.setattr(disk, "os", _Os(pwrite))
        answer = patch(chapter, url, 40_000, content[40_000:])
    assert told(answer) == (503, "server.full")
    assert head(chapter, url).headers["Upload-Offset"] == "40000"
    done = patch(chapter, url, 40_000, content[40_000:])
    assert done.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"


class _Os:
    """The module `os` with another `pwrite`."""

    def __init__(self, pwrite: Callable[..., int]) -> None:
        self.pwrite = pwrite

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def test_a_short_write_is_carried_to_its_end(chapter: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    content = noisy(90_000)
    url = create(chapter, content).headers["Location"]
    with monkeypatch.context() as patched:
        patched.setattr(disk, "os", _Os(lambda fd, part, offset: os.pwrite(fd, bytes(part)[:7000], offset)))
        done = patch(chapter, url, 0, content)
    assert done.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"


def test_a_photo_disk_that_was_mounted_read_only(chapter: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    content = noisy(1000)
    url = create(chapter, content).headers["Location"]

    def pwrite(*_: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "os", _Os(pwrite))
        assert told(patch(chapter, url, 0, content)) == (503, "server.readonly")
    assert patch(chapter, url, 0, content).status_code == 204


def test_a_database_that_has_no_room_left_takes_nothing_of_the_batch(chapter: Phone, db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("PostgreSQL's disk is not ours to fill")
    for _ in range(40):
        entry(chapter, "x" * 1500)
    with db.read() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
    with every_connection(db, f"PRAGMA max_page_count={pages}", "PRAGMA max_page_count=1073741823"):
        assert told(chapter.post(chapter.body())) == (503, "server.full")
    assert chapter.sync()["ack"] == 40
    assert len(chapter.of_type("citizen")) >= 40


def test_a_database_that_may_not_be_written(chapter: Phone, db: Database) -> None:
    entry(chapter)
    statements = ("PRAGMA query_only=ON", "PRAGMA query_only=OFF") if db.is_sqlite else ("SET TRANSACTION READ ONLY", "SELECT 1")
    with every_connection(db, *statements):
        assert told(chapter.post(chapter.body())) == (503, "server.readonly")
    assert chapter.sync()["ack"] == 1


def test_a_database_that_another_process_holds_locked(chapter: Phone, db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("the lock of a whole file is SQLite's")
    entry(chapter)
    path = db.url.removeprefix("sqlite:///")
    with every_connection(db, "PRAGMA busy_timeout=50", "PRAGMA busy_timeout=5000"):
        holder = sqlite3.connect(path)
        holder.execute("BEGIN IMMEDIATE")
        answer = chapter.post(chapter.body())
        holder.rollback()
        holder.close()
    assert told(answer) == (503, "busy")
    assert chapter.sync()["ack"] == 1
