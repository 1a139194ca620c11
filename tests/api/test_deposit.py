"""A phone's file is kept whole or in what is whole of it, from its own key or from staff, and only that counts."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from server.api import deposit as route
from server.db import tables
from server.db.session import Database
from server.domain import deposit, devices, staff
from tests.phones import Phone
from tests.pictures import jpeg, sha256
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
URL = "/api/v1/deposit"
CONTENT = jpeg()
_QUARANTINE = tables.Quarantine.__table__


@pytest.fixture
def one(world: World, phone: Make) -> Phone:
    made = phone().pair(world.chapter_code())
    made.sync()
    return made


def outbox(phone: Phone, mutations: list[Any], **more: Any) -> bytes:
    return json.dumps({"v": 1, "device": phone.id, "at": NOW, "mutations": mutations} | more).encode()


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def signed(phone: Phone, raw: bytes, photos: dict[str, bytes] | None = None) -> bytes:
    files = {"outbox.json": raw, "signature": phone.key.sign(raw.decode()).encode()}
    return packed(files | {f"photos/{name}": content for name, content in (photos or {}).items()})


def put(sender: Any, body: bytes) -> Any:
    return sender.post(URL, data=body, headers={"Content-Type": "application/zip"})


def quarantine(db: Database) -> list[Any]:
    with db.read() as conn:
        return list(conn.execute(select(_QUARANTINE).order_by(_QUARANTINE.c.reason)).mappings())


def receipts_of(db: Database) -> list[tuple[str, str]]:
    with db.read() as conn:
        return [(row[0], row[1]) for row in conn.execute(select(tables.Receipt.person_id, tables.Receipt.sha256))]  # type: ignore[call-overload]


def new_entry(phone: Phone, world: World, content: bytes = CONTENT) -> dict[str, Any]:
    return phone.mutation("create", "evidence", new_id(), photo(world.dossier(), sha256=sha256(content), bytes=len(content)))


def signed_in(app: Flask, world: World, db: Database, role: str = "staff") -> Any:
    with db.write() as conn:
        entry_by = staff.add(conn, world.commune, "Ma Thị Duyên", role)
    row = staff.sign_in(db, *entry_by)
    assert row is not None
    token = app.extensions["tokens"].make("staff", {"c": world.commune, "p": row["person_id"], "v": row["token_version"]})
    client = app.test_client()
    client.set_cookie("mc_staff", token)
    return client


def test_a_signed_file_is_kept_from_any_sender(one: Phone, world: World, db: Database, app: Flask) -> None:
    mutation = new_entry(one, world)
    body = signed(one, outbox(one, [mutation]), {sha256(CONTENT): CONTENT})
    answer = put(app.test_client(), body)
    assert answer.status_code == 201
    assert answer.get_json() == {"mutations": [mutation["id"]], "photos": [sha256(CONTENT)], "drafts": 0, "aside": 0}
    (row,) = quarantine(db)
    assert (row["reason"], row["payload"], row["state"]) == ("deposit", mutation, "open")
    assert (row["device_id"], row["person_id"], row["photos"]) == (one.id, one.person["id"], [sha256(CONTENT)])
    assert receipts_of(db) == [(one.person["id"], sha256(CONTENT))]
    with app.extensions["photos"].original(world.commune, sha256(CONTENT)) as file:
        assert file.read() == CONTENT
    asked = {"sha256": sha256(CONTENT), "by": one.person["id"]}
    assert one.sync(photos=[asked])["photos"][0]["state"] == "stored"


def test_the_same_file_twice_is_kept_once_and_answered_the_same(one: Phone, world: World, db: Database, client: Any) -> None:
    raw = outbox(one, [new_entry(one, world)], drafts=[{"key": "dossier", "values": {"self.3": 9}}])
    body = signed(one, raw, {sha256(CONTENT): CONTENT})
    first, second = put(client, body), put(client, body)
    assert first.get_json() == second.get_json()
    assert len(quarantine(db)) == 2


def test_what_sync_has_handled_counts_as_sent_and_is_not_kept_again(one: Phone, world: World, db: Database, client: Any) -> None:
    mutation = one.queue("create", "dossier", world.dossier(), world.begin())
    one.sync()
    answer = put(client, signed(one, outbox(one, [mutation])))
    assert answer.get_json()["mutations"] == [mutation["id"]]
    assert quarantine(db) == []


def test_open_drafts_and_rows_kept_aside_are_kept(one: Phone, db: Database, client: Any) -> None:
    draft, row = {"key": "evidence", "values": {"caption": "Lớp xoá mù chữ"}}, {"doc": new_id(), "data": {"note": "x\0y"}}
    answer = put(client, signed(one, outbox(one, [], drafts=[draft], aside=[row])))
    assert (answer.get_json()["drafts"], answer.get_json()["aside"]) == (1, 1)
    kept = quarantine(db)
    assert [k["reason"] for k in kept] == ["aside", "draft"]
    assert kept[1]["payload"] == draft
    assert "escaped" in kept[0]["payload"]


def test_a_revoked_phone_still_delivers(one: Phone, world: World, db: Database) -> None:
    mutation = new_entry(one, world)
    with db.write() as conn:
        devices.revoke(conn, world.commune, one.id, NOW)
    answer = put(one.client, signed(one, outbox(one, [mutation]), {sha256(CONTENT): CONTENT}))
    assert answer.status_code == 201
    assert receipts_of(db) == [(one.person["id"], sha256(CONTENT))]


def test_a_damaged_photo_costs_no_other(one: Phone, world: World, client: Any) -> None:
    good, wrong = jpeg(colour="red"), jpeg(colour="blue")
    mutation = new_entry(one, world, good)
    body = bytearray(signed(one, outbox(one, [mutation]), {sha256(wrong): wrong, "f" * 64: b"other bytes", sha256(good): good}))
    body[body.index(wrong) + 30] ^= 0xFF  # its CRC no longer fits
    answer = put(client, bytes(body))
    assert answer.status_code == 201
    assert answer.get_json()["photos"] == [sha256(good)]


def test_one_hash_of_two_people_gives_two_receipts(one: Phone, world: World, db: Database, client: Any) -> None:
    second = one.try_pair(world.citizen_code()).get_json()["person"]["id"]
    listed = [{"sha256": sha256(CONTENT), "by": by} for by in (one.person["id"], second, world.staff)]
    put(client, signed(one, outbox(one, [], photos=listed), {sha256(CONTENT): CONTENT}))
    assert sorted(receipts_of(db)) == sorted([(one.person["id"], sha256(CONTENT)), (second, sha256(CONTENT))])


def test_a_file_that_was_changed_after_signing_is_refused(one: Phone, world: World, db: Database, client: Any) -> None:
    raw = outbox(one, [new_entry(one, world)])
    files = {"outbox.json": raw.replace(b"camera", b"office"), "signature": one.key.sign(raw.decode()).encode()}
    answer = put(client, packed(files))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "signature.invalid")
    assert quarantine(db) == []


def test_an_unsigned_file_only_staff_may_hand_in(one: Phone, world: World, db: Database, app: Flask, client: Any) -> None:
    mutation = new_entry(one, world)
    body = packed({"outbox.json": outbox(one, [mutation]), f"photos/{sha256(CONTENT)}": CONTENT})
    assert put(client, body).status_code == 401
    assert put(one.client, body).status_code == 401
    assert put(signed_in(app, world, db, "viewer"), body).status_code == 401
    assert quarantine(db) == []
    answer = put(signed_in(app, world, db), body)
    assert answer.status_code == 201
    assert len(quarantine(db)) == 1
    assert receipts_of(db) == [(one.person["id"], sha256(CONTENT))]


def test_staff_may_hand_in_the_file_of_a_phone_the_server_forgot(one: Phone, world: World, db: Database, app: Flask) -> None:
    stranger = Phone(app.test_client())
    mutation = new_entry(one, world)
    answer = put(signed_in(app, world, db), signed(stranger, outbox(stranger, [mutation])))
    assert answer.get_json()["mutations"] == [mutation["id"]]
    assert quarantine(db)[0]["device_id"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"no zip",
        packed({"else.json": b"{}"}),
        packed({"outbox.json": b"not json"}),
        packed({"outbox.json": b"[]"}),
        packed({"outbox.json": b'{"mutations": 1}'}),
        packed({"outbox.json": b'{"mutations": [NaN]}'}),
    ],
)
def test_what_is_no_such_file_is_400(world: World, client: Any, body: bytes) -> None:
    answer = put(client, body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "deposit.invalid")


def test_strange_mutations_break_nothing(one: Phone, db: Database, client: Any) -> None:
    strange = [
        None, 7, {}, {"id": "no uuid"}, {"id": new_id(), "seq": 10**30, "by": "\0" * 50, "set": {"sha256": "\0"}},
        {"id": new_id(), "seq": True, "set": "x", "text": "\ud800"},
    ]  # fmt: skip
    answer = put(client, signed(one, outbox(one, strange)))
    assert answer.status_code == 201
    assert len(answer.get_json()["mutations"]) == 2
    assert {row["seq"] for row in quarantine(db)} == {None}


def test_too_much_is_413(one: Phone, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deposit, "MAX_DEPOSIT_BYTES", 1000)
    assert put(client, signed(one, outbox(one, []), {"0" * 64: b"x" * 1500})).status_code == 413
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("outbox.json", b" " * 100_000)
    assert len(bomb.getvalue()) < 1000
    assert put(client, bomb.getvalue()).status_code == 413


def test_too_many_tries_are_429(world: World, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "TRIES", 2)
    statuses = [put(client, b"no zip").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_another_commune_gets_nothing(one: Phone, world: World, db: Database, client: Any) -> None:
    put(client, signed(one, outbox(one, [new_entry(one, world)])))
    with db.read() as conn:
        query = select(func.count()).select_from(_QUARANTINE).where(_QUARANTINE.c.commune_id != world.commune)
        assert conn.execute(query).scalar() == 0
