"""One person registered twice: merged without losing a word, late edits follow, and it can be taken back."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from server.db import tables
from server.db.session import Database
from server.domain import merging, people
from sync.errors import Problem
from sync.protocol import dossier_id
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]


class Doubles:
    """`old` and `new` are the same person, both of the first hamlet; each has a phone's work."""

    def __init__(self, world: World, phone: Make) -> None:
        self.world = world
        self.new = world.pao
        with world.db.write() as conn:
            self.old = people.add_citizen(conn, world.commune, "Nông Văn Páo", world.na, NOW, birth_year=1968, phone="0912 345 678")
        self.one = phone("Redmi 9A").pair(world.chapter_code())
        self.other = phone("Oppo A5").pair(world.chapter_code(name="Vi Văn Hội"))
        for each in (self.one, self.other):
            each.sync()

    def dossier(self, who: str) -> str:
        return self.world.dossier(who)

    def begin(self, each: Phone, who: str, **fields: Any) -> None:
        each.do("create", "dossier", self.dossier(who), {**self.world.begin(who), **fields})

    def merge(self, **revs: int) -> None:
        with self.world.db.write() as conn:
            seen = {who: self._rev(conn, who) for who in (self.old, self.new)}
            merging.merge(conn, self.world.commune, self.world.staff, self.old, self.new, {**seen, **revs}, NOW)
        self.sync()

    def unmerge(self) -> None:
        with self.world.db.write() as conn:
            merging.unmerge(conn, self.world.commune, self.world.staff, self.old, NOW)
        self.sync()

    def sync(self) -> None:
        for each in (self.one, self.other):
            each.sync()

    def _rev(self, conn: Any, who: str) -> int:
        table = tables.Citizen.__table__
        return int(conn.execute(table.select().where(table.c.id == who)).mappings().one()["rev"])


@pytest.fixture
def doubles(world: World, phone: Make) -> Doubles:
    return Doubles(world, phone)


def fields(each: Phone, doc: str) -> dict[str, Any]:
    return {n: v for n, v in each.data(doc).items() if n.split(".")[0] in ("self", "note", "chapter", "state")}


def test_what_is_empty_is_filled_and_what_differs_is_held(doubles: Doubles) -> None:
    entry = new_id()
    doubles.begin(doubles.one, doubles.old, **{"self.1": 5, "self.2": 6, "note.7": "Lớp 5"})
    doubles.one.do("create", "evidence", entry, photo(doubles.dossier(doubles.old)))
    doubles.begin(doubles.other, doubles.new, **{"self.1": 9, "self.3": 4})
    doubles.merge()
    one, stays = doubles.one, doubles.dossier(doubles.new)
    assert doubles.old not in one.docs and doubles.dossier(doubles.old) not in one.docs
    assert fields(one, stays) == {"self.1": 9, "self.2": 6, "self.3": 4, "note.7": "Lớp 5", "state": "draft"}
    assert one.data(entry)["dossier"] == stays
    assert one.data(doubles.new)["phone"] == "0912 345 678"
    (conflict,) = one.of_type("conflict")
    assert (conflict["data"]["field"], conflict["data"]["mine"]["value"], conflict["data"]["theirs"]["value"]) == ("self.1", 5, 9)
    assert conflict["data"]["mine"]["by"] == one.person["id"]


def test_a_person_without_a_dossier_gets_the_others(doubles: Doubles) -> None:
    doubles.begin(doubles.one, doubles.old, **{"self.1": 5})
    doubles.one.do("submit", "dossier", doubles.dossier(doubles.old), expect="draft")
    doubles.merge()
    assert fields(doubles.other, doubles.dossier(doubles.new)) == {"self.1": 5, "state": "submitted"}


def test_late_edits_on_the_old_id_follow_with_base_0(doubles: Doubles) -> None:
    one, old, new = doubles.one, doubles.old, doubles.new
    doubles.begin(one, old, **{"self.1": 5})
    doubles.begin(doubles.other, new, **{"self.2": 8})
    entry = new_id()
    one.queue("update", "citizen", old, {"note": "Bận mùa gặt"})
    one.queue("update", "dossier", doubles.dossier(old), {"self.2": 7, "self.4": 6})
    one.queue("create", "evidence", entry, photo(doubles.dossier(old)))
    one.queue("create", "comment", new_id(), {"on": doubles.dossier(old), "text": "Đã chụp"})
    waiting, one.outbox = one.outbox, []
    doubles.merge()
    one.outbox = waiting
    results = one.sync()["results"]
    assert [(r["result"], r["doc"]) for r in results[:2]] == [("redirected", new), ("held", doubles.dossier(new))]
    assert [r["result"] for r in results[2:]] == ["redirected", "redirected"]
    assert one.data(new)["note"] == "Bận mùa gặt"
    assert fields(one, doubles.dossier(new)) == {"self.1": 5, "self.2": 8, "self.4": 6, "state": "draft"}
    assert one.data(entry)["dossier"] == doubles.dossier(new)
    assert [c["data"]["field"] for c in one.of_type("conflict")] == ["self.2"]


