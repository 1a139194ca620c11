"""History at the office, moving, deleting and bringing back: nothing goes unseen, and nothing for good."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.domain import clean, people
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.web.conftest import sign_in
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
CONTENT = jpeg()


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), {**world.begin(), "self.3": 5})
    return one


@pytest.fixture
def entry(world: World, app: Flask, chapter: Phone) -> str:
    ident = new_id()
    send(chapter, CONTENT)
    chapter.do("create", "evidence", ident, photo(world.dossier(), sha256=sha256(CONTENT), caption="Họp thôn"))
    while clean.clean_one(world.db, app.extensions["photos"]):
        pass
    return ident


def story(office: FlaskClient, who: str, query: str = "") -> str:
    answer = office.get(f"/dossiers/{who}/history{query}")
    assert answer.status_code == 200
    return answer.text


def test_every_write_is_told_from_what_to_what(world: World, office: FlaskClient, chapter: Phone, entry: str) -> None:
    chapter.do("update", "dossier", world.dossier(), {"self.3": 8})
    office.post(f"/dossiers/{world.pao}/photos/{entry}/verdict", data={"verdict": "retake", "reason": "Mờ", "rev": "1"})
    text = story(office, world.pao)
    assert "Chỉ số 3 – tự chấm: <del>5</del>" in text and "<b>8</b>" in text
    for said in ("Lý Thị Chi", "Redmi 9A", "giờ trên máy 24/11/2026 14:29", "Cần chụp lại", "trang của xã", "Hoàng Thị Xã", "Họp thôn"):
        assert said in text, said
    one = story(office, world.pao, f"?doc={entry}")
    assert "Cần chụp lại" in one and "tự chấm" not in one


def test_held_and_late_ones_are_told(world: World, office: FlaskClient, chapter: Phone, phone: Make) -> None:
    own = phone("Nokia").pair(world.citizen_code())
    own.sync()
    chapter.do("update", "citizen", world.pao, {"full_name": "Nông Văn Cáo"})
    own.do("update", "citizen", world.pao, {"full_name": "Nông Văn Báo"}, base=1)
    own.do("submit", "dossier", world.dossier(), expect="draft")
    own.do("update", "dossier", world.dossier(), {"note.7": "Muộn"})
    text = story(office, world.pao)
    for said in ("Có hai bản khác nhau", "Nông Văn Báo", "gửi đến sau khi hồ sơ đã nộp", "Gửi hồ sơ"):
        assert said in text, said


def test_a_long_story_has_pages(world: World, office: FlaskClient, chapter: Phone) -> None:
    for n in range(60):
        chapter.queue("update", "dossier", world.dossier(), {"note.1": f"bản {n}"}, base=2**40)
    chapter.sync()
    assert "bản 59" in story(office, world.pao) and "bản 3<" not in story(office, world.pao)
    assert "<b>bản 3</b>" in story(office, world.pao, "?page=2")


def test_a_person_moves_with_all_they_have(world: World, office: FlaskClient, chapter: Phone, entry: str, phone: Make) -> None:
    form = {"place": str(world.keo), "rev": str(chapter.rev(world.pao))}
    assert office.post(f"/dossiers/{world.pao}/place", data=form).status_code == 302
    keo = phone().pair(world.chapter_code(world.keo, "Mông Văn Kéo"))
    keo.sync()
    assert keo.data(world.pao)["place"] == world.keo and entry in keo.docs
    chapter.sync()
    assert world.pao not in chapter.docs
    assert "<del>Thôn Nà Pò</del>" in story(office, world.pao)
    assert office.post(f"/dossiers/{world.pao}/place", data={**form, "place": str(world.na)}).status_code == 409
    assert office.post(f"/dossiers/{world.pao}/place", data={"place": "999", "rev": "9"}).status_code in (400, 422)


def test_a_deleted_photo_comes_back(world: World, office: FlaskClient, chapter: Phone, entry: str) -> None:
    answer = office.post(f"/dossiers/{world.pao}/photos/{entry}/deletion", data={"rev": "1"})
    assert answer.headers["Location"] == f"/dossiers/{world.pao}?deleted={entry}"
    chapter.sync()
    assert entry not in chapter.docs
    assert "Ảnh đã bỏ" in story(office, world.pao)
    assert office.get(f"/deleted/{entry}/photo").status_code == 200
    assert office.post(f"/deleted/{entry}/return").status_code == 302
    chapter.sync()
    assert chapter.data(entry)["caption"] == "Họp thôn"
    assert office.get(f"/deleted/{entry}/photo").status_code == 404
    assert office.post(f"/deleted/{entry}/return").status_code == 404


def test_a_photo_that_changed_since_is_not_deleted(world: World, office: FlaskClient, chapter: Phone, entry: str) -> None:
    chapter.do("update", "evidence", entry, {"caption": "Mới"})
    answer = office.post(f"/dossiers/{world.pao}/photos/{entry}/deletion", data={"rev": "1"})
    assert answer.status_code == 409
    assert "Chưa xoá gì" in answer.text
    chapter.sync()
    assert entry in chapter.docs


def seen(office: FlaskClient, who: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', office.get(f"/dossiers/{who}/deletion").text)
    assert found
    return unescape(found[1])


def test_a_person_is_deleted_and_brought_back_with_all(world: World, office: FlaskClient, chapter: Phone, entry: str) -> None:
    early = new_id()
    chapter.do("create", "evidence", early, photo(world.dossier(), text="early"))
    office.post(f"/dossiers/{world.pao}/photos/{early}/deletion", data={"rev": "1"})
    assert office.post(f"/dossiers/{world.pao}/deletion", data={"seen": seen(office, world.pao)}).status_code == 302
    chapter.sync()
    assert not {world.pao, world.dossier(), entry} & set(chapter.docs)
    assert chapter.do("update", "citizen", world.pao, {"note": "Muộn"})["result"] == "gone"
    assert "Nông Văn Páo" in office.get("/deleted").text
    assert office.get(f"/dossiers/{world.pao}").status_code == 404
    assert "Nông Văn Páo" in story(office, world.pao)
    assert office.post(f"/deleted/{entry}/return").status_code in (409, 422)
    assert office.post(f"/deleted/{world.pao}/return").status_code == 302
    chapter.sync()
    assert {world.pao, world.dossier(), entry} <= set(chapter.docs)
    assert early not in chapter.docs
    assert chapter.data(world.dossier())["self.3"] == 5
    row = re.search(r'href="/quarantine/([0-9a-f-]{36})"', office.get("/quarantine").text)
    assert row
    assert office.post(f"/quarantine/{row[1]}/acceptance").status_code == 302
    chapter.sync()
    assert chapter.data(world.pao)["note"] == "Muộn"


def test_a_person_with_something_newer_is_not_deleted(world: World, office: FlaskClient, chapter: Phone) -> None:
    before = seen(office, world.pao)
    chapter.do("create", "evidence", new_id(), photo(world.dossier()))
    assert office.post(f"/dossiers/{world.pao}/deletion", data={"seen": before}).status_code == 409
    assert office.post(f"/dossiers/{world.pao}/deletion", data={"seen": "[1"}).status_code == 400
    chapter.sync()
    assert world.pao in chapter.docs


def test_a_disagreement_comes_back_with_its_document(world: World, office: FlaskClient, chapter: Phone, phone: Make) -> None:
    own = phone("Nokia").pair(world.citizen_code())
    own.sync()
    chapter.do("update", "citizen", world.pao, {"full_name": "Nông Văn Cáo"})
    held = own.do("update", "citizen", world.pao, {"full_name": "Nông Văn Báo"}, base=1)["conflicts"]["full_name"]
    office.post(f"/dossiers/{world.pao}/deletion", data={"seen": seen(office, world.pao)})
    office.post(f"/deleted/{world.pao}/return")
    chapter.sync()
    assert (chapter.data(held)["state"], chapter.data(held)["mine"]["value"]) == ("open", "Nông Văn Báo")


def test_who_only_looks_changes_nothing(world: World, app: Flask, chapter: Phone, entry: str) -> None:
    viewer = sign_in(world, app.test_client(), "viewer")
    assert viewer.get(f"/dossiers/{world.pao}/history").status_code == 200
    for path in (f"/dossiers/{world.pao}/place", f"/dossiers/{world.pao}/deletion", f"/dossiers/{world.pao}/photos/{entry}/deletion"):
        assert viewer.post(path, data={"place": world.keo}).status_code == 403
    assert viewer.post(f"/deleted/{entry}/return").status_code == 403
    assert viewer.get(f"/deleted/{entry}/photo").status_code == 403
    assert app.test_client().get(f"/dossiers/{world.pao}/history").status_code == 302


def test_who_is_not_of_this_commune_is_not_found(world: World, office: FlaskClient) -> None:
    with world.db.write() as conn:
        from server.domain import communes, places

        other = communes.add(conn, "Xã Khác", 2026, NOW)
        stranger = people.add_citizen(conn, other, "Ai Đó", places.add(conn, other, "Thôn Xa", NOW), NOW)
    for path in (f"/dossiers/{stranger}/history", f"/dossiers/{stranger}/deletion", f"/deleted/{stranger}/photo"):
        assert office.get(path).status_code == 404
    assert office.post(f"/deleted/{stranger}/return").status_code == 404
