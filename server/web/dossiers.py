"""One person's dossier: the wall of photos, the viewer, verdicts, return and settlement."""

from typing import Any

from flask import Blueprint, redirect, render_template, request

from server.domain import conflicts, doubles, places, review, staff, syncing, talk
from server.http.access import database
from server.web.session import needs, now, saw
from sync.errors import Problem

blueprint = Blueprint("dossiers", __name__, url_prefix="/dossiers")
REASONS = (
    "ảnh bị mờ, tối", "không rõ người trong ảnh", "ảnh không đúng chỉ số", "chụp màn hình chưa thấy nội dung",
    "ảnh trùng với ảnh khác", "cần thêm ảnh thứ hai", "cần ghi rõ việc đã làm", "ảnh cũ, không phải năm nay",
)  # fmt: skip


def _load(member: dict[str, Any], citizen_id: str) -> dict[str, Any]:
    with database().read() as conn:
        found = review.dossier(conn, member["commune_id"], citizen_id, member["commune"]["year"])
        said = talk.of_citizen(conn, member["commune_id"], citizen_id)
    if found is None:
        raise Problem("not_found", "Không tìm thấy công dân này.")
    return {**found, "talk": said}


def _begun(member: dict[str, Any], citizen_id: str) -> dict[str, Any]:
    """A dossier that is there to be returned or settled."""
    found = _load(member, citizen_id)
    if not found["row"]:
        raise Problem("not_found", "Người này chưa có hồ sơ năm nay.")
    return found


@blueprint.get("/<citizen_id>")
@needs("read")
def wall(citizen_id: str, member: dict[str, Any]) -> Any:
    with database().read() as conn:
        stays = doubles.merged_into(conn, member["commune_id"], citizen_id)
    if stays is not None:
        return redirect(f"/dossiers/{stays}")
    found = _load(member, citizen_id)
    with database().write() as conn:
        saw(conn, member, "dossier", citizen_id)
        staff.remember_place(conn, member["commune_id"], member["person_id"], f"/dossiers/{citizen_id}")
        following = review.neighbours(conn, member["commune_id"], member["commune"]["year"], citizen_id)
        all_places = places.all_of(conn, member["commune_id"])
        choices, waiting = conflicts.page(conn, member["commune_id"], citizen_id=citizen_id)
    return render_template(
        "dossier.html", d=found, following=following, reasons=REASONS, choices=choices[:5], waiting=waiting, places=all_places
    )


@blueprint.get("/<citizen_id>/photos/<evidence_id>")
@needs("read")
def viewer(citizen_id: str, evidence_id: str, member: dict[str, Any]) -> Any:
    found = _load(member, citizen_id)
    ids = [p["id"] for p in found["photos"]]
    if evidence_id not in ids:
        raise Problem("not_found", "Không tìm thấy ảnh.")
    with database().write() as conn:
        address = f"/dossiers/{citizen_id}/photos/{evidence_id}"
        staff.remember_place(conn, member["commune_id"], member["person_id"], address)
    at = ids.index(evidence_id)
    around = {"previous": ids[at - 1] if at else None, "next": ids[at + 1] if at + 1 < len(ids) else None}
    photo = found["photos"][at]
    indicator = next(i for i in found["indicators"] if i["no"] == photo["indicator"])
    return render_template("viewer.html", d=found, photo=photo, indicator=indicator, at=at, around=around, reasons=REASONS)


@blueprint.post("/<citizen_id>/photos/<evidence_id>/verdict")
@needs("review")
def judge(citizen_id: str, evidence_id: str, member: dict[str, Any]) -> Any:
    """`verdict` empty takes a verdict back."""
    verdict = request.form.get("verdict") or None
    typed = (text.strip() for text in request.form.getlist("reason"))  # a page without scripts has two fields for it
    reason = next(filter(None, typed), "")[:1000] or None
    if verdict in ("retake", "incomplete") and reason is None:
        raise Problem("reason.missing", "Cần ghi lý do để người chụp biết.")
    if not any(p["id"] == evidence_id for p in _load(member, citizen_id)["photos"]):
        raise Problem("not_found", "Không tìm thấy ảnh.")
    patch = {"verdict": verdict, "reason": reason if verdict != "accepted" else None}
    _write(member, {"op": "judge", "type": "evidence", "doc": evidence_id, "base": _base(), "set": patch})
    found = _load(member, citizen_id)
    ids = [p["id"] for p in found["photos"]]
    at = ids.index(evidence_id)
    unjudged = [p["id"] for p in found["photos"][at + 1 :] + found["photos"][:at] if not p["verdict"] and not p["replaced_by"]]
    if verdict is None:
        return redirect(f"/dossiers/{citizen_id}/photos/{evidence_id}")
    to = f"/dossiers/{citizen_id}/photos/{unjudged[0]}?undo={evidence_id}" if unjudged else f"/dossiers/{citizen_id}?undo={evidence_id}"
    return redirect(to)


@blueprint.post("/<citizen_id>/indicators/<int:number>/verdict")
@needs("review")
def judge_indicator(citizen_id: str, number: int, member: dict[str, Any]) -> Any:
    found = _load(member, citizen_id)
    if not 1 <= number <= 10 or not found["row"]:
        raise Problem("not_found", "Không tìm thấy chỉ số.")
    verdict = "incomplete" if request.form.get("verdict") == "incomplete" else ""
    reason = (request.form.get("reason") or "").strip()[:1000]
    if verdict and not reason:
        raise Problem("reason.missing", "Cần ghi lý do để người kê khai biết.")
    patch = {f"verdict.{number}": verdict, f"verdict_reason.{number}": reason if verdict else None}
    _write(member, {"op": "judge", "type": "dossier", "doc": found["row"]["id"], "base": _base(), "set": patch})
    return redirect(f"/dossiers/{citizen_id}#indicator-{number}")


@blueprint.post("/<citizen_id>/return")
@needs("review")
def return_(citizen_id: str, member: dict[str, Any]) -> Any:
    reason = (request.form.get("reason") or "").strip()[:1000]
    if not reason:
        raise Problem("reason.missing", "Cần ghi lý do trả lại.")
    found = _begun(member, citizen_id)
    command = {"op": "return", "type": "dossier", "doc": found["row"]["id"], "expect": request.form.get("state"), "base": _base()}
    _write(member, {**command, "set": {"reason": reason}})
    return redirect(f"/dossiers/{citizen_id}")


@blueprint.post("/<citizen_id>/settlement")
@needs("review")
def settle(citizen_id: str, member: dict[str, Any]) -> Any:
    """The ten final scores; the year's rule tells whether the dossier is eligible [plan II.2b]."""
    found = _begun(member, citizen_id)
    scores = {}
    for n in range(1, 11):
        text = request.form.get(f"final_{n}", "")
        if not text.isdigit() or not 1 <= int(text) <= 10:
            raise Problem("value.invalid", f"Chỉ số {n}: điểm phải từ 1 đến 10.")
        scores[f"final.{n}"] = int(text)
    command = {"op": "settle", "type": "dossier", "doc": found["row"]["id"], "expect": request.form.get("state"), "base": _base()}
    _write(member, {**command, "set": scores})
    return redirect(f"/dossiers/{citizen_id}")


def _base() -> int:
    """The revision that the form was drawn from."""
    text = request.form.get("rev", "")
    return int(text) if text.isdigit() and len(text) < 19 else 0


def _write(member: dict[str, Any], mutation: dict[str, Any]) -> None:
    with database().write() as conn:
        syncing.write_as_staff(conn, member["commune_id"], member["person_id"], [mutation], now())
