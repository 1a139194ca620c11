"""The phones' room: who is silent, what a phone still holds, what it lost, and sheets of codes that end nowhere silently."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from server.db import tables
from server.domain import people
from tests.domain.test_accepting import deposit
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
LONG_AGO = "2026-01-02T03:04:05.000Z"


def begun(world: World, phone: Make, name: str = "Redmi 9A") -> Phone:
    one = phone(name).pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


def says(one: Phone, mutations: int, photos: int = 0, **more: object) -> None:
    one.sync(waiting={"mutations": mutations, "photos": photos, **more})


def test_a_phone_tells_what_it_holds(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    says(one, 3, 5, oldest_at="2026-11-20T01:00:00.000Z", free_bytes=100 * 1024 * 1024, persisted=False)
    page = office.get("/phones").text
    for said in ("3 nội dung, 5 ảnh", "cũ nhất từ 20/11/2026 08:00", "100 MB – sắp đầy", "trình duyệt có thể tự xoá"):
        assert said in page, said
    assert "Hơn 7 ngày" not in page and "thiếu nội dung" not in page


def test_a_silent_phone_is_named(world: World, office: FlaskClient, phone: Make) -> None:
    begun(world, phone)
    with world.db.write() as conn:
        conn.execute(update(tables.Device.__table__).values(last_seen_at=LONG_AGO))
    assert "Hơn 7 ngày máy chưa liên lạc với xã" in office.get("/phones").text
    assert "<b>1</b><span><span aria-hidden=\"true\">⚠" in office.get("/").text


def test_photos_that_were_announced_and_never_came_are_told_by_name(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    content = jpeg()
    send(one, content)
    one.queue("create", "evidence", new_id(), photo(world.dossier(), sha256=sha256(content)))
    one.queue("create", "evidence", new_id(), photo(world.dossier(), indicator=7, text="never"))
    says(one, 2, 1)
    page = office.get("/phones").text
    assert "Lý Thị Chi – 1 ảnh" in page and "Nông Văn Páo – chỉ số 7" in page
    assert "thiếu nội dung" not in page


def test_a_phone_that_no_longer_holds_what_it_announced_gets_a_list_to_do_again(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    one.queue("create", "evidence", new_id(), photo(world.dossier(), indicator=7))
    says(one, 1, 1)
    says(one, 0, 0)
    page = office.get("/phones").text
    assert "Máy trở lại mà thiếu nội dung" in page and "Chụp lại:" in page and "Nông Văn Páo – chỉ số 7" in page


def test_edits_that_a_phone_lost_are_counted_until_somebody_asked(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    one.queue("update", "dossier", world.dossier(), {"self.1": 5})
    says(one, 4)
    says(one, 3)
    assert "thiếu nội dung" not in office.get("/phones").text
    says(one, 1)
    says(one, 1)
    assert "2 nội dung đã ghi trên máy mà chưa tới xã" in office.get("/phones").text
    assert office.post(f"/phones/{one.id}/inquiry").status_code == 302
    assert "thiếu nội dung" not in office.get("/phones").text


def test_what_came_by_deposit_is_not_lost(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    says(one, 2)
    deposit(one, [one.mutation("update", "dossier", world.dossier(), {"self.1": n}) for n in (5, 6)])
    says(one, 0)
    assert "thiếu nội dung" not in office.get("/phones").text


def test_a_new_phone_of_the_same_person_is_told_at_the_old_one(world: World, app: Flask, office: FlaskClient, phone: Make) -> None:
    old = begun(world, phone, "Nokia cũ")
    says(old, 2)
    with world.db.write() as conn:
        from server.domain import pairing

        code = pairing.code_for_person(conn, world.commune, old.person["id"])[0]
        conn.execute(update(tables.Device.__table__).values(last_seen_at=LONG_AGO))
    phone("Oppo mới").pair(code)
    page = office.get("/phones").text
    assert "dùng Oppo mới từ" in page and "máy cũ còn nội dung chưa gửi" in page


def test_one_person_is_taken_off_a_shared_phone(world: World, office: FlaskClient, phone: Make) -> None:
    one = begun(world, phone)
    first = one.person["id"]
    one.pair(world.citizen_code())
    assert office.post(f"/phones/{one.id}/people/{first}/removal").status_code == 302
    assert f"place:{world.na}" not in one.sync()["scopes"]


def test_a_hamlet_larger_than_a_sheet_is_split_and_says_so(world: World, office: FlaskClient) -> None:
    with world.db.write() as conn:
        for n in range(249):
            people.add_citizen(conn, world.commune, f"Nông Văn Dài {n:03}", world.keo, NOW, birth_year=1980)
    form = {"role": "citizen", "place": str(world.keo)}
    first = office.post("/phones/codes", data=form).text
    assert "Thôn này có 250 người, chia 2 tờ" in first and first.count('class="code"') == 200
    second = office.post("/phones/codes", data={**form, "sheet": "2"}).text
    assert "người thứ 201 đến 250" in second and second.count('class="code"') == 50
    names = [f"Nông Văn Dài {n:03}</b>" for n in range(249)]
    assert all((name in first) != (name in second) for name in names)
