"""Many phones at the same moment, on either database: nobody is turned away, nothing is doubled."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select

from server.db import tables
from server.db.session import Database
from server.domain import staff
from server.http import attempts
from sync.errors import Problem
from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]


def at_once(jobs: list[Callable[[], Any]]) -> None:
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> None:
        gate.wait()
        job()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pairs(one: Phone, code: str, statuses: list[int]) -> None:
    statuses.append(one.try_pair(code).status_code)


def sends(one: Phone, answers: list[dict[str, Any]]) -> None:
    answers.append(one.post(one.body()).get_json())


def count(db: Database, table: Any) -> int:
    with db.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table.__table__)).scalar_one())


def test_phones_that_pair_at_the_same_moment(world: World, phone: Make) -> None:
    codes = [world.chapter_code(name=f"Chi hội {n}") for n in range(8)]
    statuses: list[int] = []
    at_once([partial(pairs, phone(), code, statuses) for code in codes])
    assert statuses == [201] * 8


def test_phones_that_begin_the_same_dossier_at_the_same_moment(world: World, phone: Make, db: Database) -> None:
    phones = [phone().pair(world.chapter_code(name=f"Chi hội {n}")) for n in range(6)]
    answers: list[dict[str, Any]] = []
    for one in phones:
        one.queue("create", "dossier", world.dossier(), world.begin())
        one.queue("create", "evidence", new_id(), photo(world.dossier(), text=one.id))
    at_once([partial(sends, one, answers) for one in phones])
    assert all(a["ack"] == 2 for a in answers)
    assert not [r for a in answers for r in a["results"] if r["result"] == "rejected"]
    assert count(db, tables.Dossier) == 1
    assert count(db, tables.Evidence) == 6


def test_two_tabs_that_send_the_same_batch_at_the_same_moment(world: World, phone: Make, db: Database) -> None:
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin())
    one.queue("create", "evidence", new_id(), photo(world.dossier()))
    body, answers = one.body(), []
    at_once([lambda: answers.append(one.post(body).status_code)] * 4)
    assert answers == [200] * 4
    assert count(db, tables.Evidence) == 1


def test_one_used_code_for_two_phones_at_the_same_moment(world: World, phone: Make) -> None:
    code = world.chapter_code()
    statuses: list[int] = []
    at_once([partial(pairs, phone(), code, statuses) for _ in range(4)])
    assert sorted(statuses) == [201, 410, 410, 410]


def test_tries_at_the_same_moment_are_counted_one_by_one(world: World, db: Database) -> None:
    """As several server processes would: none slips past the limit, and none below it is refused."""
    counted: list[str] = []

    def tries() -> None:
        try:
            with db.write() as conn:
                attempts.count(conn, "login", "10.0.0.7", 5, 600)
            counted.append("ok")
        except Problem as problem:
            counted.append(problem.code)

    at_once([tries] * 8)
    assert sorted(counted) == ["ok"] * 5 + ["too_many"] * 3


def test_wrong_passwords_at_the_same_moment_lock_the_account(world: World, db: Database) -> None:
    with db.write() as conn:
        login, password = staff.add(conn, world.commune, "Hoàng Thị Duyệt")

    def wrong() -> None:
        staff.sign_in(db, login, "sai")

    at_once([wrong] * staff.MOST_FAILURES)
    with pytest.raises(Problem, match="15 phút"):
        staff.sign_in(db, login, password)


def test_a_password_is_checked_while_others_write(world: World, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long on purpose: no phone's sync may wait for it."""
    with db.write() as conn:
        login, password = staff.add(conn, world.commune, "Hoàng Thị Duyệt")

    def while_others_write(_hash: str, _password: str) -> bool:
        with db.write() as conn:
            staff.remember_place(conn, world.commune, world.staff, "/people")
        return True

    monkeypatch.setattr(staff, "_fits", while_others_write)
    row = staff.sign_in(db, login, password)
    assert row is not None and row["login"] == login
