"""Phones: pairing codes on a sheet to print, poster codes, who was last seen, revocation."""

from typing import Any

import segno
from flask import Blueprint, current_app, redirect, render_template, request

from server.domain import devices, pairing, places, review
from server.http.access import database
from server.web.session import needs, now
from sync.errors import Problem

blueprint = Blueprint("phones", __name__, url_prefix="/phones")
MOST_CODES = 500


@blueprint.get("")
@needs("phones")
def phones(member: dict[str, Any]) -> Any:
    with database().read() as conn:
        rows = devices.all_of(conn, member["commune_id"])
        for row in rows:
            row["people"] = devices.people(conn, member["commune_id"], row["id"])
        return render_template("phones.html", devices=rows, places=places.all_of(conn, member["commune_id"]))


@blueprint.post("/codes")
@needs("phones")
def codes(member: dict[str, Any]) -> Any:
    """A sheet of codes: one chapter member, or every citizen of a place."""
    role, place = request.form.get("role", ""), request.form.get("place", 0, type=int)
    commune_id = member["commune_id"]
    cards = []
    with database().write() as conn:
        places.check(conn, commune_id, place)
        if role == "citizen":
            for row in review.everyone(conn, commune_id, member["commune"]["year"], place)[:MOST_CODES]:
                code, expires = pairing.make_code(conn, commune_id, "citizen", place, row["id"], by=member["person_id"])
                cards.append(_card(row["full_name"], row["place"], code, expires))
        else:
            name = (request.form.get("name") or "").strip()
            if not name:
                raise Problem("name.invalid", "Cần ghi tên người dùng máy.")
            code, expires = pairing.make_code(conn, commune_id, role, place, name=name, by=member["person_id"])
            cards.append(_card(name, "", code, expires))
    return render_template("codes.html", cards=cards)


@blueprint.post("/posters")
@needs("phones")
def poster(member: dict[str, Any]) -> Any:
    place = request.form.get("place", 0, type=int)
    with database().write() as conn:
        places.check(conn, member["commune_id"], place)
        code = pairing.make_poster(conn, member["commune_id"], place, by=member["person_id"])
        name = next(p["name"] for p in places.all_of(conn, member["commune_id"]) if p["id"] == place)
    return render_template("codes.html", cards=[_card(name, "Tờ dán ở nhà văn hoá – nhiều người dùng", code, None)])


def _card(name: str, place: str, code: str, expires: str | None) -> dict[str, Any]:
    link = f"{current_app.extensions['config'].origin}/app/#pair={code}"
    picture = segno.make(link, error="m").svg_data_uri(scale=5, border=2)
    return {"name": name, "place": place, "code": f"{code[:4]} {code[4:]}", "link": link, "picture": picture, "expires": expires}


@blueprint.post("/<device_id>/revocation")
@needs("phones")
def revoke(device_id: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        devices.revoke(conn, member["commune_id"], device_id, now())
    return redirect("/phones")
