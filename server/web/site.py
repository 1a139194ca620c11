"""The staff site: which rooms it has, what every page knows, and its page for problems."""

from datetime import datetime, timedelta, timezone
from typing import Any

from flask import Flask, render_template, request

from server.documents.xlsx import STATES as STATE_NAMES
from server.documents.xlsx import why_not
from server.http.problems import STATUS
from server.web import dossiers, office, overview, phones, signing
from server.web.session import staff_or_none
from sync.errors import Problem

VIETNAM = timezone(timedelta(hours=7))
KINDS = {
    "vneid": "VNeID",
    "public_service": "Dịch vụ công",
    "payment": "Thanh toán",
    "video_call": "Gọi video",
    "online_selling": "Bán hàng qua mạng",
    "digital_class": "Lớp kỹ năng số",
    "helping": "Giúp người khác",
}
GROUPS = {
    1: "Nông dân, lao động nông thôn",
    2: "Công nhân, thợ thủ công, thợ sửa chữa",
    3: "Cán bộ, công chức, viên chức, doanh nhân",
}
STATE_ICONS = {
    "none": "○", "draft": "✎", "submitted": "↑", "appraised": "◐", "returned": "↩", "eligible": "✓", "not_eligible": "✕",
    "decided": "★",
}  # fmt: skip


def install(app: Flask) -> None:
    """Registers the rooms and what their templates use."""
    for room in (signing, overview, dossiers, office, phones):
        app.register_blueprint(room.blueprint)
    app.extensions["problem_page"] = problem_page
    app.jinja_env.filters["when"] = when
    app.jinja_env.globals.update(
        STATES={"none": "Chưa bắt đầu", **STATE_NAMES}, STATE_ICONS=STATE_ICONS, KINDS=KINDS, GROUPS=GROUPS, why_not=why_not
    )
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    return {"me": staff_or_none()}


def when(text: str | None) -> str:
    """A time as Vietnamese readers write it, in Vietnam's zone."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(VIETNAM)
    except ValueError:
        return ""
    return at.strftime("%d/%m/%Y %H:%M")


def problem_page(problem: Problem, status: int) -> Any:
    """A plain page; for htmx the part alone, so that nothing typed is lost."""
    part = "_problem.html" if request.headers.get("HX-Request") else "problem.html"
    return render_template(part, problem=problem, status=STATUS.get(problem.code, status)), status


