"""A commune that has been at work, the folder of its backups, and homes to restore into."""

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text

from server.backup import checking, reading, restore
from server.backup.making import Report, backup
from server.db import tables
from server.db.session import Database, sqlite_url
from server.domain import clean
from server.storage import open_store
from server.storage.base import PhotoStore
from sync.errors import Problem
from tests.conftest import POSTGRES
from tests.phones import Phone
from tests.pictures import jpeg, send, sha256
from tests.world import World, new_id, photo

Make = Callable[..., Phone]
Rows = dict[str, list[dict[str, Any]]]
PICTURES = [jpeg(colour=colour) for colour in ("red", "green", "blue")]


@dataclass
class Site:
    """A home with its database and photos, in use or not."""

    home: Path
    url: str
    photos: str

    @property
    def store(self) -> PhotoStore:
        return open_store(self.photos)

    def open(self) -> Database:
        return Database.of_home(self.url, self.home)

    def restore(self, path: Path, **options: Any) -> restore.Restored:
        return restore.restore(restore.Place(self.home, self.url, self.store), path, next(TIMES), **options)

    def rows(self) -> Rows:
        db = self.open()
        try:
            return all_rows(db)
        finally:
            db.close()

    def wrong(self) -> list[str]:
        """What `verify` finds wrong here."""
        db = self.open()
        try:
            return [f"{name}: {what}" for fine, name, what in checking.findings(db, self.store) if not fine]
        finally:
            db.close()


TIMES = (f"2026-11-24T{h:02d}:{m:02d}:00.000Z" for h, m in itertools.product(range(24), range(60)))


def all_rows(db: Database) -> Rows:
    with db.read() as conn:
        found = {t.name: [dict(r) for r in conn.execute(select(t)).mappings()] for t in tables.metadata.sorted_tables}
    return {name: sorted(rows, key=str) for name, rows in found.items()}


def wrong_with(path: Path, name: str | None = None) -> list[str]:
    """What `verify` finds wrong with a backup."""
    return [f"{part}: {what}" for fine, part, what in reading.findings(*reading.open_backup(path, name)) if not fine]


def code_of(act: Callable[[], Any]) -> str:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.message, "people read this message"
    return caught.value.code


@pytest.fixture
def here(app: Flask, world: World, tmp_path: Path, database_url: str, photos_url: str) -> Site:
    """The home that `app` serves."""
    return Site(tmp_path, database_url, photos_url)


@pytest.fixture
def chapter(world: World, phone: Make, here: Site) -> Phone:
    """Has a dossier with three photos, the first already clean."""
    one = phone().pair(world.chapter_code())
    one.do("create", "dossier", world.dossier(), world.begin() | {"self.3": 9, "note.3": "Đọc sách 📚 'mỗi ngày'\n"})
    for n, content in enumerate(PICTURES):
        one.do("create", "evidence", new_id(), photo(world.dossier(), n + 1) | {"sha256": sha256(content)})
        assert send(one, content, one.person["id"]).status_code == 204
        if n == 0:
            assert clean.clean_one(world.db, here.store)
    return one


@pytest.fixture
def save(db: Database, here: Site, tmp_path: Path) -> Callable[..., Report]:
    """Makes a backup of what is served; `save(path)` says where."""
    return lambda path=tmp_path / "backups": backup(db, here.store, path, next(TIMES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def fresh(tmp_path: Path) -> Site:
    """A home where nothing is yet, on SQLite."""
    home = tmp_path / "fresh"
    return Site(home, sqlite_url(home), (home / "photos").as_uri())


@pytest.fixture
def fresh_postgres(postgres_url: str | None, tmp_path: Path) -> Iterator[Site]:
    """The same with an empty database of PostgreSQL's."""
    if postgres_url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    name = f"minhchung_fresh_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin = create_engine(POSTGRES + "postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.execute(text(f'CREATE DATABASE "{name}"'))
    home = tmp_path / "fresh"
    yield Site(home, POSTGRES + name, (home / "photos").as_uri())
    with admin.connect() as conn:
        conn.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()
