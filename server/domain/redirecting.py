"""Two people who were one: what still arrives for the old id, or under it, goes to the one that stayed, with base 0."""

from dataclasses import dataclass, replace
from typing import Any

from server.domain.edits import Edit, Outcome
from server.domain.workspace import Doc, Workspace
from sync.protocol import dossier_id

MOST_MERGES = 20


@dataclass(frozen=True)
class Redirect:
    """`edit` is the same edit for the one that stayed; `doc` is the document that it is about now."""

    edit: Edit
    doc: str


def redirect(work: Workspace, edit: Edit) -> Redirect | None:
    """None for an edit that meets no merged person."""
    found: Redirect | None = None
    for _ in range(MOST_MERGES):
        following = _once(work, edit if found is None else found.edit)
        if following is None:
            return found
        found = following
    return found


def told(outcome: Outcome, to: Redirect) -> Outcome:
    """The phone learns the new id of what was written or held."""
    if outcome.result in (None, "merged"):
        return Outcome("redirected", extra={"doc": to.doc})
    if outcome.result == "held":
        outcome.extra = {**outcome.extra, "doc": to.doc}
    return outcome


def targets(work: Workspace) -> set[str]:
    """Ids that edits of the loaded documents may be redirected to or need to know: to be loaded under the same locks."""
    found: set[str] = set()
    for doc in work.docs.values():
        if doc.type == "dossier" and doc.row["deleted"]:
            found.add(doc.row["citizen_id"])
            citizen = work.docs.get(doc.row["citizen_id"])
            stays = citizen.row["merged_into"] if citizen is not None else None
            found |= {stays, dossier_id(stays, doc.row["year"])} if stays else set()
        elif doc.type == "citizen" and doc.row["merged_into"]:
            found.add(doc.row["merged_into"])
    return found - work.docs.keys() - work.absent


def _once(work: Workspace, edit: Edit) -> Redirect | None:
    mutation, patch = edit.mutation, edit.patch
    kind, op = mutation["type"], mutation["op"]
    if kind == "citizen" and op != "create":
        stays = _stays(work, mutation["doc"])
        return _to(edit, mutation["doc"], stays, stays) if stays else None
    if kind == "dossier":
        return _dossier(work, edit)
    if op != "create" or kind not in ("evidence", "comment"):
        return None  # what hung under the old one moved with its id
    name = "dossier" if kind == "evidence" else "on"
    parent = work.get(patch.get(name))
    if parent is None or not parent.row["deleted"] or parent.type not in ("citizen", "dossier"):
        return None
    stays = _stays(work, parent.row["citizen_id"])
    if stays is None:
        return None
    above = stays if parent.type == "citizen" else dossier_id(stays, parent.row["year"])
    return _to(edit, parent.row["citizen_id"], None, mutation["doc"], {**patch, name: above})


def _dossier(work: Workspace, edit: Edit) -> Redirect | None:
    mutation, patch = edit.mutation, edit.patch
    if mutation["op"] == "create":
        old, year = patch["citizen"], patch["year"]
        stays = _stays(work, old)
        if stays is None or mutation["doc"] != dossier_id(old, year):
            return None
        _leave_a_sign(work, edit, old, year)
        doc = dossier_id(stays, year)
        return _to(edit, old, doc, doc, {**patch, "citizen": stays})
    known = work.get(mutation["doc"])
    stays = _stays(work, known.row["citizen_id"]) if known is not None and known.row["deleted"] and known.type == "dossier" else None
    if known is None or stays is None:
        return None
    doc = dossier_id(stays, known.row["year"])
    return _to(edit, known.row["citizen_id"], doc, doc)


def _leave_a_sign(work: Workspace, edit: Edit, old: str, year: int) -> None:
    """A dossier begun after the merge: later edits know only its old id."""
    ident = dossier_id(old, year)
    if work.get(ident) is None:
        citizen = work.docs[old]
        values = {"id": ident, "citizen_id": old, "place_id": citizen.row["place_id"], "year": year, "author": edit.actor.person_id}
        doc = work.add("dossier", {**values, "state": "draft", "programme_rev": 0, "deleted": True})
        work.bump(doc)


def _stays(work: Workspace, ident: Any) -> str | None:
    doc: Doc | None = work.get(ident)
    return doc.row["merged_into"] if doc is not None and doc.type == "citizen" and doc.row["deleted"] else None


def _to(edit: Edit, source: str, doc: str | None, about: str | None, patch: dict[str, Any] | None = None) -> Redirect:
    base = edit.mutation.get("base") if edit.mutation["op"] == "delete" else 0
    changed = {**edit.mutation, "base": base, **({"doc": doc} if doc else {}), **({"set": patch} if patch is not None else {})}
    return Redirect(replace(edit, mutation=changed, source=edit.source or source), str(about or doc))
