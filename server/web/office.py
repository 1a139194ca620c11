"""At the office: people and places, and what staff enter for somebody (marked xã nhập hộ)."""

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request

from server.domain import people, places, receipts, review, syncing
from server.domain.text import tidy
from server.http.access import database
from server.web.session import needs, now
from sync.errors import Problem
from sync.photos import MAX_PHOTO_BYTES, sniff
from sync.protocol import dossier_id

blueprint = Blueprint("office", __name__)


@blueprint.get("/places")
@needs("people")
def places_page(member: dict[str, Any]) -> Any:
    with database().read() as conn:
        rows = review.by_place(conn, member["commune_id"], member["commune"]["year"])
    return render_template("places.html", places=rows)


@blueprint.post("/places")
@needs("people")
def add_place(member: dict[str, Any]) -> Any:
    with database().write() as conn:
        places.add(conn, member["commune_id"], request.form.get("name", ""), now(), request.form.get("kind", "hamlet"))
    return redirect("/places")


@blueprint.post("/places/<int:place_id>/name")
@needs("people")
def rename_place(place_id: int, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        places.rename(conn, member["commune_id"], place_id, request.form.get("name", ""))
    return redirect("/places")


@blueprint.get("/people/new")
@needs("people")
def new_person(member: dict[str, Any]) -> Any:
    with database().read() as conn:
        return render_template("person.html", places=places.all_of(conn, member["commune_id"]), values={})


@blueprint.post("/people")
@needs("people")
def add_person(member: dict[str, Any]) -> Any:
    form = request.form
    consent = [{"version": "mẫu-1", "how": form.get("how") or "office", "by": member["person_id"], "at": now()}]
    with database().write() as conn:
        ident = people.add_citizen(
            conn, member["commune_id"], form.get("full_name", ""), form.get("place", 0, type=int), now(),
            by=member["person_id"], birth_year=form.get("birth_year", type=int), gender=form.get("gender") or None,
            group=form.get("group", 1, type=int), phone=form.get("phone") or None, consent=consent,
        )  # fmt: skip
    return redirect(f"/dossiers/{ident}")


@blueprint.post("/dossiers/<citizen_id>/person")
@needs("people")
def edit_person(citizen_id: str, member: dict[str, Any]) -> Any:
    """Corrects who somebody is; a form drawn from an older state answers with both values."""
    form = request.form
    wish = {
        "full_name": tidy(form.get("full_name", "")),
        "birth_year": _year(form.get("birth_year", "")),
        "group": form.get("group", type=int),
        "gender": form.get("gender") or None,
        "phone": (form.get("phone") or "").strip() or None,
    }
    _write(member, {"op": "update", "type": "citizen", "doc": citizen_id, "base": form.get("rev", 0, type=int), "set": wish})
    return redirect(f"/dossiers/{citizen_id}")


def _year(text: str) -> int | None:
    """A year of birth, or none; a slip of the finger must not wipe out what is there."""
    text = text.strip()
    if text and not (text.isdecimal() and len(text) == 4):
        raise Problem("value.invalid", "Năm sinh gồm 4 chữ số, thí dụ 1968.")
    return int(text) if text else None


@blueprint.post("/dossiers/<citizen_id>/confirmation")
@needs("people")
def confirm_person(citizen_id: str, member: dict[str, Any]) -> Any:
    """Somebody who registered by the poster code is who they say."""
    _write(member, {"op": "confirm", "type": "citizen", "doc": citizen_id, "expect": "unconfirmed"})
    return redirect(f"/dossiers/{citizen_id}")


def _write(member: dict[str, Any], mutation: dict[str, Any]) -> None:
    with database().write() as conn:
        syncing.write_as_staff(conn, member["commune_id"], member["person_id"], [mutation], now())


@blueprint.post("/dossiers/<citizen_id>/office")
@needs("review")
def enter(citizen_id: str, member: dict[str, Any]) -> Any:
    """Photos and a declaration for one indicator, entered for the person at the office."""
    number = request.form.get("indicator", 0, type=int)
    if not 1 <= number <= 10:
        raise Problem("value.invalid", "Cần chọn chỉ số.")
    year = member["commune"]["year"]
    ident = dossier_id(citizen_id, year)
    photos = [_photo(file.read(MAX_PHOTO_BYTES + 1)) for file in request.files.getlist("photos") if file.filename]
    note = (request.form.get("note") or "").strip()
    with database().write() as conn:
        found = review.dossier(conn, member["commune_id"], citizen_id, year)
        if found is None:
            raise Problem("not_found", "Không tìm thấy công dân này.")
        mutations = [] if found["row"] else [_create("dossier", ident, {"citizen": citizen_id, "year": year})]
        mutations += [_evidence(member, conn, ident, number, *photo) for photo in photos]
        if note:
            mutations.append(
                {
                    "op": "update",
                    "type": "dossier",
                    "doc": ident,
                    "base": request.form.get("rev", 0, type=int),
                    "set": {f"note.{number}": note},
                }
            )
        syncing.write_as_staff(conn, member["commune_id"], member["person_id"], mutations, now())
    return redirect(f"/dossiers/{citizen_id}#indicator-{number}")


def _create(kind: str, ident: str, patch: dict[str, Any]) -> dict[str, Any]:
    return {"op": "create", "type": kind, "doc": ident, "base": 0, "set": patch}


def _photo(content: bytes) -> tuple[bytes, str]:
    kind = sniff(content[:32])
    if kind is None or len(content) > MAX_PHOTO_BYTES:
        raise Problem("upload.type", "Có tệp không phải ảnh, hoặc quá lớn. Chưa có gì được lưu.")
    return content, kind


def _evidence(member: dict[str, Any], conn: Any, dossier: str, number: int, content: bytes, kind: str) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    current_app.extensions["photos"].put(member["commune_id"], sha256, content)
    receipts.give(conn, member["commune_id"], member["person_id"], sha256, kind, len(content), now())
    taken = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    patch = {"dossier": dossier, "indicator": number, "sha256": sha256, "bytes": len(content), "source": "office", "captured_at": taken}
    return _create("evidence", str(uuid.uuid4()), patch)
