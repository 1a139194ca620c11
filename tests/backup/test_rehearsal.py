"""The whole disaster: a backup taken under load, the machine lost later, and nothing that phones saved is missing."""

import dataclasses
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from server.app import create_app
from server.backup.making import backup
from server.config import Config
from server.db import tables
from server.db.session import Database, sqlite_url
from server.domain import devices
from sync.protocol import dossier_id
from tests.backup.conftest import TIMES, Site, wrong_with
from tests.backup.keeping import Keeping, settle
from tests.pictures import jpeg, sha256
from tests.world import NOW, YEAR, World, new_id, photo

WRITERS = 4
_DOSSIER, _EVIDENCE = tables.Dossier.__table__, tables.Evidence.__table__


class Writer(threading.Thread):
    """Registers a person, then declares and shoots without end until told to stop."""

    def __init__(self, phone: Keeping, world: World, number: int) -> None:
        super().__init__(daemon=True)
        self.phone, self.place, self.number = phone, world.na, number
        self.citizen = new_id()
        self.dossier = dossier_id(self.citizen, YEAR)
        self.steps = 0
        self.ends = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            person = {"place": self.place, "full_name": f"Nông Thị Số {self.number}", "birth_year": 1950 + self.number}
            self.phone.save("create", "citizen", self.citizen, person)
            self.phone.save("create", "dossier", self.dossier, {"citizen": self.citizen, "year": YEAR})
            while not self.ends.is_set():
                self.step()
        except BaseException as error:
            self.error = error
            raise

    def step(self) -> None:
        n = self.steps % 10 + 1
        note = {f"note.{n}": f"lần {self.steps}"}
        earlier = next((m for m in reversed([*self.phone.kept, *self.phone.outbox]) if f"note.{n}" in m.get("set", {})), None)
        self.phone.save("update", "dossier", self.dossier, note, after={f"note.{n}": earlier["id"]} if earlier else {})
        colour = f"#{self.number:02x}{self.steps % 256:02x}{self.steps // 256:02x}"
        self.phone.shoot(new_id(), photo(self.dossier, n), jpeg(16, 16, colour, comment=f"{self.number}/{self.steps}".encode()))
        self.phone.round()
        self.steps += 1

    def wait_for(self, steps: int) -> None:
        while self.steps < steps and self.error is None:
            self.ends.wait(0.02)
        assert self.error is None


@pytest.fixture
def writers(app: Flask, world: World) -> Iterator[list[Writer]]:
    phones = [Keeping(app.test_client(), f"Máy {n}").pair(world.chapter_code(name=f"Chi hội {n}")) for n in range(WRITERS)]
    made = [Writer(phone, world, n) for n, phone in enumerate(phones)]
    yield made
    for writer in made:
        writer.ends.set()
        writer.join(60)


def lost_and_replaced(here: Site, config: Config, tmp_path: Path, db: Database) -> tuple[Site, Config]:
    """The machine is gone: a new home, new photos, an empty or older database; only the log was kept elsewhere."""
    home = tmp_path / "new"
    home.mkdir()
    shutil.copy(here.home / "revocations.jsonl", home)
    site = Site(home, sqlite_url(home) if db.is_sqlite else here.url, (home / "photos").as_uri())
    return site, dataclasses.replace(config, home=home, database_url=site.url, photos_url=site.photos)


def test_a_backup_under_load_and_phones_bring_the_rest(
    app: Flask, db: Database, world: World, here: Site, config: Config, writers: list[Writer], tmp_path: Path
) -> None:
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.wait_for(3)
    code = world.chapter_code(name="Vi Thị Tư")
    report = backup(db, here.store, tmp_path / "backups", next(TIMES))
    steps_at_backup = [writer.steps for writer in writers]
    for writer, steps in zip(writers, steps_at_backup, strict=True):
        writer.wait_for(steps + 3)
    for writer in writers:
        writer.ends.set()
        writer.join(60)
    assert report.complete and report.rows > 0
    assert wrong_with(tmp_path / "backups") == []

    # after the backup: a phone is paired, one is revoked, staff delete a photo, a dossier goes two steps on
    late = Keeping(app.test_client(), "Máy mới").pair(code)
    citizen = new_id()
    late.save("create", "citizen", citizen, {"place": world.na, "full_name": "Vi Văn Sáu", "birth_year": 1977})
    phones = [*(writer.phone for writer in writers), late]
    settle(phones)
    first, second = writers[0], writers[1]
    first.phone.queue("submit", "dossier", first.dossier, expect="draft")
    first.phone.round()
    second.phone.queue("appraise", "dossier", first.dossier, {"chapter.1": 8}, expect="submitted", base=2**40)
    settle(phones)
    thrown = next(doc for doc, saved in second.phone.ledger.items() if "sha256" in saved)
    world.as_staff({"op": "delete", "type": "evidence", "doc": thrown, "base": {thrown: 99}})
    second.phone.ledger.pop(thrown)
    with db.write() as conn:
        devices.revoke(conn, world.commune, writers[3].phone.id, NOW)
    db.close()

    site, new_config = lost_and_replaced(here, config, tmp_path, db)
    done = site.restore(tmp_path / "backups", replace=not db.is_sqlite)
    assert (done.owed, done.left_out) == (0, 0)
    assert site.wrong() == []
    restored = create_app(new_config)
    for phone in phones:
        phone.moves_to(restored.test_client())

    order = [second.phone, late, first.phone, writers[2].phone]  # who appraised comes before who submitted
    settle(order)
    assert writers[3].phone.post(writers[3].phone.body()).get_json()["code"] == "device.revoked"

    there: Database = restored.extensions["db"]
    with there.read() as conn:
        found = {row["id"]: dict(row) for row in conn.execute(select(_EVIDENCE)).mappings()}
        states = {row.id: row.state for row in conn.execute(select(_DOSSIER.c.id, _DOSSIER.c.state))}
    there.close()
    for phone in order:
        for doc, saved in phone.ledger.items():
            shown = phone.data(doc)
            assert {name: shown.get(name) for name in saved} == saved
            if "sha256" in saved:
                assert found[doc]["sha256"] == saved["sha256"] and saved["sha256"] in phone.receipts
                with site.store.original(world.commune, saved["sha256"]) as file:
                    assert sha256(file.read()) == saved["sha256"]
    assert states[first.dossier] == "appraised"
    assert thrown not in first.phone.docs and found[thrown]["deleted"]
    assert {frozenset(phone.docs) for phone in order} == {frozenset(first.phone.docs)}, "all see the same"
    assert all(a.docs[doc]["data"] == first.phone.docs[doc]["data"] for a in order for doc in first.phone.docs)
    assert first.phone.of_type("conflict") == []
    assert site.wrong() == []
