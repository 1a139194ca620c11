"""Applies one mutation to a workspace: finds its document, asks rights and state, merges, records.

Returns what became of it; whatever cannot be applied is kept in quarantine, never dropped.
"""

import uuid
from typing import Any

from server.domain import permissions
from server.domain.edits import Edit, Outcome, rejected, subject_of
from server.domain.permissions import Subject
from server.domain.text import fold
from server.domain.workspace import Doc, Workspace
from sync.fields import TYPES
from sync.merge import merge
from sync.protocol import dossier_id

CONFLICT_NAMESPACE = uuid.UUID("9a3d8b52-6c1e-4d0f-8a57-2f4be61c7d90")
EDITABLE = {
    "self": ("draft", "returned"),
    "note": ("draft", "returned"),
    "chapter": ("draft", "returned", "submitted"),
    "chapter_note": ("draft", "returned", "submitted"),
    "final": ("appraised", "eligible", "not_eligible"),
}


def create(work: Workspace, edit: Edit) -> Outcome:
    kind, ident = edit.mutation["type"], edit.mutation["doc"]
    known = work.get(ident)
    if known is not None:
        if known.row["deleted"]:
            return Outcome("gone", keep=True, left=True)
        if kind == "dossier" and known.type == "dossier":
            return update(work, edit, forced_base=0)
        return rejected("id.exists", "Mã này đã có.")
    parent = _parent(work, kind, edit.patch)
    if isinstance(parent, str):
        return Outcome("waiting", keep=True, waits_for=parent)
    if parent is not None and parent.row["deleted"]:
        return Outcome("gone", keep=True, left=True)
    place = edit.patch["place"] if parent is None else parent.row["place_id"]
    citizen = ident if parent is None else parent.row["citizen_id"]
    subject = Subject(place, citizen, None)
    if not permissions.relations(edit.actor, subject):
        return Outcome("out_of_scope", keep=True, left=True)
    if not permissions.may_write(edit.actor, "create", kind, subject):
        return rejected("right.missing", "Không có quyền làm việc này.")
    return _create(work, edit, kind, parent, place, citizen)


def _create(work: Workspace, edit: Edit, kind: str, parent: Doc | None, place: int, citizen: str) -> Outcome:
    if kind == "dossier" and edit.mutation["doc"] != dossier_id(citizen, edit.patch["year"]):
        return rejected("doc.invalid", "Mã hồ sơ không khớp người và năm.")
    if kind == "evidence" and parent is not None and not _evidence_welcome(work, edit, parent):
        return Outcome("amendment", keep=True)
    fields = TYPES[kind]
    values = {fields[name].column: value for name, value in edit.patch.items() if name in fields}
    values |= {"id": edit.mutation["doc"], "place_id": place, "citizen_id": citizen, "author": edit.actor.person_id}
    doc = work.add(kind, _defaults(kind) | values)
    rev = work.bump(doc)
    doc.row["field_versions"] = {name: edit.version(rev) for name in edit.patch}
    if kind == "citizen":
        doc.row["possible_duplicate"] = _registered_before(work, doc)
    record(work, edit, doc, {name: [None, value] for name, value in edit.patch.items()})
    return Outcome()


def _registered_before(work: Workspace, doc: Doc) -> str | None:
    """Somebody of the same place, name and year of birth: both stay, staff look."""
    doc.row["search_name"] = fold(doc.row["full_name"])
    return work.citizen_like(doc)


def _defaults(kind: str) -> dict[str, Any]:
    if kind == "dossier":
        return {"state": "draft", "programme_rev": 0}
    if kind == "citizen":
        return {"state": "confirmed", "consent": [], "search_name": ""}
    if kind == "evidence":
        return {"bytes": 0}
    return {}


def _parent(work: Workspace, kind: str, patch: dict[str, Any]) -> Doc | str | None:
    """The document it hangs under; its id where that is not known yet; None for a citizen."""
    if kind == "citizen":
        return None
    named = {"dossier": "citizen", "evidence": "dossier", "comment": "on"}[kind]
    return work.get(patch[named]) or str(patch[named])


