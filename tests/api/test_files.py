"""Uploads go on from where they stood, damage is found, and a receipt is given for whole bytes only."""

import base64
import hashlib
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from tusclient.client import TusClient
from werkzeug.serving import make_server

from server.db import tables
from server.db.session import Database
from server.domain import devices, uploads
from server.storage.disk import DiskStore
from tests.phones import Phone
from tests.pictures import FILES, OCTETS, TUS, create, head, jpeg, metadata, noisy, patch, send, sha256
from tests.world import NOW, World

Make = Callable[..., Phone]
_UPLOAD = tables.Upload.__table__


@pytest.fixture
def one(world: World, phone: Make) -> Phone:
    return phone().pair(world.chapter_code())


def stored(phone: Phone, content: bytes, by: str | None = None) -> list[dict[str, Any]]:
    asked = {"sha256": sha256(content), "by": by or phone.person["id"]}
    photos: list[dict[str, Any]] = phone.sync(photos=[asked])["photos"]
    return photos


def test_options_tell_what_the_server_can(one: Phone) -> None:
    answer = one.client.options(FILES)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Extension"].split(",") == [
        "creation", "creation-with-upload", "checksum", "expiration", "termination",
    ]  # fmt: skip
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(answer.headers["Tus-Max-Size"]) > 1_000_000


def test_another_version_of_tus_is_told_ours(one: Phone) -> None:
    for headers in ({}, {"Tus-Resumable": "0.2.2"}):
        answer = one.client.post(FILES, headers=headers)
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == "1.0.0"


def test_without_a_paired_phone_nothing_is_taken(world: World, phone: Make) -> None:
    answer = create(phone(), jpeg())
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "auth.required"


def test_a_photo_goes_up_in_chunks_and_its_receipt_stays(one: Phone) -> None:
    content = noisy(100_000)
    made = create(one, content, one.person["id"])
    assert (made.status_code, made.headers["Upload-Offset"]) == (201, "0")
    assert "GMT" in made.headers["Upload-Expires"]
    url = made.headers["Location"]
    first = patch(one, url, 0, content[:40_000])
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "40000")
    assert "Upload-Receipt" not in first.headers
    stands = head(one, url)
    assert (stands.headers["Upload-Offset"], stands.headers["Upload-Length"]) == ("40000", str(len(content)))
    assert stands.headers["Cache-Control"] == "no-store"
    assert stored(one, content)[0] == {
        "sha256": sha256(content), "by": one.person["id"], "state": "needed", "upload": url, "offset": 40_000,
    }  # fmt: skip
    last = patch(one, url, 40_000, content[40_000:])
    assert last.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
    assert head(one, url).headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
    assert stored(one, content) == [{"sha256": sha256(content), "by": one.person["id"], "state": "stored"}]


def test_bytes_may_come_with_the_creation(one: Phone) -> None:
    content = jpeg()
    headers = TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(sha256(content)), "Content-Type": OCTETS}
    answer = one.client.post(FILES, data=content, headers=headers)
    assert answer.status_code == 201
    assert answer.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"


def test_creating_again_answers_where_it_stands(one: Phone) -> None:
    content = noisy(50_000)
    url = create(one, content).headers["Location"]
    patch(one, url, 0, content[:33_000])
    again = create(one, content)
    assert (again.headers["Location"], again.headers["Upload-Offset"]) == (url, "33000")
    patch(one, url, 33_000, content[33_000:])
    done = create(one, content)
    assert done.headers["Location"] == url
    assert done.headers["Upload-Receipt"] == f"sha256 {sha256(content)}"


def test_a_hash_proves_nothing_across_people(world: World, phone: Make, one: Phone) -> None:
    content = jpeg()
    send(one, content)
    other = phone("iPhone").pair(world.chapter_code(name="Mông Thị Kén"))
    assert stored(other, content)[0]["state"] == "needed"
    made = create(other, content)
    assert made.headers["Upload-Offset"] == "0"
    assert "Upload-Receipt" not in made.headers
    theirs = create(one, noisy(9000)).headers["Location"]
    assert head(other, theirs).status_code == 404
    assert other.client.delete(theirs, headers=TUS).status_code == 404


def test_another_person_cannot_be_named(world: World, one: Phone) -> None:
    answer = create(one, jpeg(), world.staff)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "upload.person")


def test_photos_of_one_taken_off_the_phone_still_go_up(world: World, one: Phone, db: Database) -> None:
    second = one.try_pair(world.citizen_code()).get_json()["person"]["id"]
    with db.write() as conn:
        devices.remove_person(conn, world.commune, one.id, second, NOW)
    content = jpeg()
    assert stored(one, content, second)[0]["state"] == "needed"
    assert send(one, content, second).headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
    assert stored(one, content, second)[0]["state"] == "stored"


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_damaged_chunk_is_460_and_leaves_the_offset(one: Phone, name: str) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    right = f"{name} {base64.b64encode(hashlib.new(name, content[:4000]).digest()).decode()}"
    bad = patch(one, url, 0, b"x" * 4000, **{"Upload-Checksum": right})
    assert (bad.status_code, bad.get_json()["code"]) == (460, "upload.checksum")
    assert head(one, url).headers["Upload-Offset"] == "0"
    assert patch(one, url, 0, content[:4000], **{"Upload-Checksum": right}).headers["Upload-Offset"] == "4000"


def test_an_unknown_checksum_is_a_mistake_of_the_client(one: Phone) -> None:
    url = create(one, jpeg()).headers["Location"]
    for wrong in ("md5 AAAA", "sha1 ***"):
        assert patch(one, url, 0, b"abc", **{"Upload-Checksum": wrong}).status_code == 400


