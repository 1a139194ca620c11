"""What people and the commune say to each other about a dossier or a photo: comments, only ever added to."""

import uuid
from typing import Any

from sqlalchemy import Connection, select

from server.db import tables
from server.domain import names, review, syncing
from sync.errors import Problem
from sync.protocol import dossier_id

_COMMENT, _PERSON = tables.Comment.__table__, tables.Person.__table__
MOST_LETTERS = 4000


def of_citizen(conn: Connection, commune_id: int, citizen_id: str) -> dict[str, list[dict[str, Any]]]:
    """Document id (dossier or photo) to its comments, oldest first: `text`, `at`, `by`, `staff`."""
    query = (
        select(_COMMENT.c.on, _COMMENT.c.text, _COMMENT.c.author, _COMMENT.c.created_at, _PERSON.c.role)
        .outerjoin(_PERSON, (_PERSON.c.commune_id == _COMMENT.c.commune_id) & (_PERSON.c.id == _COMMENT.c.author))
        .where(_COMMENT.c.commune_id == commune_id, _COMMENT.c.citizen_id == citizen_id, _COMMENT.c.deleted.is_(False))
        .order_by(_COMMENT.c.created_at, _COMMENT.c.id)
    )
    rows = [dict(row) for row in conn.execute(query).mappings()]
    called = names.people(conn, commune_id, (row["author"] for row in rows))
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        said = {"text": row["text"], "at": row["created_at"], "by": called.get(row["author"], ""), "staff": row["role"] == "staff"}
        found.setdefault(row["on"], []).append(said)
    return found


def say(conn: Connection, commune_id: int, person_id: str, citizen_id: str, year: int, on: str | None, text: str, now: str) -> None:
    """A member of staff says something about a dossier, or about one of its photos.

    Raises Problem `not_found` for a person or photo that is not there, `value.invalid` for an empty or too long text.
    """
    found = review.dossier(conn, commune_id, citizen_id, year)
    if found is None or (on is not None and on not in {p["id"] for p in found["photos"]}):
        raise Problem("not_found", "Không tìm thấy hồ sơ hoặc ảnh này.")
    if not 1 <= len(text) <= MOST_LETTERS:
        raise Problem("value.invalid", "Lời nhắn cần có chữ, và không quá 4.000 chữ.")
    ident = dossier_id(citizen_id, year)
    mutations = [] if found["row"] else [_create("dossier", ident, {"citizen": citizen_id, "year": year})]
    mutations.append(_create("comment", str(uuid.uuid4()), {"on": on or ident, "text": text}))
    syncing.write_as_staff(conn, commune_id, person_id, mutations, now)


def _create(kind: str, ident: str, patch: dict[str, Any]) -> dict[str, Any]:
    return {"op": "create", "type": kind, "doc": ident, "base": 0, "set": patch}
