"""What the phone app puts on the line, in Chromium through a line of our own: a day's sync, a thousand entries, a photo."""

import gzip
import hashlib
import json
import re
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from bench.browser import PEOPLE, photos, to_indicator
from bench.line import Quality
from bench.phone_app import PhoneApp, phone_app
from bench.raw import raw_times
from bench.result import Result
from bench.served import YEAR, Served, served
from sync.protocol import dossier_id

ENTRIES = 1000
WIRE_BYTES = 0.42e6
AT = "2026-11-24T07:29:01.000Z"
CAPTION = "Họp chi hội, đọc báo và nghe phổ biến cách dùng VNeID tại nhà văn hoá thôn"
DAY_LINE = Quality(round_trip=0.3, rate_up=50_000, rate_down=200_000)
PHOTO_LINE = Quality(round_trip=0.6, rate_up=15_000, rate_down=15_000, loss=0.05, window=18_000)
PHOTO_ROUNDS = 3

SEED = """
async ({mutations, photos, meta}) => {
  const db = await new Promise((ok, no) => { const r = indexedDB.open("minhchung"); r.onsuccess = () => ok(r.result); r.onerror = no; });
  const tx = db.transaction(["outbox", "photos", "meta"], "readwrite");
  const ask = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = no; });
  let next = (await ask(tx.objectStore("meta").get("next"))) ?? 1;
  const by = await ask(tx.objectStore("meta").get("me"));
  for (const one of mutations) tx.objectStore("outbox").put({ by, ...one, seq: next++ });
  for (const one of photos) tx.objectStore("photos").put({ by, ...one });
  for (const [key, value] of Object.entries(meta)) tx.objectStore("meta").put(value, key);
  tx.objectStore("meta").put(next, "next");
  await new Promise((ok, no) => { tx.oncomplete = ok; tx.onerror = no; });
  db.close();
}
"""
COUNT = """
(store) => new Promise((ok, no) => { const r = indexedDB.open("minhchung"); r.onerror = no; r.onsuccess = () => {
  const db = r.result; const c = db.transaction(store).objectStore(store).count(); c.onsuccess = () => { db.close(); ok(c.result); }; }; })
"""
STATES = """
() => new Promise((ok, no) => { const r = indexedDB.open("minhchung"); r.onerror = no; r.onsuccess = () => {
  const db = r.result; const c = db.transaction("photos").objectStore("photos").getAll(); c.onsuccess = () => { db.close(); ok(c.result.map((p) => [p.state, p.size])); }; }; })
"""
ONLINE = "window.dispatchEvent(new Event('online'))"


def day_sync() -> list[Result]:
    with served(citizens=PEOPLE) as server, phone_app(server) as app:
        _seed(app, meta={"photo_policy": "tap"})
        app.page.reload()
        app.page.get_by_role("heading", name="Thôn Đo").wait_for()
        _quiet(server)
        server.line.quality = Quality(round_trip=0.3)
        earlier = [_photo_row(n) for n in range(40)]
        _seed(app, _day(server.citizens), earlier)
        count = server.line.fresh_count()
        app.page.evaluate(ONLINE)
        _emptied(app)
        _quiet(server)
        took = count.last_down() - count.heads[0][0]
    requests = count.requests()
    text = f"{len(requests)} request{'s' * (len(requests) != 1)}, {count.turns} round trip{'s' * (count.turns != 1)}, {count.up + count.down} bytes, {took / 0.3:.1f} times 300 ms"
    how = "the phone app in Chromium, photos set to wait for a tap; requests, and turns from down to up, counted on the line"
    details = {"requests": requests, "turns": count.turns, "connections": count.connections, "up": count.up, "down": count.down, "seconds": took}
    met = len(requests) == 1 and count.turns == 1 and count.connections == 0
    return [Result("one sync after a day's work (20 mutations, 40 photo hashes)", text, "1 request, 1 round trip", met, how, details)]


def _day(citizens: list[str]) -> list[dict[str, Any]]:
    """Five people seen: a dossier begun, a photo, a score and a declaration each."""
    made = []
    for citizen in citizens[:5]:
        dossier = dossier_id(citizen, YEAR)
        made += [
            _mutation("create", "dossier", dossier, {"citizen": citizen, "year": YEAR}),
            _mutation("create", "evidence", str(uuid.uuid4()), _evidence(dossier, 1, citizen)),
            _mutation("update", "dossier", dossier, {"self.1": 8}),
            _mutation("update", "dossier", dossier, {"note.1": "Đọc báo, nghe đài mỗi sáng"}),
        ]
    return made


