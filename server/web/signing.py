"""Signing in and out."""

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request

from server.domain import staff
from server.domain.tokens import STAFF_COOKIE_MAX_AGE_S
from server.http import attempts
from server.http.access import STAFF_COOKIE, database, tokens
from server.web.session import staff_or_none

blueprint = Blueprint("signing", __name__)


@blueprint.get("/sign-in")
def form() -> Any:
    return render_template("sign_in.html", to=_safe(request.args.get("to")))


@blueprint.post("/sign-in")
def sign_in() -> Any:
    with database().write() as conn:
        attempts.count(conn, "login", request.remote_addr or "?", 60, 600)
    row = staff.sign_in(database(), request.form.get("login", ""), request.form.get("password", ""))
    if row is None:
        page = render_template("sign_in.html", to=_safe(request.form.get("to")), wrong=True, login=request.form.get("login", ""))
        return page, 401
    response = redirect(_safe(request.form.get("to")))
    token = tokens().make("staff", {"c": row["commune_id"], "p": row["person_id"], "v": row["token_version"]})
    response.set_cookie(
        STAFF_COOKIE, token, max_age=STAFF_COOKIE_MAX_AGE_S, httponly=True, samesite="Lax",
        secure=current_app.extensions["config"].secure, path="/",
    )  # fmt: skip
    return response


@blueprint.post("/sign-out")
def sign_out() -> Any:
    member = staff_or_none()
    if member is not None:
        with database().write() as conn:
            staff.sign_out(conn, member["commune_id"], member["person_id"])
    response = redirect("/sign-in")
    response.delete_cookie(STAFF_COOKIE, path="/")
    return response


def _safe(to: str | None) -> str:
    """Only paths of our own."""
    return to if to and to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
