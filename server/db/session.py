"""Connections: short write transactions and snapshot reads, on SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from server.db.journal import NAME, Journal, noting, on_rollback_savepoint, on_savepoint

WRITE_WAIT_MS = 5_000
APPLICATION = "minhchung"  # how PostgreSQL lists our sessions


class Database:
    """One engine. `write()` commits on leaving without an error; `read()` sees one snapshot.

    `journal` takes what must outlive a restore; without one (a worker that only reads and cleans) nothing is noted.
    """

    def __init__(self, url: str, journal: Journal | None = None) -> None:
        self.url = url
        self.journal = journal
        self.engine = _engine(url)
        event.listen(self.engine, "savepoint", on_savepoint)
        event.listen(self.engine, "rollback_savepoint", on_rollback_savepoint)
        self.is_sqlite = self.engine.dialect.name == "sqlite"

    @classmethod
    def of_home(cls, url: str, home: Path) -> "Database":
        """With the journal that lies in the home."""
        return cls(url, Journal(home / NAME))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: BEGIN IMMEDIATE on SQLite, row locks on PostgreSQL."""
        with self.engine.connect() as conn:
            conn = conn.execution_options(mc_begin="IMMEDIATE")
            with noting(conn) as notes:
                yield from self._write(conn, notes)

    def _write(self, conn: Connection, notes: list[dict[str, Any]]) -> Iterator[Connection]:
        """What must outlive a restore is on disk before the commit, and taken back where the commit failed."""
        written: list[str] = []
        try:
            with conn.begin():
                yield conn
                if notes and self.journal is not None:
                    written = [entry["id"] for entry in notes]
                    self.journal.append(notes)
        except Exception as error:
            unknown = isinstance(error, DBAPIError) and error.connection_invalidated  # it may have been committed
            if written and self.journal is not None and not unknown:
                self.journal.append([{"void": written}])
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot."""
        options: dict[str, Any] = {"mc_begin": "DEFERRED"}
        if not self.is_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect() as conn:
            conn = conn.execution_options(**options)
            with conn.begin():
                yield conn

    def close(self) -> None:
        self.engine.dispose()


def sqlite_url(home: Path) -> str:
    return f"sqlite:///{home / 'minhchung.db'}"


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed, pool_size=8, max_overflow=8, pool_timeout=5, connect_args={"timeout": WRITE_WAIT_MS / 1000}
        )
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_size=8, max_overflow=8, pool_timeout=5, pool_pre_ping=True,
        connect_args={"application_name": APPLICATION},
    )  # fmt: skip
    event.listen(engine, "connect", _postgres_connected)
    return engine


def _sqlite_connected(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves
    cursor = raw.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a receipt must survive a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={WRITE_WAIT_MS}")
    cursor.close()


def _sqlite_begin(conn: Connection) -> None:
    conn.exec_driver_sql(f"BEGIN {conn.get_execution_options().get('mc_begin', 'IMMEDIATE')}")


def _postgres_connected(raw: Any, _record: Any) -> None:
    with raw.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {WRITE_WAIT_MS}")
        cursor.execute("SET synchronous_commit = on")
    raw.commit()
