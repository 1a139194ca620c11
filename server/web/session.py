"""Who is signed in, and what a page asks of them: `@needs("review")` is the only gate of a route."""

import functools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import g, redirect, request
from sqlalchemy import insert

from server.db import tables
from server.domain import communes
from server.domain.permissions import staff_may
from server.http.access import current_staff, database
from sync.errors import Problem
from sync.protocol import timestamp


def staff_or_none() -> dict[str, Any] | None:
    """The staff row with `commune`, read once a request."""
    if "member" not in g:
        with database().read() as conn:
            member = current_staff(conn)
            g.member = {**member, "commune": communes.find(conn, member["commune_id"])} if member else None
    found: dict[str, Any] | None = g.member
    return found


def needs(right: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The right from the table that a route takes; without a session, the way to sign in."""

    def wrap(route: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(route)
        def checked(*args: Any, **named: Any) -> Any:
            member = staff_or_none()
            if member is None:
                return redirect(f"/sign-in?to={quote(request.full_path.rstrip('?'))}" if request.method == "GET" else "/sign-in")
            if not staff_may(member["role"], right):
                raise Problem("right.missing", "Tài khoản này không được làm việc này.")
            return route(*args, member=member, **named)

        return checked

    return wrap


def now() -> str:
    return timestamp(datetime.now(UTC))


def saw(conn: Any, member: dict[str, Any], action: str, target: str) -> None:
    """Logs that personal data was seen."""
    conn.execute(
        insert(tables.AccessLog.__table__).values(
            commune_id=member["commune_id"], id=str(uuid.uuid4()), person_id=member["person_id"], action=action,
            target=target, at=now(),
        )
    )  # fmt: skip
