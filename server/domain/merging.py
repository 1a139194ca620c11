"""One person registered twice: the second's papers become the first's, by year; the old id stays as a redirect.

Nothing is overwritten: what is empty is filled, what differs is held for staff, photos and words move over.
It can be taken back: each goes where it came from, with what arrived for it meanwhile.
"""

import uuid
from typing import Any

from sqlalchemy import Connection, select, update

from server.db import tables
from server.domain import undoing
from server.domain.applying import hold, record
from server.domain.edits import Edit
from server.domain.permissions import Actor
from server.domain.workspace import Doc, Workspace
from sync.errors import Problem
from sync.fields import TYPES
from sync.protocol import dossier_id

_PERSON, _HISTORY = tables.Person.__table__, tables.History.__table__
HELD_NAMESPACE = uuid.UUID("9d3a2f0e-6c1b-4a57-8f5e-2b7c4d1e0a63")
FILLED = ("birth_year", "gender", "group", "setting", "phone", "note")
FIXED = ("citizen", "year", "state", "reason")


def merge(conn: Connection, commune_id: int, staff_id: str, old_id: str, new_id: str, revs: dict[str, int], now: str) -> None:
    """Merges `old_id` into `new_id`, both as they were seen (`revs`, id to revision).

    Raises Problem `not_found`, `conflict.moved`, and `merge.decided` where it would change what was decided.
    """
    work, edit = undoing.begin(conn, commune_id, staff_id, "merge", [old_id, new_id], now)
    old, new = _living(work, old_id), _living(work, new_id)
    if old is new:
        raise Problem("not_found", "Cần chọn hai người khác nhau.")
    if any(doc.row["rev"] != revs.get(doc.id) for doc in (old, new)):
        raise Problem("conflict.moved", "Một trong hai người vừa được sửa, mời xem lại.")
    work.load_under(old.id)
    work.load_under(new.id)
    papers = [d for d in work.docs.values() if d.row["citizen_id"] == old.id and d is not old]
    moved = {old.id: new.id}
    for dossier in [d for d in papers if d.type == "dossier" and not d.row["deleted"]]:
        moved[dossier.id] = _merge_dossier(work, edit, dossier, new)
    for doc in papers:
        if doc.type != "dossier":
            _carry(work, edit, doc, new.row["place_id"], new.id, moved)
    _fill_citizen(work, edit, old, new)
    _retire(work, edit, old, new)
    work.flush()


def _living(work: Workspace, ident: str) -> Doc:
    doc = work.get(ident)
    if doc is None or doc.type != "citizen" or doc.row["deleted"]:
        raise Problem("not_found", "Không tìm thấy người này.")
    return doc


def _merge_dossier(work: Workspace, edit: Edit, old: Doc, new: Doc) -> str:
    """Returns the id of the dossier that stays."""
    ident, year = dossier_id(new.id, old.row["year"]), old.row["year"]
    target = work.get(ident)
    if old.row["state"] == "decided" or (target is not None and target.row["state"] == "decided"):
        raise Problem("merge.decided", f"Hồ sơ năm {year} của một trong hai người đã được công nhận nên không gộp theo chiều này được.")
    if target is None or target.row["deleted"]:
        fresh = {"id": ident, "place_id": new.row["place_id"], "citizen_id": new.id, "author": old.row["author"], "year": year}
        kept = {n: old.row[n] for n in ("state", "reason", "programme_rev")}
        if target is None:
            target = work.add("dossier", {**fresh, **kept})
        else:
            target.row |= {**fresh, **kept, "deleted": False, "field_versions": {}}
            target.row |= {spec.column: None for n, spec in TYPES["dossier"].items() if n not in FIXED}
        _fill(work, edit, old, target, {"deleted": [True, False], "citizen": [None, new.id], "year": [None, year]})
    else:
        held = _fill(work, edit, old, target, {})
        if target.row["state"] == "draft" and old.row["state"] != "draft" and not held:
            patch = {n: [target.row[n], old.row[n]] for n in ("state", "reason")}
            target.row |= {n: after for n, (_, after) in patch.items()}
            work.bump(target)
            record(work, edit, target, patch)
    old.row["deleted"] = True
    work.bump(old)
    record(work, edit, old, {"deleted": [False, True], "merged": [None, ident]})
    return ident


