"""Two who may be one person, at the office: seen side by side, merged, followed, parted, or told apart."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.domain.test_merging import Doubles, Make
from tests.web.conftest import sign_in
from tests.world import World


@pytest.fixture
def doubles(world: World, phone: Make) -> Doubles:
    return Doubles(world, phone)


def merge(office: FlaskClient, one: str, other: str, keep: str) -> Any:
    page = office.get(f"/doubles/{one}?with={other}").text
    revs = dict(re.findall(r'name="(rev_[0-9a-f-]+)" value="(\d+)"', page))
    return office.post(f"/doubles/{one}/merge", data={"with": other, "keep": keep, **revs})


def test_a_double_is_told_merged_and_parted(office: FlaskClient, doubles: Doubles) -> None:
    old, new = doubles.old, doubles.new
    doubles.begin(doubles.one, old, **{"note.7": "Con học lớp 5"})
    assert "<b>1</b><span><span aria-hidden=\"true\">☷" in office.get("/").text
    assert f"/doubles/{old}?with={new}" in office.get("/doubles").text
    assert "Có thể trùng" in office.get(f"/dossiers/{old}").text
    page = office.get(f"/doubles/{old}?with={new}").text
    assert "0912 345 678" in page and "năm 2026: Đang làm" in page
    assert merge(office, old, new, new).headers["Location"] == f"/dossiers/{new}?merged={old}"
    assert office.get(f"/dossiers/{old}").headers["Location"] == f"/dossiers/{new}"
    assert "Con học lớp 5" in office.get(f"/dossiers/{new}").text
    story = office.get(f"/dossiers/{new}/history").text
    assert "Gộp hai người" in story and "Tách lại" in story
    assert "Không có ai có thể trùng" in office.get("/doubles").text
    assert office.post(f"/doubles/{old}/parting").status_code == 302
    assert "Con học lớp 5" in office.get(f"/dossiers/{old}").text
    assert "Con học lớp 5" not in office.get(f"/dossiers/{new}").text
    assert office.post(f"/doubles/{old}/parting").status_code == 404


def test_two_people_are_told_apart(office: FlaskClient, doubles: Doubles) -> None:
    assert "Hai người khác nhau" in office.get(f"/doubles/{doubles.old}?with={doubles.new}").text
    assert office.post(f"/doubles/{doubles.old}/apart").status_code == 302
    assert "Không có ai có thể trùng" in office.get("/doubles").text


def test_who_was_not_flagged_is_found_by_name(world: World, office: FlaskClient, doubles: Doubles) -> None:
    assert f"?with={world.lieu}" in office.get(f"/doubles/{world.pao}?q=trieu").text
    assert merge(office, world.pao, world.lieu, world.pao).status_code == 302
    assert office.get(f"/dossiers/{world.lieu}").status_code == 302


def test_an_old_page_merges_nothing(world: World, office: FlaskClient, doubles: Doubles) -> None:
    form = {"with": doubles.new, "keep": doubles.new, f"rev_{doubles.old}": "1", f"rev_{doubles.new}": "99"}
    assert office.post(f"/doubles/{doubles.old}/merge", data=form).status_code == 409
    assert office.post(f"/doubles/{doubles.old}/merge", data={**form, "keep": "nobody"}).status_code == 400
    assert office.get(f"/doubles/{doubles.old}?with={doubles.old}").status_code == 404


def test_who_only_looks_merges_nobody(world: World, app: Flask, doubles: Doubles) -> None:
    viewer = sign_in(world, app.test_client(), "viewer")
    assert viewer.get("/doubles").status_code == 403
    for deed in ("merge", "apart", "parting"):
        assert viewer.post(f"/doubles/{doubles.old}/{deed}").status_code == 403
