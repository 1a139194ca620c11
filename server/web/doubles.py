"""Two who may be one person: side by side, merged by staff, told apart, or parted again."""

from typing import Any

from flask import Blueprint, redirect, render_template, request

from server.domain import doubles, merging, review
from server.http.access import database
from server.web.paging import page_number
from server.web.session import needs, now, saw
from sync.errors import Problem

blueprint = Blueprint("doubles", __name__, url_prefix="/doubles")
MOST_FOUND = 20


@blueprint.get("")
@needs("people")
def possible(member: dict[str, Any]) -> Any:
    number = page_number()
    with database().read() as conn:
        rows, total = doubles.page(conn, member["commune_id"], number)
    return render_template("doubles.html", rows=rows, total=total, number=number, pages=max(1, -(-total // doubles.PAGE)))


@blueprint.get("/<one_id>")
@needs("people")
def find(one_id: str, member: dict[str, Any]) -> Any:
    """With whom? Found by name, or told by `with`."""
    other_id, text = request.args.get("with"), request.args.get("q", "").strip()
    with database().write() as conn:
        one = doubles.person(conn, member["commune_id"], one_id)
        other = doubles.person(conn, member["commune_id"], other_id) if other_id else None
        if one is None or (other_id and other is None) or other_id == one_id:
            raise Problem("not_found", "Không tìm thấy công dân này.")
        saw(conn, member, "double", one_id)
        wish = review.Filter(text=text or one["full_name"])
        found = review.people(conn, member["commune_id"], member["commune"]["year"], wish)[0] if other is None else []
    candidates = [row for row in found if row["id"] != one_id][:MOST_FOUND]
    return render_template("double.html", one=one, other=other, candidates=candidates, q=text)


@blueprint.post("/<one_id>/merge")
@needs("people")
def merge(one_id: str, member: dict[str, Any]) -> Any:
    """`keep` stays, the other of the two becomes it; `rev_...` are the revisions that were seen."""
    form = request.form
    other_id, keep = form.get("with", ""), form.get("keep", "")
    if keep not in (one_id, other_id):
        raise Problem("value.invalid", "Cần chọn người giữ lại.")
    old = other_id if keep == one_id else one_id
    revs = {ident: form.get(f"rev_{ident}", 0, type=int) for ident in (one_id, other_id)}
    with database().write() as conn:
        merging.merge(conn, member["commune_id"], member["person_id"], old, keep, revs, now())
    return redirect(f"/dossiers/{keep}?merged={old}")


@blueprint.post("/<one_id>/apart")
@needs("people")
def apart(one_id: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        merging.apart(conn, member["commune_id"], member["person_id"], one_id, now())
    return redirect("/doubles")


@blueprint.post("/<old_id>/parting")
@needs("people")
def part(old_id: str, member: dict[str, Any]) -> Any:
    """Takes a merge back."""
    with database().write() as conn:
        merging.unmerge(conn, member["commune_id"], member["person_id"], old_id, now())
    return redirect(f"/dossiers/{old_id}")