def _fill(work: Workspace, edit: Edit, old: Doc, target: Doc, patch: dict[str, Any]) -> bool:
    """Fills what is empty with the old one's values under their authors' names; returns whether a field is held."""
    rev, held = work.bump(target), False
    patch = {**patch, "merged": [None, old.id]}
    for name in TYPES["dossier"]:
        value, present = old.get(name), target.get(name)
        if name in FIXED or value in (None, "") or value == present:
            continue
        if present in (None, ""):
            patch[name] = [present, value]
            target.put(name, value)
            target.row["field_versions"][name] = _version(rev, old, name)
        else:
            held = True
            hold(work, _as_author(edit, old, name), target, name, value, 0)
    target.row["updated_at"] = work.now
    record(work, edit, target, patch)
    return held


def _version(rev: int, old: Doc, name: str) -> list[Any]:
    """Who wrote it stays; that it came from the old one is marked, so that only that one's phones call it their own."""
    version = [*(old.row["field_versions"].get(name) or []), *[None] * 6][:6]
    return [rev, version[1] or "", version[2] or "", version[3] or 0, version[4], version[5] or old.row["citizen_id"]]


def _as_author(edit: Edit, old: Doc, name: str) -> Edit:
    version = [*(old.row["field_versions"].get(name) or []), *[None] * 5][:5]
    author = Actor(version[4] or old.row["author"], "staff", device_id=version[1] or "")
    mutation = {**edit.mutation, "id": _held_by(edit.mutation["id"], old.id), "at": None}
    return Edit(mutation, author, version[3] or 0, edit.seq_of)


def _held_by(merge_id: str, dossier: str) -> str:
    """What a merge holds of one dossier is an edit of its own: two years may disagree in the same field."""
    return str(uuid.uuid5(HELD_NAMESPACE, f"{merge_id}/{dossier}"))


def _carry(work: Workspace, edit: Edit, doc: Doc, place_id: int, citizen_id: str, moved: dict[str, str]) -> None:
    """Puts a photo, a word or a disagreement under the other person, with its id; history tells from where."""
    column = {"evidence": "dossier_id", "comment": "on", "conflict": "doc_id"}[doc.type]
    before = doc.row[column]
    if doc.type == "conflict":
        _recall(work, doc, moved.get(before, before))
    work.leave(doc)  # the one who parts from it may read no more of it, even in the same place
    doc.row |= {"place_id": place_id, "citizen_id": citizen_id, column: moved.get(before, before)}
    work.bump(doc)
    record(work, edit, doc, {"moved": [before, doc.row[column]]})


def _recall(work: Workspace, conflict: Doc, doc_id: str) -> None:
    """A disagreement about another document from now on: its server value is that one's; one on deleting the old person ends."""
    before, target, name = conflict.row["doc_id"], work.docs.get(doc_id), conflict.row["field"]
    if before == doc_id or target is None:
        return
    if conflict in work.conflicts.get(before, []):
        work.conflicts[before].remove(conflict)
        work.conflicts.setdefault(doc_id, []).append(conflict)
    if conflict.row["state"] != "open":
        return
    if name not in TYPES[target.type]:
        conflict.row["state"] = "closed"
        return
    version = [*(target.row["field_versions"].get(name) or []), *[None] * 5][:5]
    said = {"value": target.get(name), "rev": version[0] or 0, "device": version[1], "by": version[4], "at": target.row["updated_at"]}
    conflict.row["theirs"] = said


def _fill_citizen(work: Workspace, edit: Edit, old: Doc, new: Doc) -> None:
    rev = work.bump(new)
    patch: dict[str, Any] = {"merged": [None, {n: old.get(n) for n in ("full_name", *FILLED) if old.get(n) is not None}]}
    for name in FILLED:
        if new.get(name) in (None, "") and old.get(name) not in (None, ""):
            patch[name] = [new.get(name), old.get(name)]
            new.put(name, old.get(name))
            new.row["field_versions"][name] = _version(rev, old, name)
    more = [item for item in old.row["consent"] or [] if item not in (new.row["consent"] or [])]
    if more:
        patch["consent"] = [new.row["consent"], [*(new.row["consent"] or []), *more]]
        new.row["consent"] = patch["consent"][1]
    if new.row["possible_duplicate"] == old.id:
        new.row["possible_duplicate"] = None
    new.row["updated_at"] = work.now
    record(work, edit, new, patch)


def _retire(work: Workspace, edit: Edit, old: Doc, new: Doc) -> None:
    """The old id is gone for phones; whoever acted as that person acts as the one who stays."""
    acting = select(_PERSON.c.id).where(_PERSON.c.commune_id == work.commune_id, _PERSON.c.citizen_id == old.id)
    people = sorted(work.conn.execute(acting).scalars())
    _give_people(work, people, new.id, new.row["place_id"])
    old.row |= {"deleted": True, "merged_into": new.id, "updated_at": work.now}
    work.bump(old)
    record(work, edit, old, {"deleted": [False, True], "merged_into": [None, new.id], "people": [None, people]})


