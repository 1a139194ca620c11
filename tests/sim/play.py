"""One run: weeks of work by several phones and the office over a bad line, then healing, then `checks`."""

import io
import json
import random
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, insert, select

from server.db import tables
from server.db.session import Database
from server.domain import devices, restoring, trimming
from sync.errors import Problem
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

    def _keep(self, phone: Any, by: dict[str, Any], *made: dict[str, Any]) -> None:
        if made:
            self.ledger.extend((phone, m) for m in phone.save(by["id"], *made))

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
            doc, first = phone.begin(citizen, YEAR)
            self._keep(phone, by, *first, *phone.update("dossier", doc, self._patch(by), phone.basis(doc)))

    def open_form(self) -> None:
        phone, _ = self._somebody()
        known = phone.all("dossier")
        if known:
            doc = self.dice.choice(known)["id"]
            self.forms.append((phone, doc, phone.basis(doc)))

    def save_form(self) -> None:
        """Perhaps long after it was drawn, while others and other tabs went on."""
        if self.forms:
            phone, doc, basis = self.forms.pop(self.dice.randrange(len(self.forms)))
            if not phone.revoked and phone.people:
                by = self.dice.choice(phone.people)
                self._keep(phone, by, *phone.update("dossier", doc, self._patch(by), basis))

    def shoot(self) -> None:
        phone, by = self._somebody()
        citizen = self._citizen(phone, by)
        if citizen is None:
            return
        doc, first = phone.begin(citizen, YEAR)
        sha256 = phone.keep_photo(by["id"], self.dice.choice(SHOTS))
        patch = {"dossier": doc, "indicator": self.dice.randint(1, 10), "sha256": sha256, "caption": self._words()}
        judged = [e["id"] for e in phone.all("evidence") if e["data"].get("verdict") in ("retake", "incomplete")]
        if judged and self.dice.random() < 0.7:
            patch["replaces"] = self.dice.choice(judged)
        self._keep(phone, by, *first, {"op": "create", "type": "evidence", "doc": self._id(), "base": 0, "set": patch})

    def remove(self) -> None:
        phone, by = self._somebody()
        known = phone.all("evidence")
        if known:
            doc = self.dice.choice(known)
            self._keep(phone, by, {"op": "delete", "type": "evidence", "doc": doc["id"], "base": {doc["id"]: doc["rev"]}})

    def move_photo(self) -> None:
        phone, by = self._somebody()
        known = phone.all("evidence")
        if known:
            old = self.dice.choice(known)
            patch = {k: old["data"][k] for k in ("dossier", "sha256") if k in old["data"]}
            patch |= {"indicator": self.dice.randint(1, 10), "moved_from": old["id"]}
            create = {"op": "create", "type": "evidence", "doc": self._id(), "base": 0, "set": patch}
            self._keep(phone, by, create, {"op": "delete", "type": "evidence", "doc": old["id"], "base": {old["id"]: old["rev"]}})

    def register(self) -> None:
        phone, by = self._somebody()
        if by["role"] == "chapter":
            patch = {"place": by["place"], "full_name": f"Lò Văn {self.dice.randint(1, 5)}", "birth_year": 1980}
            self._keep(phone, by, {"op": "create", "type": "citizen", "doc": self._id(), "base": 0, "set": patch})

    def rename(self) -> None:
        phone, by = self._somebody()
        known = phone.all("citizen")
        if known:
            doc = self.dice.choice(known)["id"]
            patch = {self.dice.choice(["full_name", "phone", "note"]): f"Tên {self.dice.randint(1, 9)}"}
            self._keep(phone, by, *phone.update("citizen", doc, patch, phone.basis(doc)))

    def comment(self) -> None:
        phone, by = self._somebody()
        known = [*phone.all("dossier"), *phone.all("evidence")]
        if known:
            patch = {"on": self.dice.choice(known)["id"], "text": self._words()}
            self._keep(phone, by, {"op": "create", "type": "comment", "doc": self._id(), "base": 0, "set": patch})

    def step(self) -> None:
        phone, by = self._somebody()
        known = phone.all("dossier")
        if known:
            doc = self.dice.choice(known)
            state = doc["data"].get("state", "draft")
            op = {"submitted": self.dice.choice(["withdraw", "appraise", "appraise"]), "appraised": "reopen"}.get(state, "submit")
            patch: dict[str, Any] = {f"chapter.{n}": self.dice.randint(1, 10) for n in range(1, 11)} if op == "appraise" else {}
            self._keep(phone, by, phone.command(op, doc["id"], state, patch, phone.basis(doc["id"])))

    def resolve(self) -> None:
        phone, by = self._somebody()
        known = [c for c in phone.all("conflict") if c["data"].get("state") == "open"]
        if known:
            doc = self.dice.choice(known)
            self._keep(phone, by, {"op": "resolve", "type": "conflict", "doc": doc["id"], "base": doc["rev"],
                                   "set": {"pick": self.dice.choice(["mine", "theirs"])}})  # fmt: skip

    def propose_move(self) -> None:
        phone, by = self._somebody()
        known = phone.all("citizen")
        if known:
            doc = self.dice.choice(known)
            place = self.dice.choice([self.world.na, self.world.keo])
            self._keep(phone, by, {"op": "move", "type": "citizen", "doc": doc["id"], "base": doc["rev"], "set": {"place": place}})

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
        if not self.cloned:
            self.cloned = True
            self.phones.append(self._somebody()[0].cloned())

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
                    devices.revoke(conn, self.world.commune, phone.disk["id"], NOW)
                except Problem:
                    return
            self.backup = None  # a revocation outlives a restore

    def repeat_late(self) -> None:
        self.wire.deliver_late()

    def trim(self) -> None:
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
            before = [(len(p.disk["outbox"]), sum(s == "waiting" for s in p.disk["photos"].values())) for p in self.phones]
            for phone in self.phones:
                self._settle(phone)
            after = [(len(p.disk["outbox"]), sum(s == "waiting" for s in p.disk["photos"].values())) for p in self.phones]
            if before == after and not any(sum(n) for n in after):
                break
        for phone in self.phones:
            self._settle(phone)
        checks.all_hold(self)

    def _settle(self, phone: Any) -> None:
        if phone.revoked:
            return self._hand_over(phone)
        try:
            phone.sync()
            phone.upload()
        except Refused as refused:
            assert refused.code == "device.revoked", refused
            phone.revoked = True

    def _hand_over(self, phone: Any) -> None:
        """A revoked phone gives what it holds by deposit; only what the answer lists counts as sent."""
        disk = phone.disk
        if not disk["outbox"] and "waiting" not in disk["photos"].values():
            return
        photos = [{"by": by, "sha256": sha} for (by, sha), state in disk["photos"].items() if state == "waiting"]
        raw = json.dumps({"v": 1, "device": disk["id"], "at": NOW, "mutations": disk["outbox"], "photos": photos})
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("outbox.json", raw)
            archive.writestr("signature", disk["key"].sign(raw))
            for sha in sorted({photo["sha256"] for photo in photos}):
                archive.writestr(f"photos/{sha}", disk["bytes"][sha])
        kept = phone.deposit(out.getvalue())
        assert set(kept["mutations"]) == {m["id"] for m in disk["outbox"]} and set(kept["photos"]) >= {p["sha256"] for p in photos}
        disk |= {"outbox": [], "photos": dict.fromkeys(disk["photos"], "received"), "docs": {}}

    def _id(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))


WEIGHTS = {
    "edit": 14, "open_form": 5, "save_form": 5, "shoot": 8, "remove": 3, "move_photo": 2, "register": 3, "rename": 3, "comment": 2,
    "step": 7, "resolve": 5, "propose_move": 1, "send": 24, "send_photos": 9, "lose_cookie": 1, "clone": 0.4, "at_the_office": 10,
    "at_the_desk": 0, "people_change": 1, "revoke": 0.3, "repeat_late": 3, "back_up": 0.6, "restore": 0.6, "trim": 0.5,
}  # fmt: skip


def play(sim: Sim, steps: int) -> None:
    """A whole run from the run's own dice."""
    names, weights = list(WEIGHTS), list(WEIGHTS.values())
    for _ in range(steps):
        sim.act(sim.dice.choices(names, weights)[0])
    sim.finish()
