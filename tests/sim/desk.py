"""Staff settle and take back at the web: quarantine, choices, deletions, two registrations of one person."""

import random
from typing import Any

from sqlalchemy import select

from server.db import tables
from server.domain import accepting, deleted, merging, undoing
from sync.errors import Problem
from tests.world import NOW, YEAR, World


class Desk:
    """Each act takes one row by the dice; one that the rules refuse writes nothing."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice

    def _one(self, table: Any, *where: Any) -> dict[str, Any] | None:
        with self.world.db.read() as conn:
            rows = [dict(r) for r in conn.execute(select(table).where(*where).order_by(table.c.id)).mappings()]
        return self.dice.choice(rows) if rows else None

    def _do(self, deed: Any, *args: Any, **named: Any) -> None:
        try:
            with self.world.db.write() as conn:
                deed(conn, self.world.commune, self.world.staff, *args, **named)
        except Problem:
            pass

    def accept(self) -> None:
        row = self._one(tables.Quarantine.__table__, tables.Quarantine.__table__.c.state == "open")
        if row is None:
            return
        if self.dice.random() < 0.2:
            to = self._one(tables.Citizen.__table__, tables.Citizen.__table__.c.deleted.is_(False))
            self._do(accepting.move, row["id"], NOW, citizen=to and to["id"], year=YEAR)
        else:
            self._do(accepting.accept, row["id"], NOW)

    def choose_again(self) -> None:
        row = self._one(tables.Conflict.__table__, tables.Conflict.__table__.c.state == "resolved")
        if row is not None:
            self._do(undoing.reopen, row["id"], NOW)

    def delete_person(self) -> None:
        row = self._one(tables.Citizen.__table__, tables.Citizen.__table__.c.deleted.is_(False))
        if row is not None:
            with self.world.db.read() as conn:
                seen = deleted.seen(conn, self.world.commune, row["id"])
            self.world.as_staff({"op": "delete", "type": "citizen", "doc": row["id"], "base": seen})

    def bring_back(self) -> None:
        table = self.dice.choice([tables.Citizen, tables.Evidence]).__table__
        row = self._one(table, table.c.deleted.is_(True))
        if row is not None:
            self._do(undoing.undelete, row["id"], NOW)

    def merge(self) -> None:
        living = tables.Citizen.__table__.c.deleted.is_(False)
        old, new = self._one(tables.Citizen.__table__, living), self._one(tables.Citizen.__table__, living)
        if old is not None and new is not None:
            self._do(merging.merge, old["id"], new["id"], {each["id"]: each["rev"] for each in (old, new)}, NOW)

    def part(self) -> None:
        row = self._one(tables.Citizen.__table__, tables.Citizen.__table__.c.merged_into.is_not(None))
        if row is not None:
            self._do(merging.unmerge, row["id"], NOW)
