"""The office's side of the story: sign in, look, judge, settle, download; and what the phone then shows."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from flask.testing import FlaskClient

from server.domain import staff
from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
SCORES = {f"chapter.{n}": 8 for n in range(1, 11)}


@pytest.fixture
def office(world: World, client: FlaskClient) -> FlaskClient:
    with world.db.write() as conn:
        login, password = staff.add(conn, world.commune, "Hoàng Thị Xã", "admin")
    answer = client.post("/sign-in", data={"login": login, "password": password})
    assert answer.status_code == 302
    return client


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.queue("create", "dossier", world.dossier(), {**world.begin(), "self.1": 7})
    one.queue("submit", "dossier", world.dossier(), expect="draft")
    one.queue("appraise", "dossier", world.dossier(), SCORES, expect="submitted")
    one.sync()
    return one


@pytest.fixture
def entry(world: World, phone: Make) -> str:
    one, ident = phone().pair(world.chapter_code(name="Vi Văn Hội")), new_id()
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.queue("create", "evidence", ident, photo(world.dossier(), caption="<script>alert(1)</script>"))
    one.sync()
    return ident


def test_nobody_looks_without_signing_in(world: World, client: FlaskClient) -> None:
    for path in ("/", "/people", f"/dossiers/{world.pao}", "/phones", "/places", "/result.xlsx"):
        answer = client.get(path)
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/sign-in")


def test_a_wrong_password_stays_outside(world: World, client: FlaskClient) -> None:
    assert client.post("/sign-in", data={"login": "xa", "password": "nothing"}).status_code == 401


def test_every_room_opens(world: World, office: FlaskClient, entry: str) -> None:
    paths = ["/", "/people", "/people?q=pao", f"/dossiers/{world.pao}", f"/dossiers/{world.pao}/photos/{entry}"]
    for path in [*paths, "/phones", "/places", "/people/new"]:
        answer = office.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert(1)" not in answer.text, path
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_verdict_given_on_the_web_reaches_the_phone(
    world: World, office: FlaskClient, entry: str, chapter: Phone
) -> None:
    path = f"/dossiers/{world.pao}/photos/{entry}/verdict"
    answer = office.post(path, data={"verdict": "retake", "reason": "Ảnh mờ", "rev": "1"})
    assert answer.status_code == 302
    chapter.sync()
    assert chapter.data(entry)["verdict"] == "retake"
    assert chapter.data(entry)["reason"] == "Ảnh mờ"


def test_a_stale_form_comes_back_and_writes_nothing(
    world: World, office: FlaskClient, entry: str, chapter: Phone
) -> None:
    path = f"/dossiers/{world.pao}/photos/{entry}/verdict"
    office.post(path, data={"verdict": "accepted", "rev": "1"})
    again = office.post(path, data={"verdict": "retake", "reason": "Mờ", "rev": "1"})
    assert again.status_code == 409
    chapter.sync()
    assert chapter.data(entry)["verdict"] == "accepted"


def test_the_rule_decides_and_the_result_is_one_xlsx(world: World, office: FlaskClient, chapter: Phone) -> None:
    chapter.sync()
    form = {f"final_{n}": "8" for n in range(1, 11)} | {"state": "appraised", "rev": str(chapter.rev(world.dossier()))}
    assert office.post(f"/dossiers/{world.pao}/settlement", data=form).status_code == 302
    chapter.sync()
    assert chapter.data(world.dossier())["state"] == "eligible"
    answer = office.get("/result.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "Nông Văn Páo" in cells
    assert 80 in cells


def test_a_foreign_site_cannot_post_for_staff(world: World, office: FlaskClient, entry: str) -> None:
    path = f"/dossiers/{world.pao}/photos/{entry}/verdict"
    answer = office.post(path, data={"verdict": "accepted", "rev": "1"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_the_office_corrects_a_person_and_the_phone_learns_it(world: World, office: FlaskClient, chapter: Phone) -> None:
    form = {"rev": chapter.rev(world.pao), "full_name": "Nông  Văn Páo", "birth_year": "1969", "group": "2", "gender": "male"}
    assert office.post(f"/dossiers/{world.pao}/person", data=form).status_code == 302
    chapter.sync()
    assert chapter.data(world.pao)["full_name"] == "Nông Văn Páo"
    assert chapter.data(world.pao)["birth_year"] == 1969


def test_a_correction_from_an_old_form_overwrites_nothing(world: World, office: FlaskClient, chapter: Phone) -> None:
    form = {"rev": chapter.rev(world.pao), "full_name": "Nông Văn Páo", "birth_year": "1969", "group": "2"}
    assert office.post(f"/dossiers/{world.pao}/person", data=form).status_code == 302
    answer = office.post(f"/dossiers/{world.pao}/person", data={**form, "birth_year": "1950"})
    assert answer.status_code == 409
    assert "1950" in answer.text and "1969" in answer.text


def test_the_office_confirms_who_registered_by_the_poster(world: World, office: FlaskClient, phone: Make) -> None:
    citizen = {"id": new_id(), "full_name": "Bàn Mùi Pham", "birth_year": 1990, "group": 1, "consent": "mẫu-1"}
    one = phone().pair(world.poster(), citizen)
    assert "chờ xác nhận" in office.get(f"/dossiers/{citizen['id']}").text
    assert office.post(f"/dossiers/{citizen['id']}/confirmation").status_code == 302
    one.sync()
    assert one.data(citizen["id"])["state"] == "confirmed"
