"""After 400 days the signs of leaving go; a phone that was away longer pages from the start and keeps no ghost."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from server.db import tables
from server.db.session import Database
from server.domain import trimming
from tests.phones import Phone
from tests.world import World, new_id

Make = Callable[..., Phone]
LATER = datetime.now(UTC) + timedelta(days=401)


@pytest.fixture
def away(world: World, phone: Make) -> Phone:
    """A chapter's phone that has seen its hamlet, and was then silent while somebody moved away."""
    one = phone().pair(world.chapter_code())
    one.sync()
    world.as_staff({"op": "move", "type": "citizen", "doc": world.pao, "base": 2**40, "set": {"place": world.keo}})
    return one


def test_nothing_goes_before_its_time(db: Database, away: Phone, world: World) -> None:
    assert trimming.trim(db, datetime.now(UTC) + timedelta(days=399)) == 0
    away.sync()
    assert world.pao not in away.docs
    assert away.last["resync"] == []


def test_a_phone_that_was_away_longer_pages_from_the_start(db: Database, away: Phone, world: World) -> None:
    assert trimming.trim(db, LATER) > 0
    body = away.post(away.body()).get_json()
    assert body["resync"] == [f"place:{world.na}"]
    assert world.pao not in {c["doc"] for c in body["changes"]}


def test_a_phone_that_pages_while_it_is_trimmed_still_comes_to_the_end(db: Database, world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    first = one.post(one.body(limit=4096)).get_json()
    world.as_staff({"op": "move", "type": "citizen", "doc": world.pao, "base": 2**40, "set": {"place": world.keo}})
    trimming.trim(db, LATER)
    one.cursors = first["cursors"]
    for _ in range(20):
        body = one.post(one.body(limit=4096)).get_json()
        one.cursors = body["cursors"]
        if not body["more"] and not body["resync"]:
            return
    raise AssertionError("it never came to the end")


def test_old_answers_go_and_their_numbers_stay(db: Database, world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    refused = one.queue("update", "citizen", world.pao, {"full_name": ""})
    one.sync()
    assert Phone.result(one.sync(mutations=[refused]), refused["seq"])["result"] == "rejected"
    trimming.trim(db, LATER)
    assert one.sync(mutations=[refused])["results"] == []
    assert one.last["ack"] == refused["seq"]
    with db.read() as conn:
        assert conn.execute(select(func.count()).select_from(tables.MutationLog.__table__)).scalar() == 1


def test_what_never_came_to_be_is_told_as_left_where_its_answer_is_gone(db: Database, world: World, phone: Make) -> None:
    one = phone().pair(world.chapter_code())
    sent = one.queue("create", "citizen", new_id(), {"place": world.keo, "full_name": "Lộc Văn Dìn"})
    one.sync()
    trimming.trim(db, LATER)
    again = one.sync(mutations=[sent])
    assert [(c["doc"], c.get("left")) for c in again["changes"] if c["doc"] == sent["doc"]] == [(sent["doc"], True)]


def test_trimming_again_does_nothing(db: Database, away: Phone) -> None:
    trimming.trim(db, LATER)
    assert trimming.trim(db, LATER) == 0