def thousand_entries() -> list[Result]:
    with served(citizens=100, codes=3) as server:
        office = server.phone(2)
        for citizen in server.citizens:
            office.queue("create", "dossier", dossier_id(citizen, YEAR), {"citizen": citizen, "year": YEAR})
        office.sync()
        entries = [_entry(server.citizens[n % 100], n) for n in range(ENTRIES)]
        up = _up(server, entries)
        cursors = office.cursors
        office.sync(limit=1_000_000)
        assert cursors != office.cursors
        documents = office.of_type("evidence")
        down = _down(server)
        everything = list(office.docs.values())
    sent = [{"by": office.person["id"], **entry, "seq": n + 1} for n, entry in enumerate(entries)]
    raw_up, raw_down = _gz({"mutations": sent}), _gz({"changes": everything})
    raw = raw_times(DAY_LINE, raw_up, raw_down)
    wire = up["bytes"] + down["bytes"]
    ratio = (up["seconds"] + down["seconds"]) / (raw["post"] + raw["get"])
    each = (len(json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode()) / ENTRIES, len(json.dumps(documents, ensure_ascii=False, separators=(",", ":")).encode()) / ENTRIES)
    text = (
        f"{wire / 1e6:.2f} MB, {ratio:.2f} times raw (up {up['seconds']:.1f} s / {raw['post']:.1f} s, down {down['seconds']:.1f} s / {raw['get']:.1f} s)"
    )
    how = (
        f"two phone apps in Chromium, store included, until the outbox is empty and until all documents are stored; a mutation is {each[0]:.0f} B and its"
        f" document {each[1]:.0f} B of JSON; raw is gzip of the same mutations in one POST ({len(raw_up)} B), of the same documents in one GET ({len(raw_down)} B)"
    )
    details = {"up": up, "down": down, "raw": raw, "raw_up_bytes": len(raw_up), "raw_down_bytes": len(raw_down)}
    met = wire <= WIRE_BYTES and ratio <= 1.3
    return [Result(f"{ENTRIES} entries up, then down to a fresh phone; 300 ms, 0.4 / 1.6 Mbit/s", text, "0.42 MB, 1.3 times raw", met, how, details)]


def _up(server: Served, entries: list[dict[str, Any]]) -> dict[str, Any]:
    with phone_app(server) as app:
        _quiet(server)
        _seed(app, entries)
        server.line.quality = DAY_LINE
        count = server.line.fresh_count()
        app.page.evaluate(ONLINE)
        ended = _emptied(app)
        found = _told(count, ended)
        server.line.quality = Quality()
        return found


def _down(server: Served) -> dict[str, Any]:
    with phone_app(server, code=None) as app:
        app.open()
        app.page.goto(f"{server.origin}/app/")
        app.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        _quiet(server)
        server.line.quality = DAY_LINE
        count = server.line.fresh_count()
        app.page.goto(f"{server.origin}/app/#pair={server.codes[1]}")
        app.until("window.indexedDB.databases().then((all) => all.length > 0)")
        deadline = time.monotonic() + 120
        while app.page.evaluate(COUNT, "docs") < ENTRIES + 200 and time.monotonic() < deadline:
            app.page.wait_for_timeout(50)
        ended = time.monotonic()
        _quiet(server)
        found = _told(count, ended)
        server.line.quality = Quality()
        return found


def _told(count: Any, ended: float) -> dict[str, Any]:
    """Bytes and seconds from the first sync request on."""
    began = count.first("POST /api/v1/sync")
    moved = {way: sum(size for at, w, size in count.moves if w == way and at >= began) for way in ("up", "down")}
    return {
        "seconds": ended - began, "bytes": moved["up"] + moved["down"], **moved, "requests": count.requests(),
        "at": [round(at - began, 2) for at, _ in count.heads], "line_seconds": count.last_down() - began,
    }  # fmt: skip


def lossy_photo() -> list[Result]:
    with served(citizens=PEOPLE) as server, phone_app(server) as app, tempfile.TemporaryDirectory() as folder:
        files = photos(Path(folder), PHOTO_ROUNDS + 1)
        to_indicator(app)
        rounds = [_over_line(server, app, file, n) for n, file in enumerate(files[:PHOTO_ROUNDS])]
        again, chunk = _cut(server, app, files[PHOTO_ROUNDS], PHOTO_ROUNDS)
    ratio = sum(r["raw_s"] for r in rounds) / sum(r["seconds"] for r in rounds)
    text = f"{ratio * 100:.0f} % of the raw rate; after a cut {again / 1024:.0f} KB sent again (chunk {chunk / 1024:.0f} KB)"
    how = (
        f"the phone app in Chromium, from the upload's creation to its receipt, {PHOTO_ROUNDS} photos of {statistics.mean(r['bytes'] for r in rounds) / 1000:.0f} KB;"
        " raw is one POST of as many bytes on a warm connection of the same line; bytes counted on the line"
    )
    met = ratio >= 0.85 and again <= chunk
    details = {"rounds": rounds, "sent_again": again, "chunk": chunk}
    return [Result("photo over 120 kbit/s, 600 ms, 5 % loss", text, "85 %, one chunk", met, how, details)]


