"""What staff take back: a choice between two values, a deletion. Each is a write of its own, with history,
and never touches what somebody changed since."""

import uuid
from typing import Any

from sqlalchemy import Connection, select

from server.db import tables
from server.db.journal import note
from server.domain import commands, dispatching, names
from server.domain.applying import put, record
from server.domain.edits import Edit
from server.domain.keeping import person_now
from server.domain.workspace import Doc, Workspace
from sync.errors import Problem
from sync.fields import TYPES

_HISTORY = tables.History.__table__


def begin(conn: Connection, commune_id: int, person_id: str, op: str, docs: list[str], now: str) -> tuple[Workspace, Edit]:
    """A workspace with these documents loaded and locked, and the edit of a member of staff.

    Raises Problem `right.missing`.
    """
    actor = person_now(conn, commune_id, person_id, f"web:{person_id}")
    if actor is None or actor.role != "staff":
        raise Problem("right.missing", "Không có quyền làm việc này.")
    work = Workspace(conn, commune_id, now)
    dispatching.prefetch(work, [{"doc": doc} for doc in docs])
    mutation = {"id": str(uuid.uuid4()), "op": op, "at": now, "by": person_id, "set": {}, "base": 2**62}
    return work, Edit(mutation, actor, 0, lambda _ident: None)


def reopen(conn: Connection, commune_id: int, person_id: str, conflict_id: str, now: str) -> None:
    """Takes a choice back: the field gets its earlier value and the conflict is open again.

    Raises Problem `not_found`, `conflict.moved` where the field was changed since, `gone`, `state.stale` where it was decided.
    """
    work, edit = begin(conn, commune_id, person_id, "reopen", [conflict_id], now)
    conflict = work.get(conflict_id)
    if conflict is None or conflict.type != "conflict":
        raise Problem("not_found", "Không tìm thấy việc này.")
    if conflict.row["state"] != "resolved":
        raise Problem("conflict.moved", "Việc này đang chờ chọn.")
    target = work.get(conflict.row["doc_id"])
    refuse_decided(work, target)
    choice = _choice(work, conflict)
    if target is not None and choice is not None:
        _take_back(work, edit, target, conflict.row["field"], choice)
    if target is None or target.row["deleted"]:
        raise Problem("gone", "Nội dung này đã bị xoá.")
    conflict.row["state"] = "open"
    version = target.row["field_versions"].get(conflict.row["field"])
    conflict.row["theirs"] = {**(conflict.row["theirs"] or {}), "rev": version[0] if version else 0}
    if conflict.row["field"] in TYPES[target.type]:
        conflict.row["theirs"]["value"] = target.get(conflict.row["field"])
    work.bump(conflict)
    record(work, edit, conflict, {"state": ["resolved", "open"]})
    work.flush()


def refuse_decided(work: Workspace, doc: Doc | None) -> None:
    """What was decided does not change. Raises Problem `state.stale`."""
    dossier = work.get(doc.row["dossier_id"]) if doc is not None and doc.type == "evidence" else doc
    if dossier is not None and dossier.type == "dossier" and dossier.row["state"] == "decided":
        raise Problem("state.stale", "Hồ sơ đã được công nhận, không đổi được nữa.", state="decided")


def _choice(work: Workspace, conflict: Doc) -> str | None:
    """The id of the resolve that settled it."""
    query = select(_HISTORY.c.mutation_id).where(
        _HISTORY.c.commune_id == work.commune_id, _HISTORY.c.doc_id == conflict.id, _HISTORY.c.op == "resolve"
    )
    return work.conn.execute(query.order_by(_HISTORY.c.rev.desc()).limit(1)).scalar()


def _take_back(work: Workspace, edit: Edit, target: Doc, name: str, choice: str) -> None:
    """Undoes what one mutation wrote to one field; nothing where it wrote nothing."""
    written = _written(work, target, choice)
    if name == "delete":
        if target.row["deleted"] and written is not None:
            _bring_back(work, edit, target, choice)
        return
    if written is None or name not in written:
        return
    version = target.row["field_versions"].get(name)
    if version is None or version[2] != choice:
        raise Problem("conflict.moved", "Mục này đã được sửa tiếp sau đó, không hoàn tác được nữa.")
    before = written[name][0]
    if name == "place":
        back = Edit({**edit.mutation, "set": {"place": before}}, edit.actor, edit.seq, edit.seq_of)
        commands.move(work, back, target)
    else:
        put(work, edit, target, {name: before})


