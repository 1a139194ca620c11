"""The guarded commands: state changes with the state that the person saw, verdicts, deletion,
moves, confirmation and the choice between two values."""

from dataclasses import dataclass
from typing import Any

from server.db.journal import note
from server.domain import permissions
from server.domain.applying import hold, missing, put, record, write
from server.domain.edits import Edit, Outcome, rejected, subject_of
from server.domain.workspace import ORDER, Doc, Workspace
from sync.decide import Rule, decide
from sync.fields import TYPES
from sync.merge import merge


@dataclass(frozen=True)
class Step:
    """`fields` are those whose open conflicts stop the step."""

    expect: tuple[str, ...]
    fields: tuple[str, ...]
    target: str


STEPS = {
    "submit": Step(("draft", "returned"), ("self.", "note."), "submitted"),
    "withdraw": Step(("submitted",), (), "draft"),
    "appraise": Step(("submitted",), ("chapter.", "chapter_note"), "appraised"),
    "reopen": Step(("appraised",), (), "submitted"),
    "return": Step(("submitted", "appraised", "eligible", "not_eligible"), (), "returned"),
    "settle": Step(("appraised", "eligible", "not_eligible"), ("final.",), "eligible"),
    "decide": Step(("eligible",), ("final.",), "decided"),
}


def command(work: Workspace, edit: Edit, rule: Rule) -> Outcome:
    doc = work.get(edit.mutation["doc"])
    refusal = missing(edit, doc)
    if refusal is not None or doc is None:
        return refusal or Outcome("waiting", keep=True, waits_for=edit.mutation["doc"])
    op = edit.mutation["op"]
    if doc.type != edit.mutation["type"]:
        return rejected("type.unknown", "Loại dữ liệu không khớp.")
    if not permissions.may_write(edit.actor, op, doc.type, subject_of(doc)) or _own_appraisal(edit, doc):
        return rejected("right.missing", "Không có quyền làm việc này.")
    if op in STEPS:
        return step(work, edit, doc, STEPS[op], rule)
    return {"judge": judge, "delete": delete, "move": move, "confirm": confirm, "resolve": resolve}[op](
        work, edit, doc
    )


def _own_appraisal(edit: Edit, doc: Doc) -> bool:
    """Nobody appraises their own dossier."""
    own = edit.actor.citizen_id is not None and edit.actor.citizen_id == doc.row["citizen_id"]
    return edit.mutation["op"] in ("appraise", "reopen") and own


def step(work: Workspace, edit: Edit, doc: Doc, rules: Step, rule: Rule) -> Outcome:
    """From the state that the person saw to the next; fields are written by the ordinary rule."""
    state, expect = doc.row["state"], edit.mutation.get("expect")
    scores = {n: v for n, v in edit.patch.items() if n != "reason"}
    if state not in rules.expect or (expect is not None and expect != state):
        if not edit.patch and state == rules.target:
            return Outcome("merged")
        return _only_fields(work, edit, doc, scores, "state.stale", "Hồ sơ đã sang bước khác.")
    if any(_names(rules.fields, c.row["field"]) for c in work.open_conflicts(doc.id)):
        return _only_fields(work, edit, doc, scores, "conflict.open", "Còn nội dung chờ chọn bản đúng.")
    outcome = merge(
        {n: doc.get(n) for n in scores}, doc.row["field_versions"], scores, edit.base_of, edit.is_own
    )
    if outcome.held:
        return write(work, edit, doc, scores)
    target = rules.target
    if edit.mutation["op"] == "settle":
        final = {n: scores.get(f"final.{n}", doc.row[f"final_{n}"]) for n in range(1, 11)}
        settled = decide(final, rule)
        if settled.unscored:
            return rejected("scores.missing", "Còn chỉ số chưa có điểm xã duyệt.", indicators=list(settled.unscored))
        target = "eligible" if settled.eligible else "not_eligible"
    reason = edit.patch.get("reason")
    put(work, edit, doc, outcome.apply | {"state": target, "reason": reason})
    if target == "decided":
        doc.row["decided_snapshot"] = _pinned(work, doc)
    return Outcome("merged") if outcome.stale else Outcome()


def is_ripe(mutation: dict[str, Any], state: str) -> bool:
    """Whether a step that met `state.stale` fits the state that has come meanwhile."""
    rules = STEPS[mutation["op"]]
    return state in rules.expect and mutation.get("expect") in (None, state)


