"""The form under a dossier and under a photo: a word to the people there."""

from typing import Any

from flask import Blueprint, redirect, request

from server.domain import talk
from server.http.access import database
from server.web.session import needs, now

blueprint = Blueprint("talk", __name__, url_prefix="/dossiers")


@blueprint.post("/<citizen_id>/comments")
@needs("review")
def say(citizen_id: str, member: dict[str, Any]) -> Any:
    """`on` empty means the dossier itself."""
    on, text = request.form.get("on") or None, (request.form.get("text") or "").strip()
    with database().write() as conn:
        talk.say(conn, member["commune_id"], member["person_id"], citizen_id, member["commune"]["year"], on, text, now())
    return redirect(f"/dossiers/{citizen_id}/photos/{on}#talk" if on else f"/dossiers/{citizen_id}#talk")
