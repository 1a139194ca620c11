"""Staff settle what waits in quarantine: accept it as it was sent, accept it for somebody else, or set it aside.

What is accepted runs through the same function as every edit, with its original base, `after` and author;
a field whose last write descends from it keeps that write, and the older value goes to history only.
"""

import json
import uuid
from collections import Counter
from typing import Any

from sqlalchemy import Connection, select, update

from server.db import tables
from server.domain import dispatching, people, quarantine, receipts, waiting
from server.domain.edits import Edit, Outcome
from server.domain.keeping import Batch, Handled, person_now, remember
from server.domain.permissions import Actor
from server.domain.workspace import Workspace
from sync.errors import Problem
from sync.fields import check_mutation
from sync.protocol import dossier_id, is_uuid

_ROW = tables.Quarantine.__table__
_PERSON, _PHOTO = tables.Person.__table__, tables.Photo.__table__
MOST_AT_ONCE = 200
UNKNOWN_DEVICE = "deposit"
REFUSED = ("rejected", "gone", "out_of_scope", "waiting", "amendment")


def accept(conn: Connection, commune_id: int, staff_id: str, ident: str, now: str) -> str:
    """Applies one row as it was sent: `applied`, `held` (a choice between two values waits), or `already`.

    Raises Problem with the code of what still stands against it; nothing is then written.
    """
    row = _open_row(conn, commune_id, ident)
    if row["reason"] == "deposit" and quarantine.is_handled(conn, commune_id, row["mutation_id"]):
        _settle(conn, row, "applied", staff_id, now)  # the phone found a signal meanwhile
        return "already"
    outcome = _run(conn, row, [quarantine.content(row["payload"])], staff_id, now)
    _settle(conn, row, "applied", staff_id, now)
    return "held" if outcome.result == "held" else "applied"


def accept_deposit(
    conn: Connection, commune_id: int, staff_id: str, device_id: str | None, received_at: str, now: str
) -> Counter[str]:
    """Applies what one file brought, in the phone's order; what cannot be applied stays with its reason.

    At most MOST_AT_ONCE of them: `rest` counts what is left to do. Other keys: `applied`, `held`, `already`, `kept`.
    """
    of_device = _ROW.c.device_id == device_id if device_id else _ROW.c.device_id.is_(None)
    query = select(_ROW.c.id).where(
        _ROW.c.commune_id == commune_id, of_device, _ROW.c.received_at == received_at, _ROW.c.state == "open", _ROW.c.reason == "deposit"
    )
    ids = list(conn.execute(query.order_by(_ROW.c.seq, _ROW.c.id)).scalars())
    done: Counter[str] = Counter()
    for ident in ids[:MOST_AT_ONCE]:
        try:
            with conn.begin_nested():
                done[accept(conn, commune_id, staff_id, ident, now)] += 1
        except Problem as problem:
            if problem.code == "quarantine.settled":
                continue
            done["kept"] += 1
            waits_for = problem.details.get("waits_for")
            conn.execute(update(_ROW).where(*_key(commune_id, ident)).values(reason=problem.code, waits_for=waits_for))
    done["rest"] = max(0, len(ids) - MOST_AT_ONCE)
    return done


def move(
    conn: Connection, commune_id: int, staff_id: str, ident: str, now: str, *, citizen: str | None = None,
    place: int | None = None, indicator: int | None = None, year: int,
) -> str:  # fmt: skip
    """Applies a row for another person, place or indicator; the row keeps what was sent. Answers as `accept`.

    Raises Problem `move.impossible`, `citizen.unknown`, and as `accept`.
    """
    row = _open_row(conn, commune_id, ident)
    sent = quarantine.content(row["payload"])
    outcome = _run(conn, row, _meant_for(conn, commune_id, sent, citizen, place, indicator, year), staff_id, now)
    _settle(conn, row, "moved", staff_id, now)
    return "held" if outcome.result == "held" else "applied"


