"""Two members of staff do the same thing at the same moment: it happens once, and the second is told."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from server.db import tables
from server.db.session import Database
from server.domain import accepting, merging, people, syncing, undoing
from sync.errors import Problem
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    made = phone().pair(world.chapter_code())
    made.do("create", "dossier", world.dossier(), world.begin())
    return made


def together(db: Database, deed: Callable[[Any], object]) -> list[str]:
    """What each of two who begin together was told: `done` or a problem's code."""
    start, told = threading.Barrier(2), []

    def run() -> None:
        start.wait()
        try:
            with db.write() as conn:
                deed(conn)
            told.append("done")
        except Problem as problem:
            told.append(problem.code)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(told)


def test_what_was_quarantined_is_accepted_once(world: World, db: Database, chapter: Phone) -> None:
    with db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="submitted"))
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    with db.read() as conn:
        ident = conn.execute(select(tables.Quarantine.__table__.c.id)).scalar_one()
    told = together(db, lambda conn: accepting.accept(conn, world.commune, world.staff, ident, NOW))
    assert told[0] == "done" and told[1] in ("quarantine.settled", "id.exists")
    with db.read() as conn:
        history = tables.History.__table__
        assert len(conn.execute(select(history).where(history.c.doc_id == entry)).all()) == 1


def test_a_conflict_is_settled_once(world: World, db: Database, chapter: Phone, phone: Make) -> None:
    other = phone("Oppo").pair(world.chapter_code(name="Vi Văn Hội"))
    other.sync()
    chapter.do("update", "citizen", world.pao, {"full_name": "Nông Văn Cáo"})
    ident = other.do("update", "citizen", world.pao, {"full_name": "Nông Văn Báo"}, base=1)["conflicts"]["full_name"]
    command = {"op": "resolve", "type": "conflict", "doc": ident, "base": 1, "set": {"pick": "mine"}}
    told = together(db, lambda conn: syncing.write_as_staff(conn, world.commune, world.staff, [dict(command)]))
    assert told == ["done", "state.stale"]
    told = together(db, lambda conn: undoing.reopen(conn, world.commune, world.staff, ident, NOW))
    assert told == ["conflict.moved", "done"]


def test_a_photo_comes_back_once(world: World, db: Database, chapter: Phone) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    chapter.do("delete", "evidence", entry, base={entry: 1})
    assert together(db, lambda conn: undoing.undelete(conn, world.commune, world.staff, entry, NOW)) == ["done", "not_found"]
    chapter.sync()
    assert chapter.rev(entry) == 3


def test_two_people_are_merged_once(world: World, db: Database, chapter: Phone) -> None:
    with db.write() as conn:
        old = people.add_citizen(conn, world.commune, "Nông Văn Páo", world.na, NOW, birth_year=1968)
    revs = {old: 1, world.pao: 1}
    told = together(db, lambda conn: merging.merge(conn, world.commune, world.staff, old, world.pao, revs, NOW))
    assert told[0] == "done" and told[1] in ("not_found", "conflict.moved")
    assert together(db, lambda conn: merging.unmerge(conn, world.commune, world.staff, old, NOW)) == ["done", "not_found"]
