"""Brings a database to this version's schema, and refuses one from a newer version."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from server.db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was written by a newer version of the software."""


def upgrade(db: Database) -> None:
    """Runs the missing migrations. Raises NewerSchema."""
    check_not_newer(db)
    config = _config()
    with db.engine.connect() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


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
    if revision is None:
        return
    try:
        ScriptDirectory.from_config(_config()).get_revision(revision)
    except CommandError as error:
        raise NewerSchema(revision) from error


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