def set_aside(conn: Connection, commune_id: int, staff_id: str, ident: str, now: str) -> None:
    """Out of the way, kept for good."""
    _settle(conn, _open_row(conn, commune_id, ident), "set_aside", staff_id, now)


def take_up(conn: Connection, commune_id: int, ident: str) -> None:
    """What was set aside waits again. Raises Problem `not_found`."""
    row = quarantine.row_of(conn, commune_id, ident)
    if row is None or row["state"] != "set_aside":
        raise Problem("not_found", "Không tìm thấy nội dung này.")
    conn.execute(update(_ROW).where(*_key(commune_id, ident)).values(state="open", settled_by=None, settled_at=None))


def _key(commune_id: int, ident: str) -> tuple[Any, Any]:
    return _ROW.c.commune_id == commune_id, _ROW.c.id == ident


def _open_row(conn: Connection, commune_id: int, ident: str) -> dict[str, Any]:
    """Raises Problem `not_found`, `quarantine.settled`."""
    row = quarantine.row_of(conn, commune_id, ident)
    if row is None:
        raise Problem("not_found", "Không tìm thấy nội dung này.")
    if row["state"] not in ("open", "set_aside"):
        raise _settled()
    return row


def _settled() -> Problem:
    return Problem("quarantine.settled", "Nội dung này đã có người xử lý.")


def _settle(conn: Connection, row: dict[str, Any], state: str, staff_id: str, now: str) -> None:
    """Only from the state that was read: of two who accept it at once, the second's work is taken back."""
    values = {"state": state, "settled_by": staff_id, "settled_at": now, "waits_for": None}
    where = (*_key(row["commune_id"], row["id"]), _ROW.c.state == row["state"])
    if conn.execute(update(_ROW).where(*where).values(**values)).rowcount == 0:
        raise _settled()


def _run(conn: Connection, row: dict[str, Any], mutations: list[dict[str, Any]], staff_id: str, now: str) -> Outcome:
    """Applies these as the row's author's; the outcome of the last. Raises Problem where one cannot be applied."""
    commune_id = row["commune_id"]
    if row["reason"] in quarantine.NO_MUTATION:
        raise Problem("quarantine.no_mutation", "Đây là bản ghi dở, không tự áp dụng được. Mời đọc và nhập lại nếu cần.")
    actor = _author(conn, row, staff_id)
    batch = Batch(conn, commune_id, actor.device_id, {actor.person_id: actor}, now)
    remember(batch, [m for m in mutations if is_uuid(m.get("id"))])
    _remember_kept(batch, mutations)
    work = Workspace(conn, commune_id, now)
    dispatching.prefetch(work, mutations)
    handled = []
    for mutation in mutations:
        fault = check_mutation(mutation, len(json.dumps(mutation, ensure_ascii=False).encode("utf-8", "surrogatepass")))
        if fault is not None or not is_uuid(mutation.get("id")):
            raise Problem(fault.code if fault else "value.invalid", fault.message if fault else "Nội dung không hợp lệ.")
        outcome = dispatching.dispatch(work, Edit(mutation, actor, row["seq"] or 0, batch.seq_of))
        if outcome.result in REFUSED:
            raise Problem(outcome.code or str(outcome.result), outcome.message or "", waits_for=outcome.waits_for)
        _let_be_seen(conn, commune_id, mutation, actor, now)
        handled.append(Handled(mutation, row["seq"] or 0, outcome))
    work.flush()
    waiting.retry(batch, handled)
    return handled[-1].outcome


def _author(conn: Connection, row: dict[str, Any], staff_id: str) -> Actor:
    """The original author, by the right of the member of staff who accepts; that member where the author is nobody of ours."""
    person = people.person(conn, row["commune_id"], quarantine.author_id(row) or "")
    if person is None:
        staff = person_now(conn, row["commune_id"], staff_id, row["device_id"] or UNKNOWN_DEVICE)
        if staff is None:
            raise Problem("right.missing", "Không có quyền làm việc này.")
        return Actor(staff.person_id, "staff", device_id=staff.device_id, accepted=True)
    return Actor(person["id"], "staff", citizen_id=person["citizen_id"], device_id=row["device_id"] or UNKNOWN_DEVICE, accepted=True)


