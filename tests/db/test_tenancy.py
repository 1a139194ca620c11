"""The commune leads every key, so that a distributed PostgreSQL can shard by it."""

from sqlalchemy import UniqueConstraint

from server.db import tables

EXEMPT = {"directory", "attempt", "commune"}
TENANT_TABLES = [t for t in tables.metadata.sorted_tables if t.name not in EXEMPT]


def test_every_primary_key_begins_with_the_commune() -> None:
    late = [t.name for t in TENANT_TABLES if next(iter(t.primary_key.columns)).name != "commune_id"]
    assert late == []


def test_every_unique_key_and_index_begins_with_the_commune() -> None:
    late = [
        index.name
        for table in TENANT_TABLES
        for index in [*table.indexes, *(c for c in table.constraints if isinstance(c, UniqueConstraint))]
        if next(iter(index.columns)).name != "commune_id"
    ]
    assert late == []


def test_every_foreign_key_begins_with_the_commune() -> None:
    late = [
        constraint.name
        for table in TENANT_TABLES
        for constraint in table.foreign_key_constraints
        if constraint.column_keys[0] != "commune_id"
    ]
    assert late == []
