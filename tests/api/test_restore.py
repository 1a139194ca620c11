"""A server restored from its backup: phones are told, send again what it lost, and nothing is doubled."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, select, update

from server.db import tables
from server.db.session import Database
from server.domain import restoring
from tests.phones import Phone
from tests.world import World

Make = Callable[..., Phone]


class Backup:
    """All rows of all tables, put back as they were."""

    def __init__(self, db: Database) -> None:
        self.db = db
        with db.read() as conn:
            self.rows = {
                t: [dict(r) for r in conn.execute(select(t)).mappings()] for t in tables.metadata.sorted_tables
            }

    def restore(self) -> None:
        with self.db.write() as conn:
            for table in reversed(tables.metadata.sorted_tables):
                conn.execute(delete(table))
            for table, rows in self.rows.items():
                if rows:
                    conn.execute(insert(table), rows)


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


def test_what_the_backup_lacks_comes_back_from_the_phone(world: World, chapter: Phone, db: Database) -> None:
    backup = Backup(db)
    lost = chapter.queue("update", "dossier", world.dossier(), {"self.1": 7})
    chapter.sync()
    backup.restore()
    with db.write() as conn:
        epoch = restoring.new_epoch(conn, world.commune)
    refused = chapter.post(chapter.body())
    assert (refused.status_code, refused.get_json()["code"]) == (409, "epoch")
    chapter.epoch, expected = refused.get_json()["epoch"], refused.get_json()["expected"]
    assert (chapter.epoch, expected) == (epoch, 2)
    chapter.cursors = {}
    chapter.outbox, chapter.next = [{**lost, "seq": expected}], expected + 1
    assert chapter.sync()["results"] == []
    assert chapter.data(world.dossier())["self.1"] == 7
    assert chapter.rev(world.dossier()) > 1_700_000_000_000


def test_what_the_backup_has_is_not_applied_again(world: World, chapter: Phone, db: Database) -> None:
    sent = chapter.queue("update", "dossier", world.dossier(), {"self.1": 7})
    chapter.sync()
    with db.write() as conn:
        chapter.epoch = restoring.new_epoch(conn, world.commune)
    body = chapter.sync(mutations=[{**sent, "seq": 3}], cursors={})
    assert Phone.result(body, 3)["result"] == "duplicate"


def test_counters_and_revisions_never_go_back(world: World, chapter: Phone, db: Database) -> None:
    with db.write() as conn:
        conn.execute(update(tables.Counter.__table__).values(value=2**60))
        restoring.new_epoch(conn, world.commune)
        assert set(conn.execute(select(tables.Counter.__table__.c.value)).scalars()) == {2**60}


def test_two_people_registered_twice_are_flagged_and_both_kept(world: World, chapter: Phone, phone: Make) -> None:
    from tests.world import new_id

    first, second, other = new_id(), new_id(), new_id()
    person = {"place": world.na, "birth_year": 1970}
    chapter.do("create", "citizen", first, {**person, "full_name": "Đặng Văn Ú"})
    chapter.do("create", "citizen", second, {**person, "full_name": "Dang van  U"})
    chapter.do("create", "citizen", other, {**person, "full_name": "Đặng Văn Ú", "birth_year": 1990})
    assert chapter.data(second)["possible_duplicate"] == first
    assert "possible_duplicate" not in chapter.data(other)


def test_a_decision_pins_its_revision_and_photos(world: World, chapter: Phone, db: Database) -> None:
    from tests.world import new_id, photo, sha

    entry = new_id()
    chapter.queue("create", "evidence", entry, photo(world.dossier()))
    chapter.queue("submit", "dossier", world.dossier(), expect="draft")
    chapter.queue("appraise", "dossier", world.dossier(), expect="submitted")
    chapter.sync()
    step = {"type": "dossier", "doc": world.dossier(), "base": 99}
    world.as_staff({**step, "op": "settle", "expect": "appraised", "set": {f"final.{n}": 9 for n in range(1, 11)}})
    world.as_staff({**step, "op": "decide", "expect": "eligible"})
    chapter.sync()
    with db.read() as conn:
        pinned = conn.execute(select(tables.Dossier.__table__.c.decided_snapshot)).scalar_one()
    assert pinned["rev"] == chapter.rev(world.dossier())
    assert pinned["evidence"] == [{"doc": entry, "rev": 1, "sha256": sha("photo")}]
