"""Bytes are served through an entry in scope whose own author sent them, and only as clean copies."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from server.db.session import Database
from server.domain import clean, staff
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
CONTENT = jpeg(400, 300)
HASH = sha256(CONTENT)
URL = f"/api/v1/photos/{HASH}"


@pytest.fixture
def one(world: World, phone: Make) -> Phone:
    made = phone().pair(world.chapter_code())
    made.sync()
    return made


def entry(phone: Phone, world: World, citizen: str | None = None, **more: Any) -> str:
    dossier = world.dossier(citizen)
    phone.queue("create", "dossier", dossier, world.begin(citizen))
    ident = new_id()
    result = phone.do("create", "evidence", ident, photo(dossier) | {"sha256": HASH, "bytes": len(CONTENT)} | more)
    assert result == {}, result
    return ident


def cleaned(app: Flask, db: Database) -> None:
    while clean.clean_one(db, app.extensions["photos"]):
        pass


def test_each_size_is_a_clean_jpeg_that_stays_in_the_phones_cache(one: Phone, world: World, app: Flask, db: Database) -> None:
    entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    for size, longest in (("thumb", 240), ("screen", 400), ("full", 400)):
        answer = one.client.get(URL, query_string={"size": size})
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert max(Image.open(io.BytesIO(answer.data)).size) == longest
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        again = one.client.get(URL, query_string={"size": size}, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_without_a_cookie_there_is_no_photo(world: World, phone: Make) -> None:
    assert phone().client.get(URL).status_code == 401


def test_unknown_hashes_sizes_and_paths_are_404(one: Phone) -> None:
    assert one.client.get(f"/api/v1/photos/{'0' * 64}").status_code == 404
    assert one.client.get("/api/v1/photos/..%2f..%2fetc").status_code == 404
    assert one.client.get(URL, query_string={"size": "original"}).status_code == 404


def test_a_photo_still_being_cleaned_is_not_kept_as_missing(one: Phone, world: World) -> None:
    entry(one, world)
    send(one, CONTENT)
    answer = one.client.get(URL)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "photo.not_ready")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_photo_that_cannot_be_decoded_says_so(one: Phone, world: World, app: Flask, db: Database) -> None:
    broken = CONTENT[:60]
    entry(one, world, sha256=sha256(broken), bytes=len(broken))
    send(one, broken)
    cleaned(app, db)
    answer = one.client.get(f"/api/v1/photos/{sha256(broken)}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "photo.unreadable")


def test_a_photo_without_an_entry_is_nobodys(one: Phone, app: Flask, db: Database) -> None:
    send(one, CONTENT)
    cleaned(app, db)
    assert one.client.get(URL).status_code == 404


def test_naming_anothers_hash_opens_nothing(world: World, phone: Make, one: Phone, app: Flask, db: Database) -> None:
    entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    thief = phone().pair(world.chapter_code(world.keo, "Phan Văn Lạ"))
    thief.sync()
    assert thief.client.get(URL).status_code == 404
    entry(thief, world, world.lieu)
    assert thief.client.get(URL).status_code == 404
    forged = entry(thief, world, world.lieu, moved_from=new_id())
    assert forged in thief.docs
    assert thief.client.get(URL).status_code == 404


def test_the_person_shown_sees_what_the_chapter_took(world: World, phone: Make, one: Phone, app: Flask, db: Database) -> None:
    entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    assert phone().pair(world.citizen_code()).client.get(URL).status_code == 200


def test_staff_see_it_by_their_own_sign_in(world: World, one: Phone, app: Flask, db: Database) -> None:
    entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    with db.write() as conn:
        entry_by = staff.add(conn, world.commune, "Ma Thị Duyên", "viewer")
    row = staff.sign_in(db, *entry_by)
    assert row is not None
    client = app.test_client()
    client.set_cookie("mc_staff", app.extensions["tokens"].make("staff", {"c": world.commune, "p": row["person_id"], "v": 1}))
    assert client.get(URL).status_code == 200
    client.set_cookie("mc_staff", app.extensions["tokens"].make("staff", {"c": world.commune, "p": row["person_id"], "v": 0}))
    assert client.get(URL).status_code == 401


def test_a_moved_photo_stays_visible_through_its_new_entry(world: World, phone: Make, one: Phone, app: Flask, db: Database) -> None:
    old = entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    other = phone().pair(world.chapter_code(name="Lành Thị Mỷ"))
    other.sync()
    moved = new_id()
    carried = photo(world.dossier(), 6, sha256=HASH, bytes=len(CONTENT), moved_from=old)
    assert other.do("create", "evidence", moved, carried) == {}
    one.sync()
    assert one.do("delete", "evidence", old, base={old: one.rev(old)}) == {}
    assert old not in one.docs
    assert other.client.get(URL).status_code == 200


def test_a_move_from_an_entry_that_one_never_saw_opens_nothing(world: World, phone: Make, one: Phone, app: Flask, db: Database) -> None:
    old = entry(one, world)
    send(one, CONTENT)
    cleaned(app, db)
    thief = phone().pair(world.chapter_code(world.keo, "Phan Văn Lạ"))
    thief.sync()
    entry(thief, world, world.lieu, moved_from=old)
    assert thief.client.get(URL).status_code == 404
