"""Who may get which bytes: a photo is served only through an entry in scope whose own author
uploaded it, or one moved from such an entry, so that a hash alone never opens a file."""

from typing import Any

from sqlalchemy import Connection, select

from server.db import tables
from server.domain import receipts
from server.domain.permissions import Actor, Subject, relations

_EVIDENCE = tables.Evidence.__table__
_PHOTO = tables.Photo.__table__
MOST_MOVES = 20


def may_see(conn: Connection, commune_id: int, actors: list[Actor], sha256: str) -> bool:
    """Whether one of these people may see the photo through an entry."""
    query = select(_EVIDENCE).where(
        _EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.sha256 == sha256, _EVIDENCE.c.deleted.is_(False)
    )
    for row in conn.execute(query).mappings():
        subject = Subject(row["place_id"], row["citizen_id"], row["author"])
        if any(relations(actor, subject) for actor in actors) and _arrived(conn, commune_id, dict(row)):
            return True
    return False


def _arrived(conn: Connection, commune_id: int, entry: dict[str, Any]) -> bool:
    for _ in range(MOST_MOVES):
        if receipts.has(conn, commune_id, entry["author"], entry["sha256"]):
            return True
        if entry["moved_from"] is None:
            return False
        query = select(_EVIDENCE).where(
            _EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.id == entry["moved_from"]
        )
        earlier = conn.execute(query).mappings().first()
        if earlier is None or earlier["sha256"] != entry["sha256"] or not _could_see(conn, entry, dict(earlier)):
            return False
        entry = dict(earlier)
    return False


def _could_see(conn: Connection, entry: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Whether the one who moved it may see the entry it came from."""
    person = tables.Person.__table__
    query = select(person).where(person.c.commune_id == entry["commune_id"], person.c.id == entry["author"])
    row = conn.execute(query).mappings().first()
    if row is None:
        return False
    actor = Actor(row["id"], row["role"], row["place_id"], row["citizen_id"])
    return bool(relations(actor, Subject(earlier["place_id"], earlier["citizen_id"], earlier["author"])))


def state(conn: Connection, commune_id: int, sha256: str) -> str | None:
    """`received`, `ready`, `unreadable`; None for one that never arrived."""
    query = select(_PHOTO.c.state).where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256 == sha256)
    return conn.execute(query).scalar_one_or_none()
