"""A photo over a slow, lossy line against one raw request, and over a line that is cut in the middle."""

import hashlib
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.browser import PEOPLE, photos, to_indicator
from bench.line import Count, Quality
from bench.phone_app import PhoneApp, phone_app
from bench.raw import raw_times
from bench.result import Result
from bench.seeding import photo_states, signal_returns
from bench.served import Served, served

LINE = Quality(round_trip=0.6, rate_up=15_000, rate_down=15_000, loss=0.05, window=18_000)
ROUNDS = 3


def lossy_photo() -> list[Result]:
    with served(citizens=PEOPLE) as server, phone_app(server) as app, tempfile.TemporaryDirectory() as folder:
        files = photos(Path(folder), ROUNDS + 1)
        to_indicator(app)
        rounds = [_over_line(server, app, file, n) for n, file in enumerate(files[:ROUNDS])]
        again, chunk = _cut(server, app, files[ROUNDS], ROUNDS)
    ratio = sum(r["raw_s"] for r in rounds) / sum(r["seconds"] for r in rounds)
    text = f"{ratio * 100:.0f} % of the raw rate; after a cut {again / 1024:.0f} KB sent again (chunk {chunk / 1024:.0f} KB)"
    weight = statistics.mean(r["bytes"] for r in rounds) / 1000
    how = (
        f"the phone app in Chromium, from the upload's creation to its receipt, {ROUNDS} photos of {weight:.0f} KB;"
        " raw is one POST of as many bytes on a warm connection of the same line; bytes counted on the line"
    )
    met = ratio >= 0.85 and again <= chunk
    details = {"rounds": rounds, "sent_again": again, "chunk": chunk}
    return [Result("photo over 120 kbit/s, 600 ms, 5 % loss", text, "85 %, one chunk", met, how, details)]


def _over_line(server: Served, app: PhoneApp, file: Path, n: int) -> dict[str, Any]:
    count = _send(server, app, file, n)
    _received(app, n + 1)
    seconds = count.last_down() - count.first("POST /api/v1/files")
    size = _size(count)
    raw = raw_times(LINE, hashlib.sha256(str(n).encode()).digest() * (size // 32 + 1))
    server.line.quality = Quality()
    return {
        "seconds": seconds,
        "raw_s": raw["post"],
        "bytes": size,
        "requests": count.requests(),
        "at": [round(at - count.first("POST /api/v1/files"), 2) for at, _ in count.heads],
    }


def _send(server: Served, app: PhoneApp, file: Path, n: int) -> Count:
    """Chooses the photo on a good line without signal, then lets it go on the bad one."""
    server.line.cut()
    app.choose(file)
    app.until(f"document.querySelectorAll('.tile').length === {n + 1}")
    app.page.wait_for_timeout(500)
    server.line.quality = LINE
    count = server.line.fresh_count()
    server.line.mend()
    signal_returns(app)
    return count


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
    signal_returns(app)
    _received(app, n + 1)
    size, chunks = _size(count), [_length(head) for _, head in count.heads if head.startswith("PATCH")]
    other = sum(len(head) + 4 + (0 if head.startswith("PATCH") else _length(head)) for _, head in count.heads)
    return count.up - other - size, max(chunks)


def _received(app: PhoneApp, wanted: int) -> None:
    deadline = time.monotonic() + 180
    while sum(state == "received" for state, _ in photo_states(app)) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError("the photo did not arrive within 3 minutes")
        app.page.wait_for_timeout(100)


def _size(count: Count) -> int:
    return int(
        next(
            value
            for _, head in count.heads
            if head.startswith("POST /api/v1/files")
            for value in re.findall(r"(?i)upload-length: (\d+)", head)
        )
    )


def _length(head: str) -> int:
    return int(next(iter(re.findall(r"(?i)content-length: (\d+)", head)), 0))