def test_a_wrong_offset_is_409_with_the_right_one(one: Phone) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    patch(one, url, 0, content[:3000])
    for offset in (0, 5000):
        answer = patch(one, url, offset, b"abc")
        assert (answer.status_code, answer.get_json()["offset"]) == (409, 3000)


def test_bytes_that_are_not_the_hash_are_asked_for_anew(one: Phone) -> None:
    content = noisy(9000)
    made = create(one, content)
    wrong = bytes(reversed(content))
    answer = patch(one, made.headers["Location"], 0, wrong)
    assert (answer.status_code, answer.get_json()["code"]) == (460, "upload.hash")
    assert head(one, made.headers["Location"]).status_code == 404
    assert send(one, content).headers["Upload-Receipt"] == f"sha256 {sha256(content)}"


def test_what_is_no_photo_gets_no_receipt(one: Phone) -> None:
    content = b"<html><script>alert(1)</script></html>"
    answer = send(one, content)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "upload.type")
    assert stored(one, content)[0]["state"] == "needed"


def test_more_bytes_than_announced_are_refused(one: Phone) -> None:
    content = jpeg()
    url = create(one, content).headers["Location"]
    assert patch(one, url, 0, content + b"more").status_code == 413
    assert head(one, url).headers["Upload-Offset"] == "0"


def test_a_chunk_or_file_beyond_the_limits_is_refused(one: Phone) -> None:
    assert create(one, jpeg(), **{"Upload-Length": str(10**9)}).status_code == 413
    url = create(one, noisy(900_000)).headers["Location"]
    assert patch(one, url, 0, b"x" * 600_000).status_code == 413


def test_malformed_headers_are_400(one: Phone) -> None:
    content = jpeg()
    assert create(one, content, **{"Upload-Length": "²"}).status_code == 400
    assert create(one, content, **{"Upload-Length": "-1"}).status_code == 400
    assert create(one, content, **{"Upload-Length": "0"}).status_code == 400
    assert create(one, content, **{"Upload-Metadata": "sha256 %%%"}).status_code == 400
    assert create(one, content, **{"Upload-Metadata": ""}).get_json()["code"] == "upload.hash_missing"
    url = create(one, content).headers["Location"]
    assert patch(one, url, 0, content, **{"Content-Type": "image/jpeg"}).status_code == 415


def test_an_upload_can_be_ended(one: Phone) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    patch(one, url, 0, content[:5000])
    assert one.client.delete(url, headers=TUS).status_code == 204
    assert head(one, url).status_code == 404
    assert create(one, content).headers["Upload-Offset"] == "0"


def test_an_expired_upload_begins_anew(one: Phone, db: Database, app: Flask) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    patch(one, url, 0, content[:5000])
    with db.write() as conn:
        conn.execute(update(_UPLOAD).values(expires_at=NOW))
    assert head(one, url).status_code == 404
    assert "upload" not in stored(one, content)[0]
    again = create(one, content)
    assert (again.headers["Upload-Offset"], again.headers["Location"] != url) == ("0", True)
    with db.write() as conn:
        conn.execute(update(_UPLOAD).values(expires_at=NOW))
    assert uploads.expire(db, app.extensions["photos"]) == 1


def test_two_requests_do_not_write_one_upload_at_once(one: Phone, db: Database) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    with db.write() as conn:
        conn.execute(update(_UPLOAD).values(lease="other", lease_until="2999-01-01T00:00:00.000Z"))
    busy = patch(one, url, 0, content)
    assert busy.status_code == 503
    assert int(busy.headers["Retry-After"]) > 0
    with db.write() as conn:
        conn.execute(update(_UPLOAD).values(lease_until=NOW))
    assert patch(one, url, 0, content).status_code == 204


def test_a_chunk_that_was_cut_by_a_crash_is_written_over(one: Phone, app: Flask, world: World) -> None:
    content = noisy(9000)
    url = create(one, content).headers["Location"]
    patch(one, url, 0, content[:3000])
    store: DiskStore = app.extensions["photos"]
    store.append(world.commune, url.rsplit("/", 1)[1], 3000, b"written, but the offset never was")
    assert head(one, url).headers["Upload-Offset"] == "3000"
    assert "Upload-Receipt" in patch(one, url, 3000, content[3000:]).headers


def test_the_original_on_disk_is_the_bytes_hashed(one: Phone, app: Flask, world: World) -> None:
    content = noisy(70_000)
    send(one, content)
    with app.extensions["photos"].original(world.commune, sha256(content)) as file:
        assert file.read() == content


def test_a_proxy_without_patch_is_no_hindrance(one: Phone) -> None:
    content = jpeg()
    url = create(one, content).headers["Location"]
    headers = TUS | {"Upload-Offset": "0", "Content-Type": OCTETS}
    assert one.client.post(url, data=content, headers=headers).status_code == 400
    done = one.client.post(url, data=content, headers=headers | {"X-HTTP-Method-Override": "PATCH"})
    assert "Upload-Receipt" in done.headers


def test_another_site_cannot_upload(one: Phone) -> None:
    answer = create(one, jpeg(), Origin="https://example.org")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "origin")


def test_a_foreign_tus_client_gets_its_file_through(one: Phone, app: Flask, tmp_path: Path) -> None:
    content = noisy(300_000)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        cookie = one.client.get_cookie("mc_device")
        assert cookie is not None
        client = TusClient(f"http://127.0.0.1:{server.port}{FILES}", headers={"Cookie": f"mc_device={cookie.value}"})
        sent = client.uploader(
            file_stream=io.BytesIO(content), chunk_size=100_000, upload_checksum=True,
            metadata={"sha256": sha256(content), "type": "image/jpeg"},
        )  # fmt: skip
        sent.upload()
        assert sent.offset == len(content)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert stored(one, content)[0]["state"] == "stored"
