"""What staff accept from quarantine or a deposit: by the ordinary rule, as its author's, once, and never lost."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from server.db import tables
from server.db.session import Database
from server.domain import accepting, devices, quarantine
from sync.errors import Problem
from tests.phones import Phone
from tests.pictures import jpeg, sha256
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
LATER = "2026-11-25T07:00:00.000Z"
_ROW = tables.Quarantine.__table__


@pytest.fixture
def own(world: World, phone: Make) -> Phone:
    """The citizen's own phone, its dossier begun."""
    made = phone("Nokia").pair(world.citizen_code())
    made.do("create", "dossier", world.dossier(), world.begin())
    return made


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    made = phone().pair(world.chapter_code())
    made.sync()
    return made


def rows(db: Database, **where: Any) -> list[dict[str, Any]]:
    with db.read() as conn:
        query = select(_ROW).order_by(_ROW.c.received_at, _ROW.c.seq)
        found = [dict(row) for row in conn.execute(query).mappings()]
    return [row for row in found if all(row[k] == v for k, v in where.items())]


def accept(world: World, ident: str, **to: Any) -> str:
    with world.db.write() as conn:
        if to:
            return accepting.move(conn, world.commune, world.staff, ident, LATER, year=2026, **to)
        return accepting.accept(conn, world.commune, world.staff, ident, LATER)


def refused(world: World, ident: str, **to: Any) -> str:
    with pytest.raises(Problem) as met:
        accept(world, ident, **to)
    return met.value.code


def deposit(phone: Phone, mutations: list[Any], photos: dict[str, bytes] | None = None) -> None:
    raw = json.dumps({"v": 1, "device": phone.id, "at": NOW, "mutations": mutations}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("outbox.json", raw)
        archive.writestr("signature", phone.key.sign(raw.decode()))
        for name, content in (photos or {}).items():
            archive.writestr(f"photos/{name}", content)
    assert phone.client.post("/api/v1/deposit", data=out.getvalue()).status_code == 201


def accept_file(world: World, phone: Phone) -> dict[str, int]:
    (one,) = {(r["device_id"], r["received_at"]) for r in rows(world.db, reason="deposit", state="open")}
    with world.db.write() as conn:
        return +accepting.accept_deposit(conn, world.commune, world.staff, one[0], one[1], LATER)


def test_an_amendment_is_written_as_its_authors(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("update", "dossier", world.dossier(), {"note.7": "Con học lớp 5"})
    (row,) = rows(db)
    assert accept(world, row["id"]) == "applied"
    own.sync()
    assert (own.data(world.dossier())["note.7"], own.data(world.dossier())["state"]) == ("Con học lớp 5", "submitted")
    with db.read() as conn:
        history = tables.History.__table__
        last = conn.execute(select(history).where(history.c.doc_id == world.dossier()).order_by(history.c.rev.desc())).mappings().first()
    assert last is not None
    assert (last["person_id"], last["device_id"], last["patch"]) == (own.person["id"], own.id, {"note.7": [None, "Con học lớp 5"]})
    (row,) = rows(db)
    assert (row["state"], row["settled_by"], row["settled_at"]) == ("applied", world.staff, LATER)
    assert refused(world, row["id"]) == "quarantine.settled"


def test_nothing_is_accepted_into_what_was_decided(world: World, own: Phone, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("update", "dossier", world.dossier(), {"note.7": "Muộn"})
    own.do("create", "evidence", new_id(), photo(world.dossier()))
    with db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="decided"))
    assert [refused(world, row["id"]) for row in rows(db)] == ["amendment", "amendment"]
    assert [row["state"] for row in rows(db)] == ["open", "open"]


def test_a_late_deletion_is_accepted_until_the_decision(world: World, own: Phone, db: Database) -> None:
    entry, second = new_id(), new_id()
    for ident in (entry, second):
        own.do("create", "evidence", ident, photo(world.dossier(), text=ident))
    own.do("submit", "dossier", world.dossier(), expect="draft")
    for ident in (entry, second):
        assert own.do("delete", "evidence", ident, base={ident: 1})["code"] == "state.stale"
    first, last = (row["id"] for row in rows(db))
    assert accept(world, first) == "applied"
    with db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="decided"))
    assert refused(world, last) == "state.stale"
    own.sync()
    assert entry not in own.docs and second in own.docs


