"""The quarantine room: everything a phone sent is read with its reason, and settled by staff alone."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from server.db import tables
from server.domain import clean
from tests.domain.test_accepting import deposit
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.web.conftest import sign_in
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def own(world: World, phone: Make) -> Phone:
    made = phone("Nokia").pair(world.citizen_code())
    made.queue("create", "dossier", world.dossier(), world.begin())
    made.do("submit", "dossier", world.dossier(), expect="draft")
    return made


def the_row(world: World) -> str:
    with world.db.read() as conn:
        return str(conn.execute(select(tables.Quarantine.id)).scalar_one())  # type: ignore[call-overload]


def test_what_was_sent_is_read_with_its_reason_and_accepted(world: World, office: FlaskClient, own: Phone) -> None:
    own.do("update", "dossier", world.dossier(), {"note.7": EVIL})
    assert "gửi đến sau khi hồ sơ đã nộp" in office.get("/quarantine").text
    assert "<b>1</b><span><span aria-hidden=\"true\">▤" in office.get("/").text
    page = office.get(f"/quarantine/{the_row(world)}").text
    for said in ("Nông Văn Páo", "Chỉ số 7 – kê khai", "Nokia", "24/11/2026 14:29", "&lt;img"):
        assert said in page, said
    assert EVIL not in page
    answer = office.post(f"/quarantine/{the_row(world)}/acceptance", follow_redirects=True)
    assert "Đã nhận" in answer.text
    own.sync()
    assert own.data(world.dossier())["note.7"] == EVIL
    assert "Hoàng Thị Xã" in office.get(f"/quarantine/{the_row(world)}").text


def test_its_photo_is_shown_only_as_a_clean_copy(world: World, app: Flask, office: FlaskClient, own: Phone) -> None:
    content = jpeg(300, 200)
    send(own, content)
    own.do("create", "evidence", new_id(), photo(world.dossier(), sha256=sha256(content)))
    address = f"/quarantine/{the_row(world)}/photo"
    assert office.get(address).status_code == 404
    while clean.clean_one(world.db, app.extensions["photos"]):
        pass
    answer = office.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.data != content
    assert app.test_client().get(address).status_code == 302


def test_a_late_deletion_shows_the_photo_and_says_what_accepting_does(world: World, app: Flask, office: FlaskClient, own: Phone) -> None:
    content, entry = jpeg(300, 200), new_id()
    send(own, content)
    world.as_staff({"op": "return", "type": "dossier", "doc": world.dossier(), "base": 2**40, "set": {"reason": "Thiếu"}})
    own.sync()
    own.do("create", "evidence", entry, photo(world.dossier(), sha256=sha256(content)))
    own.do("submit", "dossier", world.dossier(), expect="returned")
    assert own.do("delete", "evidence", entry, base={entry: 1})["result"] == "rejected"
    while clean.clean_one(world.db, app.extensions["photos"]):
        pass
    ident = the_row(world)
    assert "Nhận – xoá" in office.get(f"/quarantine/{ident}").text
    assert office.get(f"/quarantine/{ident}/photo").status_code == 200
    assert office.post(f"/quarantine/{ident}/acceptance").status_code == 302
    own.sync()
    assert entry not in own.docs


def test_a_hash_alone_opens_no_photo_of_others(world: World, app: Flask, office: FlaskClient, own: Phone, phone: Make) -> None:
    content = jpeg(colour="blue")
    other = phone().pair(world.chapter_code(world.keo))
    send(other, content)
    while clean.clean_one(world.db, app.extensions["photos"]):
        pass
    own.do("create", "evidence", new_id(), photo(world.dossier(), sha256=sha256(content)))
    assert office.get(f"/quarantine/{the_row(world)}/photo").status_code == 404
    assert "Ảnh chưa đến" in office.get(f"/quarantine/{the_row(world)}").text


def test_it_is_given_to_somebody_found_by_name(world: World, office: FlaskClient, own: Phone) -> None:
    own.do("create", "evidence", new_id(), photo(world.dossier()))
    page = office.get(f"/quarantine/{the_row(world)}?q=lieu").text
    assert f'value="{world.lieu}"' in page
    form = {"citizen": world.lieu, "indicator": "3"}
    assert office.post(f"/quarantine/{the_row(world)}/transfer", data=form).status_code == 302
    assert "Chưa có ảnh nào" not in office.get(f"/dossiers/{world.lieu}").text
    assert office.post(f"/quarantine/{the_row(world)}/transfer", data=form).status_code == 409


def test_set_aside_and_back(world: World, office: FlaskClient, own: Phone) -> None:
    own.do("update", "dossier", world.dossier(), {"self.3": 99})
    ident = the_row(world)
    assert office.post(f"/quarantine/{ident}/aside").status_code == 302
    assert ident not in office.get("/quarantine").text
    assert ident in office.get("/quarantine?state=set_aside").text
    assert office.post(f"/quarantine/{ident}/return").status_code == 302
    assert ident in office.get("/quarantine").text


def test_what_cannot_be_accepted_says_why_and_stays(world: World, office: FlaskClient, own: Phone) -> None:
    own.do("update", "dossier", world.dossier(), {"self.3": 99})
    answer = office.post(f"/quarantine/{the_row(world)}/acceptance")
    assert answer.status_code == 400
    assert "Giá trị không hợp lệ" in answer.text
    assert the_row(world) in office.get("/quarantine").text


def test_a_file_is_accepted_as_a_whole(world: World, office: FlaskClient, own: Phone) -> None:
    sent = [own.mutation("create", "evidence", new_id(), photo(world.dossier(), text=str(n))) for n in range(3)]
    deposit(own, [*sent, own.mutation("update", "dossier", world.dossier(), {"self.3": 99})])
    page = office.get("/quarantine").text
    assert "Nhận cả gói" in page and "4 nội dung" in page
    with world.db.read() as conn:
        row = conn.execute(select(tables.Quarantine.device_id, tables.Quarantine.received_at)).first()  # type: ignore[call-overload]
    answer = office.post("/quarantine/acceptances", data={"device": row[0], "received": row[1]}, follow_redirects=True)
    assert "Đã nhận 3 nội dung" in answer.text and "1 nội dung chưa ghi được" in answer.text
    assert "có giá trị không hợp lệ" in answer.text


def test_a_file_is_handed_in_at_the_office(world: World, office: FlaskClient) -> None:
    assert office.post("/quarantine/files", data={"file": (__import__("io").BytesIO(b"no zip"), "x.zip")}).status_code == 400
    assert office.post("/quarantine/files", data={}).status_code == 400


def test_strange_content_is_readable(world: World, office: FlaskClient, own: Phone) -> None:
    strange: list[Any] = [
        {"id": new_id(), "seq": 9, "set": "x", "text": "\ud800", "op": ["?"], "type": {"a": 1}, "at": 5},
        {"id": new_id(), "seq": 10, "set": {"self.3": {"deep": [1, None]}}, "type": "dossier", "doc": 7},
    ]
    deposit(own, strange)
    assert office.get("/quarantine").status_code == 200
    with world.db.read() as conn:
        ids = list(conn.execute(select(tables.Quarantine.id)).scalars())  # type: ignore[call-overload]
    for ident in ids:
        assert office.get(f"/quarantine/{ident}").status_code == 200
        assert office.post(f"/quarantine/{ident}/acceptance").status_code in (400, 422)


def test_only_who_may_sees_it(world: World, app: Flask, own: Phone) -> None:
    own.do("update", "dossier", world.dossier(), {"note.7": "x"})
    viewer = sign_in(world, app.test_client(), "viewer")
    ident = the_row(world)
    for path in ("/quarantine", f"/quarantine/{ident}", f"/quarantine/{ident}/photo"):
        assert viewer.get(path).status_code == 403
    for deed in ("acceptance", "transfer", "aside", "return"):
        assert viewer.post(f"/quarantine/{ident}/{deed}").status_code == 403
