"""State changes with the state that the person saw, deletion, moving, waiting, amendments."""

from collections.abc import Callable
from typing import Any

import pytest

from server.db import tables
from server.db.session import Database
from sync.errors import Problem
from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
SCORES = {f"chapter.{n}": 8 for n in range(1, 11)}
FINALS = {f"final.{n}": 8 for n in range(1, 11)}


@pytest.fixture
def own(world: World, phone: Make) -> Phone:
    one = phone().pair(world.citizen_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


@pytest.fixture
def chapter(world: World, phone: Make, own: Phone) -> Phone:
    one = phone().pair(world.chapter_code())
    one.sync()
    return one


def quarantined(db: Database) -> list[dict[str, Any]]:
    with db.read() as conn:
        query = tables.Quarantine.__table__.select()
        return [dict(r) for r in conn.execute(query).mappings() if r["state"] == "open"]


def staff_does(world: World, op: str, patch: dict[str, Any] | None = None, **more: Any) -> None:
    made = {"op": op, "type": "dossier", "doc": world.dossier(), "base": 99, **more}
    world.as_staff(made | ({"set": patch} if patch is not None else {}))


def test_the_whole_way_of_a_dossier(world: World, own: Phone, chapter: Phone) -> None:
    def state() -> str:
        chapter.sync()
        return str(chapter.data(world.dossier())["state"])

    assert state() == "draft"
    own.do("submit", "dossier", world.dossier(), expect="draft")
    assert state() == "submitted"
    own.do("withdraw", "dossier", world.dossier(), expect="submitted")
    assert state() == "draft"
    own.do("submit", "dossier", world.dossier(), expect="draft")
    chapter.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted", base=0)
    assert state() == "appraised"
    chapter.do("reopen", "dossier", world.dossier(), {"reason": "Nhầm điểm"}, expect="appraised")
    assert state() == "submitted"
    chapter.do("appraise", "dossier", world.dossier(), expect="submitted")
    staff_does(world, "return", {"reason": "Thiếu ảnh"}, expect="appraised")
    assert state() == "returned"
    assert chapter.data(world.dossier())["reason"] == "Thiếu ảnh"
    own.do("submit", "dossier", world.dossier(), expect="returned")
    chapter.do("appraise", "dossier", world.dossier(), expect="submitted")
    staff_does(world, "settle", FINALS, expect="appraised")
    assert state() == "eligible"
    staff_does(world, "decide", expect="eligible")
    assert state() == "decided"


def test_a_double_tap_is_merged(world: World, own: Phone) -> None:
    own.queue("submit", "dossier", world.dossier(), expect="draft")
    second = own.queue("submit", "dossier", world.dossier(), expect="draft")
    assert Phone.result(own.sync(), second["seq"])["result"] == "merged"


def test_a_stale_state_is_told_with_todays_and_the_scores_are_kept(world: World, own: Phone, chapter: Phone) -> None:
    result = chapter.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted", base=0)
    assert (result["result"], result["code"], result["state"]) == ("rejected", "state.stale", "draft")
    assert chapter.data(world.dossier())["chapter.3"] == 8
    assert chapter.data(world.dossier())["state"] == "draft"


def test_a_held_field_keeps_the_state(world: World, own: Phone, chapter: Phone, phone: Make) -> None:
    other = phone().pair(world.chapter_code(name="Vi Văn Hội"))
    own.do("submit", "dossier", world.dossier(), expect="draft")
    other.do("update", "dossier", world.dossier(), {"chapter.1": 3}, base=1)
    result = chapter.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted", base=1)
    assert result["result"] == "held"
    assert chapter.data(world.dossier())["state"] == "submitted"
    assert chapter.data(world.dossier())["chapter.1"] == 3
    assert chapter.data(world.dossier())["chapter.2"] == 8


@pytest.mark.parametrize("op", ["return", "settle", "decide"])
def test_staffs_steps_are_not_the_chapters(world: World, own: Phone, chapter: Phone, op: str) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    patch = {"return": {"reason": "x"}, "settle": FINALS}.get(op)
    assert chapter.do(op, "dossier", world.dossier(), patch)["result"] == "rejected"


def test_a_citizen_does_not_appraise(world: World, own: Phone) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    assert own.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted")["result"] == "rejected"
    assert own.do("update", "dossier", world.dossier(), {"chapter.1": 10})["result"] == "rejected"
    assert own.do("update", "dossier", world.dossier(), {"final.1": 10})["result"] == "rejected"


def test_a_verdict_on_an_indicator(world: World, own: Phone) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    staff_does(world, "judge", {"verdict.7": "incomplete", "verdict_reason.7": "Chưa rõ"}, base=1)
    own.sync()
    assert own.data(world.dossier())["verdict.7"] == "incomplete"
    assert own.data(world.dossier())["verdict_reason.7"] == "Chưa rõ"


def test_words_after_sending_are_an_amendment(world: World, own: Phone, db: Database) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    assert own.do("update", "dossier", world.dossier(), {"note.7": "Thêm"})["result"] == "amendment"
    assert own.do("create", "evidence", new_id(), photo(world.dossier()))["result"] == "amendment"
    assert [q["reason"] for q in quarantined(db)] == ["amendment", "amendment"]


def test_a_retake_is_welcome_after_sending(world: World, own: Phone) -> None:
    first, retake = new_id(), new_id()
    own.do("create", "evidence", first, photo(world.dossier()))
    own.do("submit", "dossier", world.dossier(), expect="draft")
    world.as_staff({"op": "judge", "type": "evidence", "doc": first, "base": 1, "set": {"verdict": "retake"}})
    assert own.do("create", "evidence", retake, photo(world.dossier(), text="b", replaces=first)) == {}
    assert own.data(retake)["replaces"] == first
    assert own.data(first)["verdict"] == "retake"


def test_nothing_changes_what_was_decided(world: World, own: Phone, chapter: Phone) -> None:
    own.do("submit", "dossier", world.dossier(), expect="draft")
    chapter.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted", base=0)
    staff_does(world, "settle", FINALS, expect="appraised")
    staff_does(world, "decide", expect="eligible")
    chapter.sync()
    before = chapter.data(world.dossier())
    chapter.do("update", "dossier", world.dossier(), {"chapter.1": 1, "self.1": 1})
    chapter.do("appraise", "dossier", world.dossier(), {"chapter.1": 1}, expect="submitted")
    chapter.do("create", "evidence", new_id(), photo(world.dossier()))
    with pytest.raises(Problem):
        staff_does(world, "settle", {"final.1": 1}, expect="eligible")
    own.sync()
    chapter.sync()
    assert chapter.data(world.dossier()) == before


def test_author_and_the_person_shown_take_a_photo_away_while_it_is_theirs(
    world: World, own: Phone, chapter: Phone
) -> None:
    mine, theirs = new_id(), new_id()
    own.do("create", "evidence", mine, photo(world.dossier(), text="a"))
    chapter.do("create", "evidence", theirs, photo(world.dossier(), text="b"))
    own.sync()
    assert own.do("delete", "evidence", mine, base={mine: 1}) == {}
    assert own.do("delete", "evidence", theirs, base={theirs: 1}) == {}
    assert own.last["changes"][0].get("deleted") or theirs not in own.docs
    chapter.sync()
    assert chapter.of_type("evidence") == []


def test_what_is_newer_than_the_person_saw_holds_the_deletion(world: World, own: Phone, chapter: Phone) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    own.sync()
    chapter.do("update", "evidence", entry, {"caption": "Gọi video"})
    result = own.do("delete", "evidence", entry, base={entry: 1})
    assert list(result["conflicts"]) == ["delete"]
    assert entry in own.docs
    world.as_staff(
        {"op": "resolve", "type": "conflict", "doc": result["conflicts"]["delete"], "base": 1, "set": {"pick": "mine"}}
    )
    own.sync()
    assert entry not in own.docs


def test_an_edit_after_a_deletion_is_gone_and_kept(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    entry = new_id()
    chapter.do("create", "evidence", entry, photo(world.dossier()))
    own.sync()
    own.do("delete", "evidence", entry, base={entry: 1})
    result = chapter.do("update", "evidence", entry, {"caption": "Muộn"})
    assert result["result"] == "gone"
    answered = [c for c in chapter.last["changes"] if c["doc"] == entry]
    assert answered and (answered[0].get("deleted") or answered[0].get("left"))
    assert [q["payload"]["set"] for q in quarantined(db)] == [{"caption": "Muộn"}]
    assert chapter.do("create", "evidence", entry, photo(world.dossier()))["result"] == "gone"


def test_deleting_a_citizen_takes_all_below(world: World, own: Phone, chapter: Phone, db: Database) -> None:
    entry = new_id()
    own.do("create", "evidence", entry, photo(world.dossier()))
    chapter.sync()
    seen = {d: chapter.rev(d) for d in (world.pao, world.dossier(), entry)}
    world.as_staff({"op": "delete", "type": "citizen", "doc": world.pao, "base": seen})
    chapter.sync()
    assert not set(seen) & set(chapter.docs)
    assert own.do("create", "evidence", new_id(), photo(world.dossier(), text="c"))["result"] == "gone"


def test_a_child_that_arrives_before_its_parent_waits(world: World, chapter: Phone, phone: Make, db: Database) -> None:
    other = phone().pair(world.chapter_code(name="Vi Văn Hội"))
    citizen, entry = new_id(), new_id()
    dossier = world.dossier(citizen)
    assert other.do("create", "evidence", entry, photo(dossier))["result"] == "waiting"
    assert other.do("update", "evidence", entry, {"caption": "Chờ"})["result"] == "waiting"
    assert other.do("create", "dossier", dossier, world.begin(citizen))["result"] == "waiting"
    chapter.do("create", "citizen", citizen, {"place": world.na, "full_name": "Lộc Văn Dìn"})
    other.sync()
    assert other.data(entry)["caption"] == "Chờ"
    assert other.data(dossier)["state"] == "draft"
    assert quarantined(db) == []


def test_a_known_id_is_not_made_again(world: World, own: Phone, chapter: Phone) -> None:
    result = chapter.do("create", "citizen", world.pao, {"place": world.na, "full_name": "Ai Đó"})
    assert (result["result"], result["code"]) == ("rejected", "id.exists")
    assert chapter.data(world.pao)["full_name"] == "Nông Văn Páo"


def test_a_dossier_of_another_id_than_its_own(world: World, chapter: Phone) -> None:
    assert chapter.do("create", "dossier", new_id(), world.begin())["code"] == "doc.invalid"


def test_a_foreign_hamlets_people_are_out_of_scope(world: World, chapter: Phone, db: Database) -> None:
    result = chapter.do("update", "citizen", world.lieu, {"note": "x"})
    assert result["result"] == "out_of_scope"
    answered = [c for c in chapter.last["changes"] if c["doc"] == world.lieu]
    assert answered and answered[0]["left"] is True
    assert "data" not in answered[0]
    result = chapter.do("create", "citizen", new_id(), {"place": world.keo, "full_name": "Ai Đó"})
    assert result["result"] == "out_of_scope"
    assert len(quarantined(db)) == 2


def test_somebody_who_is_not_on_this_phone(world: World, own: Phone) -> None:
    result = own.do("update", "dossier", world.dossier(), {"self.1": 5}, by=new_id())
    assert result["result"] == "out_of_scope"


def test_a_move_to_where_they_are_takes_nobody_off_a_phone(world: World, chapter: Phone) -> None:
    chapter.sync()
    world.as_staff({"op": "move", "type": "citizen", "doc": world.pao, "base": 2**40, "set": {"place": world.na}})
    chapter.sync()
    assert world.pao in chapter.docs
    assert chapter.do("move", "citizen", world.pao, {"place": world.na})["result"] == "merged"


def test_a_chapters_move_is_a_proposal_that_staff_settle(world: World, own: Phone, chapter: Phone, phone: Make) -> None:
    keo = phone().pair(world.chapter_code(world.keo, "Mông Văn Kéo"))
    keo.sync()
    result = chapter.do("move", "citizen", world.pao, {"place": world.keo})
    assert list(result["conflicts"]) == ["place"]
    world.as_staff(
        {"op": "resolve", "type": "conflict", "doc": result["conflicts"]["place"], "base": 1, "set": {"pick": "mine"}}
    )
    left = chapter.sync()["changes"]
    assert {c["doc"] for c in left if c.get("left")} >= {world.pao, world.dossier()}
    assert world.pao not in chapter.docs
    keo.sync()
    assert keo.data(world.pao)["place"] == world.keo
    assert world.dossier() in keo.docs
    body = own.sync()
    assert body["resync"] == [f"citizen:{world.pao}"] or own.data(world.pao)["place"] == world.keo
    own.sync()
    assert own.data(world.pao)["place"] == world.keo


def test_confirming_a_newcomer(world: World, chapter: Phone, phone: Make) -> None:
    citizen = {"id": new_id(), "full_name": "Đặng Thị Mẩy", "birth_year": 1985, "group": 1, "consent": "2026-1"}
    phone().pair(world.poster(), citizen)
    chapter.sync()
    assert chapter.do("confirm", "citizen", citizen["id"], expect="unconfirmed") == {}
    assert chapter.data(citizen["id"])["state"] == "confirmed"