def _over_line(server: Served, app: PhoneApp, file: Path, n: int) -> dict[str, Any]:
    count = _send(server, app, file, n)
    _received(app, n + 1)
    seconds = count.last_down() - count.first("POST /api/v1/files")
    size = app.page.evaluate(STATES)[-1][1] if n == 0 else _sizes(count)
    raw = raw_times(PHOTO_LINE, hashlib.sha256(str(n).encode()).digest() * (size // 32 + 1))
    server.line.quality = Quality()
    return {"seconds": seconds, "raw_s": raw["post"], "bytes": size, "requests": count.requests(), "at": [round(at - count.first("POST /api/v1/files"), 2) for at, _ in count.heads]}


def _send(server: Served, app: PhoneApp, file: Path, n: int) -> Any:
    """Chooses the photo on a good line without signal, then lets it go on the bad one."""
    server.line.cut()
    with app.page.expect_file_chooser() as chooser:
        app.page.get_by_role("button", name="Chọn ảnh").click()
    chooser.value.set_files(str(file))
    app.until(f"document.querySelectorAll('.tile').length === {n + 1}")
    app.page.wait_for_timeout(500)
    server.line.quality = PHOTO_LINE
    count = server.line.fresh_count()
    server.line.mend()
    app.page.evaluate(ONLINE)
    return count


def _sizes(count: Any) -> int:
    return int(next(value for _, head in count.heads if head.startswith("POST /api/v1/files") for value in re.findall(r"(?i)upload-length: (\d+)", head)))


def _cut(server: Served, app: PhoneApp, file: Path, n: int) -> tuple[int, int]:
    """Bytes of photo that passed more than once when the line ends in the middle of the second chunk; and that chunk's size."""
    count = _send(server, app, file, n)
    deadline = time.monotonic() + 120
    while sum(head.startswith("PATCH") for _, head in count.heads) < 2 and time.monotonic() < deadline:
        app.page.wait_for_timeout(50)
    before = count.up
    while count.up < before + 40_000 and time.monotonic() < deadline:
        app.page.wait_for_timeout(50)
    server.line.cut()
    app.page.wait_for_timeout(1500)
    server.line.mend()
    app.page.evaluate(ONLINE)
    _received(app, n + 1)
    size, chunks = _sizes(count), [_length(head) for _, head in count.heads if head.startswith("PATCH")]
    other = sum(len(head) + 4 + (0 if head.startswith("PATCH") else _length(head)) for _, head in count.heads)
    return count.up - other - size, max(chunks)


def _length(head: str) -> int:
    return int(next(iter(re.findall(r"(?i)content-length: (\d+)", head)), 0))


def _received(app: PhoneApp, wanted: int) -> None:
    deadline = time.monotonic() + 180
    while sum(state == "received" for state, _ in app.page.evaluate(STATES)) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError("the photo did not arrive within 3 minutes")
        app.page.wait_for_timeout(100)


def _emptied(app: PhoneApp) -> float:
    """When the outbox was seen empty."""
    deadline = time.monotonic() + 120
    while app.page.evaluate(COUNT, "outbox"):
        if time.monotonic() > deadline:
            raise TimeoutError("the outbox did not empty within 2 minutes")
        app.page.wait_for_timeout(50)
    return time.monotonic()


def _quiet(server: Served, seconds: float = 1.5) -> None:
    """Waits until nothing has moved for a while."""
    while True:
        before = (server.line.count.up, server.line.count.down)
        time.sleep(seconds)
        if before == (server.line.count.up, server.line.count.down):
            return


def _seed(app: PhoneApp, mutations: list[dict[str, Any]] = [], rows: list[dict[str, Any]] = [], meta: dict[str, Any] | None = None) -> None:  # noqa: B006
    app.page.evaluate(SEED, {"mutations": mutations, "photos": rows, "meta": meta or {}})


def _mutation(op: str, kind: str, doc: str, patch: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "op": op, "type": kind, "doc": doc, "base": 0, "set": patch, "at": AT}


def _entry(citizen: str, n: int) -> dict[str, Any]:
    return _mutation("create", "evidence", str(uuid.uuid4()), _evidence(dossier_id(citizen, YEAR), n // 100 % 10 + 1, f"{n}"))


def _evidence(dossier: str, indicator: int, seed: str) -> dict[str, Any]:
    return {
        "dossier": dossier, "indicator": indicator, "sha256": hashlib.sha256(seed.encode() + dossier.encode()).hexdigest(), "bytes": 201_334,
        "width": 1600, "height": 1200, "captured_at": AT, "source": "camera", "caption": f"{CAPTION} {seed[:4]}",
    }  # fmt: skip


def _photo_row(n: int) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(f"earlier {n}".encode()).hexdigest(), "type": "image/jpeg", "size": 200_000, "state": "waiting", "at": AT}


def _gz(body: Any) -> bytes:
    return gzip.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
