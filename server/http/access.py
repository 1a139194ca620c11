"""Who is asking: the phone by its cookie, staff by theirs, and where a change may come from."""

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Connection, select

from server.db import tables
from server.db.session import Database
from server.domain import devices
from server.domain.permissions import Actor
from server.domain.tokens import DEVICE_COOKIE_MAX_AGE_S, Tokens
from sync.errors import Problem

DEVICE_COOKIE, STAFF_COOKIE = "mc_device", "mc_staff"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class CurrentDevice:
    commune_id: int
    id: str
    people: dict[str, Actor]
    senders: frozenset[str]  # all who ever used it: their photos may still be on it
    row: dict[str, Any]


def database() -> Database:
    db: Database = current_app.extensions["db"]
    return db


def tokens() -> Tokens:
    made: Tokens = current_app.extensions["tokens"]
    return made


def challenge() -> str:
    return tokens().make("challenge", {"nonce": secrets.token_urlsafe(12)})


def auth_required(code: str = "auth.required") -> Problem:
    return Problem(code, "Máy cần xác nhận lại với xã.", challenge=challenge())


def current_device(conn: Connection, *, revoked_ok: bool = False) -> CurrentDevice:
    """The phone whose cookie came. Raises Problem `auth.required`, `device.revoked`, `device.unknown`."""
    content = tokens().read("device", request.cookies.get(DEVICE_COOKIE))
    if content is None:
        raise auth_required()
    row = devices.find(conn, content["c"], content["d"])
    if row is None:
        raise auth_required("device.unknown")
    if row["revoked_at"] and not revoked_ok:
        raise devices.is_revoked(conn, content["c"])
    if content["v"] != row["token_version"] and not row["revoked_at"]:
        raise auth_required()
    crew = devices.crew(conn, content["c"], row["id"])
    return CurrentDevice(content["c"], row["id"], crew.people, crew.senders, row)


def set_device_cookie(response: Response, commune_id: int, device_id: str, version: int) -> None:
    """HttpOnly, SameSite=Lax, sliding 400 days."""
    token = tokens().make("device", {"c": commune_id, "d": device_id, "v": version})
    response.set_cookie(
        DEVICE_COOKIE, token, max_age=DEVICE_COOKIE_MAX_AGE_S, httponly=True, samesite="Lax",
        secure=current_app.extensions["config"].secure, path="/",
    )  # fmt: skip


def current_staff(conn: Connection) -> dict[str, Any] | None:
    """The signed-in member of staff (`staff` row with `commune_id`, `person_id`, `role`), or None."""
    content = tokens().read("staff", request.cookies.get(STAFF_COOKIE))
    if content is None:
        return None
    staff = tables.Staff.__table__
    query = select(staff).where(
        staff.c.commune_id == content["c"], staff.c.person_id == content["p"], staff.c.active.is_(True)
    )
    row = conn.execute(query).mappings().first()
    return dict(row) if row is not None and row["token_version"] == content["v"] else None


def install(app: Flask) -> None:
    app.before_request(_check_origin)
    app.after_request(_headers)


def _check_origin() -> None:
    """What changes something must come from our own pages; no header at all is no browser."""
    if request.method in SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    own = {current_app.extensions["config"].origin, request.host_url.rstrip("/")}
    if origin is not None:
        if origin not in own:
            raise Problem("origin", "The request comes from another site.")
    elif site is not None and site not in ("same-origin", "none"):
        raise Problem("origin", "The request comes from another site.")


CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; media-src 'self' blob:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
PHONE_CSP = CSP + "; require-trusted-types-for 'script'; trusted-types lit-html minhchung"


def _headers(response: Response) -> Response:
    in_app = request.path == "/app" or request.path.startswith("/app/")
    response.headers.setdefault("Content-Security-Policy", PHONE_CSP if in_app else CSP)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
    if not in_app and not request.path.startswith("/static"):
        response.headers.setdefault("Cache-Control", "no-store")
    if current_app.extensions["config"].secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    g.pop("staff", None)
    return response
