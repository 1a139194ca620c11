"""The commune leads every key and every query, so that a distributed PostgreSQL can shard by it."""

from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, and_, delete, exists, insert, or_, select, text, update

from server.db import tables
from tests.tenancy import EXEMPT, loose

TENANT_TABLES = [t for t in tables.metadata.sorted_tables if t.name not in EXEMPT]
PHOTO, RECEIPT, UPLOAD = tables.Photo.__table__, tables.Receipt.__table__, tables.Upload.__table__


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
        if constraint.column_keys[0] != "commune_id" or constraint.elements[0].column.name != "commune_id"
    ]
    assert late == []


def test_what_is_exempt_is_there_and_no_more() -> None:
    assert set(EXEMPT) == {t.name for t in tables.metadata.sorted_tables if "commune_id" not in t.primary_key.columns}


_OTHER = RECEIPT.alias("other")


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        (select(PHOTO), ["photo"]),
        (select(PHOTO).where(PHOTO.c.sha256 == "x"), ["photo"]),
        (select(PHOTO).where(PHOTO.c.commune_id == 12, PHOTO.c.sha256 == "x"), []),
        (select(PHOTO).where(PHOTO.c.commune_id.in_([1, 2])), []),
        (select(PHOTO).where(or_(PHOTO.c.commune_id == 12, PHOTO.c.sha256 == "x")), ["photo"]),
        (select(PHOTO).where(and_(PHOTO.c.commune_id == 12, or_(PHOTO.c.bytes > 3, PHOTO.c.type == "x"))), []),
        (select(PHOTO).where(PHOTO.c.commune_id > 12), ["photo"]),
        (update(UPLOAD).where(UPLOAD.c.id == "x").values(offset=1), ["upload"]),
        (update(UPLOAD).where(UPLOAD.c.commune_id == 1).values(offset=1), []),
        (delete(UPLOAD), ["upload"]),
        (select(RECEIPT, PHOTO).where(RECEIPT.c.commune_id == 1, RECEIPT.c.sha256 == PHOTO.c.sha256), ["photo"]),
        (select(RECEIPT).join(PHOTO, PHOTO.c.sha256 == RECEIPT.c.sha256).where(RECEIPT.c.commune_id == 1), ["photo"]),
        (
            select(RECEIPT)
            .join(PHOTO, (PHOTO.c.commune_id == RECEIPT.c.commune_id) & (PHOTO.c.sha256 == RECEIPT.c.sha256))
            .where(RECEIPT.c.commune_id == 1),
            [],
        ),
        (select(_OTHER).where(_OTHER.c.commune_id == 1), []),
        (select(_OTHER).where(_OTHER.c.sha256 == "x"), ["receipt"]),
        (
            select(PHOTO).where(PHOTO.c.commune_id == 1, exists().where(RECEIPT.c.sha256 == PHOTO.c.sha256)),
            ["photo", "receipt"],
        ),
        (
            select(PHOTO).where(
                PHOTO.c.commune_id == 1,
                exists().where(RECEIPT.c.commune_id == PHOTO.c.commune_id, RECEIPT.c.sha256 == PHOTO.c.sha256),
            ),
            [],
        ),
        (select(select(PHOTO.c.sha256).subquery()), ["photo"]),
        (select(tables.Directory.__table__), []),
        (insert(PHOTO), []),
        (text("SELECT * FROM photo"), ["photo"]),
        (text("SELECT 1"), []),
    ],
)
def test_a_query_that_does_not_name_its_commune_is_found(statement: Any, names: list[str]) -> None:
    assert loose(statement) == names
