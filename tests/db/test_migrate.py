"""The schema: one migration path, the same as the tables say, and no way back in time."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from server.db import migrate, tables
from server.db.session import Database, sqlite_url


@pytest.fixture
def fresh(tmp_path: Path) -> Database:
    return Database(sqlite_url(tmp_path))


def test_the_migrations_build_exactly_the_tables(fresh: Database) -> None:
    migrate.upgrade(fresh)
    with fresh.engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), tables.metadata) == []


def test_running_the_migrations_again_changes_nothing(fresh: Database) -> None:
    migrate.upgrade(fresh)
    migrate.upgrade(fresh)
    assert migrate.current(fresh) is not None


def test_a_database_of_a_newer_version_is_refused(fresh: Database) -> None:
    migrate.upgrade(fresh)
    with fresh.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrate.NewerSchema):
        migrate.upgrade(fresh)
