"""Each number is applied exactly once, whatever is lost, repeated or mixed up on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from server.db import tables
from server.db.session import Database
from server.domain import applying, dispatching, syncing
from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]


@pytest.fixture
def chapter(world: World, phone: Make) -> Phone:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    return one


def quarantined(db: Database) -> list[dict[str, Any]]:
    with db.read() as conn:
        return [dict(r) for r in conn.execute(tables.Quarantine.__table__.select()).mappings()]


def rows(db: Database, table: Any) -> int:
    with db.read() as conn:
        return len(conn.execute(table.__table__.select()).all())


def test_a_lost_answer_is_repeated_and_nothing_applied_twice(world: World, chapter: Phone, db: Database) -> None:
    chapter.queue("create", "evidence", new_id(), photo(world.dossier()))
    body = chapter.body()
    assert chapter.post(body).status_code == 200  # the phone never sees this one
    again = chapter.post(body).get_json()
    assert again["ack"] == 2
    assert again["results"] == []
    assert rows(db, tables.Evidence) == 1


def test_a_replay_repeats_its_result_and_its_document(world: World, chapter: Phone) -> None:
    chapter.queue("update", "dossier", world.dossier(), {"self.1": 11})
    body = chapter.body()
    chapter.sync()
    again = chapter.post({**body, "cursors": chapter.cursors}).get_json()
    assert [r["code"] for r in again["results"]] == ["value.invalid"]
    assert world.dossier() in [c["doc"] for c in again["changes"]]


def test_a_hole_in_the_numbers_tells_what_was_expected(world: World, chapter: Phone) -> None:
    chapter.queue("update", "dossier", world.dossier(), {"self.1": 5}, seq=9)
    answer = chapter.post(chapter.body())
    assert (answer.status_code, answer.get_json()["code"]) == (409, "seq.gap")
    assert answer.get_json()["expected"] == 2


def test_another_id_under_a_used_number_is_a_cloned_phone(world: World, chapter: Phone) -> None:
    stranger = chapter.mutation("update", "dossier", world.dossier(), {"self.1": 5}, seq=1)
    answer = chapter.post(chapter.body(mutations=[stranger]))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "device.cloned")
    assert answer.get_json()["challenge"]


def test_other_content_under_a_used_number_and_id_is_kept(world: World, chapter: Phone, db: Database) -> None:
    first = chapter.queue("update", "dossier", world.dossier(), {"self.1": 5})
    chapter.sync()
    body = chapter.sync(mutations=[{**first, "set": {"self.1": 6}}])
    assert body["ack"] == 2
    assert chapter.data(world.dossier())["self.1"] == 5
    assert [q["payload"]["set"] for q in quarantined(db)] == [{"self.1": 6}]


def test_a_second_duplicate_tells_what_the_first_one_was(world: World, chapter: Phone) -> None:
    one = chapter.queue("update", "dossier", world.dossier(), {"self.1": 11})
    chapter.sync()
    for number in (1, 2, 3):
        body = chapter.sync(mutations=[{**one, "seq": one["seq"] + number}])
        told = Phone.result(body, one["seq"] + number)
        assert (told["result"], told["was"]["code"]) == ("duplicate", "value.invalid")


def test_the_same_id_under_a_new_number_is_a_duplicate(world: World, chapter: Phone, db: Database) -> None:
    bad = chapter.queue("update", "dossier", world.dossier(), {"self.1": 0})
    chapter.sync()
    body = chapter.sync(mutations=[{**bad, "seq": 3}])
    result = Phone.result(body, 3)
    assert result["result"] == "duplicate"
    assert result["was"]["code"] == "value.invalid"
    assert body["ack"] == 3


def test_void_spends_the_number_and_not_the_id(world: World, chapter: Phone) -> None:
    ident = new_id()
    chapter.sync(mutations=[{"seq": 2, "id": ident, "op": "void"}])
    again = {**chapter.mutation("update", "dossier", world.dossier(), {"self.2": 7}), "seq": 3, "id": ident}
    body = chapter.sync(mutations=[again])
    assert (body["ack"], body["results"]) == (3, [])
    assert chapter.data(world.dossier())["self.2"] == 7


def test_two_entries_in_one_request_with_one_id(world: World, chapter: Phone) -> None:
    one = chapter.mutation("update", "dossier", world.dossier(), {"self.2": 7})
    body = chapter.sync(mutations=[one, {**one, "seq": one["seq"] + 1}])
    assert Phone.result(body, one["seq"] + 1)["result"] == "duplicate"


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"op": "explode"}, "op.unknown"),
        ({"type": "pig"}, "type.unknown"),
        ({"doc": "nonsense"}, "doc.invalid"),
        ({"set": {"self.1": "nine"}}, "value.invalid"),
        ({"set": {"colour": 1}}, "field.unknown"),
        ({"set": {"state": "decided"}}, "field.command"),
        ({"set": {"note.1": "a\x00b"}}, "value.invalid"),
        ({"set": {"note.1": "\ud800"}}, "value.invalid"),
        ({"set": [1, 2]}, "set.invalid"),
        ({"base": "x"}, "base.invalid"),
        ({"set": {"note.1": "a" * 70_000}}, "mutation.too_large"),
    ],
)
def test_a_bad_mutation_is_kept_and_blocks_nothing(
    world: World, chapter: Phone, db: Database, broken: dict[str, Any], code: str
) -> None:
    bad = {**chapter.mutation("update", "dossier", world.dossier(), {"self.1": 5}), **broken}
    chapter.outbox = [bad]
    chapter.queue("update", "dossier", world.dossier(), {"self.2": 6})
    body = chapter.sync()
    result = Phone.result(body, bad["seq"])
    assert (result["result"], result["code"]) == ("rejected", code)
    assert result["message"]
    assert body["ack"] == bad["seq"] + 1
    assert chapter.data(world.dossier())["self.2"] == 6
    assert len(quarantined(db)) == 1


@pytest.mark.parametrize("poison", ["\ud800", "a\x00b"])
def test_text_that_no_answer_could_carry_gets_nowhere(world: World, chapter: Phone, db: Database, poison: str) -> None:
    chapter.queue("update", "citizen", world.pao, {"consent": [{"version": poison}]})
    chapter.queue("create", "evidence", new_id(), photo(world.dossier(), position={"lat": poison}))
    chapter.queue("create", poison, new_id(), {})
    chapter.queue("update", "dossier", world.dossier(), {poison: 1})
    chapter.queue("update", "dossier", world.dossier(), {"self.1": 5}, at=poison)
    body = chapter.sync(app=f"2026.11{poison}", waiting={"mutations": poison, "oldest_at": {"x": poison}})
    assert [r["result"] for r in body["results"]] == ["rejected"] * 4
    assert chapter.data(world.dossier())["self.1"] == 5
    assert len(quarantined(db)) == 4


def test_a_bug_of_ours_hits_one_mutation_alone(
    world: World, chapter: Phone, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursed, real = new_id(), applying.create

    def create(work: Any, edit: Any) -> Any:
        if edit.mutation["doc"] == cursed:
            raise ZeroDivisionError("a bug")
        return real(work, edit)

    monkeypatch.setattr(applying, "create", create)
    kept = [new_id(), new_id()]
    chapter.queue("create", "evidence", kept[0], photo(world.dossier(), text="a"))
    bad = chapter.queue("create", "evidence", cursed, photo(world.dossier(), text="b"))
    chapter.queue("create", "evidence", kept[1], photo(world.dossier(), text="c"))
    body = chapter.sync()
    assert body["ack"] == 4
    assert [(r["seq"], r["code"]) for r in body["results"]] == [(bad["seq"], "internal")]
    assert {e["doc"] for e in chapter.of_type("evidence")} == set(kept)
    assert [q["payload"]["doc"] for q in quarantined(db)] == [cursed]


def test_a_database_error_of_one_hits_it_alone(world: World, chapter: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    real, cursed = dispatching.dispatch, new_id()

    def dispatch(work: Any, edit: Any) -> Any:
        outcome = real(work, edit)
        if edit.mutation["doc"] == cursed:
            work.docs[cursed].row["place_id"] = None
        return outcome

    monkeypatch.setattr(dispatching, "dispatch", dispatch)
    chapter.queue("create", "evidence", cursed, photo(world.dossier()))
    chapter.queue("update", "dossier", world.dossier(), {"self.4": 4})
    body = chapter.sync()
    assert body["ack"] == 3
    assert [r["result"] for r in body["results"]] == ["rejected"]
    assert chapter.data(world.dossier())["self.4"] == 4


def test_a_busy_database_fails_the_whole_batch_with_503(
    world: World, chapter: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def locked(*_: Any) -> Any:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    chapter.queue("update", "dossier", world.dossier(), {"self.4": 4})
    with monkeypatch.context() as patched:
        patched.setattr(syncing, "_apply_all", locked)
        answer = chapter.post(chapter.body())
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert chapter.sync()["ack"] == 2


def test_a_restored_server_says_so_before_it_looks_at_numbers(world: World, chapter: Phone) -> None:
    chapter.queue("update", "dossier", world.dossier(), {"self.4": 4}, seq=77)
    answer = chapter.post(chapter.body(epoch="e0"))
    body = answer.get_json()
    assert (answer.status_code, body["code"], body["expected"]) == (409, "epoch", 2)
    assert body["epoch"] == chapter.epoch
