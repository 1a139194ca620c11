"""A form drawn from an older state: it comes back filled in, with both values of what is in dispute. Nothing was written."""

from typing import Any

from flask import render_template, request

from server.domain import names, places
from server.http.access import database
from server.web import words
from server.web.session import staff_or_none
from sync.errors import Problem

UNDRAWN = frozenset({"rev", "seen"})


def page(problem: Problem) -> str:
    """`problem` is a `conflict` with `fields`, `type` and the document's `rev`."""
    kind, fields = problem.details["type"], problem.details["fields"]
    disputed = {form_name(name): (name, both) for name, both in fields.items()}
    typed = [_row(kind, *disputed[name], form_name(name)) for name in disputed if name]
    rest = [name for name in request.form if name not in UNDRAWN and name not in disputed]
    typed += [_row(kind, wire, None, name) for name in rest if (wire := wire_name(kind, name)) is not None]
    hidden = [(name, value) for name in rest if wire_name(kind, name) is None for value in request.form.getlist(name)]
    commune_id = (staff_or_none() or {"commune_id": 0})["commune_id"]
    with database().read() as conn:
        people = names.people(conn, commune_id, [side.get("by") for both in fields.values() for side in both.values()])
        all_places = places.all_of(conn, commune_id)
        by_number = names.places(conn, commune_id)
    return render_template(
        "stale.html", kind=kind, typed=typed, hidden=hidden, rev=problem.details["rev"], people=people, places=all_places,
        undrawn="delete" in fields, files="photos" in request.files, back=request.referrer or "/",
        places_by_number=by_number,
    )  # fmt: skip


def form_name(wire: str) -> str:
    """What a form calls a field: `final.3` is `final_3`, `note.5` the note of the form's own indicator."""
    part = wire.split(".")[0]
    for name in (wire, wire.replace(".", "_"), "reason" if part == "verdict_reason" else part):
        if name in request.form:
            return name
    return wire


def wire_name(kind: str, name: str) -> str | None:
    """The field that an input is about; None for one that only carries something along."""
    if name in words.FIELDS.get(kind, {}) and name not in ("state", "indicator"):
        return name
    part, _, number = name.rpartition("_")
    if kind == "dossier" and part in words.NUMBERED and number.isdigit():
        return f"{part}.{number}"
    return None


def _row(kind: str, wire: str, both: dict[str, Any] | None, name: str) -> dict[str, Any]:
    value = request.form.get(name, "")
    return {"wire": wire, "name": name, "value": value, "both": both, "label": words.label(kind, wire)}


def typed_in() -> list[tuple[str, str]]:
    """What somebody typed into a form that could not be taken, to be shown so that it can be copied."""
    if request.method != "POST" or request.path == "/sign-in":
        return []
    found = []
    for name, value in request.form.items():
        wire = next((w for kind in ("citizen", "dossier", "evidence") if (w := wire_name(kind, name)) is not None), None)
        if wire is not None and value.strip():
            kind = next(k for k in ("citizen", "dossier", "evidence") if wire_name(k, name) == wire)
            choices = words.choices_of(kind, wire)
            found.append((words.label(kind, wire), choices.get(int(value) if value.isdigit() else value, value)))
    return found