def _evidence_welcome(work: Workspace, edit: Edit, dossier: Doc) -> bool:
    state = dossier.row["state"]
    if state in EDITABLE["self"]:
        return True
    replaced = work.get(edit.patch.get("replaces"))
    judged = replaced is not None and replaced.row.get("verdict") in ("retake", "incomplete")
    return state != "decided" and (judged or edit.actor.role == "staff")


def update(work: Workspace, edit: Edit, forced_base: int | None = None) -> Outcome:
    doc = work.get(edit.mutation["doc"])
    refusal = missing(edit, doc)
    if refusal is not None or doc is None:
        return refusal or Outcome("waiting", keep=True, waits_for=edit.mutation["doc"])
    patch = {n: v for n, v in edit.patch.items() if not (forced_base == 0 and n in ("citizen", "year"))}
    if doc.type != edit.mutation["type"]:
        return rejected("type.unknown", "Loại dữ liệu không khớp.")
    subject = subject_of(doc)
    if not permissions.may_write(edit.actor, "update", doc.type, subject):
        return rejected("right.missing", "Không có quyền sửa.")
    for name in patch:
        if not permissions.may_write_field(edit.actor, doc.type, name, subject):
            return rejected("right.missing", "Không có quyền sửa mục này.", field=name)
    if not _in_time(work, edit, doc, patch):
        return Outcome("amendment", keep=True)
    return write(work, edit, doc, patch, forced_base)


def missing(edit: Edit, doc: Doc | None) -> Outcome | None:
    """Why this document cannot be touched by this person, or None."""
    if doc is None:
        return Outcome("waiting", keep=True, waits_for=edit.mutation["doc"])
    if doc.row["deleted"]:
        return Outcome("gone", keep=True, left=True)
    if not permissions.relations(edit.actor, subject_of(doc)):
        return Outcome("out_of_scope", keep=True, left=True)
    return None


def _in_time(work: Workspace, edit: Edit, doc: Doc, patch: dict[str, Any]) -> bool:
    if edit.actor.accepted:  # an amendment that staff accept is written in any state before decided
        dossier = work.get(doc.row["dossier_id"]) if doc.type == "evidence" else doc
        return dossier is None or dossier.row.get("state") != "decided"
    if doc.type == "dossier":
        return all(doc.row["state"] in EDITABLE.get(name.split(".")[0], (doc.row["state"],)) for name in patch)
    if doc.type == "evidence":
        dossier = work.get(doc.row["dossier_id"])
        return dossier is None or dossier.row["state"] in EDITABLE["self"] or bool(doc.row["replaces"])
    return True


def write(work: Workspace, edit: Edit, doc: Doc, patch: dict[str, Any], forced_base: int | None = None) -> Outcome:
    """Merges a patch into a document by the ordinary rule; held fields become conflict documents."""
    fields = TYPES[doc.type]
    if edit.actor.accepted:
        patch = _not_superseded(work, edit, doc, patch)
    settled = {n: v for n, v in patch.items() if fields[n].policy in ("last", "append")}
    judged = {n: v for n, v in patch.items() if n not in settled}
    base_of = edit.base_of if forced_base is None else lambda _name: forced_base
    values = {name: doc.get(name) for name in judged}
    versions = doc.row["field_versions"]
    if forced_base == 0:  # a second beginning of one dossier: what is still empty is filled
        versions = {n: v for n, v in versions.items() if doc.get(n) not in (None, "")}
    outcome = merge(values, versions, judged, base_of, edit.is_own)
    written = outcome.apply | {n: _settled(doc, n, v) for n, v in settled.items() if doc.get(n) != v}
    conflicts = {name: hold(work, edit, doc, name, value, base_of(name)) for name, value in outcome.held.items()}
    if written:
        put(work, edit, doc, written)
    if conflicts:
        return Outcome("held", extra={"conflicts": conflicts})
    return Outcome("merged") if outcome.stale else Outcome()


