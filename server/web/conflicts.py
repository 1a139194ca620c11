"""Two versions of one field, side by side: choose, type a third, take the choice back, or leave it for later."""

from typing import Any

from flask import Blueprint, redirect, render_template, request

from server.domain import conflicts, names, places, syncing, undoing
from server.http.access import database
from server.web import words
from server.web.paging import page_number
from server.web.session import needs, now, saw
from sync.errors import Problem

blueprint = Blueprint("conflicts", __name__, url_prefix="/conflicts")


@blueprint.get("")
@needs("read")
def waiting(member: dict[str, Any]) -> Any:
    number = page_number()
    with database().read() as conn:
        rows, total = conflicts.page(conn, member["commune_id"], number)
    pages = max(1, -(-total // conflicts.PAGE))
    return render_template("conflicts.html", rows=rows, total=total, number=number, pages=pages, undo=request.args.get("undo"))


@blueprint.get("/<ident>")
@needs("read")
def one(ident: str, member: dict[str, Any]) -> Any:
    return _page(member, ident)


def _page(member: dict[str, Any], ident: str, problem: Problem | None = None) -> Any:
    with database().write() as conn:
        found = conflicts.one(conn, member["commune_id"], ident)
        if found is None:
            raise Problem("not_found", "Không tìm thấy việc này.")
        saw(conn, member, "conflict", found["citizen_id"])
        following = conflicts.following(conn, member["commune_id"], ident)
        all_places = places.all_of(conn, member["commune_id"])
        by_number = names.places(conn, member["commune_id"])
    page = render_template(
        "conflict.html", c=found, following=following, places=all_places, problem=problem, undo=request.args.get("undo"),
        typed=request.form.get("value", ""), places_by_number=by_number,
    )  # fmt: skip
    return (page, 409) if problem else page


@blueprint.post("/<ident>/choice")
@needs("review")
def choose(ident: str, member: dict[str, Any]) -> Any:
    """`pick` is mine, theirs or other; with other, `value`. Read from an older state it comes back with today's."""
    with database().read() as conn:
        found = conflicts.one(conn, member["commune_id"], ident)
    if found is None:
        raise Problem("not_found", "Không tìm thấy việc này.")
    pick = request.form.get("pick", "")
    patch = {"value": words.typed(found["type"], found["field"], request.form.get("value", ""))} if pick == "other" else {"pick": pick}
    base = request.form.get("rev", 0, type=int)
    try:
        with database().write() as conn:
            command = {"op": "resolve", "type": "conflict", "doc": ident, "base": base, "set": patch}
            syncing.write_as_staff(conn, member["commune_id"], member["person_id"], [command], now())
            following = conflicts.following(conn, member["commune_id"], ident)
    except Problem as problem:
        return _page(member, ident, problem)
    return redirect(f"/conflicts/{following}?undo={ident}" if following else f"/conflicts?undo={ident}")


@blueprint.post("/<ident>/reopening")
@needs("review")
def reopen(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        undoing.reopen(conn, member["commune_id"], member["person_id"], ident, now())
    return redirect(f"/conflicts/{ident}")
