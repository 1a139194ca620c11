"""What happened to one person's papers, and what was deleted and can come back."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request

from server.domain import conflicts, deleted, history, names, quarantine, undoing
from server.http.access import database
from server.web.paging import page_number
from server.web.pictures import clean_copy
from server.web.session import needs, now, saw
from sync.errors import Problem

blueprint = Blueprint("history", __name__)


@blueprint.get("/dossiers/<citizen_id>/history")
@needs("read")
def of_person(citizen_id: str, member: dict[str, Any]) -> Any:
    """`doc` in the address narrows it to one photo or dossier."""
    number, doc_id = page_number(), request.args.get("doc")
    commune_id = member["commune_id"]
    with database().write() as conn:
        docs = history.docs_of(conn, commune_id, citizen_id)
        if citizen_id not in docs:
            raise Problem("not_found", "Không tìm thấy công dân này.")
        saw(conn, member, "history", citizen_id)
        rows, total = history.page(conn, commune_id, docs, number, doc_id)
        held, _ = conflicts.page(conn, commune_id, citizen_id=citizen_id)
        kept = quarantine.about(conn, commune_id, [doc_id] if doc_id else list(docs))
        by_number = names.places(conn, commune_id)
    pages = max(1, -(-total // history.PAGE))
    return render_template(
        "history.html", citizen=docs[citizen_id], rows=rows, total=total, number=number, pages=pages, doc=docs.get(doc_id or ""),
        withdrawn=history.withdrawn(docs) if doc_id is None else [], held=held, kept=kept, places_by_number=by_number,
    )  # fmt: skip


@blueprint.get("/deleted")
@needs("people")
def all_deleted(member: dict[str, Any]) -> Any:
    number = page_number()
    with database().read() as conn:
        rows, total = deleted.people(conn, member["commune_id"], number)
    return render_template("deleted.html", rows=rows, total=total, number=number, pages=max(1, -(-total // deleted.PAGE)))


@blueprint.post("/deleted/<ident>/return")
@needs("people")
def bring_back(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        citizen = undoing.undelete(conn, member["commune_id"], member["person_id"], ident, now())
    return redirect(f"/dossiers/{citizen}")


@blueprint.get("/deleted/<ident>/photo")
@needs("people")
def photo(ident: str, member: dict[str, Any]) -> Response:
    """A withdrawn photo, for who decides whether it comes back."""
    with database().write() as conn:
        found = deleted.photo(conn, member["commune_id"], ident)
        if found is None:
            raise Problem("not_found", "Không tìm thấy ảnh.")
        saw(conn, member, "withdrawn", ident)
    return clean_copy(member["commune_id"], found["sha256"], found["photo_state"])
