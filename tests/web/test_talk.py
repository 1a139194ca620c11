"""Comments go both ways: what the office says reaches phones, what phones say stands under the dossier or the photo."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    return phone().pair(world.chapter_code())


def test_the_office_writes_and_the_phone_reads_who_said_it(world: World, office: FlaskClient, chapter: Phone) -> None:
    answer = office.post(f"/dossiers/{world.pao}/comments", data={"text": "Bác chụp thêm ảnh buổi họp nhé."})
    assert answer.status_code == 302
    chapter.sync()
    [said] = chapter.of_type("comment")
    assert (said["data"]["on"], said["data"]["text"]) == (world.dossier(), "Bác chụp thêm ảnh buổi họp nhé.")
    assert said["data"]["author_name"]
    assert chapter.data(world.dossier())["year"] == 2026  # it was begun for the word to hang on


def test_what_a_phone_says_of_a_photo_stands_under_it_as_text(world: World, office: FlaskClient, chapter: Phone) -> None:
    entry = new_id()
    chapter.queue("create", "dossier", world.dossier(), world.begin())
    chapter.queue("create", "evidence", entry, photo(world.dossier()))
    chapter.queue("create", "comment", new_id(), {"on": entry, "text": f"Ảnh họp tháng 3 {NASTY}"})
    chapter.sync()
    page = office.get(f"/dossiers/{world.pao}/photos/{entry}").text
    assert "Ảnh họp tháng 3 &lt;script&gt;" in page
    assert NASTY not in page
    assert chapter.person["name"] in page
    assert "Ảnh họp tháng 3" not in office.get(f"/dossiers/{world.pao}").text
    office.post(f"/dossiers/{world.pao}/comments", data={"on": entry, "text": "Rõ rồi, cảm ơn."})
    chapter.sync()
    assert [c["data"]["text"] for c in chapter.of_type("comment") if c["data"]["on"] == entry][-1] == "Rõ rồi, cảm ơn."


@pytest.mark.parametrize("data", [{"text": "  "}, {"text": "a" * 4001}, {"text": "lạc", "on": "0c0b5a0e-0000-4000-8000-000000000001"}])
def test_an_empty_word_or_one_about_nothing_is_refused(world: World, office: FlaskClient, chapter: Phone, data: dict[str, str]) -> None:
    assert office.post(f"/dossiers/{world.pao}/comments", data=data).status_code in (400, 404)
    chapter.sync()
    assert chapter.of_type("comment") == []


def test_a_citizen_reads_comments_on_the_own_dossier_only(world: World, office: FlaskClient, phone: Make) -> None:
    own = phone().pair(world.citizen_code())
    for citizen, text in ((world.pao, "cho Páo"), (world.lieu, "cho Liều")):
        office.post(f"/dossiers/{citizen}/comments", data={"text": text})
    own.sync()
    assert [c["data"]["text"] for c in own.of_type("comment")] == ["cho Páo"]