def is_reached(mutation: dict[str, Any], state: str) -> bool:
    """Whether the state that a step leads to holds already."""
    op = mutation["op"]
    return state == STEPS[op].target or (op == "settle" and state == "not_eligible")


def the_step_alone(mutation: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that were written when the step itself was refused as stale."""
    kept = {n: v for n, v in (mutation.get("set") or {}).items() if n == "reason" or n.startswith("final.")}
    return {**mutation, "set": kept}


def _pinned(work: Workspace, doc: Doc) -> dict[str, Any]:
    """What was decided: the revision and the photos that stood there."""
    work.load_under(doc.row["citizen_id"])
    entries = [d for d in work.docs.values() if d.type == "evidence" and d.row["dossier_id"] == doc.id]
    kept = [{"doc": d.id, "rev": d.row["rev"], "sha256": d.row["sha256"]} for d in entries if not d.row["deleted"]]
    return {"rev": doc.row["rev"], "at": work.now, "evidence": sorted(kept, key=lambda e: e["doc"])}


def _only_fields(
    work: Workspace, edit: Edit, doc: Doc, scores: dict[str, Any], code: str, message: str
) -> Outcome:
    """The change of state is refused with today's; what was typed is written all the same."""
    writable = doc.row["state"] != "decided" and not any(n.startswith("final.") for n in scores)
    if scores and writable:
        write(work, edit, doc, scores)
    refused = rejected(code, message, state=doc.row["state"], reason=doc.row["reason"])
    refused.keep = bool(scores) and not writable
    if code == "state.stale" and work.restored_lately:
        refused.keep, refused.waits_for = True, doc.id  # the state that it expects may still come back from a phone
    return refused


def _names(prefixes: tuple[str, ...], name: str) -> bool:
    return any(name == p or (p.endswith(".") and name.startswith(p)) for p in prefixes)


def judge(work: Workspace, edit: Edit, doc: Doc) -> Outcome:
    """A photo's or an indicator's verdict; a later one by somebody else from an old page is a conflict."""
    dossier = doc if doc.type == "dossier" else work.get(doc.row["dossier_id"])
    if dossier is not None and dossier.row["state"] == "decided":
        return rejected("state.stale", "Hồ sơ đã được công nhận.", state="decided")
    return write(work, edit, doc, edit.patch)


def delete(work: Workspace, edit: Edit, doc: Doc) -> Outcome:
    """Takes away what the person saw; what is newer than they saw holds the deletion for staff."""
    under = _under(work, doc)
    seen = edit.mutation.get("base") if isinstance(edit.mutation.get("base"), dict) else {}
    tied = permissions.relations(edit.actor, subject_of(doc))
    if doc.type == "evidence" and ("staff" not in tied or edit.actor.accepted):
        dossier = work.get(doc.row["dossier_id"])
        state = dossier.row["state"] if dossier is not None else "draft"
        if state not in ("draft", "returned") and (state == "decided" or not edit.actor.accepted):
            return rejected("state.stale", "Hồ sơ đã gửi, không bỏ ảnh được nữa.", state=state)
    stands = [d for d in under if d.type != "conflict"]
    newer = [d for d in stands if d.row["rev"] > int((seen or {}).get(d.id, 0)) and not _all_own(edit, d)]
    if newer:
        conflict = hold(work, edit, doc, "delete", True, 0)
        return Outcome("held", extra={"conflicts": {"delete": conflict}})
    delete_all(work, edit, under)
    return Outcome()


def delete_all(work: Workspace, edit: Edit, under: list[Doc]) -> None:
    """Marks these as deleted and notes it beside the database, parents first."""
    for each in under:
        _mark_deleted(work, edit, each)
    docs = [[each.type, each.id] for each in sorted(under, key=lambda d: ORDER.index(d.type))]
    note(work.conn, "documents.deleted", work.commune_id, docs=docs, person=edit.actor.person_id)


def _all_own(edit: Edit, doc: Doc) -> bool:
    """One's own numbered writes never hold one's own deletion."""
    if edit.actor.device_id.startswith("web:"):
        return False
    return all(version[1] == edit.actor.device_id for version in doc.row["field_versions"].values())


def _mark_deleted(work: Workspace, edit: Edit, doc: Doc) -> None:
    doc.row["deleted"] = True
    work.bump(doc)
    doc.row["updated_at"] = work.now
    record(work, edit, doc, {"deleted": [False, True]})
    for conflict in work.open_conflicts(doc.id):
        conflict.row["state"] = "closed"
        work.bump(conflict)


def _under(work: Workspace, doc: Doc) -> list[Doc]:
    """The document and all that hangs under it."""
    if doc.type != "citizen":
        return [doc]
    work.load_under(doc.id)
    return [d for d in work.docs.values() if d.row["citizen_id"] == doc.id and not d.row["deleted"]]


def move(work: Workspace, edit: Edit, doc: Doc) -> Outcome:
    """To another place; a chapter's wish is a proposal for staff."""
    target = edit.patch.get("place")
    if target is None or not work.place_exists(int(target)):
        return rejected("place.unknown", "Thôn hoặc đơn vị không rõ.")
    if doc.row["place_id"] == target:
        return Outcome("merged")
    if edit.actor.role != "staff":
        conflict = hold(work, edit, doc, "place", target, edit.base_of("place"))
        return Outcome("held", extra={"conflicts": {"place": conflict}})
    version = doc.row["field_versions"].get("place")
    if version is not None and version[0] > edit.base_of("place"):
        conflict = hold(work, edit, doc, "place", target, edit.base_of("place"))
        return Outcome("held", extra={"conflicts": {"place": conflict}})
    before = doc.row["place_id"]
    work.lock([before, target])
    work.load_under(doc.id)
    for each in [d for d in work.docs.values() if d.row["citizen_id"] == doc.id]:
        work.leave(each)
        each.row["place_id"] = target
        each.dirty = True
    work.people_moved(doc.id, target)
    doc.row["place_id"] = before  # so that history tells from where
    put(work, edit, doc, {"place": target})
    return Outcome()


def confirm(work: Workspace, edit: Edit, doc: Doc) -> Outcome:
    if doc.row["state"] == "confirmed":
        return Outcome("merged")
    put(work, edit, doc, {"state": "confirmed"})
    return Outcome()


def resolve(work: Workspace, edit: Edit, conflict: Doc) -> Outcome:
    """The chosen value becomes an edit of the resolver's."""
    if conflict.row["state"] != "open":
        return rejected("state.stale", "Việc này đã có người chọn.", state=conflict.row["state"])
    if conflict.row["rev"] != edit.base_of("rev"):
        return rejected("conflict.moved", "Nội dung vừa thay đổi, mời xem lại.", rev=conflict.row["rev"])
    if not _may_settle(edit, conflict):
        return rejected("right.missing", "Việc này do người khác chọn.")
    target = work.get(conflict.row["doc_id"])
    if target is None or target.row["deleted"]:
        return Outcome("gone", keep=True, left=True)
    if target.type == "dossier" and target.row["state"] == "decided":
        return Outcome("amendment", keep=True)
    name = conflict.row["field"]
    if "value" not in edit.patch and edit.patch.get("pick") not in ("mine", "theirs"):
        return rejected("value.invalid", "Cần chọn một trong hai bản.", field="pick")
    value = edit.patch.get("value")
    if "value" not in edit.patch:
        value = (conflict.row[edit.patch["pick"]] or {}).get("value")
    elif not _fits(target, name, value):
        return rejected("value.invalid", "Giá trị không hợp lệ.", field="value")
    conflict.row["state"] = "resolved"
    work.bump(conflict)
    record(work, edit, conflict, {"state": ["open", "resolved"], "value": [None, value]})
    return _write_choice(work, edit, target, name, value)


def _fits(target: Doc, name: str, value: Any) -> bool:
    spec = TYPES[target.type].get(name)
    return isinstance(value, bool) if spec is None else spec.check(value)


def _write_choice(work: Workspace, edit: Edit, target: Doc, name: str, value: Any) -> Outcome:
    if name == "delete":
        if value:
            delete_all(work, edit, _under(work, target))
        return Outcome()
    if name == "place" and value != target.row["place_id"]:
        chosen = Edit({**edit.mutation, "set": {"place": value}, "base": 2**62}, edit.actor, edit.seq, edit.seq_of)
        return move(work, chosen, target)
    if target.get(name) != value:
        put(work, edit, target, {name: value})
    return Outcome()


def _may_settle(edit: Edit, conflict: Doc) -> bool:
    tied = permissions.relations(edit.actor, subject_of(conflict))
    to = conflict.row["to"]
    if "staff" in tied or to == f"person:{edit.actor.person_id}":
        return True
    return to == "role:chapter" and "appraiser" in tied
