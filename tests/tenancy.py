"""Finds queries that do not say whose commune they are about: a distributed PostgreSQL would ask every shard."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Engine, Select, Table, TextClause, Update, event
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping, Tuple
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromClause, Join

from server.db import tables

SERVER = str(Path(__file__).parent.parent / "server")
EXEMPT = {
    "directory": "look-ups that arrive without a commune: a code, a login, a phone's id",
    "attempt": "tries per address, before anybody is known",
    "commune": "the list of communes itself",
}
TENANT = {t.name for t in tables.metadata.tables.values() if t.name not in EXEMPT}
WHOLE = f"{SERVER}/backup/"  # a backup, its check and its restoring are about the whole database
# A statement that is meant for all communes says so: .execution_options(every_commune="why")
MARK = "every_commune"


def loose(statement: Any) -> list[str]:
    """Names of the tables that some part of a statement reads or changes without naming the commune."""
    if isinstance(statement, TextClause):
        return sorted(name for name in TENANT if f" {name} " in f" {statement.text.lower()} ")
    found: list[str] = []
    for part in visitors.iterate(statement):
        if isinstance(part, Select):
            sources = [s for source in part.get_final_froms() for s in _sources(source)]
            joined = [on for source in part.get_final_froms() for on in _conditions(source)]
            found += _unbound(sources, [*_both(part.whereclause), *joined])
        elif isinstance(part, Update | Delete):
            found += _unbound([part.table], _both(part.whereclause))
    return sorted(set(found))


def _unbound(sources: list[Any], conditions: Iterable[Any]) -> Iterator[str]:
    bound = [column.table for condition in conditions for column in _communes_in(condition)]
    for source in sources:
        name = getattr(source, "element", source).name
        if name in TENANT and not any(source is table for table in bound):
            yield name


def _sources(source: FromClause) -> Iterator[Any]:
    if isinstance(source, Join):
        yield from _sources(source.left)
        yield from _sources(source.right)
    elif isinstance(source, Table) or (isinstance(source, AliasedReturnsRows) and isinstance(source.element, Table)):
        yield source


def _conditions(source: FromClause) -> Iterator[Any]:
    if isinstance(source, Join):
        yield from _conditions(source.left)
        yield from _conditions(source.right)
        yield from _both(source.onclause)


def _both(clause: Any) -> Iterator[Any]:
    """The parts that all hold; what stands under OR proves nothing."""
    if isinstance(clause, Grouping):
        yield from _both(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _both(part)
    elif clause is not None:
        yield clause


def _communes_in(condition: Any) -> Iterator[Any]:
    if isinstance(condition, BinaryExpression) and condition.operator in (operators.eq, operators.in_op):
        for side in (condition.left, condition.right):
            for column in side.clauses if isinstance(side, Tuple) else [side]:
                if getattr(column, "name", None) == "commune_id" and hasattr(column, "table"):
                    yield column


class Watch:
    """Notes each loose statement that the server's own code runs, by file and line."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._known: dict[Any, list[str]] = {}

    def start(self) -> None:
        event.listen(Engine, "before_execute", self._look)

    def stop(self) -> None:
        event.remove(Engine, "before_execute", self._look)

    def _look(self, _conn: Any, statement: Any, _many: Any, _params: Any, options: Any) -> None:
        if MARK in options or MARK in statement.get_execution_options():
            return
        frame = sys._getframe(1)
        while frame.f_back is not None and "sqlalchemy" in frame.f_code.co_filename:
            frame = frame.f_back
        name = frame.f_code.co_filename
        if not name.startswith(SERVER) or name.startswith(WHOLE) or "migrations" in name:
            return
        made = statement._generate_cache_key()
        key = made.key if made is not None else None
        names = self._known.get(key) if key is not None else None
        if names is None:
            names = loose(statement)
            if key is not None:
                self._known[key] = names
        if names:
            self.found.append(f"{name.removeprefix(SERVER)}:{frame.f_lineno} does not name the commune of {', '.join(names)}")