def test_ones_own_on_the_old_id_are_ones_own_among_themselves_only(doubles: Doubles) -> None:
    one, old, new = doubles.one, doubles.old, doubles.new
    doubles.begin(one, new, **{"self.1": 9})
    shown = one.queue("create", "dossier", doubles.dossier(old), {**doubles.world.begin(old), "self.2": 5})
    one.sync()
    own = one.queue("update", "dossier", doubles.dossier(old), {"self.2": 6}, base=0, after={"self.2": shown["id"]})
    foreign = one.queue("update", "dossier", doubles.dossier(old), {"self.1": 3}, base=0, after={"self.1": own["id"]})
    waiting, one.outbox = one.outbox, []
    doubles.merge()
    one.outbox = waiting
    body = one.sync()
    assert Phone.result(body, own["seq"])["result"] == "redirected"
    assert Phone.result(body, foreign["seq"])["result"] == "held"
    assert fields(one, doubles.dossier(new)) == {"self.1": 9, "self.2": 6, "state": "draft"}


def test_a_dossier_begun_after_the_merge_follows_with_all_under_it(doubles: Doubles) -> None:
    doubles.merge()
    one, old_dossier, stays, entry = doubles.one, doubles.dossier(doubles.old), doubles.dossier(doubles.new), new_id()
    result = one.do("create", "dossier", old_dossier, {**doubles.world.begin(doubles.old), "self.1": 5})
    assert result == {"seq": result["seq"], "result": "redirected", "doc": stays}
    assert one.do("update", "dossier", old_dossier, {"self.2": 6}, base=0)["doc"] == stays
    assert one.do("create", "evidence", entry, photo(old_dossier))["result"] == "redirected"
    assert fields(one, stays) == {"self.1": 5, "self.2": 6, "state": "draft"}
    assert old_dossier not in one.docs


def test_a_replayed_edit_gets_the_same_answer_and_both_documents(doubles: Doubles) -> None:
    doubles.merge()
    sent = doubles.one.queue("update", "citizen", doubles.old, {"note": "x"})
    first = doubles.one.post(doubles.one.body()).get_json()
    again = doubles.one.post(doubles.one.body()).get_json()
    assert Phone.result(first, sent["seq"]) == Phone.result(again, sent["seq"])
    assert {doubles.old, doubles.new} <= {c["doc"] for c in again["changes"]}


def test_a_deletion_of_the_old_one_never_deletes_the_one_who_stays(doubles: Doubles) -> None:
    seen = {doubles.old: 1}
    doubles.merge()
    with pytest.raises(Problem) as met:
        doubles.world.as_staff({"op": "delete", "type": "citizen", "doc": doubles.old, "base": seen})
    assert met.value.code == "conflict"
    doubles.sync()
    assert doubles.new in doubles.one.docs


def test_the_old_ones_phone_shows_the_one_who_stays(doubles: Doubles, phone: Make) -> None:
    own = phone("Nokia").pair(doubles.world.citizen_code(doubles.old))
    doubles.begin(own, doubles.old, **{"note.7": "Của tôi"})
    doubles.merge()
    own.sync()
    assert own.last["scopes"] == [f"commune:{doubles.world.commune}", f"citizen:{doubles.new}"]
    assert own.data(doubles.dossier(doubles.new))["note.7"] == "Của tôi"
    assert own.do("update", "dossier", doubles.dossier(doubles.new), {"note.8": "Thêm"}) == {}


def test_over_two_hamlets_the_papers_leave_the_old_one(doubles: Doubles, phone: Make) -> None:
    doubles.old = doubles.world.lieu
    keo = phone().pair(doubles.world.chapter_code(doubles.world.keo, "Mông Văn Kéo"))
    keo.do("create", "dossier", doubles.dossier(doubles.old), {**doubles.world.begin(doubles.old), "self.1": 5})
    entry = new_id()
    keo.do("create", "evidence", entry, photo(doubles.dossier(doubles.old)))
    doubles.merge()
    keo.sync()
    assert not {doubles.old, doubles.dossier(doubles.old), entry} & set(keo.docs)
    assert entry in doubles.one.docs
    doubles.unmerge()
    keo.sync()
    assert {doubles.old, doubles.dossier(doubles.old), entry} <= set(keo.docs)
    assert entry not in doubles.one.docs


def test_who_parts_keeps_nothing_of_the_others_on_the_phone(doubles: Doubles, phone: Make) -> None:
    entry = new_id()
    doubles.begin(doubles.one, doubles.old)
    doubles.one.do("create", "evidence", entry, photo(doubles.dossier(doubles.old)))
    stays = phone("Nokia").pair(doubles.world.citizen_code(doubles.new))
    stays.sync()
    assert entry not in stays.docs
    doubles.merge()
    stays.sync()
    assert entry in stays.docs
    doubles.unmerge()
    stays.sync()
    assert entry not in stays.docs
    assert entry in doubles.one.docs