def _written(work: Workspace, doc: Doc, mutation_id: str) -> dict[str, Any] | None:
    query = select(_HISTORY.c.patch).where(
        _HISTORY.c.commune_id == work.commune_id, _HISTORY.c.doc_id == doc.id, _HISTORY.c.mutation_id == mutation_id
    )
    row = work.conn.execute(query.order_by(_HISTORY.c.rev.desc()).limit(1)).first()
    return dict(row[0]) if row else None


def undelete(conn: Connection, commune_id: int, person_id: str, ident: str, now: str) -> str:
    """Brings back a deleted citizen or photo with all that the same deletion took; returns the citizen's id.

    Raises Problem `not_found`, and `parent.deleted` for a photo of a person who is deleted too.
    """
    work, edit = begin(conn, commune_id, person_id, "undelete", [ident], now)
    doc = work.get(ident)
    if doc is None or not doc.row["deleted"] or doc.type == "conflict":
        raise Problem("not_found", "Không có gì để khôi phục.")
    if doc.type == "citizen" and doc.row["merged_into"]:
        raise Problem("not_found", "Người này đã được gộp, mời hoàn tác việc gộp.")
    citizen = work.get(doc.row["citizen_id"])
    if doc.type != "citizen" and (citizen is None or citizen.row["deleted"]):
        raise Problem("parent.deleted", "Người này cũng đã bị xoá, mời khôi phục người trước.")
    if doc.type != "citizen":
        refuse_decided(work, doc)
    taken = _last_deletion(work, doc)
    _bring_back(work, edit, doc, taken)
    work.flush()
    return str(doc.row["citizen_id"])


def _last_deletion(work: Workspace, doc: Doc) -> str | None:
    """The id of the mutation that deleted it: a delete, or the choice of a held one."""
    query = select(_HISTORY.c.mutation_id, _HISTORY.c.patch).where(_HISTORY.c.commune_id == work.commune_id, _HISTORY.c.doc_id == doc.id)
    for mutation_id, patch in work.conn.execute(query.order_by(_HISTORY.c.rev.desc())):
        if patch.get("deleted") == [False, True]:
            return str(mutation_id)
    return None


def _bring_back(work: Workspace, edit: Edit, doc: Doc, mutation_id: str | None) -> None:
    """The documents that one deletion took, and the disagreements that it closed."""
    docs = [doc]
    if doc.type == "citizen":
        work.load_under(doc.id)
        docs += [d for d in work.docs.values() if d.row["citizen_id"] == doc.id and d is not doc and d.row["deleted"]]
    back = [d for d in docs if d is doc or _last_deletion(work, d) == mutation_id]
    note(work.conn, "documents.undeleted", work.commune_id, docs=[[d.type, d.id] for d in back], person=edit.actor.person_id)
    revive(work, edit, back)


def revive(work: Workspace, edit: Edit, docs: list[Doc]) -> None:
    """Marks these as not deleted, and opens the disagreements that the deletion closed."""
    for each in docs:
        if each.row["deleted"]:
            each.row["deleted"] = False
            each.row["updated_at"] = work.now
            work.bump(each)
            record(work, edit, each, {"deleted": [True, False]})
    for conflict in _closed(work, {d.id for d in docs}):
        if conflict.row["field"] != "delete":
            conflict.row["state"] = "open"
            work.bump(conflict)


def _closed(work: Workspace, docs: set[str]) -> list[Doc]:
    """A conflict is `closed` by the deletion of its document alone."""
    table = tables.Conflict.__table__
    wanted = sorted(docs)
    for start in range(0, len(wanted), names.SOME):
        some = wanted[start : start + names.SOME]
        query = select(table.c.id).where(table.c.commune_id == work.commune_id, table.c.doc_id.in_(some), table.c.state == "closed")
        work.load(work.conn.execute(query).scalars())
    return [d for d in work.docs.values() if d.type == "conflict" and d.row["state"] == "closed" and d.row["doc_id"] in docs]
