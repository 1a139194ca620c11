"""The office's side of the story: sign in, look, judge, settle, download; and what the phone then shows."""

import io
from collections.abc import Callable

import openpyxl
import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from server.db import tables
from server.domain import people, review
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
SCORES = {f"chapter.{n}": 8 for n in range(1, 11)}


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


def test_a_verdict_through_another_persons_address_is_not_found_and_writes_nothing(
    world: World, office: FlaskClient, entry: str, chapter: Phone
) -> None:
    path = f"/dossiers/{world.lieu}/photos/{entry}/verdict"
    assert office.post(path, data={"verdict": "accepted", "rev": "1"}).status_code == 404
    chapter.sync()
    assert chapter.data(entry).get("verdict") is None


def test_who_has_no_dossier_cannot_be_returned_or_settled(world: World, office: FlaskClient) -> None:
    assert office.post(f"/dossiers/{world.lieu}/return", data={"reason": "Thiếu ảnh"}).status_code == 404
    form = {f"final_{n}": "8" for n in range(1, 11)}
    assert office.post(f"/dossiers/{world.lieu}/settlement", data=form).status_code == 404


def test_a_slip_in_the_year_of_birth_wipes_nothing_out(world: World, office: FlaskClient, chapter: Phone) -> None:
    form = {"rev": chapter.rev(world.pao), "full_name": "Nông Văn Páo", "birth_year": "196o", "group": "1"}
    assert office.post(f"/dossiers/{world.pao}/person", data=form).status_code in (400, 422)
    chapter.sync()
    assert chapter.data(world.pao)["birth_year"] == 1968


def test_the_sheet_of_codes_has_everyone_of_a_large_hamlet(world: World, office: FlaskClient) -> None:
    with world.db.write() as conn:
        for n in range(120):
            people.add_citizen(conn, world.commune, f"Nông Văn Dài {n}", world.keo, NOW, birth_year=1980)
    answer = office.post("/phones/codes", data={"role": "citizen", "place": str(world.keo)})
    assert answer.text.count('class="code"') == 121


def test_the_next_person_is_the_one_after_in_the_list(world: World, office: FlaskClient) -> None:
    with world.db.write() as conn:
        more = [people.add_citizen(conn, world.commune, f"Bế Thị {n}", world.na, NOW) for n in "ABC"]
    for who in more:
        begun = {"op": "create", "type": "dossier", "doc": world.dossier(who), "base": 0, "set": world.begin(who)}
        world.as_staff(begun)
    with world.db.write() as conn:
        conn.execute(update(tables.Dossier.__table__).values(state="appraised"))
        following = [review.neighbours(conn, world.commune, 2026, who) for who in more]
    assert following == [more[1], more[2], more[0]]


def test_numbers_too_large_for_a_database_count_as_not_given(office: FlaskClient) -> None:
    assert office.get(f"/people?page={10**30}&place={10**30}&group=x").status_code == 200


def test_signing_in_leads_back_to_the_whole_address(client: FlaskClient) -> None:
    answer = client.get("/people?q=pao&state=draft")
    assert answer.headers["Location"] == "/sign-in?to=/people%3Fq%3Dpao%26state%3Ddraft"


def test_a_page_without_scripts_can_give_a_reason(world: World, office: FlaskClient, entry: str, chapter: Phone) -> None:
    form = {"verdict": "retake", "reason": ["", "Ảnh mờ"], "rev": "1"}
    assert office.post(f"/dossiers/{world.pao}/photos/{entry}/verdict", data=form).status_code == 302
    chapter.sync()
    assert chapter.data(entry)["reason"] == "Ảnh mờ"
