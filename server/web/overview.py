"""The home page by hamlet, the list of people with filters in the address, and the result sheet."""

from typing import Any

from flask import Blueprint, Response, render_template, request

from server.documents import xlsx
from server.domain import conflicts, doubles, places, quarantine, review, watching
from server.http.access import database
from server.web.session import needs, now, saw

blueprint = Blueprint("overview", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/")
@needs("read")
def home(member: dict[str, Any]) -> Any:
    with database().read() as conn:
        rows = review.by_place(conn, member["commune_id"], member["commune"]["year"])
        choices = conflicts.count(conn, member["commune_id"])
        kept = quarantine.count(conn, member["commune_id"])
        twins = doubles.count(conn, member["commune_id"])
        silent = watching.count(conn, member["commune_id"], now())
    totals: dict[str, int] = {}
    for row in rows:
        for state, count in row["states"].items():
            totals[state] = totals.get(state, 0) + count
    waiting = {"twins": twins, "choices": choices, "kept": kept, "silent": silent}
    return render_template("overview.html", places=rows, totals=totals, last=member["last_place"], **waiting)


@blueprint.get("/people")
@needs("read")
def people(member: dict[str, Any]) -> Any:
    wish = _wish()
    with database().read() as conn:
        rows, total = review.people(conn, member["commune_id"], member["commune"]["year"], wish)
        all_places = places.all_of(conn, member["commune_id"])
    pages = max(1, -(-total // review.PAGE))
    template = "_people.html" if request.headers.get("HX-Request") else "people.html"
    return render_template(template, rows=rows, total=total, wish=wish, places=all_places, pages=pages)


def _number(text: str) -> int:
    """A number that fits every database's integer; anything else counts as not given."""
    if len(text) > 9:
        raise ValueError
    return int(text)


def _wish() -> review.Filter:
    args = request.args
    state = args.get("state")
    return review.Filter(
        place=args.get("place", type=_number),
        state=state if state in review.STATES else None,
        group=args.get("group", type=_number),
        kind=args.get("kind") or None,
        text=(args.get("q") or "")[:100],
        page=max(args.get("page", 1, type=_number), 1),
    )


@blueprint.get("/result.xlsx")
@needs("export")
def result(member: dict[str, Any]) -> Response:
    commune = member["commune"]
    with database().write() as conn:
        rows = review.results(conn, member["commune_id"], commune["year"])
        saw(conn, member, "export", f"result {commune['year']}")
    name = f"ket-qua-{commune['year']}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(xlsx.result(rows, commune["name"], commune["year"]), mimetype=XLSX, headers=headers)
