"""What the phone app puts on the line, in Chromium through a line of our own: a day's sync, a thousand entries."""

import gzip
import json
import time
from typing import Any

from bench.browser import PEOPLE
from bench.line import Count, Quality
from bench.phone_app import phone_app
from bench.raw import raw_times
from bench.result import Result
from bench.seeding import day, emptied, entry, photo_row, quiet, seed, signal_returns, stored
from bench.served import YEAR, Served, served
from sync.protocol import dossier_id

ENTRIES = 1000
WIRE_BYTES = 0.42e6
LINE = Quality(round_trip=0.3, rate_up=50_000, rate_down=200_000)


def day_sync() -> list[Result]:
    with served(citizens=PEOPLE) as server, phone_app(server) as app:
        seed(app, meta={"photo_policy": "tap"})
        app.page.reload()
        app.page.get_by_role("heading", name="Thôn Đo").wait_for()
        quiet(server, 6)  # the browser's own look for a new service worker comes some seconds after the page
        server.line.quality = Quality(round_trip=0.3)
        earlier = [photo_row(n) for n in range(40)]
        seed(app, day(server.citizens), earlier)
        count = server.line.fresh_count()
        signal_returns(app)
        emptied(app)
        quiet(server)
        took = count.last_down() - count.heads[0][0]
    requests = count.requests()
    text = f"requests: {len(requests)}, round trips: {count.turns}, {count.up + count.down} bytes, {took / 0.3:.1f} times 300 ms"
    how = "the phone app in Chromium, photos set to wait for a tap; requests, and turns from down to up, counted on the line"
    details = {
        "requests": requests,
        "turns": count.turns,
        "connections": count.connections,
        "up": count.up,
        "down": count.down,
        "seconds": took,
    }
    met = len(requests) == 1 and count.turns == 1 and count.connections == 0
    return [Result("one sync after a day's work (20 mutations, 40 photo hashes)", text, "1 request, 1 round trip", met, how, details)]


def thousand_entries() -> list[Result]:
    with served(citizens=100, codes=3) as server:
        office = server.phone(2)
        for citizen in server.citizens:
            office.queue("create", "dossier", dossier_id(citizen, YEAR), {"citizen": citizen, "year": YEAR})
        office.sync()
        entries = [entry(server.citizens[n % 100], n) for n in range(ENTRIES)]
        up = _up(server, entries)
        office.sync(limit=1_000_000)
        documents = office.of_type("evidence")
        assert len(documents) == ENTRIES, len(documents)
        down = _down(server)
        everything = list(office.docs.values())
    sent = [{"by": office.person["id"], **entry, "seq": n + 1} for n, entry in enumerate(entries)]
    raw_up, raw_down = _gz({"mutations": sent}), _gz({"changes": everything})
    raw = raw_times(LINE, raw_up, raw_down)
    wire = up["bytes"] + down["bytes"]
    ratio = (up["seconds"] + down["seconds"]) / (raw["post"] + raw["get"])
    each = len(_json(sent)) / ENTRIES, len(_json(documents)) / ENTRIES
    text = (
        f"{wire / 1e6:.2f} MB, {ratio:.2f} times raw (up {up['seconds']:.1f} s / {raw['post']:.1f} s,"
        f" down {down['seconds']:.1f} s / {raw['get']:.1f} s)"
    )
    how = (
        f"two phone apps in Chromium, store included, until the outbox is empty and until all documents are stored; a mutation is"
        f" {each[0]:.0f} B and its document {each[1]:.0f} B of JSON; raw is gzip of the same mutations in one POST ({len(raw_up)} B),"
        f" of the same documents in one GET ({len(raw_down)} B)"
    )
    details = {"up": up, "down": down, "raw": raw, "raw_up_bytes": len(raw_up), "raw_down_bytes": len(raw_down)}
    met = wire <= WIRE_BYTES and ratio <= 1.3
    return [
        Result(
            f"{ENTRIES} entries up, then down to a fresh phone; 300 ms, 0.4 / 1.6 Mbit/s", text, "0.42 MB, 1.3 times raw", met, how, details
        )
    ]


def _up(server: Served, entries: list[dict[str, Any]]) -> dict[str, Any]:
    with phone_app(server) as app:
        quiet(server)
        seed(app, entries)
        server.line.quality = LINE
        count = server.line.fresh_count()
        signal_returns(app)
        ended = emptied(app)
        found = _told(count, ended)
        server.line.quality = Quality()
        return found


def _down(server: Served) -> dict[str, Any]:
    with phone_app(server, code=None) as app:
        app.open()
        app.page.goto(f"{server.origin}/app/")
        app.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        quiet(server)
        server.line.quality = LINE
        count = server.line.fresh_count()
        app.page.goto(f"{server.origin}/app/#pair={server.codes[1]}")
        app.until("window.indexedDB.databases().then((all) => all.length > 0)")
        deadline = time.monotonic() + 120
        while stored(app, "docs") < ENTRIES + 200 and time.monotonic() < deadline:
            app.page.wait_for_timeout(50)
        ended = time.monotonic()
        quiet(server)
        found = _told(count, ended)
        server.line.quality = Quality()
        return found


def _told(count: Count, ended: float) -> dict[str, Any]:
    """Bytes and seconds from the first sync request on."""
    began = count.first("POST /api/v1/sync")
    moved = {way: sum(size for at, w, size in count.moves if w == way and at >= began) for way in ("up", "down")}
    return {
        "seconds": ended - began, "bytes": moved["up"] + moved["down"], **moved, "requests": count.requests(),
        "parts": _parts(count), "line_seconds": count.last_down() - began,
    }  # fmt: skip


def _parts(count: Count) -> list[dict[str, float]]:
    """For each request, seconds: until its last byte was there, until the answer began to come, until it was all here, until the next."""
    starts = [at for at, _ in count.heads]
    found = []
    for at, ends in zip(starts, [*starts[1:], None], strict=True):
        moves = [move for move in count.moves if move[0] >= at and (ends is None or move[0] < ends)]
        ups, downs = [m[0] for m in moves if m[1] == "up"], [m[0] for m in moves if m[1] == "down"]
        if ups and downs:
            rest = ends - downs[-1] if ends else 0.0
            found.append({"up": ups[-1] - at, "server": downs[0] - ups[-1], "down": downs[-1] - downs[0], "phone": rest})
    return [{name: round(value, 3) for name, value in part.items()} for part in found]


def _gz(body: Any) -> bytes:
    return gzip.compress(_json(body))


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