def _give_people(work: Workspace, people: list[str], citizen_id: str, place_id: int) -> None:
    where = (_PERSON.c.commune_id == work.commune_id, _PERSON.c.id.in_(people))
    if people:
        work.conn.execute(update(_PERSON).where(*where).values(citizen_id=citizen_id))
        work.conn.execute(update(_PERSON).where(*where, _PERSON.c.role == "citizen").values(place_id=place_id))


def unmerge(conn: Connection, commune_id: int, staff_id: str, old_id: str, now: str) -> None:
    """Takes a merge back. Values that somebody wrote over since stay where they are.

    Raises Problem `not_found`, `merge.moved_on` where the one who stayed was deleted or merged in turn,
    `merge.decided` where its dossier was decided meanwhile.
    """
    work, edit = undoing.begin(conn, commune_id, staff_id, "unmerge", [old_id], now)
    old = work.get(old_id)
    new = work.get(old.row["merged_into"]) if old is not None and old.type == "citizen" and old.row["merged_into"] else None
    if old is None or new is None:
        raise Problem("not_found", "Người này không phải là người đã gộp.")
    if new.row["deleted"]:
        raise Problem("merge.moved_on", "Người còn lại đã bị xoá hoặc gộp tiếp, mời hoàn tác việc đó trước.")
    work.lock([old.row["place_id"], new.row["place_id"]])
    work.load_under(old.id)
    work.load_under(new.id)
    merge_id = _last_merge(work, old)
    merged, family = _merged(work, merge_id), _family(work, old.id)
    pairs = [
        (dossier, target)
        for dossier in work.docs.values()
        if dossier.type == "dossier" and dossier.row["citizen_id"] == old.id and dossier.row["deleted"]
        and (target := work.docs.get(dossier_id(new.id, dossier.row["year"]))) is not None
    ]  # fmt: skip
    for dossier, target in pairs:
        _part_dossier(work, edit, dossier, target, merged.get(target.id, {}), family)
    held = {_held_by(merge_id, dossier.id) for dossier, _ in pairs}
    _part_papers(work, edit, old, new, merged, family)
    for conflict in [d for d in work.docs.values() if d.type == "conflict" and d.row["state"] == "open"]:
        if (conflict.row["mine"] or {}).get("mutation") in held:
            conflict.row["state"] = "closed"
            work.bump(conflict)
    for _, target in pairs:
        _drop_if_empty(work, edit, target, merged.get(target.id), family)
    _part_fields(work, edit, new, merged.get(new.id, {}), family)
    people = merged.get(old.id, {}).get("people", [None, []])[1]
    _give_people(work, people, old.id, old.row["place_id"])
    old.row |= {"deleted": False, "merged_into": None, "possible_duplicate": new.id, "updated_at": now}
    work.bump(old)
    record(work, edit, old, {"deleted": [True, False], "merged_into": [new.id, None]})
    work.flush()


def _last_merge(work: Workspace, old: Doc) -> str:
    query = select(_HISTORY.c.mutation_id).where(
        _HISTORY.c.commune_id == work.commune_id, _HISTORY.c.doc_id == old.id, _HISTORY.c.op == "merge"
    )
    return str(work.conn.execute(query.order_by(_HISTORY.c.rev.desc()).limit(1)).scalar())


def _merged(work: Workspace, mutation: str) -> dict[str, dict[str, Any]]:
    """What a merge wrote: document id to its patch."""
    found: dict[str, dict[str, Any]] = {}
    ids = sorted(work.docs)
    for start in range(0, len(ids), 400):
        query = select(_HISTORY.c.doc_id, _HISTORY.c.patch).where(
            _HISTORY.c.commune_id == work.commune_id, _HISTORY.c.doc_id.in_(ids[start : start + 400]), _HISTORY.c.mutation_id == mutation
        )
        for doc_id, patch in work.conn.execute(query.order_by(_HISTORY.c.rev)):
            found.setdefault(doc_id, {}).update(patch)
    return found


def _family(work: Workspace, old_id: str) -> frozenset[str]:
    """This person and all who were merged into them before."""
    table = tables.Citizen.__table__
    found, more = {old_id}, [old_id]
    while more:
        query = select(table.c.id).where(table.c.commune_id == work.commune_id, table.c.merged_into.in_(more))
        more = [ident for ident in work.conn.execute(query).scalars() if ident not in found]
        found.update(more)
    return frozenset(found)


