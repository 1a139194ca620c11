"""What phones sent and could not be applied: read it, accept it, give it to another person or place, set it aside."""

from typing import Any, cast

from flask import Blueprint, Response, current_app, redirect, render_template, request

from server.domain import accepting, deposit, names, people, places, quarantine, review
from server.http.access import database
from server.web.paging import page_number
from server.web.pictures import clean_copy
from server.web.session import needs, now, saw
from server.web.words import reason
from sync.errors import Problem

blueprint = Blueprint("quarantine", __name__, url_prefix="/quarantine")
ANSWERS = {
    "applied": "✓ Đã nhận, ghi đúng tên người gửi.",
    "held": "✓ Đã nhận. Có mục khác với bản đang dùng – chờ chọn bản đúng.",
    "already": "✓ Nội dung này máy đã gửi bằng đường khác rồi.",
    "aside": "✓ Đã để riêng, không mất gì.",
    "up": "✓ Đã lấy lại để xem.",
}
MOST_FOUND = 20


@blueprint.get("")
@needs("quarantine")
def waiting(member: dict[str, Any]) -> Any:
    args = request.args
    state = args.get("state", "open")
    wish = quarantine.Wish(state if state in quarantine.STATES else "open", args.get("device"), args.get("received"), page_number())
    with database().read() as conn:
        rows, total = quarantine.page(conn, member["commune_id"], wish)
        files = quarantine.deposits(conn, member["commune_id"])
        by_number = names.places(conn, member["commune_id"])
    pages = max(1, -(-total // quarantine.PAGE))
    return render_template(
        "quarantine.html", rows=rows, total=total, number=wish.page, pages=pages, wish=wish, files=files,
        places_by_number=by_number, done=_done(),
    )  # fmt: skip


def _done() -> str:
    """What the last deed came to, from the address it led to."""
    args = request.args
    if "done" in args:
        return ANSWERS.get(args["done"], "")
    if "applied" not in args:
        return ""
    numbers = {name: args.get(name, "0") for name in ("applied", "held", "already", "kept", "rest")}
    n = {name: int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0 for name, text in numbers.items()}
    told = f"✓ Đã nhận {n['applied'] + n['held'] + n['already']} nội dung của gói."
    told += f" {n['held']} nội dung chờ chọn bản đúng." if n["held"] else ""
    told += f" {n['kept']} nội dung chưa ghi được, vẫn ở đây kèm lý do." if n["kept"] else ""
    return told + (f" Còn {n['rest']} nội dung, mời bấm tiếp." if n["rest"] else "")


@blueprint.get("/<ident>")
@needs("quarantine")
def one(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        found = quarantine.one(conn, member["commune_id"], ident)
        if found is None:
            raise Problem("not_found", "Không tìm thấy nội dung này.")
        saw(conn, member, "quarantine", found["about"] or ident)
        text = request.args.get("q", "").strip()
        wish = review.Filter(text=text)
        candidates = review.people(conn, member["commune_id"], member["commune"]["year"], wish)[0][:MOST_FOUND] if text else []
        all_places = places.all_of(conn, member["commune_id"])
        by_number = names.places(conn, member["commune_id"])
        settler = people.person(conn, member["commune_id"], found["settled_by"] or "")
    return render_template(
        "quarantined.html", row=found, candidates=candidates, q=text, places=all_places, places_by_number=by_number,
        settler_name=settler["name"] if settler else None, done=_done(),
    )  # fmt: skip


@blueprint.get("/<ident>/photo")
@needs("quarantine")
def photo(ident: str, member: dict[str, Any]) -> Response:
    """The clean copy alone: an original is never served."""
    with database().read() as conn:
        row = quarantine.row_of(conn, member["commune_id"], ident)
        found = quarantine.photo_of(conn, member["commune_id"], row) if row else None
    if found is None:
        raise Problem("not_found", "Không tìm thấy ảnh.")
    return clean_copy(member["commune_id"], found["sha256"], found["photo_state"])


@blueprint.post("/<ident>/acceptance")
@needs("quarantine")
def accept(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        done = _in_words(accepting.accept, conn, member["commune_id"], member["person_id"], ident, now())
    return redirect(f"/quarantine?done={done}")


@blueprint.post("/<ident>/transfer")
@needs("quarantine")
def transfer(ident: str, member: dict[str, Any]) -> Any:
    """For another person (`citizen`, `indicator`), or a newcomer for another `place`."""
    form = request.form
    to = {"citizen": form.get("citizen") or None, "place": form.get("place", type=int), "indicator": form.get("indicator", type=int)}
    with database().write() as conn:
        if to["place"] is not None:
            places.check(conn, member["commune_id"], cast(int, to["place"]))
        year = member["commune"]["year"]
        done = _in_words(accepting.move, conn, member["commune_id"], member["person_id"], ident, now(), year=year, **to)
    return redirect(f"/quarantine?done={done}")


@blueprint.post("/<ident>/aside")
@needs("quarantine")
def set_aside(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        accepting.set_aside(conn, member["commune_id"], member["person_id"], ident, now())
    return redirect("/quarantine?done=aside")


@blueprint.post("/<ident>/return")
@needs("quarantine")
def take_up(ident: str, member: dict[str, Any]) -> Any:
    with database().write() as conn:
        accepting.take_up(conn, member["commune_id"], ident)
    return redirect(f"/quarantine/{ident}?done=up")


@blueprint.post("/acceptances")
@needs("quarantine")
def accept_file(member: dict[str, Any]) -> Any:
    """All that one file brought, as a whole."""
    device, received = request.form.get("device") or None, request.form.get("received", "")
    with database().write() as conn:
        done = accepting.accept_deposit(conn, member["commune_id"], member["person_id"], device, received, now())
    return redirect("/quarantine?" + "&".join(f"{name}={done[name]}" for name in ("applied", "held", "already", "kept", "rest")))


@blueprint.post("/files")
@needs("quarantine")
def hand_in(member: dict[str, Any]) -> Any:
    """A file that somebody brought to the office."""
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Problem("deposit.invalid", "Chưa chọn tệp.")
    deposit.take(database(), current_app.extensions["photos"], cast(Any, file.stream), now(), member)
    return redirect("/quarantine")


def _in_words(deed: Any, *args: Any, **named: Any) -> Any:
    """What still stands against it is told as a reason; a bare code helps nobody."""
    try:
        return deed(*args, **named)
    except Problem as problem:
        if not problem.message:
            problem.message = f"Chưa nhận được: {reason(problem.code)}."
        raise
