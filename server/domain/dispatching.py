"""Which function handles an edit, and what a batch of them needs loaded and locked."""

from typing import Any

from server.domain import applying, commands, programme, redirecting
from server.domain.edits import Edit, Outcome
from server.domain.text import fold
from server.domain.workspace import Likeness, Workspace
from sync.fields import CITIZEN
from sync.protocol import is_uuid


def dispatch(work: Workspace, edit: Edit) -> Outcome:
    """One edit by its op; one for a merged person goes to the person who stayed."""
    to = redirecting.redirect(work, edit)
    return _dispatch(work, edit) if to is None else redirecting.told(_dispatch(work, to.edit), to)


def _dispatch(work: Workspace, edit: Edit) -> Outcome:
    op = edit.mutation["op"]
    if op == "create":
        return applying.create(work, edit)
    if op == "update":
        return applying.update(work, edit)
    return commands.command(work, edit, programme.rule_of(work.conn, work.commune_id))


def prefetch(work: Workspace, mutations: list[dict[str, Any]]) -> None:
    """Loads what the mutations name, under the locks of its places (SQLite has one lock already)."""
    ids: set[str] = set()
    places: set[int] = set()
    for mutation in mutations:
        sent = mutation.get("set")
        patch: dict[str, Any] = sent if isinstance(sent, dict) else {}
        named = [mutation.get("doc"), *[patch.get(name) for name in ("citizen", "dossier", "on", "replaces")]]
        ids.update(str(ident) for ident in named if is_uuid(ident))
        place = patch.get("place")
        if isinstance(place, int) and not isinstance(place, bool):
            places.add(place)
    _load(work, ids)
    if work.conn.dialect.name != "sqlite":
        _lock(work, ids, places)
    work.load_alike(_newcomers(mutations))


def _newcomers(mutations: list[dict[str, Any]]) -> set[Likeness]:
    """Place, folded name and year of the citizens that a batch registers; ill-formed ones are refused later."""
    found: set[Likeness] = set()
    for mutation in mutations:
        patch = mutation.get("set")
        if mutation.get("op") != "create" or mutation.get("type") != "citizen" or not isinstance(patch, dict):
            continue
        if all(CITIZEN[name].check(patch.get(name)) for name in ("place", "full_name", "birth_year")):
            found.add((patch["place"], fold(patch["full_name"]), patch.get("birth_year")))
    return found


def _lock(work: Workspace, ids: set[str], places: set[int]) -> None:
    locked: set[int] = set()
    while (wanted := places | {d.row["place_id"] for d in work.docs.values()}) - locked:
        work.lock(wanted)  # somebody may have changed or moved them since they were read
        locked |= wanted
        work.forget()
        _load(work, ids)


def _load(work: Workspace, ids: set[str]) -> None:
    work.load(ids)
    while more := redirecting.targets(work):
        work.load(more)
