"""Measures what is promised, prints one table and writes bench/results/latest.json.

Machines are noisy: each figure is a median, and says what it was measured on.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import platform
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image

from server.app import create_app
from server.config import Config
from server.db import migrate
from server.db.session import Database, sqlite_url
from server.domain import clean, communes, pairing, places
from tests.phones import Phone

ROOT = Path(__file__).parent.parent
NOW = "2026-11-24T07:30:00.000Z"
ROUNDS = 5


def main() -> None:
    rows = [first_load(), *server_cpu()]
    rows_text = "\n".join(f"| {name} | {value} | {aim} |" for name, value, aim in rows)
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite\n")
    print(f"| what | measured | aim |\n| --- | --- | --- |\n{rows_text}\n")
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    content = [{"what": name, "measured": value, "aim": aim} for name, value, aim in rows]
    (results / "latest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1))


def first_load() -> tuple[str, str, str]:
    dist = ROOT / "pwa" / "dist"
    names = [p for p in dist.iterdir() if p.suffix in (".js", ".css", ".html", ".webmanifest") and not p.name.startswith("en-")]
    size = sum(len(gzip.compress(p.read_bytes(), 9)) for p in names)
    return "first load to a capture screen, gzip", f"{size / 1024:.1f} KB", "60 KB"


def server_cpu() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        app, phone, place = _paired(Path(folder))
        entry = statistics.median(_cpu(lambda: _batch(phone, place), 500) for _ in range(ROUNDS))
        raw = statistics.median(_cpu(lambda: _raw(place), 500) for _ in range(ROUNDS))
        photos = [_jpeg(n) for n in range(40)]
        receipt = _cpu(lambda: [_upload(phone, photo) for photo in photos], len(photos))
        db, store = app.extensions["db"], app.extensions["photos"]
        copies = _cpu(lambda: [clean.clean_one(db, store) for _ in photos], len(photos))
        db.close()
    return [
        ("server CPU per entry, batches of 500", f"{entry:.2f} ms ({entry / raw:.0f} times parsing its JSON)", "0.20 ms"),
        ("server CPU per photo of 150 KB to receipt, client in the same process", f"{receipt:.1f} ms", "2.5 ms"),
        ("clean copies per photo (worker)", f"{copies:.0f} ms", "-"),
    ]


def _paired(home: Path) -> tuple[Flask, Phone, int]:
    config = Config(home, sqlite_url(home), (home / "photos").as_uri(), uuid.uuid4().hex * 2, "http://localhost")
    db = Database(config.database_url)
    migrate.upgrade(db)
    with db.write() as conn:
        commune = communes.add(conn, "Xã Đo", 2026, NOW)
        place = places.add(conn, commune, "Thôn Đo", NOW)
        code, _ = pairing.make_code(conn, commune, "chapter", place, name="Lương Văn Cao")
    app = create_app(config, db)
    return app, Phone(app.test_client()).pair(code), place


def _cpu(work: Callable[[], Any], count: int) -> float:
    """Milliseconds of processor time for each of `count` items."""
    began = time.process_time()
    work()
    return (time.process_time() - began) / count * 1000


def _entries(place: int) -> list[dict[str, Any]]:
    return [{"place": place, "full_name": f"Hoàng Thị Mẩy {n}", "birth_year": 1971, "group": 1} for n in range(500)]


def _batch(phone: Phone, place: int) -> None:
    for entry in _entries(place):
        phone.queue("create", "citizen", str(uuid.uuid4()), entry)
    answer = phone.post(phone.body(limit=4096))
    assert answer.status_code == 200, answer.text
    phone.apply(answer.get_json())


def _raw(place: int) -> None:
    json.loads(json.dumps(_entries(place)))


def _jpeg(seed: int) -> bytes:
    image = Image.effect_noise((640, 480), 30 + seed).convert("RGB").resize((1600, 1200))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    return out.getvalue()


def _upload(phone: Phone, photo: bytes) -> None:
    sha256 = hashlib.sha256(photo).hexdigest()
    tus = {"Tus-Resumable": "1.0.0"}
    parts = {"sha256": sha256, "type": "image/jpeg", "by": phone.person["id"]}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in parts.items())
    made = phone.client.post("/api/v1/files", headers={**tus, "Upload-Length": str(len(photo)), "Upload-Metadata": metadata})
    url, offset, last = made.headers["Location"], 0, made
    while offset < len(photo):
        chunk = photo[offset : offset + 256 * 1024]
        headers = {**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        last = phone.client.patch(url, data=chunk, headers=headers)
        offset = int(last.headers["Upload-Offset"])
    assert last.headers["Upload-Receipt"] == f"sha256 {sha256}"


if __name__ == "__main__":
    main()
