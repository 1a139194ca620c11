"""The staff site: which rooms it has, what every page knows, and its page for problems."""

from typing import Any
from urllib.parse import urlencode

from flask import Flask, render_template, request

from server.documents.xlsx import STATES as STATE_NAMES
from server.documents.xlsx import why_not
from server.domain.permissions import staff_may
from server.http.problems import STATUS
from server.web import conflicts, dossiers, doubles, history, office, overview, phones, quarantine, removal, signing, stale, talk, words
from server.web.session import staff_or_none
from sync.errors import Problem

STATE_ICONS = {
    "none": "○", "draft": "✎", "submitted": "↑", "appraised": "◐", "returned": "↩", "eligible": "✓", "not_eligible": "✕",
    "decided": "★",
}  # fmt: skip


def install(app: Flask) -> None:
    """Registers the rooms and what their templates use."""
    for room in (signing, overview, dossiers, office, phones, conflicts, quarantine, history, removal, talk, doubles):
        app.register_blueprint(room.blueprint)
    app.extensions["problem_page"] = problem_page
    app.jinja_env.filters["when"] = words.when
    app.jinja_env.filters["size"] = words.size
    app.jinja_env.globals.update(
        STATES={"none": "Chưa bắt đầu", **STATE_NAMES}, STATE_ICONS=STATE_ICONS, KINDS=words.KINDS, GROUPS=words.GROUPS,
        why_not=why_not, label=words.label, shown=words.shown, choices_of=words.choices_of, is_number=words.is_number,
        settler=settler, turned=turned, typed_in=stale.typed_in,
        reason=words.reason, said_by=words.said_by, deed=words.deed, lines=words.lines, OPS=words.OPS, DOCS=words.DOCS,
    )  # fmt: skip
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    me = staff_or_none()
    return {"me": me, "may": lambda right: me is not None and staff_may(me["role"], right)}


def turned(page: int) -> str:
    """The address's query with another page."""
    return urlencode([(k, v) for k, v in request.args.items(multi=True) if k not in ("page", "undo")] + [("page", page)])


def settler(to: str) -> str:
    """Who is asked to choose, in words; staff always may."""
    if to == "role:staff":
        return "chờ xã chọn"
    return "chờ chi hội chọn" if to == "role:chapter" else "chờ người ghi chọn"


def problem_page(problem: Problem, status: int) -> Any:
    """A plain page; for htmx the part alone, so that nothing typed is lost. A stale form comes back filled in."""
    if problem.code == "conflict" and "fields" in problem.details:
        return stale.page(problem), status
    part = "_problem.html" if request.headers.get("HX-Request") else "problem.html"
    return render_template(part, problem=problem, status=STATUS.get(problem.code, status)), status
