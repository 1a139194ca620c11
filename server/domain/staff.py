"""Staff accounts: argon2 passwords, lock-out after wrong ones, sessions that a new version ends."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, insert, select, update

from server.db import tables
from server.db.session import Database
from server.domain import people
from server.domain.text import fold
from sync.errors import Problem
from sync.protocol import timestamp

_STAFF = tables.Staff.__table__
_DIRECTORY = tables.Directory.__table__
MOST_FAILURES = 8
LOCK = timedelta(minutes=15)
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("nobody has this password")  # so that an unknown name takes as long
_WORDS = ["xanh", "nui", "song", "lua", "tre", "mo", "que", "dao", "suoi", "may", "nang", "gio", "hoa", "cam", "bap"]


def add(conn: Connection, commune_id: int, name: str, role: str = "staff") -> tuple[str, str]:
    """A new member of staff: (login, password); the password is shown once."""
    now = timestamp(datetime.now(UTC))
    person_id = people.add_person(conn, commune_id, name, "staff", now)
    login = _free_login(conn, name)
    password = "-".join([*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(900_000) + 100_000)])
    conn.execute(insert(_DIRECTORY).values(kind="login", key_hash=_hash(login), commune_id=commune_id))
    conn.execute(
        insert(_STAFF).values(
            commune_id=commune_id, person_id=person_id, login=login, password_hash=_HASHER.hash(password),
            role=role, failed_count=0, token_version=1, active=True, created_at=now,
        )
    )  # fmt: skip
    return login, password


def _free_login(conn: Connection, name: str) -> str:
    """Given name and initials without diacritics; a number where it is taken."""
    words = re.sub(r"[^a-z ]", "", fold(name)).split() or ["can-bo"]
    base = words[-1] + "".join(w[0] for w in words[:-1])
    for n in range(1, 1000):
        login = base if n == 1 else f"{base}{n}"
        query = select(_DIRECTORY.c.commune_id).where(
            _DIRECTORY.c.kind == "login", _DIRECTORY.c.key_hash == _hash(login)
        )
        if conn.execute(query).first() is None:
            return login
    raise Problem("login.taken", "Không đặt được tên đăng nhập.")


def _hash(login: str) -> str:
    return hashlib.sha256(login.encode()).hexdigest()


def sign_in(db: Database, login: str, password: str) -> dict[str, Any] | None:
    """The staff row, or None; failures are counted. Raises Problem `staff.locked`.

    The password is checked between two transactions: that takes long on purpose, and no phone may wait for it.
    """
    login = login.strip().lower()[:60]
    with db.read() as conn:
        seen = _active(conn, login)
    _refuse_locked(seen)
    fits = _fits(seen["password_hash"] if seen is not None else _NOBODY, password)
    if seen is None:
        return None
    with db.write() as conn:
        row = _active(conn, login, lock=True)  # failures at the same moment are counted one by one
        _refuse_locked(row)
        if row is None or row["password_hash"] != seen["password_hash"]:
            return None
        where = (_STAFF.c.commune_id == row["commune_id"], _STAFF.c.person_id == row["person_id"])
        conn.execute(update(_STAFF).where(*where).values(**_after(row, fits)))
    return row if fits else None


def _active(conn: Connection, login: str, *, lock: bool = False) -> dict[str, Any] | None:
    query = select(_DIRECTORY.c.commune_id).where(_DIRECTORY.c.kind == "login", _DIRECTORY.c.key_hash == _hash(login))
    commune_id = conn.execute(query).scalar()
    if commune_id is None:
        return None
    query = select(_STAFF).where(_STAFF.c.commune_id == commune_id, _STAFF.c.login == login, _STAFF.c.active.is_(True))
    row = conn.execute(query.with_for_update() if lock else query).mappings().first()
    return dict(row) if row is not None else None


def _refuse_locked(row: dict[str, Any] | None) -> None:
    if row is not None and row["locked_until"] and row["locked_until"] > timestamp(datetime.now(UTC)):
        raise Problem("staff.locked", "Sai mật khẩu nhiều lần, xin đợi 15 phút rồi thử lại.")


def _after(row: dict[str, Any], fits: bool) -> dict[str, Any]:
    """The counter of failures and the lock after one more try."""
    failed = 0 if fits else row["failed_count"] + 1
    if failed >= MOST_FAILURES:
        return {"failed_count": 0, "locked_until": timestamp(datetime.now(UTC) + LOCK)}
    return {"failed_count": failed, "locked_until": None}


def _fits(password_hash: str, password: str) -> bool:
    try:
        return bool(_HASHER.verify(password_hash, password[:200]))
    except (VerificationError, InvalidHashError):
        return False


def sign_out(conn: Connection, commune_id: int, person_id: str) -> None:
    """Ends every session of this person."""
    conn.execute(
        update(_STAFF)
        .where(_STAFF.c.commune_id == commune_id, _STAFF.c.person_id == person_id)
        .values(token_version=_STAFF.c.token_version + 1)
    )


def remember_place(conn: Connection, commune_id: int, person_id: str, address: str) -> None:
    """Where this person stopped in the review."""
    conn.execute(
        update(_STAFF)
        .where(_STAFF.c.commune_id == commune_id, _STAFF.c.person_id == person_id)
        .values(last_place=address[:200])
    )
