"""Phones: pairing codes on a sheet to print, poster codes, who was last seen, revocation."""

from typing import Any

import segno
from flask import Blueprint, current_app, redirect, render_template, request

from server.domain import devices, pairing, places, review, watching
from server.http.access import database
from server.web.session import needs, now
from sync.errors import Problem

blueprint = Blueprint("phones", __name__, url_prefix="/phones")
CODES_A_SHEET = 200


@blueprint.get("")
@needs("phones")
def phones(member: dict[str, Any]) -> Any:
    with database().read() as conn:
        rows = watching.phones(conn, member["commune_id"], now())
        owed = watching.owed_by_person(conn, member["commune_id"])
        return render_template("phones.html", devices=rows, owed=owed, places=places.all_of(conn, member["commune_id"]))


@blueprint.post("/codes")
@needs("phones")
def codes(member: dict[str, Any]) -> Any:
    """A sheet of codes: one chapter member, or the citizens of a place, CODES_A_SHEET to a sheet (`sheet` from 1)."""
    role, place = request.form.get("role", ""), request.form.get("place", 0, type=int)
    commune_id = member["commune_id"]
    if role == "citizen":
        return _sheet(member, place, max(1, request.form.get("sheet", 1, type=int)))
    name = (request.form.get("name") or "").strip()
    if not name:
        raise Problem("name.invalid", "Cần ghi tên người dùng máy.")
    with database().write() as conn:
        places.check(conn, commune_id, place)
        code, expires = pairing.make_code(conn, commune_id, role, place, name=name, by=member["person_id"])
    return render_template("codes.html", cards=[_card(name, "", code, expires)], sheets=1)


def _sheet(member: dict[str, Any], place: int, sheet: int) -> Any:
    commune_id = member["commune_id"]
    with database().write() as conn:
        places.check(conn, commune_id, place)
        everyone = review.everyone(conn, commune_id, member["commune"]["year"], place)
        sheets = max(1, -(-len(everyone) // CODES_A_SHEET))
        sheet = min(sheet, sheets)
        cards = []
        for row in everyone[(sheet - 1) * CODES_A_SHEET : sheet * CODES_A_SHEET]:
            code, expires = pairing.make_code(conn, commune_id, "citizen", place, row["id"], by=member["person_id"])
            cards.append(_card(row["full_name"], row["place"], code, expires))
    told = {"total": len(everyone), "first": (sheet - 1) * CODES_A_SHEET + 1, "sheet": sheet, "sheets": sheets, "place": place}
    return render_template("codes.html", cards=cards, **told)


@blueprint.post("/posters")
@needs("phones")
def poster(member: dict[str, Any]) -> Any:
    place = request.form.get("place", 0, type=int)
    with database().write() as conn:
        places.check(conn, member["commune_id"], place)
        code = pairing.make_poster(conn, member["commune_id"], place, by=member["person_id"])
        name = next(p["name"] for p in places.all_of(conn, member["commune_id"]) if p["id"] == place)
    return render_template("codes.html", cards=[_card(name, "Tờ dán ở nhà văn hoá – nhiều người dùng", code, None)], sheets=1)


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


@blueprint.post("/<device_id>/inquiry")
@needs("phones")
def asked(device_id: str, member: dict[str, Any]) -> Any:
    """Somebody asked the phone's people what it lost."""
    with database().write() as conn:
        watching.asked(conn, member["commune_id"], device_id)
    return redirect("/phones")


@blueprint.post("/<device_id>/people/<person_id>/removal")
@needs("phones")
def take_off(device_id: str, person_id: str, member: dict[str, Any]) -> Any:
    """One person less on a phone that others go on using."""
    with database().write() as conn:
        devices.remove_person(conn, member["commune_id"], device_id, person_id, now())
    return redirect("/phones")
