"""Alembic's entry: runs on the connection that server.db.migrate hands over."""

from alembic import context
from sqlalchemy import Connection

from server.db import tables


def run(conn: Connection) -> None:
    sqlite = conn.dialect.name == "sqlite"
    if sqlite:  # rebuilt tables must not cascade; outside a transaction, or SQLite ignores it
        conn.exec_driver_sql("PRAGMA foreign_keys=OFF")
        conn.rollback() if conn.in_transaction() else None
    context.configure(connection=conn, target_metadata=tables.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    if conn.in_transaction() and not context.config.attributes.get("within"):
        conn.commit()


run(context.config.attributes["connection"])
