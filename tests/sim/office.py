"""Staff at the web: every act goes through the function that the pages use, with the revision that a form was drawn from."""

import random
from typing import Any

from sqlalchemy import select, update

from server.db import tables
from server.domain import devices
from sync.errors import Problem
from tests.world import NOW, World


class Office:
    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice
        self.decided: dict[str, dict[str, Any]] = {}

    def rows(self, table: Any, *where: Any) -> list[dict[str, Any]]:
        with self.world.db.read() as conn:
            return [dict(r) for r in conn.execute(select(table.__table__).where(*where)).mappings()]

    def one(self, table: Any, *where: Any) -> dict[str, Any] | None:
        found = self.rows(table, table.__table__.c.deleted.is_(False), *where)
        return self.dice.choice(found) if found else None

    def write(self, mutation: dict[str, Any]) -> bool:
        try:
            self.world.as_staff(mutation)
        except Problem:
            return False  # the form comes back, nothing was written
        return True

    def seen(self, row: dict[str, Any]) -> int:
        """The revision that the form showed: sometimes one from before somebody else's edit."""
        return int(row["rev"]) - (1 if self.dice.random() < 0.3 else 0)

    def dossier(self) -> None:
        row = self.one(tables.Dossier)
        if row is None:
            return
        op = self.dice.choice(["update", "return", "settle", "settle", "decide", "judge"])
        step: dict[str, Any] = {"op": op, "type": "dossier", "doc": row["id"], "base": self.seen(row)}
        number = self.dice.randint(1, 10)
        if op == "update":
            step["set"] = {f"self.{self.dice.randint(1, 3)}": self.dice.randint(1, 10)}
        elif op == "return":
            step |= {"expect": row["state"], "set": {"reason": "Thiếu ảnh <b>chỉ số 4</b>"}}
        elif op == "settle":
            step |= {"expect": row["state"], "set": {f"final.{n}": self.dice.choice([4, 8, 9, 10]) for n in range(1, 11)}}
        elif op == "decide":
            step["expect"] = row["state"]
        else:
            step["set"] = {f"verdict.{number}": "incomplete", f"verdict_reason.{number}": "Bổ sung"}
        if self.write(step) and op == "decide":
            self.decided[row["id"]] = self.rows(tables.Dossier, tables.Dossier.__table__.c.id == row["id"])[0]

    def evidence(self) -> None:
        row = self.one(tables.Evidence)
        if row is None:
            return
        if self.dice.random() < 0.15:
            self.write({"op": "delete", "type": "evidence", "doc": row["id"], "base": {row["id"]: self.seen(row)}})
        else:
            verdict = self.dice.choice(["accepted", "retake", "incomplete"])
            step = {"op": "judge", "type": "evidence", "doc": row["id"], "base": self.seen(row)}
            self.write({**step, "set": {"verdict": verdict, "reason": "Ảnh mờ"}})

    def citizen(self) -> None:
        row = self.one(tables.Citizen)
        if row is None:
            return
        op = self.dice.choice(["update", "update", "move", "move", "confirm", "delete"])
        step: dict[str, Any] = {"op": op, "type": "citizen", "doc": row["id"], "base": self.seen(row)}
        if op == "update":
            step["set"] = {"full_name": f"Họ Tên {self.dice.randint(1, 99)}"}
        elif op == "move":
            step["set"] = {"place": self.dice.choice([self.world.na, self.world.keo])}
        elif op == "delete":
            if self.dice.random() < 0.7:
                return
            step["base"] = self._all_under(row["id"])
        self.write(step)

    def _all_under(self, citizen: str) -> dict[str, int]:
        seen = {}
        for table in (tables.Citizen, tables.Dossier, tables.Evidence, tables.Comment):
            for row in self.rows(table, table.__table__.c.citizen_id == citizen):
                seen[row["id"]] = row["rev"]
        return seen

    def conflict(self) -> None:
        row = self.one(tables.Conflict, tables.Conflict.__table__.c.state == "open")
        if row is not None:
            pick = self.dice.choice(["mine", "theirs"])
            self.write({"op": "resolve", "type": "conflict", "doc": row["id"], "base": self.seen(row), "set": {"pick": pick}})

    def person(self) -> None:
        """Takes somebody off a phone, puts them back, or moves a chapter member to the other hamlet."""
        pair, person = tables.DevicePerson.__table__, tables.Person.__table__
        found = self.rows(tables.DevicePerson)
        if not found:
            return
        row = self.dice.choice(found)
        with self.world.db.write() as conn:
            if row["removed_at"]:
                devices.add_person(conn, self.world.commune, row["device_id"], row["person_id"], NOW)
            elif self.dice.random() < 0.5:
                devices.remove_person(conn, self.world.commune, row["device_id"], row["person_id"], NOW)
            else:
                place = self.dice.choice([self.world.na, self.world.keo])
                mine = (person.c.commune_id == self.world.commune, person.c.id == row["person_id"], person.c.role == "chapter")
                conn.execute(update(person).where(*mine).values(place_id=place))
        assert pair is not None
