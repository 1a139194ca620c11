"""Pairing, poster codes, renewal, cloning and revocation, as a phone meets them."""

from collections.abc import Callable
from typing import Any

import pytest

from server.api import pair as pair_api
from server.db.session import Database
from server.domain import devices
from tests.phones import Phone
from tests.world import NOW, World, new_id

Make = Callable[..., Phone]


def code_of(answer: Any) -> tuple[int, str]:
    assert answer.mimetype == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]


def test_a_code_pairs_a_phone_to_its_person(world: World, phone: Make) -> None:
    answer = phone().try_pair(world.chapter_code())
    body = answer.get_json()
    assert answer.status_code == 201
    assert body["person"]["name"] == "Lý Thị Chi"
    assert body["person"]["role"] == "chapter"
    assert body["next"] == 1
    assert body["epoch"]
    assert f"place:{world.na}" in body["scopes"]
    cookie = answer.headers["Set-Cookie"]
    assert "mc_device=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_lost_answer_is_given_again_with_todays_number(world: World, phone: Make) -> None:
    one, code = phone(), world.chapter_code()
    one.pair(code)
    one.do("create", "dossier", world.dossier(), world.begin())
    again = one.try_pair(code)
    assert again.status_code == 201
    assert again.get_json()["next"] == 2


def test_a_used_code_is_spent_for_another_phone(world: World, phone: Make) -> None:
    code = world.chapter_code()
    phone().pair(code)
    assert code_of(phone().try_pair(code)) == (410, "pair.spent")


def test_the_same_id_with_another_key_is_spent(world: World, phone: Make) -> None:
    one, other, code = phone(), phone(), world.chapter_code()
    one.pair(code)
    other.id = one.id
    assert code_of(other.try_pair(code)) == (410, "pair.spent")


def test_a_wrong_code(world: World, phone: Make) -> None:
    assert code_of(phone().try_pair("ABCDEFGH")) == (404, "pair.unknown")


def test_a_code_as_a_person_types_it(world: World, phone: Make) -> None:
    code = world.chapter_code()
    assert phone().try_pair(f" {code[:4].lower()}-{code[4:].lower()} ").status_code == 201


def test_an_expired_code(world: World, phone: Make, db: Database) -> None:
    code = world.chapter_code()
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE pairing_code SET expires_at = '2020-01-01T00:00:00.000Z'")
    assert code_of(phone().try_pair(code)) == (410, "pair.spent")


def test_too_many_tries_are_slowed_down(world: World, phone: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_api, "TRIES", 3)
    one = phone()
    answers = [one.try_pair("ABCDEFGH") for _ in range(4)]
    assert answers[0].status_code == 404
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_forged_signature(world: World, phone: Make) -> None:
    one = phone()
    body = one.pair_body(world.chapter_code()) | {"signature": phone().key.sign("pair\nx")}
    answer = one.client.post("/api/v1/pair", json=body)
    assert answer.status_code in (400, 401, 403)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"code": 5}, {"code": "ABCDEFGH", "device": {"id": "x"}}])
def test_nonsense_is_a_plain_problem(world: World, phone: Make, body: Any) -> None:
    answer = phone().client.post("/api/v1/pair", json=body)
    assert answer.status_code in (400, 404)
    assert answer.mimetype == "application/problem+json"


