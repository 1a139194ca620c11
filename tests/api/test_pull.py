"""What comes down: pages, cursors, scopes, projections."""

import dataclasses
import threading
from collections.abc import Callable

from flask import Flask
from sqlalchemy import update

from server.db import tables
from server.db.session import Database
from server.domain import people, places
from sync import cursors
from tests.phones import Phone
from tests.world import NOW, World, new_id, photo

Make = Callable[..., Phone]
SCORES = {f"chapter.{n}": 8 for n in range(1, 11)}


def fill(world: World, count: int) -> list[str]:
    with world.db.write() as conn:
        return [people.add_citizen(conn, world.commune, f"Nông Thị Số {n}", world.na, NOW) for n in range(count)]


def test_pages_split_anywhere_and_lose_nothing(world: World, phone: Make) -> None:
    made = fill(world, 60)
    one = phone().pair(world.chapter_code())
    first = one.sync(everything=False, limit=4096)
    assert first["more"] is True
    pages = 1
    while one.last["more"]:
        one.sync(everything=False, limit=4096)
        pages += 1
    assert pages > 3
    assert set(made) <= set(one.docs)


def test_an_acknowledged_edit_is_on_the_screen_while_pages_are_still_to_come(world: World, phone: Make) -> None:
    fill(world, 60)
    one, citizen = phone().pair(world.chapter_code()), new_id()
    one.queue("create", "citizen", citizen, {"place": world.na, "full_name": "Lộc Văn Dìn"})
    body = one.sync(everything=False, limit=4096)
    assert body["more"] is True
    assert citizen in [c["doc"] for c in body["changes"]]