def _remember_kept(batch: Batch, mutations: list[dict[str, Any]]) -> None:
    """Numbers of what came by deposit: sync never handled them, yet they are the phone's own chain."""
    shown = {v for m in mutations if isinstance(m.get("after"), dict) for v in m["after"].values() if is_uuid(v)}
    query = select(_ROW.c.mutation_id, _ROW.c.device_id, _ROW.c.seq).where(
        _ROW.c.commune_id == batch.commune_id, _ROW.c.mutation_id.in_(sorted(shown)), _ROW.c.seq.is_not(None)
    )
    for mutation_id, device_id, seq in batch.conn.execute(query) if shown else ():
        batch.known.setdefault(mutation_id, (device_id or UNKNOWN_DEVICE, seq, None))


def _let_be_seen(conn: Connection, commune_id: int, mutation: dict[str, Any], actor: Actor, now: str) -> None:
    """A photo is shown through its author's receipt; who accepts an unknown person's photo vouches for it."""
    sha256 = (mutation.get("set") or {}).get("sha256")
    row = person_now(conn, commune_id, actor.person_id, None)
    if sha256 is None or row is None or row.role != "staff" or receipts.has(conn, commune_id, actor.person_id, sha256):
        return
    photo = conn.execute(select(_PHOTO).where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256 == sha256)).mappings().first()
    if photo is not None:
        receipts.give(conn, commune_id, actor.person_id, sha256, photo["type"], photo["bytes"], now)


def _meant_for(
    conn: Connection, commune_id: int, sent: dict[str, Any], citizen: str | None, place: int | None, indicator: int | None, year: int
) -> list[dict[str, Any]]:
    """The same content for another person or place: a document of theirs, from no revision that its author saw."""
    kind, op, patch = sent.get("type"), sent.get("op"), dict(sent["set"]) if isinstance(sent.get("set"), dict) else {}
    if kind == "citizen" and op == "create":
        return [{**sent, "set": {**patch, "place": place or patch.get("place")}}]
    if citizen is None or op not in ("create", "update") or kind not in ("citizen", "dossier", "evidence", "comment"):
        raise Problem("move.impossible", "Nội dung này không chuyển được, chỉ nhận hoặc để riêng.")
    _check_citizen(conn, commune_id, citizen)
    own = {k: v for k, v in sent.items() if k not in ("after", "base", "doc", "set")} | {"base": 0}
    if kind == "citizen":
        return [own | {"doc": citizen, "set": patch}]
    if kind == "comment":
        return [own | {"doc": str(uuid.uuid4()), "set": {**patch, "on": citizen}}]
    dossier = dossier_id(citizen, year)
    begun = {**own, "id": str(uuid.uuid4()), "op": "create", "type": "dossier", "doc": dossier, "set": {"citizen": citizen, "year": year}}
    if kind == "dossier":
        fields = {n: v for n, v in patch.items() if n not in ("citizen", "year")}
        return [begun, own | {"op": "update", "doc": dossier, "set": fields}]
    if op != "create":
        raise Problem("move.impossible", "Chỉ chuyển được ảnh, không chuyển được phần sửa của ảnh.")
    entry = {**patch, "dossier": dossier, "indicator": indicator or patch.get("indicator")}
    entry.pop("replaces", None)
    return [begun, own | {"doc": str(uuid.uuid4()), "set": entry}]


def _check_citizen(conn: Connection, commune_id: int, citizen: str) -> None:
    table = tables.Citizen.__table__
    query = select(table.c.id).where(table.c.commune_id == commune_id, table.c.id == citizen, table.c.deleted.is_(False))
    if conn.execute(query).first() is None:
        raise Problem("citizen.unknown", "Không tìm thấy công dân này.")
