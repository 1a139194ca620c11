"""Two versions of one field at the office: both are seen, one is chosen, the choice is taken back, nothing is lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.phones import Phone
from tests.web.conftest import sign_in
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def one(world: World, phone: Make) -> Phone:
    made = phone("Redmi 9A").pair(world.chapter_code())
    made.sync()
    return made


@pytest.fixture
def other(world: World, phone: Make) -> Phone:
    made = phone("Oppo A5").pair(world.chapter_code(name="Vi Văn Hội"))
    made.sync()
    return made


def disagree(world: World, one: Phone, other: Phone, field: str = "full_name", mine: Any = "Nông Văn Báo", theirs: Any = EVIL) -> str:
    """Both write the field from what they saw; the second is held. Returns the conflict's id."""
    one.do("update", "citizen", world.pao, {field: theirs})
    result = other.do("update", "citizen", world.pao, {field: mine})
    return str(result["conflicts"][field])


def rev_of(office: FlaskClient, ident: str) -> str:
    found = re.search(r'name="rev" value="(\d+)"', office.get(f"/conflicts/{ident}").text)
    assert found
    return found[1]


def choose(office: FlaskClient, ident: str, **form: str) -> Any:
    return office.post(f"/conflicts/{ident}/choice", data={"rev": rev_of(office, ident), **form})


def test_both_values_are_shown_with_who_when_and_which_phone(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other)
    assert "Họ và tên" in office.get("/conflicts").text
    assert "Họ và tên" in office.get(f"/dossiers/{world.pao}").text
    page = office.get(f"/conflicts/{ident}").text
    for said in ("Nông Văn Báo", "Lý Thị Chi", "Vi Văn Hội", "Redmi 9A", "Oppo A5", "24/11/2026 14:29", "mời chọn bản đúng"):
        assert said in page, said
    assert EVIL not in page
    assert "&lt;script&gt;" in page