def test_who_lost_the_right_may_still_be_heard(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    with db.write() as conn:
        devices.remove_person(conn, world.commune, chapter.id, chapter.person["id"], NOW)
    entry = new_id()
    assert chapter.do("create", "evidence", entry, photo(world.dossier()))["result"] == "out_of_scope"
    (row,) = rows(db)
    assert accept(world, row["id"]) == "applied"
    own.sync()
    assert own.data(entry)["author"] == chapter.person["id"]


def test_an_old_base_is_held_and_the_server_keeps_its_value(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    chapter.sync()
    with db.write() as conn:
        devices.remove_person(conn, world.commune, chapter.id, chapter.person["id"], NOW)
    chapter.do("update", "citizen", world.pao, {"full_name": "Nông Văn Báo"}, base=1)
    world.as_staff({"op": "update", "type": "citizen", "doc": world.pao, "base": 1, "set": {"full_name": "Nông Văn Cáo"}})
    (row,) = rows(db)
    assert accept(world, row["id"]) == "held"
    own.sync()
    assert own.data(world.pao)["full_name"] == "Nông Văn Cáo"
    (conflict,) = own.of_type("conflict")
    assert conflict["data"]["mine"]["value"] == "Nông Văn Báo"


def test_an_older_value_of_ones_own_goes_to_history_only(world: World, own: Phone, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("update", "dossier", world.dossier(), {"note.7": "Bản một", "note.8": "Chỉ một lần"})
    own.do("withdraw", "dossier", world.dossier(), expect="submitted")
    assert own.do("update", "dossier", world.dossier(), {"note.7": "Bản hai"}) == {}
    (row,) = rows(db)
    assert accept(world, row["id"]) == "applied"
    own.sync()
    data = own.data(world.dossier())
    assert (data["note.7"], data["note.8"]) == ("Bản hai", "Chỉ một lần")
    with db.read() as conn:
        patches = list(conn.execute(select(tables.History.patch).where(tables.History.doc_id == world.dossier())).scalars())  # type: ignore[call-overload, arg-type]
    assert {"superseded": [None, {"note.7": "Bản một"}]} in patches


def test_what_is_wrong_stays_with_its_reason(world: World, own: Phone, db: Database) -> None:
    own.do("update", "dossier", world.dossier(), {"self.1": 99})
    (row,) = rows(db)
    assert refused(world, row["id"]) == "value.invalid"
    assert rows(db)[0]["state"] == "open"


def test_somebody_elses_score_of_oneself_is_never_accepted(world: World, own: Phone, db: Database) -> None:
    own.do("update", "dossier", world.dossier(), {"chapter.1": 10})
    assert refused(world, rows(db)[0]["id"]) == "right.missing"


def test_a_file_is_applied_as_a_whole_in_the_phones_order(world: World, own: Phone, db: Database) -> None:
    content, entry = jpeg(), new_id()
    first = own.mutation("update", "dossier", world.dossier(), {"self.3": 5})
    second = own.mutation("update", "dossier", world.dossier(), {"self.3": 6}, after={"self.3": first["id"]})
    third = own.mutation("create", "evidence", entry, photo(world.dossier(), sha256=sha256(content)))
    bad = own.mutation("update", "dossier", world.dossier(), {"self.4": 99})
    deposit(own, [third, second, bad, first], {sha256(content): content})
    assert accept_file(world, own) == {"applied": 3, "kept": 1}
    assert [(r["reason"], r["payload"]["id"]) for r in rows(db, state="open")] == [("value.invalid", bad["id"])]
    own.next = first["seq"]
    own.sync()
    assert own.data(world.dossier())["self.3"] == 6
    assert own.of_type("conflict") == []
    assert entry in own.docs


def test_what_staff_applied_from_a_file_is_not_applied_again_by_sync(world: World, own: Phone, db: Database) -> None:
    first = own.queue("update", "dossier", world.dossier(), {"self.3": 5})
    second = own.queue("create", "evidence", new_id(), photo(world.dossier()))
    deposit(own, [first, second])
    accept_file(world, own)
    world.as_staff({"op": "update", "type": "dossier", "doc": world.dossier(), "base": 2**40, "set": {"self.3": 9}})
    results = own.sync()["results"]
    assert [r["result"] for r in results] == ["duplicate", "duplicate"]
    assert own.data(world.dossier())["self.3"] == 9
    assert rows(db, state="open") == []


def test_what_sync_brought_meanwhile_is_settled_without_a_second_write(world: World, own: Phone, db: Database) -> None:
    first = own.queue("update", "dossier", world.dossier(), {"self.3": 5})
    deposit(own, [first])
    own.sync()
    rev = own.rev(world.dossier())
    assert accept_file(world, own) == {"already": 1}
    own.sync()
    assert own.rev(world.dossier()) == rev


def test_a_photo_is_given_to_another_person_and_indicator(world: World, own: Phone, chapter: Phone, phone: Make, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("create", "evidence", new_id(), photo(world.dossier(), indicator=5))
    (row,) = rows(db)
    assert accept(world, row["id"], citizen=world.lieu, indicator=7) == "applied"
    keo = phone().pair(world.chapter_code(world.keo, "Mông Văn Kéo"))
    keo.sync()
    (entry,) = keo.of_type("evidence")
    assert (entry["data"]["dossier"], entry["data"]["indicator"]) == (world.dossier(world.lieu), 7)
    (row,) = rows(db)
    assert (row["state"], row["payload"]["set"]["dossier"]) == ("moved", world.dossier())


def test_a_declaration_is_given_to_another_person_without_overwriting_theirs(world: World, own: Phone, phone: Make, db: Database) -> None:
    keo = phone().pair(world.chapter_code(world.keo, "Mông Văn Kéo"))
    keo.do("create", "dossier", world.dossier(world.lieu), {**world.begin(world.lieu), "note.7": "Của Liều"})
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("update", "dossier", world.dossier(), {"note.7": "Của Páo", "note.8": "Thêm"})
    (row,) = rows(db)
    assert accept(world, row["id"], citizen=world.lieu) == "held"
    keo.sync()
    data = keo.data(world.dossier(world.lieu))
    assert (data["note.7"], data["note.8"]) == ("Của Liều", "Thêm")


def test_a_newcomer_is_registered_in_another_hamlet(world: World, chapter: Phone, phone: Make, db: Database) -> None:
    who = new_id()
    chapter.do("create", "citizen", who, {"place": world.keo, "full_name": "Lộc Văn Dìn"})
    (row,) = rows(db)
    assert accept(world, row["id"], place=world.na) == "applied"
    chapter.sync()
    assert chapter.data(who)["full_name"] == "Lộc Văn Dìn"


def test_what_cannot_be_given_to_another_stays(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="submitted")
    own.do("update", "dossier", world.dossier(), {"self.1": 99})
    assert refused(world, rows(db)[0]["id"], citizen=new_id()) == "citizen.unknown"
    assert refused(world, rows(db)[0]["id"], place=world.keo) == "move.impossible"


def test_set_aside_is_kept_and_taken_up_again(world: World, own: Phone, db: Database) -> None:
    own.do("update", "dossier", world.dossier(), {"self.1": 99})
    ident = rows(db)[0]["id"]
    with db.write() as conn:
        accepting.set_aside(conn, world.commune, world.staff, ident, LATER)
        assert quarantine.count(conn, world.commune) == 0
        accepting.take_up(conn, world.commune, ident)
        assert quarantine.count(conn, world.commune) == 1


def test_what_waited_under_an_accepted_one_follows_it(world: World, chapter: Phone, phone: Make, db: Database) -> None:
    """A person of a foreign hamlet is refused, their dossier waits; staff accept the person."""
    who = new_id()
    chapter.do("create", "citizen", who, {"place": world.keo, "full_name": "Lộc Văn Dìn"})
    keo = phone().pair(world.chapter_code(world.keo, "Mông Văn Kéo"))
    assert keo.do("create", "dossier", world.dossier(who), world.begin(who))["result"] == "waiting"
    refused_row = rows(db, reason="out_of_scope")[0]
    assert accept(world, refused_row["id"]) == "applied"
    keo.sync()
    assert world.dossier(who) in keo.docs
    assert rows(db, state="open") == []


def test_a_file_of_an_unknown_person_is_staffs_word(world: World, app: Flask, own: Phone, db: Database) -> None:
    stranger, content, entry = Phone(app.test_client()), jpeg(colour="red"), new_id()
    made = stranger.mutation("create", "evidence", entry, photo(world.dossier(), sha256=sha256(content)), by=new_id())
    with db.write() as conn:
        row = {"commune_id": world.commune, "id": new_id(), "mutation_id": made["id"], "person_id": made["by"], "reason": "deposit"}
        conn.execute(_ROW.insert().values(**row, payload=made, state="open", photos=[sha256(content)], received_at=NOW, seq=1))
    assert accept(world, rows(db)[0]["id"]) == "applied"
    own.sync()
    assert own.data(entry)["author"] == world.staff
