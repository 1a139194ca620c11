"""What was taken away is written beside the database, and taken away again after a restore to an older state."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from server.db import tables
from server.db.journal import Journal
from server.db.session import Database
from server.domain import devices, restoring
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
_DEVICE, _QUARANTINE = tables.Device.__table__, tables.Quarantine.__table__


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


def journal(db: Database) -> list[dict[str, Any]]:
    assert db.journal is not None
    return list(db.journal.entries())


def begin_anew(db: Database, entries: list[dict[str, Any]]) -> int:
    with db.write() as conn:
        return restoring.begin_anew(conn, iter(entries), NOW)


def test_each_kind_is_written_with_ids_alone(db: Database, world: World, chapter: Phone) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    chapter.do("delete", "evidence", entry, base={entry: 1})
    world.poster(), world.poster()
    with db.write() as conn:
        devices.remove_person(conn, world.commune, chapter.id, chapter.person["id"], NOW)
        devices.revoke(conn, world.commune, chapter.id, NOW)
    found = journal(db)
    assert [e["what"] for e in found] == ["documents.deleted", "code.replaced", "person.removed", "device.revoked"]
    assert found[0]["docs"] == [["evidence", entry]]
    text = json.dumps(found, ensure_ascii=False)
    assert not [name for name in ("Lý Thị Chi", "Páo", "Redmi", "Nà Pò") if name in text]


def test_what_was_not_committed_is_not_written(db: Database, world: World, chapter: Phone) -> None:
    with pytest.raises(RuntimeError), db.write() as conn:
        devices.revoke(conn, world.commune, chapter.id, NOW)
        raise RuntimeError
    with db.write() as conn:
        with pytest.raises(RuntimeError), conn.begin_nested():
            devices.revoke(conn, world.commune, chapter.id, NOW)
            raise RuntimeError
        with conn.begin_nested():
            devices.remove_person(conn, world.commune, chapter.id, chapter.person["id"], NOW)
    assert [e["what"] for e in journal(db)] == ["person.removed"]


def test_a_failed_commit_takes_its_lines_back(db: Database, world: World, chapter: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_commit(_dbapi: Any) -> None:
        raise IntegrityError("COMMIT", None, Exception("no"))

    with monkeypatch.context() as patched:
        patched.setattr(db.engine.dialect, "do_commit", no_commit)
        with pytest.raises(IntegrityError), db.write() as conn:
            devices.revoke(conn, world.commune, chapter.id, NOW)
    assert journal(db) == []
    assert db.journal is not None and "device.revoked" in db.journal.path.read_text()


def test_a_journal_that_cannot_be_written_stops_the_act(db: Database, world: World, chapter: Phone, tmp_path: Path) -> None:
    db.journal = Journal(tmp_path / "no folder" / "here")
    with pytest.raises(OSError), db.write() as conn:
        devices.revoke(conn, world.commune, chapter.id, NOW)
    with db.read() as conn:
        assert conn.execute(select(_DEVICE.c.revoked_at)).scalar_one() is None


def test_a_line_that_a_crash_cut_hides_no_other(tmp_path: Path) -> None:
    one = Journal(tmp_path / "j")
    one.append([{"id": "a", "what": "x"}])
    with one.path.open("ab") as file:
        file.write(b'{"id": "b", "wh')
    one.append([{"id": "c", "what": "x"}])
    assert [e["id"] for e in one.entries()] == ["a", "c"]
    one.merge(iter([{"id": "c", "what": "x"}, {"id": "d", "what": "x"}]))
    assert [e["id"] for e in one.entries()] == ["a", "c", "d"]


class Older:
    """The database put back to how it stood before an act, with the journal of that act."""

    def __init__(self, db: Database, act: Callable[[], object]) -> None:
        with db.read() as conn:
            rows = {t: [dict(r) for r in conn.execute(select(t)).mappings()] for t in tables.metadata.sorted_tables}
        act()
        self.entries = journal(db)
        with db.write() as conn:
            for table in reversed(tables.metadata.sorted_tables):
                conn.execute(table.delete())
            for table, found in rows.items():
                conn.execute(table.insert(), found) if found else None


def revoke(db: Database, world: World, device: str) -> None:
    with db.write() as conn:
        devices.revoke(conn, world.commune, device, NOW)


def test_a_revoked_phone_stays_revoked(db: Database, world: World, chapter: Phone) -> None:
    entries = Older(db, lambda: revoke(db, world, chapter.id)).entries
    assert begin_anew(db, entries) == 1
    assert chapter.post(chapter.body()).get_json()["code"] == "device.revoked"


def test_a_revoked_phone_that_the_backup_does_not_know_cannot_pair_again(db: Database, world: World, phone: Make) -> None:
    code, late = world.chapter_code(), phone()
    entries = Older(db, lambda: (late.pair(code), revoke(db, world, late.id))).entries
    assert begin_anew(db, entries) == 1
    assert late.try_pair(code).get_json()["code"] == "device.revoked"


def test_a_person_taken_off_a_phone_does_not_come_back_by_the_old_code(db: Database, world: World, phone: Make) -> None:
    code, one = world.chapter_code(), phone()

    def act() -> None:
        one.pair(code)
        with db.write() as conn:
            devices.remove_person(conn, world.commune, one.id, one.person["id"], "2999-01-01T00:00:00.000Z")

    entries = Older(db, act).entries
    entries = [{**e, "at": "2999-01-01T00:00:00.000Z"} for e in entries]
    begin_anew(db, entries)
    assert one.try_pair(code).get_json()["people"] == []


def test_a_poster_that_was_replaced_stays_so(db: Database, world: World, phone: Make) -> None:
    code = world.poster()
    begin_anew(db, Older(db, world.poster).entries)
    citizen = {"id": new_id(), "full_name": "Lường Văn Ơn", "birth_year": 1980, "group": 1, "consent": "1"}
    assert phone().try_pair(code, citizen).get_json()["code"] == "pair.spent"


def delete_by_staff(world: World, chapter: Phone) -> None:
    chapter.sync()
    seen = {doc: chapter.rev(doc) for doc in (world.pao, world.dossier())}
    world.as_staff({"op": "delete", "type": "citizen", "doc": world.pao, "base": seen})


def test_a_deletion_is_done_again(db: Database, world: World, chapter: Phone) -> None:
    entries = Older(db, lambda: delete_by_staff(world, chapter)).entries
    begin_anew(db, entries)
    chapter.cursors, chapter.epoch = {}, None
    chapter.docs = {}
    chapter.sync()
    assert world.pao not in chapter.docs and world.dossier() not in chapter.docs and world.lieu not in chapter.docs


def test_what_the_backup_lacked_is_deleted_when_a_phone_brings_it(db: Database, world: World, chapter: Phone) -> None:
    person, sent = new_id(), []

    def act() -> None:
        patch = {"place": world.na, "full_name": "Lường Văn Ơn", "birth_year": 1980}
        sent.append(chapter.queue("create", "citizen", person, patch))
        chapter.sync()
        world.as_staff({"op": "delete", "type": "citizen", "doc": person, "base": {person: 1}})

    begin_anew(db, Older(db, act).entries)
    chapter.cursors, chapter.epoch = {}, None
    chapter.sync(mutations=sent)
    assert person not in chapter.docs
    with db.read() as conn:
        assert conn.execute(select(_QUARANTINE.c.state)).scalars().all() == ["applied"]


def test_staff_sign_in_anew_and_old_leases_are_dropped(db: Database, world: World) -> None:
    from server.domain import staff

    with db.write() as conn:
        staff.add(conn, world.commune, "Hoàng Thị Xã")
    begin_anew(db, [])
    with db.read() as conn:
        assert conn.execute(select(tables.Staff.__table__.c.token_version)).scalar_one() == 2
