"""Several phones and the office at one dossier for weeks, with lost answers and long silences.

At the end everybody sees the same, every edit is accounted for, and nothing was overwritten unseen.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from server.db import tables
from server.db.session import Database
from sync.errors import Problem
from tests.phones import Phone
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
STEPS = 120


class Person:
    """Edits as the app does: the base and the chain of each field are fixed when the edit is made."""

    def __init__(self, phone: Phone, fields: list[str], dice: random.Random) -> None:
        self.phone, self.fields, self.dice = phone, fields, dice
        self.latest: dict[str, str] = {}
        self.pending: dict[str, tuple[int, int]] = {}  # field -> (number, base) of its oldest pending patch
        self.made: list[dict[str, Any]] = []

    def edit(self, doc: str) -> None:
        name = self.dice.choice(self.fields)
        value = f"chữ {self.dice.random()}" if name.startswith("note") else self.dice.randint(1, 10)
        oldest = self.pending.get(name)
        base = oldest[1] if oldest and oldest[0] > self.acked else self.phone.rev(doc)
        after = {"after": {name: self.latest[name]}} if name in self.latest else {}
        made = self.phone.queue("update", "dossier", doc, {name: value}, base=base, **after)
        if not (oldest and oldest[0] > self.acked):
            self.pending[name] = (made["seq"], base)
        self.latest[name] = made["id"]
        self.made.append(made)

    @property
    def acked(self) -> int:
        first = self.phone.outbox[0]["seq"] if self.phone.outbox else self.phone.next
        return int(first) - 1

    def shoot(self, doc: str) -> None:
        self.made.append(self.phone.queue("create", "evidence", new_id(), photo(doc, text=str(self.dice.random()))))

    def step(self, doc: str, op: str, expect: str) -> None:
        self.made.append(self.phone.queue(op, "dossier", doc, expect=expect))

    def send(self) -> None:
        """All, a part, or all with the answer lost."""
        luck = self.dice.random()
        if luck < 0.25:
            assert self.phone.post(self.phone.body()).status_code == 200
        elif luck < 0.45:
            part = self.phone.outbox[: self.dice.randint(0, 3)]
            answer = self.phone.post(self.phone.body(mutations=part, limit=4096))
            assert answer.status_code == 200, answer.text
            self.phone.apply(answer.get_json())
        else:
            self.phone.sync()


def play(world: World, people: list[Person], dice: random.Random) -> None:
    doc = world.dossier()
    for _ in range(STEPS):
        who = dice.choice(people)
        state = who.phone.docs.get(doc, {"data": {"state": "draft"}})["data"]["state"]
        act = dice.random()
        if act < 0.45:
            who.edit(doc)
        elif act < 0.55:
            who.shoot(doc)
        elif act < 0.62:
            who.step(doc, "withdraw" if state == "submitted" else "submit", state)
        elif act < 0.67:
            office(world, doc, dice)
        else:
            who.send()


def office(world: World, doc: str, dice: random.Random) -> None:
    step = {"type": "dossier", "doc": doc, "base": 0}
    try:
        if dice.random() < 0.5:
            world.as_staff({**step, "op": "return", "set": {"reason": "Thiếu ảnh"}, "base": 2**40})
        else:
            world.as_staff({**step, "op": "update", "set": {f"self.{dice.randint(1, 3)}": dice.randint(1, 10)}})
    except Problem:
        pass  # the form comes back, nothing was written


def rows(db: Database, table: Any) -> list[dict[str, Any]]:
    with db.read() as conn:
        return [dict(r) for r in conn.execute(select(table.__table__)).mappings()]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(8))
def test_everybody_converges_and_nothing_is_lost(world: World, phone: Make, db: Database, seed: int) -> None:
    dice = random.Random(seed)
    own, one, two = (
        phone().pair(world.citizen_code()),
        phone().pair(world.chapter_code()),
        phone().pair(world.chapter_code()),
    )
    one.do("create", "dossier", world.dossier(), world.begin())
    words = ["self.1", "self.2", "self.3", "note.1"]
    people = [Person(own, words, dice), *[Person(p, [*words, "chapter.1", "chapter.2"], dice) for p in (one, two)]]
    play(world, people, dice)
    for _ in range(2):
        for person in people:
            person.phone.sync()

    assert all(person.phone.outbox == [] for person in people), "the queue always drains"
    assert one.docs == two.docs, "all phones of the hamlet see the same"
    seen = {d: c["rev"] for d, c in one.docs.items()}
    assert all(seen[d] == c["rev"] for d, c in own.docs.items() if d in seen)
    accounted(db, people)
    unseen(db, people)


def accounted(db: Database, people: list[Person]) -> None:
    """Every edit once in the log; what was not applied is in a conflict or in quarantine."""
    log = {row["mutation_id"]: row for row in rows(db, tables.MutationLog)}
    kept = {row["mutation_id"] for row in rows(db, tables.Quarantine)}
    held = str([(row["mine"], row["theirs"]) for row in rows(db, tables.Conflict)])
    history = rows(db, tables.History)
    written = {row["mutation_id"] for row in history}
    held += str([row["patch"] for row in history if row["type"] == "conflict"])
    for person in people:
        for made in person.made:
            result = log[made["id"]]["result"]
            told = result["result"] if result else None
            if told in ("amendment", "gone", "out_of_scope", "waiting"):
                assert made["id"] in kept
            elif told == "held":
                assert made["id"] in held
            elif told == "rejected":
                assert made["op"] in ("submit", "withdraw")
            elif made["op"] == "create":
                assert made["id"] in written


def unseen(db: Database, people: list[Person]) -> None:
    """No write replaced a foreign value that its author had not seen; none was held without one."""
    made = {m["id"]: (m, person.phone.id) for person in people for m in person.made}
    last: dict[str, tuple[int, str]] = {}
    for row in sorted((r for r in rows(db, tables.History) if r["type"] == "dossier"), key=lambda r: r["rev"]):
        mutation, device = made.get(row["mutation_id"], ({}, ""))
        for name in row["patch"]:
            if mutation.get("op") == "update" and name in last:
                rev, writer = last[name]
                assert rev <= mutation["base"] or writer == device, (name, row)
            last[name] = (row["rev"], row["device_id"])
