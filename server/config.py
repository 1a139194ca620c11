"""Settings from the environment, checked at the start: a wrong one stops it with one line."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from server.db.session import sqlite_url

MIN_SECRET_LENGTH = 32
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class WrongSetting(Exception):
    """One line that says which setting is wrong and why."""


@dataclass(frozen=True)
class Config:
    home: Path
    database_url: str
    photos_url: str  # file:///folder or s3://bucket/prefix
    secret: str
    origin: str  # what phones and staff see, without a slash at the end
    host: str = "127.0.0.1"
    port: int = 8765

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")


def from_env(environ: Mapping[str, str] = os.environ) -> Config:
    """Raises WrongSetting."""
    home = Path(environ.get("MINHCHUNG_HOME") or Path.home() / ".minhchung").expanduser().absolute()
    host = environ.get("MINHCHUNG_HOST") or "127.0.0.1"
    port = _port(environ.get("MINHCHUNG_PORT") or "8765")
    origin = _origin(environ.get("MINHCHUNG_ORIGIN") or f"http://{'localhost' if host in LOOPBACK else host}:{port}")
    photos = environ.get("MINHCHUNG_PHOTOS_URL") or (home / "photos").as_uri()
    _check_photos(photos)
    database = environ.get("MINHCHUNG_DATABASE_URL") or sqlite_url(home)
    if not database.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise WrongSetting("MINHCHUNG_DATABASE_URL must begin with sqlite:/// or postgresql://")
    secret = _secret(environ.get("MINHCHUNG_SECRET"), home, origin)
    return Config(home, database, photos, secret, origin, host, port)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise WrongSetting(f"MINHCHUNG_PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _check_photos(url: str) -> None:
    if url.startswith("s3://"):
        if not urlsplit(url).hostname:
            raise WrongSetting("MINHCHUNG_PHOTOS_URL must name a bucket: s3://bucket/prefix")
    elif not url.startswith("file:///"):
        raise WrongSetting(f"MINHCHUNG_PHOTOS_URL must be file:///a/folder or s3://bucket/prefix, not {url.split(':')[0]}:")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise WrongSetting(f"MINHCHUNG_ORIGIN must look like https://name, not {text!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _secret(given: str | None, home: Path, origin: str) -> str:
    public = urlsplit(origin).hostname not in LOOPBACK
    if given is not None:
        if len(given) < MIN_SECRET_LENGTH or len(set(given)) < 10:
            raise WrongSetting(f"MINHCHUNG_SECRET is too weak: {MIN_SECRET_LENGTH} mixed characters or more")
        return given
    if public:
        how = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        raise WrongSetting(f"MINHCHUNG_SECRET is missing: a public origin needs one ({how})")
    return _local_secret(home)


def _local_secret(home: Path) -> str:
    """On loopback a secret is made once and kept in the home, readable by its owner alone."""
    path = home / "secret"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        raise WrongSetting(f"MINHCHUNG_HOME {home} cannot be written: {error.strerror}") from error
