"""What staff brought back stays, also after a restore to a state before."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from server.db import tables
from server.db.session import Database
from server.domain import undoing
from sync.errors import Problem
from tests.domain.test_journal import Older, begin_anew
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


def delete_and_bring_back(world: World, chapter: Phone) -> None:
    seen = {doc: chapter.rev(doc) for doc in (world.pao, world.dossier())}
    world.as_staff({"op": "delete", "type": "citizen", "doc": world.pao, "base": seen})
    undelete(world, world.pao)


def undelete(world: World, ident: str) -> None:
    with world.db.write() as conn:
        undoing.undelete(conn, world.commune, world.staff, ident, NOW)


def test_after_a_restore_it_stands(world: World, chapter: Phone, db: Database) -> None:
    older = Older(db, lambda: delete_and_bring_back(world, chapter))
    assert [e["what"] for e in older.entries] == ["documents.deleted", "documents.undeleted"]
    begin_anew(db, older.entries)
    again = Phone(chapter.client.application.test_client()).pair(world.chapter_code(name="Vi Văn Hội"))
    again.sync()
    assert {world.pao, world.dossier()} <= set(again.docs)


def test_nothing_deleted_nothing_to_bring_back(world: World) -> None:
    for ident in (world.pao, new_id()):
        with pytest.raises(Problem, match="Không có gì"):
            undelete(world, ident)


def test_revisions_go_on_through_a_deletion(world: World, chapter: Phone) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    chapter.do("delete", "evidence", entry, base={entry: 1})
    undelete(world, entry)
    chapter.sync()
    assert chapter.rev(entry) == 3


def test_what_was_decided_takes_no_photo_back(world: World, chapter: Phone, db: Database) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    chapter.do("delete", "evidence", entry, base={entry: 1})
    with db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="decided"))
    with pytest.raises(Problem, match="đã được công nhận"):
        undelete(world, entry)


def test_a_choice_is_not_taken_back_after_the_decision(world: World, chapter: Phone, phone: Make, db: Database) -> None:
    other = phone("Oppo").pair(world.chapter_code(name="Vi Văn Hội"))
    other.sync()
    chapter.do("update", "dossier", world.dossier(), {"self.1": 5})
    held = other.do("update", "dossier", world.dossier(), {"self.1": 6}, base=1)["conflicts"]["self.1"]
    world.as_staff({"op": "resolve", "type": "conflict", "doc": held, "base": 1, "set": {"pick": "mine"}})
    with db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="decided"))
        with pytest.raises(Problem, match="đã được công nhận"):
            undoing.reopen(conn, world.commune, world.staff, held, NOW)
    chapter.sync()
    assert chapter.data(world.dossier())["self.1"] == 6
