"""One run: weeks of work by several phones and the office over a bad line, then healing, then `checks`."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, insert, select

from server.db import tables
from server.db.session import Database
from server.domain import devices, restoring, trimming
from sync.errors import Problem
from sync.protocol import dossier_id
from tests.pictures import jpeg
from tests.sim import checks
from tests.sim.desk import Desk
from tests.sim.office import Office
from tests.sim.phone import Refused, SimPhone
from tests.sim.wire import Crash, Lost, Wire
from tests.world import NOW, YEAR, World

SHOTS = [jpeg(80 + n, 60) for n in range(6)]
HOSTILE = ["<script>alert(1)</script>", "Đã học VNeID\u202e", "'; DROP TABLE dossier;--", "chữ 𠮷 và ễ", ""]


class Sim:
    """`act` plays one step; `finish` heals the line, drains everything and checks what must hold."""

    def __init__(self, app: Flask, dice: random.Random, make: Callable[[Wire, str], Any] = SimPhone) -> None:
        self.app, self.dice = app, dice
        self.db: Database = app.extensions["db"]
        self.world = World(self.db)
        self.office = Office(self.world, dice)
        self.desk = Desk(self.world, dice)
        self.wire = Wire(app, dice, bad=0.0)
        self.make = make
        self.ledger: list[tuple[Any, dict[str, Any]]] = []
        self.forms: list[tuple[Any, str, dict[str, Any]]] = []
        self.backup: dict[Any, list[dict[str, Any]]] | None = None
        self.steps = 0
        self.cloned = self.restored = False
        self.phones: list[Any] = [make(self.wire, name) for name in ("Redmi 9A", "OPPO A1k", "Nokia C1", "Vivo Y12")]
        chapter, second, own, shared = self.phones
        chapter.pair(self.world.chapter_code())
        second.pair(self.world.chapter_code(name="Vàng A Sử"))
        own.pair(self.world.citizen_code())
        shared.pair(self.world.chapter_code(self.world.keo, "Triệu Thị Mùi"))
        shared.pair(self.world.citizen_code(self.world.lieu))
        for phone in self.phones:
            phone.sync()
        self.wire.bad = 0.3

    # acts of people
    def _somebody(self) -> tuple[Any, dict[str, Any]]:
        phone = self.dice.choice([p for p in self.phones if not p.revoked])
        people = phone.people or [{"id": "00000000-0000-4000-8000-000000000000", "role": "citizen", "citizen": None, "place": None}]
        return phone, self.dice.choice(people)

    def _keep(self, phone: Any, made: list[dict[str, Any]]) -> None:
        self.ledger.extend((phone, m) for m in made)

    def _citizen(self, phone: Any, by: dict[str, Any]) -> str | None:
        known = [c["id"] for c in phone.all("citizen")]
        return by["citizen"] if by["role"] == "citizen" else self.dice.choice(known) if known else None

    def _words(self) -> Any:
        return self.dice.choice(HOSTILE) if self.dice.random() < 0.3 else f"chữ {self.dice.randint(0, 10**6)}"

    def _patch(self, by: dict[str, Any]) -> dict[str, Any]:
        kinds = ["self", "note"] if by["role"] == "citizen" else ["self", "note", "chapter", "chapter"]
        patch = {}
        for _ in range(self.dice.randint(1, 3)):
            kind, number = self.dice.choice(kinds), self.dice.randint(1, 3)
            patch[f"{kind}.{number}"] = self._words() if kind == "note" else self.dice.randint(1, 10)
        return patch

    def edit(self) -> None:
        phone, by = self._somebody()
        citizen = self._citizen(phone, by)
        if citizen is not None:
            doc = dossier_id(citizen, YEAR)
            self._keep(phone, phone.edit(by, "dossier", doc, self._patch(by), phone.basis(doc), citizen))

    def open_form(self) -> None:
        phone, _ = self._somebody()
        known = phone.all("dossier")
        if known:
            doc = self.dice.choice(known)
            self.forms.append((phone, doc, phone.basis(doc["id"])))

    def save_form(self) -> None:
        """Perhaps long after it was drawn, while others and other tabs went on."""
        if self.forms:
            phone, doc, basis = self.forms.pop(self.dice.randrange(len(self.forms)))
            if not phone.revoked and phone.people:
                by = self.dice.choice(phone.people)
                self._keep(phone, phone.edit(by, "dossier", doc["id"], self._patch(by), basis, doc["data"]["citizen"]))

    def shoot(self) -> None:
        phone, by = self._somebody()
        citizen = self._citizen(phone, by)
        if citizen is None:
            return
        photo = {"indicator": self.dice.randint(1, 10), "caption": self._words()}
        judged = [e["id"] for e in phone.all("evidence") if e["data"].get("verdict") in ("retake", "incomplete")]
        if judged and self.dice.random() < 0.7:
            photo["replaces"] = self.dice.choice(judged)
        self._keep(phone, phone.shoot(by, citizen, YEAR, photo, self.dice.choice(SHOTS)))

    def remove(self) -> None:
        phone, by = self._somebody()
        known = phone.all("evidence")
        if known:
            self._keep(phone, phone.take_away(by, self.dice.choice(known)))

    def move_photo(self) -> None:
        phone, by = self._somebody()
        known, citizen = phone.all("evidence"), self._citizen(phone, by)
        if known and citizen is not None:
            self._keep(phone, phone.move_photo(by, self.dice.choice(known), citizen, self.dice.randint(1, 10)))

    def register(self) -> None:
        phone, by = self._somebody()
        if by["role"] == "chapter":
            self._keep(phone, phone.register(by, {"full_name": f"Lò Văn {self.dice.randint(1, 5)}", "birth_year": 1980}))

    def rename(self) -> None:
        phone, by = self._somebody()
        known = phone.all("citizen")
        if known:
            doc = self.dice.choice(known)["id"]
            patch = {self.dice.choice(["full_name", "phone", "note"]): f"Tên {self.dice.randint(1, 9)}"}
            self._keep(phone, phone.edit(by, "citizen", doc, patch, phone.basis(doc), doc))

    def comment(self) -> None:
        phone, by = self._somebody()
        known = phone.all("dossier")
        if known:
            dossier = self.dice.choice(known)
            photos = [e["id"] for e in phone.all("evidence") if e["data"].get("dossier") == dossier["id"]]
            self._keep(phone, phone.say(by, dossier["data"]["citizen"], self.dice.choice([dossier["id"], *photos]), self._words() or "."))

    def step(self) -> None:
        phone, by = self._somebody()
        known = phone.all("dossier")
        if known:
            dossier = self.dice.choice(known)
            state = dossier["data"].get("state", "draft")
            op = {"submitted": self.dice.choice(["withdraw", "appraise", "appraise"]), "appraised": "reopen"}.get(state, "submit")
            scores = {n: self.dice.randint(1, 10) for n in range(1, 11)} if op == "appraise" else {}
            self._keep(phone, phone.step(by, dossier, op, scores))

    def resolve(self) -> None:
        phone, by = self._somebody()
        known = [c for c in phone.all("conflict") if c["data"].get("state") == "open"]
        if known:
            self._keep(phone, phone.settle(by, self.dice.choice(known), self.dice.choice(["mine", "theirs"])))

    def propose_move(self) -> None:
        phone, by = self._somebody()
        known = phone.all("citizen")
        if known:
            self._keep(phone, phone.propose(by, self.dice.choice(known), self.dice.choice([self.world.na, self.world.keo])))

    # acts of phones
    def send(self) -> None:
        phone, _ = self._somebody()
        self._trying(phone, lambda: phone.sync(self.dice.choice([1, 3, 50]), self.dice.choice([4096, 65536])))

    def send_photos(self) -> None:
        phone, _ = self._somebody()
        self._trying(phone, lambda: phone.upload(self.dice.randint(1, 6)))

    def _trying(self, phone: Any, work: Callable[[], Any]) -> None:
        try:
            work()
        except Lost:
            pass
        except Crash:
            phone.reopen()
        except Refused as refused:
            assert refused.code in ("device.revoked", "upload.person", "auth.required", "upload.busy", "app.too_old"), refused

    def lose_cookie(self) -> None:
        self._somebody()[0].cookies.clear()

    def clone(self) -> None:
        phone = self._somebody()[0]
        if not self.cloned and phone.can_be_copied:
            self.cloned = True
            self.phones.append(phone.cloned())

    # acts of the office and of time
    def at_the_office(self) -> None:
        self.dice.choice([self.office.dossier, self.office.dossier, self.office.evidence, self.office.citizen, self.office.conflict])()

    def at_the_desk(self) -> None:
        desk = self.desk
        self.dice.choice([desk.accept, desk.accept, desk.accept, desk.choose_again, desk.bring_back, desk.merge, desk.part])()

    def people_change(self) -> None:
        self.office.person()

    def revoke(self) -> None:
        phone, _ = self._somebody()
        if len([p for p in self.phones if not p.revoked]) > 3:
            with self.db.write() as conn:
                try:
                    devices.revoke(conn, self.world.commune, phone.id, NOW)
                except Problem:
                    return
            self.backup = None  # a revocation outlives a restore

    def repeat_late(self) -> None:
        self.wire.deliver_late()

    def trim(self) -> None:
        self.wire.trimmed = True
        trimming.trim(self.db, datetime.now(UTC) + timedelta(days=401))

    def back_up(self) -> None:
        with self.db.read() as conn:
            self.backup = {t: [dict(r) for r in conn.execute(select(t)).mappings()] for t in tables.metadata.sorted_tables}
        self.kept_decided = dict(self.office.decided)

    def restore(self) -> None:
        if self.backup is None:
            return
        with self.db.write() as conn:
            for table in reversed(tables.metadata.sorted_tables):
                conn.execute(delete(table))
            for table, rows in self.backup.items():
                if rows:
                    conn.execute(insert(table), rows)
            restoring.new_epoch(conn, self.world.commune)
        self.backup, self.restored = None, True
        self.office.decided = dict(self.kept_decided)

    def act(self, name: str) -> None:
        self.steps += 1
        getattr(self, name)()

    # the end
    def finish(self) -> None:
        self.wire.heal()
        for _ in range(12):
            before = [phone.waiting() for phone in self.phones]
            for phone in self.phones:
                self._settle(phone)
            after = [phone.waiting() for phone in self.phones]
            if before == after and not any(sum(n) for n in after):
                break
        for phone in self.phones:
            self._settle(phone)
        checks.all_hold(self)

    def _settle(self, phone: Any) -> None:
        if phone.revoked:
            return phone.hand_over()
        try:
            phone.sync()
            phone.upload()
        except Refused as refused:
            assert refused.code == "device.revoked", refused
            phone.revoked = True


WEIGHTS = {
    "edit": 14, "open_form": 5, "save_form": 5, "shoot": 8, "remove": 3, "move_photo": 2, "register": 3, "rename": 3, "comment": 2,
    "step": 7, "resolve": 5, "propose_move": 1, "send": 24, "send_photos": 9, "lose_cookie": 1, "clone": 0.4, "at_the_office": 10,
    "at_the_desk": 3, "people_change": 1, "revoke": 0.3, "repeat_late": 3, "back_up": 0.6, "restore": 0.6, "trim": 0.5,
}  # fmt: skip


@contextmanager
def same_ids(dice: random.Random) -> Iterator[None]:
    """Ids by the run's own dice, so that a seed plays the same run again."""
    real, own = uuid.uuid4, random.Random(dice.getrandbits(64))
    uuid.uuid4 = lambda: uuid.UUID(int=own.getrandbits(128), version=4)
    try:
        yield
    finally:
        uuid.uuid4 = real


def play(sim: Sim, steps: int) -> None:
    """A whole run from the run's own dice."""
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    for _ in range(steps):
        sim.act(sim.dice.choices(names, weights)[0])
    sim.finish()