def _not_superseded(work: Workspace, edit: Edit, doc: Doc, patch: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that the same person wrote again, later, on the same phone: those go to history only."""
    late = {}
    for name, value in patch.items():
        version = [*(doc.row["field_versions"].get(name) or []), *[None] * 5][:5]
        same = version[1] == edit.actor.device_id and version[4] == edit.actor.person_id
        if same and version[3] is not None and version[3] > edit.seq > 0:
            late[name] = value
    if late:
        work.bump(doc)
        record(work, edit, doc, {"superseded": [None, late]}, op="superseded")
    return {n: v for n, v in patch.items() if n not in late}


def _settled(doc: Doc, name: str, value: Any) -> Any:
    if TYPES[doc.type][name].policy == "append":
        return [*(doc.get(name) or []), *[item for item in value if item not in (doc.get(name) or [])]]
    return value


def put(work: Workspace, edit: Edit, doc: Doc, written: dict[str, Any]) -> None:
    """Writes fields as this edit's, with history, and tells open conflicts on them."""
    rev = work.bump(doc)
    patch = {}
    for name, value in written.items():
        patch[name] = [doc.get(name), value]
        doc.put(name, value)
        doc.row["field_versions"][name] = edit.version(rev)
    doc.row["updated_at"] = work.now
    record(work, edit, doc, patch)
    for conflict in work.open_conflicts(doc.id):
        if conflict.row["field"] in written:
            conflict.row["theirs"] = _value(work, edit, written[conflict.row["field"]], doc.row["rev"])
            work.bump(conflict)


def hold(work: Workspace, edit: Edit, doc: Doc, name: str, value: Any, base: int) -> str:
    """Keeps both values of a field for the person whom its policy names; returns the conflict's id."""
    mine = _value(work, edit, value, None)
    for conflict in work.open_conflicts(doc.id):
        earlier = conflict.row["mine"] or {}
        same = earlier.get("by") == edit.actor.person_id and earlier.get("device") == edit.actor.device_id
        if conflict.row["field"] == name and same:
            conflict.row["mine"] = mine
            work.bump(conflict)
            record(work, edit, conflict, {"mine": [earlier, mine]})
            return conflict.id
    version = [*(doc.row["field_versions"].get(name) or []), None, None, None, None, None][:5]
    theirs = {"value": doc.get(name) if name in TYPES[doc.type] else None, "rev": version[0] or 0}
    theirs |= {"device": version[1], "by": version[4], **work.written_at(doc, int(version[0] or 0))}
    fresh = work.add(
        "conflict",
        {
            "id": conflict_id(edit, name),
            "place_id": doc.row["place_id"],
            "citizen_id": doc.row["citizen_id"],
            "author": edit.actor.person_id,
            "type": doc.type,
            "doc_id": doc.id,
            "field": name,
            "base": {"rev": base, "value": work.value_at(doc, name, base)},
            "theirs": theirs,
            "mine": mine,
            "to": settler(edit, doc, name),
            "state": "open",
        },
    )
    work.bump(fresh)
    record(work, edit, fresh, {})
    return fresh.id


def conflict_id(edit: Edit, name: str) -> str:
    """The same edit that is held again, after a restore, is the same conflict: a choice on its way still finds it."""
    return str(uuid.uuid5(CONFLICT_NAMESPACE, f"{edit.mutation['id']}/{name}"))


def settler(edit: Edit, doc: Doc, name: str) -> str:
    """Who chooses: `person:<id>` or `role:<name>`."""
    policy = TYPES[doc.type][name].policy if name in TYPES[doc.type] else "staff"
    if policy == "chapter":
        return "role:chapter"
    if policy == "citizen" and edit.actor.role != "staff":
        return f"person:{edit.actor.person_id}"
    if policy == "author":
        return f"person:{doc.row['author']}"
    return "role:staff"


def _value(work: Workspace, edit: Edit, value: Any, rev: int | None) -> dict[str, Any]:
    kept = {"value": value, "by": edit.actor.person_id, "device": edit.actor.device_id, "at": work.now, "rev": rev}
    return kept | {"device_at": edit.device_at, "mutation": edit.mutation["id"]}


def record(work: Workspace, edit: Edit, doc: Doc, patch: dict[str, Any], op: str | None = None) -> None:
    """A line of history at the document's present revision: field to [before, after]."""
    work.rows["history"].append(
        {
            "commune_id": work.commune_id,
            "doc_id": doc.id,
            "rev": doc.row["rev"],
            "type": doc.type,
            "op": op or edit.mutation["op"],
            "patch": patch,
            "person_id": edit.actor.person_id,
            "device_id": edit.actor.device_id,
            "mutation_id": edit.mutation["id"],
            "device_at": edit.device_at,
            "server_at": work.now,
        }
    )
