"""A small commune for tests: two hamlets, one citizen in each, one member of staff."""

import hashlib
import uuid
from typing import Any

from server.db.session import Database
from server.domain import communes, pairing, people, places, syncing
from sync.protocol import dossier_id

NOW = "2026-11-24T07:00:00.000Z"
YEAR = 2026


class World:
    """`na` and `keo` are places; `pao` lives in the first, `lieu` in the second."""

    def __init__(self, db: Database) -> None:
        self.db = db
        with db.write() as conn:
            self.commune = communes.add(conn, "Xã Thử", YEAR, NOW)
            self.na = places.add(conn, self.commune, "Thôn Nà Pò", NOW)
            self.keo = places.add(conn, self.commune, "Thôn Kéo Lày", NOW)
            self.pao = people.add_citizen(conn, self.commune, "Nông Văn Páo", self.na, NOW, birth_year=1968, group=1)
            self.lieu = people.add_citizen(conn, self.commune, "Triệu Thị Liều", self.keo, NOW, birth_year=1990)
            self.staff = people.add_person(conn, self.commune, "Hoàng Thị Xã", "staff", NOW)

    def chapter_code(self, place: int | None = None, name: str = "Lý Thị Chi") -> str:
        with self.db.write() as conn:
            return pairing.make_code(conn, self.commune, "chapter", place or self.na, name=name)[0]

    def citizen_code(self, citizen: str | None = None) -> str:
        with self.db.write() as conn:
            return pairing.make_code(conn, self.commune, "citizen", self.na, citizen or self.pao)[0]

    def poster(self) -> str:
        with self.db.write() as conn:
            return pairing.make_poster(conn, self.commune, self.na)

    def as_staff(self, *mutations: dict[str, Any]) -> list[Any]:
        with self.db.write() as conn:
            return syncing.write_as_staff(conn, self.commune, self.staff, list(mutations))

    def dossier(self, citizen: str | None = None) -> str:
        return dossier_id(citizen or self.pao, YEAR)

    def begin(self, citizen: str | None = None) -> dict[str, Any]:
        """What `create` of this year's dossier carries."""
        return {"citizen": citizen or self.pao, "year": YEAR}


def new_id() -> str:
    return str(uuid.uuid4())


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def photo(dossier: str, indicator: int = 5, text: str = "photo", **more: Any) -> dict[str, Any]:
    """What `create` of an evidence entry carries."""
    return {
        "dossier": dossier,
        "indicator": indicator,
        "sha256": sha(text),
        "bytes": 200_000,
        "source": "camera",
        **more,
    }
