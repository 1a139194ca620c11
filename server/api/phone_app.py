"""Serves the built phone app below /app/: the shell and worker fresh, hashed files for ever."""

from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory

DIST = Path(__file__).resolve().parents[2] / "pwa" / "dist"
blueprint = Blueprint("phone_app", __name__, url_prefix="/app")
FOR_EVER = "public, max-age=31536000, immutable"


@blueprint.get("")
def without_slash() -> Response:
    return redirect("/app/", 308)  # type: ignore[return-value]


@blueprint.get("/")
def shell() -> Response:
    return asset("index.html")


@blueprint.get("/<path:name>")
def asset(name: str) -> Response:
    response = send_from_directory(DIST, name, conditional=True)
    hashed = name.count("-") > 0 and name.rsplit(".", 1)[-1] in ("js", "css")
    response.headers["Cache-Control"] = FOR_EVER if hashed and name != "sw.js" else "no-cache"
    if name.endswith(".webmanifest"):
        response.mimetype = "application/manifest+json"
    return response
