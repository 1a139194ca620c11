"""The thin thread: pair by a code, collect, submit, appraise, and all of it on a second phone."""

from collections.abc import Callable

from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]


def test_what_one_phone_collects_another_phone_of_the_hamlet_sees(world: World, phone: Make) -> None:
    chapter = phone().pair(world.chapter_code())
    dossier, evidence = world.dossier(), new_id()
    chapter.sync()
    assert chapter.data(world.pao)["full_name"] == "Nông Văn Páo"
    chapter.queue("create", "dossier", dossier, world.begin())
    chapter.queue("update", "dossier", dossier, {"self.5": 8}, base=0)
    chapter.queue("create", "evidence", evidence, photo(dossier, caption="Trả tiền điện qua điện thoại"))
    chapter.queue("submit", "dossier", dossier, expect="draft")
    body = chapter.sync()
    assert body["ack"] == 4
    assert body["results"] == []

    second = phone().pair(world.chapter_code(name="Vi Văn Hội"))
    second.sync()
    assert second.data(dossier)["state"] == "submitted"
    assert second.data(dossier)["self.5"] == 8
    assert second.data(evidence)["caption"] == "Trả tiền điện qua điện thoại"

    scores = {f"chapter.{n}": 8 for n in range(1, 11)} | {"chapter_note": "Chăm chỉ"}
    assert second.do("appraise", "dossier", dossier, scores, expect="submitted") == {}
    chapter.sync()
    assert chapter.data(dossier)["state"] == "appraised"
    assert chapter.data(dossier)["chapter.10"] == 8


def test_staff_review_and_the_verdict_comes_back(world: World, phone: Make) -> None:
    chapter = phone().pair(world.chapter_code())
    dossier, evidence, again = world.dossier(), new_id(), new_id()
    chapter.queue("create", "dossier", dossier, world.begin())
    chapter.queue("create", "evidence", evidence, photo(dossier))
    chapter.queue("submit", "dossier", dossier, expect="draft")
    chapter.sync()
    world.as_staff(
        {
            "op": "judge",
            "type": "evidence",
            "doc": evidence,
            "base": 1,
            "set": {"verdict": "retake", "reason": "Ảnh mờ"},
        }
    )
    chapter.sync()
    assert chapter.data(evidence)["verdict"] == "retake"
    assert chapter.data(evidence)["reason"] == "Ảnh mờ"
    assert chapter.do("create", "evidence", again, photo(dossier, text="sharper", replaces=evidence)) == {}


def test_settling_follows_the_years_rule(world: World, phone: Make) -> None:
    chapter = phone().pair(world.chapter_code())
    dossier = world.dossier()
    chapter.queue("create", "dossier", dossier, world.begin())
    chapter.queue("submit", "dossier", dossier, expect="draft")
    chapter.queue("appraise", "dossier", dossier, {f"chapter.{n}": 9 for n in range(1, 11)}, expect="submitted")
    chapter.sync()
    finals = {f"final.{n}": 8 for n in range(1, 11)} | {"final.3": 4}
    settle = {"op": "settle", "type": "dossier", "doc": dossier, "base": 0, "expect": "appraised"}
    world.as_staff({**settle, "set": finals})
    chapter.sync()
    assert chapter.data(dossier)["state"] == "not_eligible"
    finals = {f"final.{n}": 8 for n in range(1, 11)}
    world.as_staff({**settle, "set": finals, "expect": "not_eligible", "base": chapter.rev(dossier)})
    chapter.sync()
    assert chapter.data(dossier)["state"] == "eligible"


def test_the_programme_and_its_indicators_reach_every_phone(world: World, phone: Make) -> None:
    one = phone().pair(world.citizen_code())
    one.sync()
    assert len(one.of_type("programme")) == 1
    assert len(one.of_type("indicator")) == 10
    assert {p["data"]["name"] for p in one.of_type("place")} == {"Thôn Nà Pò", "Thôn Kéo Lày"}
    assert set(one.last["scopes"]) == {f"commune:{world.commune}", f"citizen:{world.pao}"}
