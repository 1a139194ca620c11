"""A server whose database is crowded or away says when to come again, and goes on by itself."""

from collections.abc import Callable
from contextlib import ExitStack

from flask import Flask

from server.db.session import Database
from tests.phones import Phone
from tests.world import World, new_id

Make = Callable[..., Phone]


def test_a_pool_that_is_used_up_is_503_and_passes(world: World, phone: Make, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    one.queue("create", "dossier", world.dossier(), world.begin())
    db.engine.pool._timeout = 0.2  # type: ignore[attr-defined]  # seconds; 5 in earnest
    with ExitStack() as held:
        for _ in range(16):
            held.enter_context(db.engine.connect())
        answer = one.post(one.body())
        assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
    assert one.sync()["ack"] == 1


def test_a_database_that_is_away_is_503_and_the_batch_comes_again(world: World, phone: Make, app: Flask, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    one.queue("create", "dossier", world.dossier(), world.begin())
    one.queue("create", "comment", new_id(), {"on": world.dossier(), "text": "chờ"})
    app.extensions["db"] = Database("postgresql://nobody@127.0.0.1:1/nothing")
    for answer in (one.post(one.body()), one.client.get("/api/v1/photos/" + "0" * 64)):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
    app.extensions["db"] = db
    assert one.sync()["ack"] == 2