def test_taken_back_everything_stands_as_before_with_what_came_meanwhile(doubles: Doubles, db: Database) -> None:
    one, old, new, first, late = doubles.one, doubles.old, doubles.new, new_id(), new_id()
    doubles.begin(one, old, **{"self.1": 5, "self.2": 6})
    one.do("create", "evidence", first, photo(doubles.dossier(old)))
    doubles.begin(doubles.other, new, **{"self.1": 9})
    mine = new_id()
    doubles.other.do("create", "evidence", mine, photo(doubles.dossier(new), text="mine"))
    doubles.merge()
    one.do("create", "evidence", late, photo(doubles.dossier(old), text="late"))
    one.do("update", "dossier", doubles.dossier(old), {"self.5": 7}, base=0)
    doubles.other.do("update", "dossier", doubles.dossier(new), {"self.6": 8})
    doubles.unmerge()
    assert fields(one, doubles.dossier(old)) == {"self.1": 5, "self.2": 6, "self.5": 7, "state": "draft"}
    assert fields(one, doubles.dossier(new)) == {"self.1": 9, "self.6": 8, "state": "draft"}
    shown = {e["doc"]: e["data"]["dossier"] for e in one.of_type("evidence")}
    assert shown == {first: doubles.dossier(old), late: doubles.dossier(old), mine: doubles.dossier(new)}
    assert one.data(new).get("phone") is None and one.data(old)["phone"] == "0912 345 678"
    assert [c["data"]["state"] for c in one.of_type("conflict")] == ["closed"]
    assert one.do("update", "citizen", old, {"note": "y"}) == {}


def test_two_years_may_disagree_in_the_same_field(doubles: Doubles) -> None:
    for each, who, score in ((doubles.one, doubles.old, 5), (doubles.other, doubles.new, 9)):
        for year in (2025, 2026):
            each.do("create", "dossier", dossier_id(who, year), {"citizen": who, "year": year, "self.1": score})
    doubles.merge()
    held = [c["data"] for c in doubles.one.of_type("conflict")]
    assert {(c["doc"], c["mine"]["value"], c["theirs"]["value"]) for c in held} == {
        (dossier_id(doubles.new, year), 5, 9) for year in (2025, 2026)
    }
    doubles.unmerge()
    assert {c["data"]["state"] for c in doubles.one.of_type("conflict")} == {"closed"}


def test_a_dossier_that_only_the_merge_began_goes_again(doubles: Doubles) -> None:
    doubles.begin(doubles.one, doubles.old, **{"self.1": 5})
    doubles.merge()
    doubles.unmerge()
    assert doubles.dossier(doubles.new) not in doubles.one.docs
    assert fields(doubles.one, doubles.dossier(doubles.old)) == {"self.1": 5, "state": "draft"}
    doubles.merge()
    assert fields(doubles.one, doubles.dossier(doubles.new)) == {"self.1": 5, "state": "draft"}


@pytest.mark.parametrize("whose", ["old", "new"])
def test_what_was_decided_is_not_merged(doubles: Doubles, db: Database, whose: str) -> None:
    for each, who in ((doubles.one, doubles.old), (doubles.other, doubles.new)):
        doubles.begin(each, who, **{"self.1": 5})
    table = tables.Dossier.__table__
    with db.write() as conn:
        conn.execute(update(table).where(table.c.id == doubles.dossier(getattr(doubles, whose))).values(state="decided"))
    with pytest.raises(Problem) as met:
        doubles.merge()
    assert met.value.code == "merge.decided"
    doubles.sync()
    assert {doubles.old, doubles.new} <= set(doubles.one.docs)


def test_two_merges_in_a_row_lead_to_the_last(doubles: Doubles) -> None:
    first = doubles.old
    doubles.begin(doubles.one, first, **{"self.1": 5})
    doubles.merge()
    doubles.old, doubles.new = doubles.new, doubles.world.lieu
    with doubles.world.db.write() as conn:
        conn.execute(update(tables.Citizen.__table__).where(tables.Citizen.id == doubles.new).values(place_id=doubles.world.na))  # type: ignore[arg-type]
    doubles.merge()
    result = doubles.one.do("update", "dossier", doubles.dossier(first), {"self.2": 6}, base=0)
    assert (result["result"], result["doc"]) == ("redirected", doubles.dossier(doubles.new))
    assert fields(doubles.one, doubles.dossier(doubles.new)) == {"self.1": 5, "self.2": 6, "state": "draft"}
    doubles.unmerge()
    assert fields(doubles.one, doubles.dossier(doubles.old)) == {"self.1": 5, "self.2": 6, "state": "draft"}


def test_only_what_was_seen_is_merged(doubles: Doubles) -> None:
    with pytest.raises(Problem) as met:
        doubles.merge(**{doubles.old: 99})
    assert met.value.code == "conflict.moved"


def test_a_double_made_at_the_office_is_flagged_and_told_apart(doubles: Doubles) -> None:
    assert doubles.one.data(doubles.old)["possible_duplicate"] == doubles.new
    with doubles.world.db.write() as conn:
        merging.apart(conn, doubles.world.commune, doubles.world.staff, doubles.old, NOW)
    doubles.sync()
    assert "possible_duplicate" not in doubles.one.data(doubles.old)
