"""Moving a person to another place, and deleting a person or a photo: always asked twice, never for what was not seen."""

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request

from server.domain import deleted, review, syncing
from server.http.access import database
from server.web.session import needs, now
from sync.errors import Problem
from sync.protocol import is_uuid

blueprint = Blueprint("removal", __name__, url_prefix="/dossiers")
MOST_SEEN_CHARS = 400_000


@blueprint.post("/<citizen_id>/place")
@needs("people")
def move(citizen_id: str, member: dict[str, Any]) -> Any:
    place = request.form.get("place", type=int)
    if place is None:
        raise Problem("place.unknown", "Cần chọn thôn hoặc đơn vị.")
    base = request.form.get("rev", 0, type=int)
    _write(member, {"op": "move", "type": "citizen", "doc": citizen_id, "base": base, "set": {"place": place}})
    return redirect(f"/dossiers/{citizen_id}")


@blueprint.get("/<citizen_id>/deletion")
@needs("people")
def ask(citizen_id: str, member: dict[str, Any]) -> Any:
    """What goes, with the revisions that are seen here: what is newer by then stops the deletion."""
    with database().read() as conn:
        found = review.dossier(conn, member["commune_id"], citizen_id, member["commune"]["year"])
        if found is None:
            raise Problem("not_found", "Không tìm thấy công dân này.")
        seen = deleted.seen(conn, member["commune_id"], citizen_id)
    return render_template("deletion.html", d=found, seen=json.dumps(seen))


@blueprint.post("/<citizen_id>/deletion")
@needs("people")
def delete(citizen_id: str, member: dict[str, Any]) -> Any:
    _write(member, {"op": "delete", "type": "citizen", "doc": citizen_id, "base": _seen()})
    return redirect("/deleted")


@blueprint.post("/<citizen_id>/photos/<evidence_id>/deletion")
@needs("review")
def delete_photo(citizen_id: str, evidence_id: str, member: dict[str, Any]) -> Any:
    with database().read() as conn:
        found = review.dossier(conn, member["commune_id"], citizen_id, member["commune"]["year"])
    if found is None or not any(p["id"] == evidence_id for p in found["photos"]):
        raise Problem("not_found", "Không tìm thấy ảnh.")
    if found["state"] == "decided":
        raise Problem("state.stale", "Hồ sơ đã được công nhận, ảnh giữ nguyên.", state="decided")
    rev = request.form.get("rev", 0, type=int)
    _write(member, {"op": "delete", "type": "evidence", "doc": evidence_id, "base": {evidence_id: rev}})
    return redirect(f"/dossiers/{citizen_id}?deleted={evidence_id}")


def _seen() -> dict[str, int]:
    """Raises Problem `value.invalid`."""
    try:
        seen = json.loads(request.form.get("seen", "{}")[:MOST_SEEN_CHARS])
        return {str(k): int(v) for k, v in seen.items() if is_uuid(k) and 0 <= int(v) < 2**62}
    except (ValueError, TypeError, AttributeError) as error:
        raise Problem("value.invalid", "Trang này đã cũ, mời mở lại.") from error


def _write(member: dict[str, Any], mutation: dict[str, Any]) -> None:
    with database().write() as conn:
        syncing.write_as_staff(conn, member["commune_id"], member["person_id"], [mutation], now())
