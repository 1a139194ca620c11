"""What `minhchung doctor` looks at: each finding is (fine, name, what it saw)."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from server import config
from server.api.phone_app import DIST
from server.db import migrate
from server.db.session import Database
from server.storage import open_store

BUILD_TIME_S = 1_793_000_000  # late October 2026: a clock before it is wrong
LOW_DISK_BYTES = 1_000_000_000
Finding = tuple[bool, str, str]


def findings() -> Iterator[Finding]:
    """All findings, each by itself: one that fails hides no other."""
    try:
        settings = config.from_env()
    except config.WrongSetting as error:
        yield False, "configuration", str(error)
        return
    yield True, "configuration", f"home {settings.home}, origin {settings.origin}"
    yield _database(settings)
    yield _storage(settings)
    yield (time.time() > BUILD_TIME_S), "clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    free = shutil.disk_usage(settings.home if settings.home.exists() else Path("/")).free
    yield free > LOW_DISK_BYTES, "disk", f"{free / 1e9:.1f} GB free"
    built = (DIST / "sw.js").is_file()
    yield built, "phone app", "built" if built else "not built: run `make build`"


def _database(settings: config.Config) -> Finding:
    try:
        db = Database(settings.database_url)
        revision = migrate.current(db)
        migrate.check_not_newer(db)
        with db.write() as conn:
            conn.exec_driver_sql("SELECT 1")
        db.close()
    except migrate.NewerSchema as error:
        return False, "database", f"written by a newer version ({error})"
    except Exception as error:
        return False, "database", str(error).splitlines()[0]
    return revision is not None, "database", f"schema {revision}" if revision else "empty: run `minhchung init`"


def _storage(settings: config.Config) -> Finding:
    try:
        return True, "storage", open_store(settings.photos_url).check()
    except Exception as error:  # whatever a client library finds wrong with its settings
        text = getattr(error, "strerror", None) or str(error)
        return False, "storage", f"{settings.photos_url}: {text.splitlines()[0] if text else type(error).__name__}"