def test_the_home_page_counts_them(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    assert "<b>0</b><span><span aria-hidden=\"true\">⇄" in office.get("/").text
    disagree(world, one, other)
    assert "<b>1</b><span><span aria-hidden=\"true\">⇄" in office.get("/").text


@pytest.mark.parametrize(("pick", "name"), [("mine", "Nông Văn Báo"), ("theirs", "Nông Văn Cáo")])
def test_the_chosen_one_reaches_the_phones(world: World, office: FlaskClient, one: Phone, other: Phone, pick: str, name: str) -> None:
    ident = disagree(world, one, other, theirs="Nông Văn Cáo")
    assert choose(office, ident, pick=pick).headers["Location"] == f"/conflicts?undo={ident}"
    one.sync()
    assert one.data(world.pao)["full_name"] == name
    assert one.data(ident)["state"] == "resolved"


def test_a_third_value_is_typed(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other, "birth_year", 1970, 1971)
    assert choose(office, ident, pick="other", value="1972").status_code == 302
    one.sync()
    assert one.data(world.pao)["birth_year"] == 1972


def test_a_third_value_that_is_none_comes_back_typed_in(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other, "birth_year", 1970, 1971)
    answer = choose(office, ident, pick="other", value="19x2")
    assert answer.status_code == 409
    assert 'value="19x2"' in answer.text
    one.sync()
    assert one.data(ident)["state"] == "open"


def test_a_choice_is_taken_back_with_the_earlier_value(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other, theirs="Nông Văn Cáo")
    choose(office, ident, pick="mine")
    assert office.post(f"/conflicts/{ident}/reopening").status_code == 302
    one.sync()
    assert one.data(world.pao)["full_name"] == "Nông Văn Cáo"
    assert (one.data(ident)["state"], one.data(ident)["mine"]["value"]) == ("open", "Nông Văn Báo")
    assert choose(office, ident, pick="mine").status_code == 302
    one.sync()
    assert one.data(world.pao)["full_name"] == "Nông Văn Báo"


def test_a_choice_that_others_built_on_is_not_taken_back(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other, theirs="Nông Văn Cáo")
    choose(office, ident, pick="mine")
    one.sync()
    assert one.do("update", "citizen", world.pao, {"full_name": "Nông Văn Mới"}) == {}
    assert office.post(f"/conflicts/{ident}/reopening").status_code == 409
    one.sync()
    assert one.data(world.pao)["full_name"] == "Nông Văn Mới"


def test_a_choice_from_an_old_page_writes_nothing_and_shows_todays(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other, theirs="Nông Văn Cáo")
    old = rev_of(office, ident)
    one.sync()
    one.do("update", "citizen", world.pao, {"full_name": "Nông Văn Mới"})
    answer = office.post(f"/conflicts/{ident}/choice", data={"rev": old, "pick": "mine"})
    assert answer.status_code == 409
    assert "Nông Văn Mới" in answer.text
    one.sync()
    assert one.data(world.pao)["full_name"] == "Nông Văn Mới"


def test_a_held_deletion_is_refused_or_granted_and_taken_back(world: World, office: FlaskClient, one: Phone, other: Phone) -> None:
    entry = new_id()
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.do("create", "evidence", entry, photo(world.dossier(), caption="Cũ"))
    own = Phone(office.application.test_client(), "Nokia").pair(world.citizen_code())
    own.sync()
    one.do("update", "evidence", entry, {"caption": "Mới"})
    result = own.do("delete", "evidence", entry, base={entry: 1})
    ident = result["conflicts"]["delete"]
    page = office.get(f"/conflicts/{ident}").text
    assert "Đồng ý xoá" in page and "Giữ lại, không xoá" in page and f"/photos/{entry}" in page
    choose(office, ident, pick="mine")
    one.sync()
    assert entry not in one.docs
    assert office.post(f"/conflicts/{ident}/reopening").status_code == 302
    one.sync()
    assert one.data(entry)["caption"] == "Mới"
    choose(office, ident, pick="theirs")
    one.sync()
    assert entry in one.docs
    assert one.data(ident)["state"] == "resolved"


def test_a_chapters_wish_to_move_somebody_is_granted_elsewhere_and_taken_back(world: World, office: FlaskClient, one: Phone) -> None:
    result = one.do("move", "citizen", world.pao, {"place": world.keo})
    ident = result["conflicts"]["place"]
    page = office.get(f"/conflicts/{ident}").text
    assert "Thôn Nà Pò" in page and "Thôn Kéo Lày" in page and "Đồng ý chuyển" in page
    assert choose(office, ident, pick="mine").status_code == 302
    one.sync()
    assert world.pao not in one.docs
    assert office.post(f"/conflicts/{ident}/reopening").status_code == 302
    one.sync()
    assert one.data(world.pao)["place"] == world.na


def test_who_only_looks_does_not_choose(world: World, app: Flask, office: FlaskClient, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other)
    viewer = sign_in(world, app.test_client(), "viewer")
    assert viewer.get(f"/conflicts/{ident}").status_code == 200
    assert viewer.post(f"/conflicts/{ident}/choice", data={"pick": "mine", "rev": "1"}).status_code == 403
    assert viewer.post(f"/conflicts/{ident}/reopening").status_code == 403


def test_who_only_looks_is_offered_no_door_that_is_shut(world: World, app: Flask, one: Phone, other: Phone) -> None:
    ident = disagree(world, one, other)
    viewer = sign_in(world, app.test_client(), "viewer")
    seen = {"/", "/people", f"/dossiers/{world.pao}", f"/dossiers/{world.pao}/history", "/conflicts", f"/conflicts/{ident}"}
    for path in sorted(seen):
        page = viewer.get(path)
        assert page.status_code == 200, path
        for address in set(re.findall(r'<a [^>]*href="(/[^"#]*)', page.text)):
            assert viewer.get(address.replace("&amp;", "&")).status_code != 403, (path, address)


def test_what_is_not_there_is_not_found(office: FlaskClient) -> None:
    assert office.get(f"/conflicts/{new_id()}").status_code == 404
    assert office.post(f"/conflicts/{new_id()}/choice", data={"pick": "mine"}).status_code == 404
    assert office.post(f"/conflicts/{new_id()}/reopening").status_code == 404
    assert office.get("/conflicts?page=x").status_code == 200


def test_a_stale_correction_comes_back_filled_in_with_both_values(world: World, office: FlaskClient, one: Phone) -> None:
    form = {"rev": one.rev(world.pao), "full_name": "Nông Văn Páo", "birth_year": "1950", "group": "2", "phone": "0912 000 111"}
    one.do("update", "citizen", world.pao, {"birth_year": 1969})
    answer = office.post(f"/dossiers/{world.pao}/person", data=form)
    assert answer.status_code == 409
    page = answer.text
    for said in ("Năm sinh", "1969", 'value="1950"', "0912 000 111", "Lý Thị Chi"):
        assert said in page, said
    assert "birth_year:" not in page
    rev = re.search(r'name="rev" value="(\d+)"', page)
    assert rev
    assert office.post(f"/dossiers/{world.pao}/person", data={**form, "rev": rev[1], "birth_year": "1970"}).status_code == 302
    one.sync()
    assert (one.data(world.pao)["birth_year"], one.data(world.pao)["phone"]) == (1970, "0912 000 111")


def test_a_stale_verdict_comes_back_with_its_reason(world: World, office: FlaskClient, one: Phone) -> None:
    entry = new_id()
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.do("create", "evidence", entry, photo(world.dossier()))
    path = f"/dossiers/{world.pao}/photos/{entry}/verdict"
    office.post(path, data={"verdict": "accepted", "rev": "1"})
    answer = office.post(path, data={"verdict": "retake", "reason": "Ảnh quá tối", "rev": "1"})
    assert answer.status_code == 409
    for said in ("Ảnh hợp lệ", "Cần chụp lại", "Ảnh quá tối"):
        assert said in answer.text, said


def test_a_stale_declaration_of_the_office_comes_back(world: World, office: FlaskClient, one: Phone) -> None:
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.do("update", "dossier", world.dossier(), {"note.5": "Của người khác"}, base=0)
    answer = office.post(f"/dossiers/{world.pao}/office", data={"indicator": "5", "note": "Của xã", "rev": "1"})
    assert answer.status_code == 409
    assert "Chỉ số 5 – kê khai" in answer.text
    assert "Của người khác" in answer.text and "Của xã" in answer.text
    assert 'name="indicator" value="5"' in answer.text


def test_a_return_of_a_dossier_that_moved_on_shows_what_was_typed(world: World, office: FlaskClient, one: Phone) -> None:
    one.do("create", "dossier", world.dossier(), world.begin())
    answer = office.post(f"/dossiers/{world.pao}/return", data={"reason": "Thiếu ảnh họp", "state": "submitted", "rev": "1"})
    assert answer.status_code == 409
    assert "Thiếu ảnh họp" in answer.text
    assert "Đang làm" in answer.text
