"""Processor time of the real server process for each entry and each photo; clients are other processes' cost."""

import base64
import functools
import hashlib
import io
import json
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

from PIL import Image

from bench.processes import cpu_seconds
from bench.result import Result
from bench.served import Served, served
from server.config import from_env
from server.db.session import Database
from server.domain import clean
from server.storage import open_store
from sync.photos import MAX_CHUNK_BYTES
from tests.phones import Phone

ROUNDS = 5
BATCH = 500
PHOTOS = 40
PHOTO_BYTES = 150_000
TUS = {"Tus-Resumable": "1.0.0"}


def server_cpu() -> list[Result]:
    with served(codes=2) as server:
        phone, other = server.phone(0), server.phone(1)
        entry = statistics.median(_server_ms(server, lambda: _creates(phone, server.place), BATCH) for _ in range(ROUNDS))
        other.sync()
        merged = statistics.median(_server_ms(server, lambda: _merges(phone, other), BATCH) for _ in range(ROUNDS))
        idle = statistics.median(_server_ms(server, lambda: _health(phone), BATCH) for _ in range(3))
        photos = [jpeg(n) for n in range(PHOTOS)]
        receipt = _server_ms(server, lambda: _upload_all(phone, photos), PHOTOS)
    raw = _raw_ms()
    copies = _copies_ms()
    how = "processor time of the serve process's threads (schedstat), client in another process; SQLite"
    both = {"create_ms": entry, "merge_ms": merged, "json_of_it_ms": raw, "empty_request_ms": idle, "rounds": ROUNDS, "batch": BATCH}
    return [
        Result(
            f"server CPU per entry, batches of {BATCH}", f"{entry:.2f} ms new, {merged:.2f} ms merged ({entry / raw:.0f} times its JSON)",
            "0.20 ms", max(entry, merged) <= 0.20, how, both,
        ),
        Result(
            "server CPU per photo of 150 KB to receipt", f"{receipt:.1f} ms ({receipt / idle:.0f} empty requests)", "2.5 ms",
            receipt <= 2.5,
            how + "; creation and one PATCH of 256 KB at most each, hash and file included", {"photo_ms": receipt, "photos": PHOTOS},
        ),
        Result("clean copies per photo (worker)", f"{copies:.0f} ms", "-", None, "processor time, in this process", {"copies_ms": copies}),
    ]  # fmt: skip


def _server_ms(server: Served, work: Callable[[], Any], count: int) -> float:
    """Milliseconds of the server's processor time for each of `count` items."""
    before = cpu_seconds(server.pid)
    work()
    return (cpu_seconds(server.pid) - before) / count * 1000


def _entries(place: int) -> list[dict[str, Any]]:
    return [{"place": place, "full_name": f"Hoàng Thị Mẩy {n}", "birth_year": 1971, "group": 1} for n in range(BATCH)]


def _creates(phone: Phone, place: int) -> None:
    for entry in _entries(place):
        phone.queue("create", "citizen", str(uuid.uuid4()), entry)
    _send(phone)


def _merges(phone: Phone, other: Phone) -> None:
    """Each document was changed by another phone since: other fields, so that all is merged and nothing held."""
    docs = [doc["doc"] for doc in other.of_type("citizen")][:BATCH]
    seen = {doc: other.rev(doc) for doc in docs}
    for doc in docs:
        phone.queue("update", "citizen", doc, {"note": "Đã gặp"}, base=phone.rev(doc))
    _send(phone)
    for doc in docs:
        other.queue("update", "citizen", doc, {"phone": f"09{uuid.uuid4().int % 10**8:08}"}, base=seen[doc])
    _send(other)


def _send(phone: Phone) -> None:
    answer = phone.post(phone.body(limit=4096), gzipped=True)
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    assert all(result["result"] == "merged" for result in body["results"]), body["results"][:3]
    phone.apply(body)


def _health(phone: Phone) -> None:
    for _ in range(BATCH):
        assert phone.client.get("/api/v1/health").status_code == 204


def _raw_ms() -> float:
    def once() -> float:
        began = time.process_time()
        json.loads(json.dumps(_entries(1)))
        return (time.process_time() - began) / BATCH * 1000

    return statistics.median(once() for _ in range(ROUNDS))


def _copies_ms() -> float:
    with served() as server:
        settings = from_env(server.env)
        phone = server.phone()
        for photo in [jpeg(n) for n in range(8)]:
            upload(phone, photo)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        db, store = Database(settings.database_url), open_store(settings.photos_url)
        began, made = time.process_time(), 0
        while clean.clean_one(db, store):
            made += 1
        db.close()
        return (time.process_time() - began) / max(made, 1) * 1000


@functools.cache
def _scene() -> Image.Image:
    return Image.effect_noise((200, 150), 40).convert("RGB").resize((1600, 1200), Image.Resampling.BICUBIC)


def jpeg(seed: int) -> bytes:
    """A JPEG of 1600x1200 and exactly PHOTO_BYTES, each seed's bytes its own; what follows a JPEG's end is ignored by readers."""
    image = _scene().copy()
    image.paste((seed % 256, seed // 256 % 256, seed // 65536 % 256), (0, 0, 400, 400))
    for quality in (70, 60, 50, 40, 30, 20):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if len(out.getvalue()) < PHOTO_BYTES - 40:
            return out.getvalue() + f"{seed}".encode().ljust(PHOTO_BYTES - len(out.getvalue()), b" ")
    raise ValueError("no quality makes it light enough")


def _upload_all(phone: Phone, photos: list[bytes]) -> None:
    for photo in photos:
        upload(phone, photo)


def upload(phone: Phone, photo: bytes) -> None:
    """As the phone app sends it, in chunks of 256 KB at most."""
    sha256 = hashlib.sha256(photo).hexdigest()
    parts = {"sha256": sha256, "type": "image/jpeg", "by": phone.person["id"]}
    metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in parts.items())
    made = phone.client.post("/api/v1/files", headers={**TUS, "Upload-Length": str(len(photo)), "Upload-Metadata": metadata})
    url, offset, last = made.headers["Location"], 0, made
    while offset < len(photo):
        chunk = photo[offset : offset + MAX_CHUNK_BYTES]
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        last = phone.client.patch(url, data=chunk, headers=headers)
        offset = int(last.headers["Upload-Offset"])
    assert last.headers["Upload-Receipt"] == f"sha256 {sha256}"
