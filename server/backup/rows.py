"""Rows as JSON lines, the same for every database: one list of values a line, JSON columns as their own text.

So that memory stays flat, rows are read and written a thousand at a time. `columns` are in the manifest.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, Table, Text, bindparam, cast, insert, select

from server.backup.vessel import Source
from server.db import tables
from sync.errors import Problem

LEFT_OUT = ("upload", "attempt")  # unfinished uploads begin anew; tries are counted anew
STEP = 1000


def kept_tables() -> list[Table]:
    """All that a backup holds, parents before children."""
    return [table for table in tables.metadata.sorted_tables if table.name not in LEFT_OUT]


def file_name(table: str) -> str:
    return f"rows/{table}.jsonl.gz"


def write(conn: Connection, table: Table, out: Any) -> int:
    """Writes all rows of a table as its transaction sees them; returns how many. `out` takes bytes."""
    columns = [cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in table.columns]
    count = 0
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        for row in conn.execution_options(yield_per=STEP).execute(select(*columns)):
            packed.write(json.dumps(list(row), separators=(",", ":")).encode() + b"\n")
            count += 1
    return count


def describe(table: Table) -> dict[str, Any]:
    """What the manifest says of a table."""
    json_columns = [c.name for c in table.columns if isinstance(c.type, JSON)]
    return {"name": table.name, "columns": [c.name for c in table.columns], "json": json_columns}


def read(source: Source, described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a table, JSON columns still as text. Raises Problem `backup.damaged`."""
    name, columns = file_name(described["name"]), described["columns"]
    with closing(source.open(name)) as raw:
        try:
            with gzip.GzipFile(fileobj=raw) as packed:
                for line in packed:
                    yield dict(zip(columns, json.loads(line), strict=True))
        except (OSError, EOFError, ValueError) as error:
            raise Problem("backup.damaged", f"{name} cannot be read: {error}", part=name) from error


def load(conn: Connection, source: Source, described: dict[str, Any]) -> int:
    """Puts a table's rows into the database, whose schema is the backup's; returns how many."""
    table = Table(described["name"], MetaData(), autoload_with=conn, resolve_fks=False)
    statement = insert(table).values({name: _bound(conn, name, name in described["json"]) for name in described["columns"]})
    count = 0
    step: list[dict[str, Any]] = []
    for row in read(source, described):
        step.append({f"v_{name}": value for name, value in row.items()})
        if len(step) == STEP:
            conn.execute(statement, step)
            count, step = count + len(step), []
    if step:
        conn.execute(statement, step)
    return count + len(step)


def _bound(conn: Connection, name: str, is_json: bool) -> Any:
    if not is_json:
        return bindparam(f"v_{name}")
    text = bindparam(f"v_{name}", type_=Text())
    return text if conn.dialect.name == "sqlite" else cast(text, JSON)


def pages(fetch: Callable[[Any], Any], table: Table) -> Iterator[Any]:
    """All rows of a table in the order of its key, a thousand at a time; `fetch` runs one query."""
    order: list[Any] = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*order).limit(STEP)
        page = fetch(query if last is None else query.where(_after(order, last)))
        yield from page
        if len(page) < STEP:
            return
        last = tuple(page[-1][c.name] for c in order)


def _after(order: list[Any], last: tuple[Any, ...]) -> Any:
    """Rows behind `last` in this order of columns, in a form that both databases use an index for."""
    clause = order[-1] > last[-1]
    for column, value in reversed(list(zip(order[:-1], last[:-1], strict=True))):
        clause = (column > value) | ((column == value) & clause)
    return clause