def _is_from(doc: Doc, name: str, family: frozenset[str]) -> bool:
    version = doc.row["field_versions"].get(name) or []
    return len(version) > 5 and version[5] in family


def _part_dossier(work: Workspace, edit: Edit, old: Doc, target: Doc, written: dict[str, Any], family: frozenset[str]) -> None:
    """Revives the old dossier with what is its own now, and takes that from the one it was merged into."""
    if target.row["state"] == "decided":
        raise Problem("merge.decided", f"Hồ sơ năm {old.row['year']} đã được công nhận, không tách được nữa.")
    rev = work.bump(old)
    old.row |= {"deleted": False, "updated_at": work.now}
    patch: dict[str, Any] = {"deleted": [True, False]}
    for name in [n for n in TYPES["dossier"] if n not in FIXED and _is_from(target, n, family)]:
        value, version = target.get(name), target.row["field_versions"][name]
        if old.get(name) != value:
            patch[name] = [old.get(name), value]
            old.put(name, value)
        old.row["field_versions"][name] = [rev, *version[1 : 5 if version[5] == old.row["citizen_id"] else 6]]
    record(work, edit, old, patch)
    _part_fields(work, edit, target, written, family)


def _part_fields(work: Workspace, edit: Edit, target: Doc, written: dict[str, Any], family: frozenset[str]) -> None:
    """Fields that came from the old one get back what they were before; its state too, where nobody changed it since."""
    patch: dict[str, Any] = {}
    rev = work.bump(target)
    for name in TYPES[target.type]:
        if name not in FIXED and _is_from(target, name, family):
            before = written.get(name, [None])[0]
            patch[name] = [target.get(name), before]
            target.put(name, before)
            target.row["field_versions"][name] = edit.version(rev)
    if "state" in written and target.row["state"] == written["state"][1]:
        for name in ("state", "reason"):
            patch[name] = [target.row[name], written[name][0]]
            target.row[name] = written[name][0]
    target.row["updated_at"] = work.now
    record(work, edit, target, patch)


def _drop_if_empty(work: Workspace, edit: Edit, target: Doc, written: dict[str, Any] | None, family: frozenset[str]) -> None:
    """A dossier that the merge began, or an edit for the old one, and that nobody else has used."""
    begun = (written or {}).get("deleted") == [True, False] or (written is None and _is_from(target, "citizen", family))
    used = any(target.get(n) not in (None, "") for n in TYPES["dossier"] if n not in FIXED)
    used = used or any(d.type == "evidence" and d.row["dossier_id"] == target.id for d in work.docs.values())
    if begun and not used:
        target.row["deleted"] = True
        work.bump(target)
        record(work, edit, target, {"deleted": [False, True]})


def _part_papers(
    work: Workspace, edit: Edit, old: Doc, new: Doc, merged: dict[str, dict[str, Any]], family: frozenset[str]
) -> None:
    """Photos, words and disagreements go back: those that the merge carried over, and those sent for the old one since."""
    back = {dossier_id(new.id, d.row["year"]): d.id for d in work.docs.values() if d.type == "dossier" and d.row["citizen_id"] == old.id}
    back[new.id] = old.id
    for doc in [d for d in work.docs.values() if d.row["citizen_id"] == new.id and d.type in ("evidence", "comment", "conflict")]:
        carried = merged.get(doc.id, {})
        if "moved" in carried:
            before, after = carried["moved"]
            column = {"evidence": "dossier_id", "comment": "on", "conflict": "doc_id"}[doc.type]
            if doc.row[column] == after:
                _carry(work, edit, doc, old.row["place_id"], old.id, {after: before})
        elif doc.type != "conflict" and any(len(v) > 5 and v[5] in family for v in doc.row["field_versions"].values()):
            _carry(work, edit, doc, old.row["place_id"], old.id, back)


def apart(conn: Connection, commune_id: int, staff_id: str, citizen_id: str, now: str) -> None:
    """Staff looked: these are two people. Raises Problem `not_found`."""
    work, edit = undoing.begin(conn, commune_id, staff_id, "apart", [citizen_id], now)
    doc = _living(work, citizen_id)
    other = doc.row["possible_duplicate"]
    if other is not None:
        doc.row["possible_duplicate"] = None
        work.bump(doc)
        record(work, edit, doc, {"possible_duplicate": [other, None]})
        work.flush()
