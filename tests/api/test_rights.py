"""What a phone may see and do ends with the rights of its people, and what it still held is kept."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from server.db import tables
from server.db.session import Database
from server.domain import communes, devices, pairing, people, places
from sync.errors import Problem
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]


def open_quarantine(db: Database) -> list[Any]:
    with db.read() as conn:
        return list(conn.execute(select(tables.Quarantine.__table__.c.payload)).scalars())


def test_a_person_taken_off_a_phone_takes_their_scopes_along(world: World, phone: Make, db: Database) -> None:
    shared = phone().pair(world.chapter_code())
    second = shared.try_pair(world.citizen_code()).get_json()["person"]
    shared.sync()
    with db.write() as conn:
        devices.remove_person(conn, world.commune, shared.id, shared.person["id"], NOW)
    late = shared.queue("create", "citizen", new_id(), {"place": world.na, "full_name": "Lộc Văn Dìn"})
    body = shared.sync()
    assert Phone.result(body, late["seq"])["result"] == "out_of_scope"
    assert body["ack"] == late["seq"]
    assert [p["set"]["full_name"] for p in open_quarantine(db)] == ["Lộc Văn Dìn"]
    assert set(body["scopes"]) == {f"commune:{world.commune}", f"citizen:{world.pao}"}
    assert [p["id"] for p in body["people"]] == [second["id"]]
    with db.write() as conn, pytest.raises(Problem):
        devices.remove_person(conn, world.commune, shared.id, shared.person["id"], NOW)


def test_a_person_who_no_longer_acts_has_no_rights_left(world: World, phone: Make, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    with db.write() as conn:
        person = tables.Person.__table__
        conn.execute(update(person).where(person.c.id == one.person["id"]).values(active=False))
    body = one.sync(cursors={})
    assert body["scopes"] == [f"commune:{world.commune}"]
    assert {c["type"] for c in body["changes"]} <= {"programme", "indicator", "place"}


def test_a_unit_contact_and_a_hamlet_head_appraise_too(world: World, phone: Make, db: Database) -> None:
    for role in ("head", "contact"):
        with db.write() as conn:
            code = pairing.make_code(conn, world.commune, role, world.na, name="Nông Văn Trưởng")[0]
        one = phone().pair(code)
        one.sync()
        assert world.pao in one.docs


def test_nobody_appraises_their_own_dossier(world: World, phone: Make, db: Database) -> None:
    with db.write() as conn:
        code = pairing.make_code(conn, world.commune, "chapter", world.na, world.pao, name="Nông Văn Páo")[0]
    own = phone().pair(code)
    own.queue("create", "dossier", world.dossier(), world.begin())
    own.queue("submit", "dossier", world.dossier(), expect="draft")
    own.sync()
    scores = {f"chapter.{n}": 10 for n in range(1, 11)}
    result = own.do("appraise", "dossier", world.dossier(), scores, expect="submitted", base=0)
    assert (result["result"], result["code"]) == ("rejected", "right.missing")
    assert own.do("update", "dossier", world.dossier(), {"chapter.1": 10})["result"] == "rejected"


def test_two_communes_on_one_server_never_meet(world: World, phone: Make, db: Database) -> None:
    with db.write() as conn:
        other = communes.add(conn, "Xã Khác", 2026, NOW)
        hamlet = places.add(conn, other, "Thôn Khác", NOW)
        citizen = people.add_citizen(conn, other, "Hà Văn Lạ", hamlet, NOW)
        code = pairing.make_code(conn, other, "chapter", hamlet, name="Chi hội khác")[0]
    stranger, one = phone().pair(code), phone().pair(world.chapter_code())
    stranger.sync()
    one.sync()
    assert hamlet != world.na
    assert not {world.pao, world.lieu} & set(stranger.docs)
    assert stranger.do("update", "citizen", world.pao, {"note": "x"})["result"] == "waiting"
    assert one.do("create", "citizen", new_id(), {"place": hamlet, "full_name": "Ai"})["result"] == "out_of_scope"
    assert citizen not in one.docs
    assert one.try_pair(pairing_code(world, db, other, hamlet)).status_code == 409


def pairing_code(world: World, db: Database, commune: int, place: int) -> str:
    with db.write() as conn:
        return pairing.make_code(conn, commune, "chapter", place, name="Khác")[0]


def test_a_photo_goes_up_after_its_text_and_its_receipt_names_its_hash(world: World, phone: Make) -> None:
    import base64
    import hashlib
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (64, 48), "seagreen").save(made, "JPEG")
    raw = made.getvalue()
    sha256 = hashlib.sha256(raw).hexdigest()
    one = phone().pair(world.chapter_code())
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.queue("create", "evidence", new_id(), {**photo(world.dossier()), "sha256": sha256, "bytes": len(raw)})
    asked = [{"sha256": sha256, "by": one.person["id"]}]
    assert one.sync(photos=asked)["photos"][0]["state"] == "needed"
    parts = {"sha256": sha256, "type": "image/jpeg", "by": one.person["id"]}
    metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in parts.items())
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(raw)), "Upload-Metadata": metadata}
    created = one.client.post("/api/v1/files", headers=headers)
    assert created.status_code == 201, created.text
    answer = one.client.patch(
        created.headers["Location"],
        data=raw,
        headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0"},
        content_type="application/offset+octet-stream",
    )
    assert answer.headers["Upload-Receipt"] == f"sha256 {sha256}"
    assert one.sync(photos=asked)["photos"] == [{**asked[0], "state": "stored"}]