def test_a_quiet_round_brings_nothing(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    assert one.sync()["changes"] == []


def test_one_document_larger_than_the_page_comes_alone(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    other = phone().pair(world.chapter_code(name="Vi Văn Hội"))
    other.do("create", "dossier", world.dossier(), {**world.begin(), **{f"note.{n}": "ghi " * 900 for n in (1, 2, 3)}})
    fill(world, 3)
    body = one.sync(everything=False, limit=4096)
    assert [c["doc"] for c in body["changes"]] == [world.dossier()]
    assert body["more"] is True


def test_a_hamlet_sees_its_own_people_alone(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    assert [c["doc"] for c in one.of_type("citizen")] == [world.pao]


def test_a_citizen_sees_their_own_records_alone(world: World, phone: Make) -> None:
    fill(world, 3)
    one = phone().pair(world.citizen_code())
    one.sync()
    assert [c["doc"] for c in one.of_type("citizen")] == [world.pao]


def test_a_citizens_phone_gets_others_scores_only_when_it_should(world: World, phone: Make) -> None:
    own, chapter = phone().pair(world.citizen_code()), phone().pair(world.chapter_code())
    own.do("create", "dossier", world.dossier(), {**world.begin(), "self.1": 5})
    own.do("submit", "dossier", world.dossier(), expect="draft")
    chapter.do("appraise", "dossier", world.dossier(), SCORES, expect="submitted", base=0)
    own.sync()
    assert own.data(world.dossier())["state"] == "appraised"
    assert not [n for n in own.data(world.dossier()) if n.startswith(("chapter.", "final."))]
    step = {"type": "dossier", "doc": world.dossier(), "base": 99}
    world.as_staff({**step, "op": "return", "expect": "appraised", "set": {"reason": "Thiếu ảnh"}})
    own.sync()
    assert own.data(world.dossier())["chapter.1"] == 8
    own.do("submit", "dossier", world.dossier(), expect="returned")
    assert "chapter.1" not in own.data(world.dossier())
    chapter.do("appraise", "dossier", world.dossier(), expect="submitted")
    world.as_staff({**step, "op": "settle", "expect": "appraised", "set": {f"final.{n}": 9 for n in range(1, 11)}})
    own.sync()
    assert "final.1" not in own.data(world.dossier())
    world.as_staff({**step, "op": "decide", "expect": "eligible"})
    own.sync()
    assert own.data(world.dossier())["final.1"] == 9


def test_a_person_who_joins_the_phone_makes_its_scopes_page_anew(world: World, phone: Make) -> None:
    one = phone().pair(world.citizen_code())
    one.sync()
    one.pair(world.chapter_code())
    body = one.sync(everything=False)
    assert f"citizen:{world.pao}" in body["resync"]
    assert one.sync()["resync"] == []


def test_trimmed_tombstones_ask_for_a_fresh_paging(world: World, phone: Make, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    fill(world, 30)
    counter = tables.Counter.__table__
    with db.write() as conn:
        conn.execute(update(counter).where(counter.c.scope == f"place:{world.na}").values(floor=20))
    kept = dict(one.cursors)
    body = one.sync(everything=False, limit=4096)
    assert body["resync"] == [f"place:{world.na}"]
    again = one.post(one.body(cursors=kept)).get_json()
    assert again["resync"] == [f"place:{world.na}"], "at every request until a new cursor comes"
    one.cursors |= body["cursors"]
    assert one.sync()["resync"] == []


def test_a_cursor_of_nobodys_making_starts_anew(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    body = one.sync(cursors={f"place:{world.na}": "rubbish", "place:999": "1~x~y~z~1"}, everything=False)
    assert world.pao in [c["doc"] for c in body["changes"]]


def test_staff_edits_reach_phones(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.sync()
    world.as_staff(
        {"op": "update", "type": "citizen", "doc": world.pao, "base": 1, "set": {"full_name": "Nông Văn Pảo"}}
    )
    with world.db.write() as conn:
        places.rename(conn, world.commune, world.keo, "Thôn Kéo Lày Mới")
    one.sync()
    assert one.data(world.pao)["full_name"] == "Nông Văn Pảo"
    assert "Thôn Kéo Lày Mới" in {p["data"]["name"] for p in one.of_type("place")}


def test_photos_listed_are_answered(world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    entry = photo(world.dossier())
    one.do("create", "evidence", new_id(), entry)
    body = one.sync(photos=[{"sha256": entry["sha256"], "by": one.person["id"]}])
    assert [(p["sha256"], p["state"]) for p in body["photos"]] == [(entry["sha256"], "needed")]


def test_no_row_is_lost_while_several_phones_write_and_one_reads(world: World, phone: Make, app: Flask) -> None:
    writers = [phone().pair(world.chapter_code(name=f"Chi hội {n}")) for n in range(4)]
    reader = phone().pair(world.chapter_code(name="Người đọc"))
    made: list[str] = []
    failures: list[str] = []

    def write(one: Phone) -> None:
        for _ in range(12):
            citizen = new_id()
            one.queue("create", "citizen", citizen, {"place": world.na, "full_name": "Lộc Văn Dìn"})
            answer = one.post(one.body())
            if answer.status_code != 200:
                failures.append(answer.text)
                return
            one.apply(answer.get_json())
            made.append(citizen)

    threads = [threading.Thread(target=write, args=(one,)) for one in writers]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        reader.sync()
    for thread in threads:
        thread.join()
    reader.sync()
    assert failures == []
    assert len(made) == 48
    assert set(made) <= set(reader.docs)


def test_what_is_deleted_while_a_phone_pages_from_the_start_is_told(world: World, phone: Make) -> None:
    """The answer to its own edit came before the page that would have brought it: the phone has it already."""
    one, two = phone().pair(world.chapter_code()), phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    two.sync()
    place = f"place:{world.na}"
    begun = cursors.decode(two.cursors[place])
    assert begun is not None
    entry = new_id()
    one.do("create", "evidence", entry, photo(world.dossier()))
    one.do("delete", "evidence", entry, base={entry: 1})
    started = dataclasses.replace(begun, value=0, floor=0).encode()
    body = two.post(two.body(cursors={**two.cursors, place: started})).get_json()
    assert {"doc": entry, "deleted": True}.items() <= next(c for c in body["changes"] if c["doc"] == entry).items()
    fresh = two.post(two.body(cursors={})).get_json()
    assert entry not in {c["doc"] for c in fresh["changes"]}
