"""Two people at one dossier: what is written, what is held, and who chooses."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]


@pytest.fixture
def pair(world: World, phone: Make) -> tuple[Phone, Phone]:
    """A citizen's own phone and the chapter's, both with the fresh dossier."""
    own, chapter = phone().pair(world.citizen_code()), phone().pair(world.chapter_code())
    own.do("create", "dossier", world.dossier(), world.begin())
    chapter.sync()
    return own, chapter


def conflict_of(phone: Phone) -> dict[str, Any]:
    found = [c for c in phone.of_type("conflict") if c["data"]["state"] == "open"]
    assert len(found) == 1
    return found[0]


def test_different_fields_never_meet(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    assert own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1) == {}
    assert chapter.do("update", "dossier", world.dossier(), {"self.2": 6}, base=1) == {}
    own.sync()
    assert (own.data(world.dossier())["self.1"], own.data(world.dossier())["self.2"]) == (5, 6)


def test_the_same_field_changed_meanwhile_is_held(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    result = own.do("update", "dossier", world.dossier(), {"self.1": 5, "self.2": 4}, base=1)
    assert result["result"] == "held"
    assert list(result["conflicts"]) == ["self.1"]
    assert own.data(world.dossier())["self.1"] == 9
    assert own.data(world.dossier())["self.2"] == 4
    kept = own.data(result["conflicts"]["self.1"])
    assert kept["mine"]["value"] == 5
    assert kept["theirs"]["value"] == 9
    assert kept["base"]["value"] is None
    assert kept["state"] == "open"
    assert kept["doc"] == world.dossier()
    assert kept["to"] == f"person:{own.person['id']}"
    chapter.sync()
    assert conflict_of(chapter)["doc"] == result["conflicts"]["self.1"]


def test_the_same_value_from_an_old_base_is_merged(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    assert own.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)["result"] == "merged"
    assert own.of_type("conflict") == []


def test_a_chain_of_own_edits_made_offline_never_conflicts(world: World, pair: tuple[Phone, Phone]) -> None:
    own, _ = pair
    first = own.queue("update", "dossier", world.dossier(), {"self.1": 3}, base=1)
    second = own.queue("update", "dossier", world.dossier(), {"self.1": 4}, base=1, after={"self.1": first["id"]})
    own.sync()
    own.queue("update", "dossier", world.dossier(), {"self.1": 5}, base=1, after={"self.1": second["id"]})
    assert own.sync()["results"] == []
    assert own.data(world.dossier())["self.1"] == 5


def test_two_people_on_one_phone_do_not_overwrite_each_other(world: World, phone: Make) -> None:
    shared = phone().pair(world.chapter_code())
    second = shared.try_pair(world.citizen_code()).get_json()["person"]
    shared.do("create", "dossier", world.dossier(), world.begin())
    shared.queue("update", "dossier", world.dossier(), {"self.1": 3}, base=1)
    held = shared.queue("update", "dossier", world.dossier(), {"self.1": 7}, base=1, by=second["id"])
    assert Phone.result(shared.sync(), held["seq"])["result"] == "held"


def test_two_phones_that_begin_one_dossier_offline_fill_it_together(world: World, phone: Make) -> None:
    one, two = phone().pair(world.chapter_code()), phone().pair(world.chapter_code(name="Vi Văn Hội"))
    one.do("create", "dossier", world.dossier(), {**world.begin(), "self.1": 5})
    result = two.do("create", "dossier", world.dossier(), {**world.begin(), "self.1": 8, "self.2": 6})
    assert result["result"] == "held"
    assert list(result["conflicts"]) == ["self.1"]
    assert two.data(world.dossier())["self.1"] == 5
    assert two.data(world.dossier())["self.2"] == 6


def test_a_phone_number_goes_to_the_later_arrival(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "citizen", world.pao, {"phone": "0901"}, base=1)
    result = own.do("update", "citizen", world.pao, {"phone": "0902"}, base=1)
    assert result.get("result") in (None, "merged")
    assert own.data(world.pao)["phone"] == "0902"


def test_consent_only_grows(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "citizen", world.pao, {"consent": [{"version": "1", "how": "paper"}]}, base=1)
    own.do("update", "citizen", world.pao, {"consent": [{"version": "2", "how": "phone"}]}, base=1)
    assert [c["version"] for c in own.data(world.pao)["consent"]] == ["1", "2"]


def test_a_newer_edit_of_the_same_person_replaces_mine(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    first = own.queue("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    own.sync()
    own.do("update", "dossier", world.dossier(), {"self.1": 6}, base=1, after={"self.1": first["id"]})
    assert conflict_of(own)["data"]["mine"]["value"] == 6


def test_a_later_write_moves_the_conflict_on(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    before = conflict_of(own)
    chapter.do("update", "dossier", world.dossier(), {"self.1": 8})
    own.sync()
    after = conflict_of(own)
    assert after["data"]["theirs"]["value"] == 8
    assert after["rev"] > before["rev"]
    result = own.do("resolve", "conflict", before["doc"], {"pick": "mine"}, base=before["rev"])
    assert result["result"] == "rejected"
    assert result["rev"] == after["rev"]


@pytest.mark.parametrize(("choice", "value"), [({"pick": "mine"}, 5), ({"pick": "theirs"}, 9), ({"value": 7}, 7)])
def test_the_choice_is_written_and_seen_by_all(
    world: World, pair: tuple[Phone, Phone], choice: dict[str, Any], value: int
) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    open_one = conflict_of(own)
    assert own.do("resolve", "conflict", open_one["doc"], choice) == {}
    chapter.sync()
    assert chapter.data(world.dossier())["self.1"] == value
    assert chapter.data(open_one["doc"])["state"] == "resolved"
    again = own.do("resolve", "conflict", open_one["doc"], choice)
    assert again.get("result") in ("merged", "rejected")


def test_both_values_say_who_when_and_from_which_phone(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1, at="2026-11-20T01:00:00.000Z")
    chapter.do("update", "dossier", world.dossier(), {"self.2": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    said = conflict_of(own)["data"]
    assert (said["theirs"]["by_name"], said["theirs"]["device_name"]) == (chapter.person["name"], chapter.name)
    assert said["theirs"]["device_at"] == "2026-11-20T01:00:00.000Z"  # that field's write, not the document's last
    assert (said["mine"]["by_name"], said["mine"]["device_name"]) == (own.person["name"], own.name)


def test_a_choice_comes_back_with_what_it_wrote_before_all_pages_are_read(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    for n in range(2, 8):
        chapter.do("update", "dossier", world.dossier(), {f"note.{n}": "kê khai " * 200})
    chapter.do("update", "citizen", world.pao, {"note": "ghi chú " * 400})
    own.queue("resolve", "conflict", conflict_of(own)["doc"], {"pick": "mine"})
    own.sync(everything=False, limit=500)
    assert own.data(world.dossier())["self.1"] == 5


def test_a_value_that_the_field_cannot_take_is_no_choice(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    for bad in ({"value": 11}, {"value": "nine"}, {"pick": "neither"}, {}):
        result = own.do("resolve", "conflict", conflict_of(own)["doc"], bad)
        assert result["result"] == "rejected", bad
    assert own.data(world.dossier())["self.1"] == 9


def test_only_who_is_named_and_staff_choose(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    chapter.sync()
    open_one = conflict_of(chapter)
    assert chapter.do("resolve", "conflict", open_one["doc"], {"pick": "theirs"})["result"] == "rejected"
    world.as_staff(
        {"op": "resolve", "type": "conflict", "doc": open_one["doc"], "base": open_one["rev"], "set": {"pick": "mine"}}
    )
    chapter.sync()
    assert chapter.data(world.dossier())["self.1"] == 5


def test_submit_waits_for_an_open_choice(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    chapter.do("update", "dossier", world.dossier(), {"self.1": 9}, base=1)
    own.do("update", "dossier", world.dossier(), {"self.1": 5}, base=1)
    result = own.do("submit", "dossier", world.dossier(), expect="draft")
    assert (result["result"], result["code"], result["state"]) == ("rejected", "conflict.open", "draft")
    own.do("resolve", "conflict", conflict_of(own)["doc"], {"pick": "mine"})
    assert own.do("submit", "dossier", world.dossier(), expect="draft") == {}


def test_a_chapter_conflict_is_none_of_the_citizens_business(world: World, phone: Make) -> None:
    own = phone().pair(world.citizen_code())
    one, two = phone().pair(world.chapter_code()), phone().pair(world.chapter_code(name="Vi Văn Hội"))
    one.do("create", "dossier", world.dossier(), world.begin())
    one.do("update", "dossier", world.dossier(), {"chapter.1": 5}, base=1)
    result = two.do("update", "dossier", world.dossier(), {"chapter.1": 8}, base=1)
    assert two.data(result["conflicts"]["chapter.1"])["to"] == "role:chapter"
    own.sync()
    assert own.of_type("conflict") == []
    assert "chapter.1" not in own.data(world.dossier())
    assert one.do("resolve", "conflict", result["conflicts"]["chapter.1"], {"pick": "mine"}, base=1) == {}


def test_staff_forms_that_are_stale_come_back_with_both_values(world: World, pair: tuple[Phone, Phone]) -> None:
    from sync.errors import Problem

    own, _ = pair
    own.do("update", "citizen", world.pao, {"full_name": "Nông Văn Báo"})
    with pytest.raises(Problem) as met:
        world.as_staff(
            {"op": "update", "type": "citizen", "doc": world.pao, "base": 1, "set": {"full_name": "Nông Văn Pảo"}}
        )
    assert met.value.code == "conflict"
    assert met.value.details["fields"]["full_name"]["theirs"]["value"] == "Nông Văn Báo"
    assert met.value.details["fields"]["full_name"]["mine"]["value"] == "Nông Văn Pảo"
    own.sync()
    assert own.of_type("conflict") == []
    assert own.data(world.pao)["full_name"] == "Nông Văn Báo"


def test_captions_belong_to_their_author(world: World, pair: tuple[Phone, Phone]) -> None:
    own, chapter = pair
    evidence = new_id()
    own.do("create", "evidence", evidence, photo(world.dossier()))
    assert own.do("update", "evidence", evidence, {"caption": "Gọi video"}) == {}
    chapter.sync()
    assert chapter.do("update", "evidence", evidence, {"caption": "x"})["result"] == "rejected"
