"""Brings a database to this version's schema, and refuses one from a newer version."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from server.db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was written by a newer version of the software."""


def upgrade(db: Database, revision: str = "head") -> None:
    """Runs the missing migrations. Raises NewerSchema."""
    check_not_newer(db)
    config = _config()
    with db.engine.connect() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def upgrade_within(conn: Connection, revision: str = "head") -> None:
    """The same in the caller's transaction, which is not committed here; for databases that roll a schema back."""
    config = _config()
    config.attributes |= {"connection": conn, "within": True}
    command.upgrade(config, revision)


def current(db: Database) -> str | None:
    with db.engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def check_writable(db: Database) -> None:
    """Writes what is there already: a database that takes nothing must not take a phone's work. Raises DBAPIError."""
    with db.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


def check_not_newer(db: Database) -> None:
    """Raises NewerSchema where the stored revision is not known here."""
    revision = current(db)
    if revision is not None and not knows(revision):
        raise NewerSchema(revision)


def knows(revision: str | None) -> bool:
    """Whether this version has such a schema."""
    try:
        return revision is not None and ScriptDirectory.from_config(_config()).get_revision(revision) is not None
    except CommandError:
        return False


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
