"""After a restore: steps that met another state are made by themselves when theirs comes back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.db import tables
from server.db.session import Database
from server.domain import restoring
from sync.protocol import timestamp
from tests.phones import Phone
from tests.sync.test_vectors import cases
from tests.world import World

Make = Callable[..., Phone]
_QUARANTINE, _DOSSIER = tables.Quarantine.__table__, tables.Dossier.__table__


class Commune:
    """Three phones that know the dossier, and a server that was restored to a state of it."""

    def __init__(self, world: World, db: Database, phone: Make) -> None:
        self.world, self.db = world, db
        codes = {"chapter": world.chapter_code(), "second": world.chapter_code(name="Vi Thị Tư"), "citizen": world.citizen_code()}
        self.phones = {name: phone(name).pair(code) for name, code in codes.items()}
        self.phones["citizen"].do("create", "dossier", world.dossier(), world.begin())

    def restore(self, state: str) -> None:
        with self.db.write() as conn:
            conn.execute(update(_DOSSIER).values(state=state))
            epoch = restoring.new_epoch(conn, self.world.commune)
        for phone in self.phones.values():
            phone.epoch = epoch
            phone.sync()

    def step(self, who: str, op: str, expect: str, patch: dict[str, Any] | None = None) -> dict[str, Any]:
        reason = {"reason": "Xem lại"} if op in ("return", "reopen") else None
        if who == "staff":
            step = {"type": "dossier", "doc": self.world.dossier(), "base": 99, "op": op, "expect": expect}
            self.world.as_staff(step | ({"set": reason} if reason else {}))
            return {}
        return self.phones[who].do(op, "dossier", self.world.dossier(), patch or reason, expect=expect)

    @property
    def state(self) -> str:
        with self.db.read() as conn:
            return str(conn.execute(select(_DOSSIER.c.state)).scalar_one())

    @property
    def waits(self) -> list[str]:
        with self.db.read() as conn:
            rows = conn.execute(select(_QUARANTINE.c.payload).where(_QUARANTINE.c.state == "open")).scalars()
            return [payload["op"] for payload in rows]


@pytest.fixture
def commune(world: World, db: Database, phone: Make) -> Commune:
    return Commune(world, db, phone)


@pytest.mark.parametrize("case", cases("stale.json"))
def test_a_stale_step_waits_for_its_state(case: dict[str, Any], commune: Commune) -> None:
    given, want = case["given"], case["want"]
    commune.restore(given["state"])
    if not given.get("restored", True):
        with commune.db.write() as conn:
            conn.execute(update(tables.Commune.__table__).values(revision_floor=0))
    for who, op, expect in given["steps"]:
        commune.step(who, op, expect)
    assert (commune.state, commune.waits) == (want["state"], want["waits"])


def test_scores_are_written_at_once_and_the_step_writes_them_no_second_time(commune: Commune) -> None:
    commune.restore("draft")
    chapter, dossier = commune.phones["chapter"], commune.world.dossier()
    first = commune.step("chapter", "appraise", "submitted", {"chapter.1": 4})
    assert first["code"] == "state.stale"
    assert chapter.data(dossier)["chapter.1"] == 4
    chapter.do("update", "dossier", dossier, {"chapter.1": 9})
    commune.step("citizen", "submit", "draft")
    chapter.sync()
    assert (chapter.data(dossier)["state"], chapter.data(dossier)["chapter.1"]) == ("appraised", 9)
    assert chapter.of_type("conflict") == []


def test_after_thirty_days_it_is_left_to_staff(commune: Commune) -> None:
    commune.restore("draft")
    commune.step("chapter", "appraise", "submitted")
    with commune.db.write() as conn:
        conn.execute(update(_QUARANTINE).values(received_at=timestamp(datetime.now(UTC) - timedelta(days=31))))
    commune.step("citizen", "submit", "draft")
    assert (commune.state, commune.waits) == ("submitted", ["appraise"])