def test_a_second_person_joins_a_phone_that_keeps_its_numbering(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    body = one.try_pair(world.citizen_code()).get_json()
    assert body["next"] == 2
    assert len(body["people"]) == 2
    assert f"citizen:{world.pao}" in body["scopes"]


def poster_citizen(**more: Any) -> dict[str, Any]:
    return {"id": new_id(), "full_name": "Đặng Thị Mẩy", "birth_year": 1985, "group": 1, "consent": "2026-1", **more}


def test_a_poster_code_registers_many_unconfirmed(world: World, phone: Make) -> None:
    code = world.poster()
    for name in ("Đặng Thị Mẩy", "Chu Văn Sín"):
        one, citizen = phone(), poster_citizen(full_name=name)
        one.pair(code, citizen).sync()
        assert one.data(citizen["id"])["state"] == "unconfirmed"
        assert one.data(citizen["id"])["full_name"] == name


def test_a_poster_call_repeated_gives_the_same_answer(world: World, phone: Make) -> None:
    code, citizen, one = world.poster(), poster_citizen(), phone()
    first, second = one.try_pair(code, citizen), one.try_pair(code, citizen)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json()["person"] == second.get_json()["person"]


def test_a_citizen_of_another_key_is_taken(world: World, phone: Make) -> None:
    code, citizen = world.poster(), poster_citizen()
    phone().pair(code, citizen)
    assert code_of(phone().try_pair(code, citizen)) == (409, "pair.taken")
    assert code_of(phone().try_pair(code, poster_citizen(id=world.pao))) == (409, "pair.taken")


def test_a_replaced_poster_is_spent(world: World, phone: Make) -> None:
    old = world.poster()
    world.poster()
    assert code_of(phone().try_pair(old, poster_citizen())) == (410, "pair.spent")


def test_a_lost_cookie_is_renewed_by_the_key(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.client.delete_cookie("mc_device")
    refused = one.post(one.body())
    assert code_of(refused) == (401, "auth.required")
    assert one.renew(refused.get_json()["challenge"]).status_code == 200
    assert one.post(one.body()).status_code == 200


def test_a_forged_cookie_is_no_cookie(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.client.set_cookie("mc_device", "forged.cookie.here")
    assert code_of(one.post(one.body())) == (401, "auth.required")


def test_another_phones_cookie_does_not_serve(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    other = phone().pair(world.chapter_code(world.keo))
    assert code_of(one.post(one.body(device=other.id))) == (401, "auth.required")


def test_another_key_cannot_renew(world: World, phone: Make) -> None:
    one, thief = phone().pair(world.chapter_code()), phone()
    challenge = thief.post(thief.body()).get_json()["challenge"]
    thief.id = one.id
    assert thief.renew(challenge).status_code in (400, 401, 403)


def test_a_challenge_of_somebody_elses_making(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    assert one.renew("made-up").status_code in (400, 401)


def test_an_unknown_device_is_told_so(world: World, phone: Make) -> None:
    one = phone()
    challenge = one.post(one.body()).get_json()["challenge"]
    assert code_of(one.renew(challenge)) == (401, "device.unknown")


def test_a_revoked_phone_neither_syncs_nor_renews_nor_pairs(world: World, phone: Make, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    with db.write() as conn:
        devices.revoke(conn, world.commune, one.id, NOW)
    assert code_of(one.post(one.body())) == (403, "device.revoked")
    challenge = phone().client.post("/api/v1/sync", json=one.body()).get_json()["challenge"]
    assert code_of(one.renew(challenge)) == (403, "device.revoked")
    assert code_of(one.try_pair(world.chapter_code())) == (403, "device.revoked")


def test_a_foreign_origin_is_refused(world: World, phone: Make) -> None:
    one = phone()
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = one.client.post("/api/v1/pair", json=one.pair_body(world.chapter_code()), headers=headers)
        assert code_of(answer) == (403, "origin")
    answer = one.client.post(
        "/api/v1/pair", json=one.pair_body(world.chapter_code()), headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 201


def test_a_cloned_phone_gets_an_id_of_its_own(world: World, phone: Make) -> None:
    one, clone = phone().pair(world.chapter_code()), phone()
    one.do("create", "dossier", world.dossier(), world.begin())
    twin = phone()
    twin.id, twin.key, twin.person, twin.epoch = one.id, one.key, one.person, one.epoch
    for cookie in [one.client.get_cookie("mc_device")]:
        assert cookie is not None
        twin.client.set_cookie("mc_device", cookie.value)
    other = twin.mutation("update", "dossier", world.dossier(), {"self.1": 5}, seq=1, base=1)
    refused = twin.post(twin.body(mutations=[other]))
    assert code_of(refused) == (409, "device.cloned")
    challenge = refused.get_json()["challenge"]
    clone.client = twin.client
    assert twin.renew(challenge, clone).status_code == 200
    assert twin.renew(challenge, clone).status_code == 200, "a lost answer is given again"
    clone.person, clone.epoch = one.person, one.epoch
    body = clone.sync(mutations=[{**other, "seq": 1}])
    assert body["ack"] == 1
