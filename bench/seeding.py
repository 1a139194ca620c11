"""What a phone holds before a measurement: entries put into its store as the app would have saved them, and what is left there."""

import datetime
import hashlib
import time
import uuid
from typing import Any

from bench.phone_app import PhoneApp
from bench.served import YEAR, Served
from sync.protocol import dossier_id

AT = "2026-11-24T07:29:01.000Z"
CAPTION = "Họp chi hội, đọc báo và nghe phổ biến cách dùng VNeID tại nhà văn hoá thôn"

_OPEN = """
  const ask = (r) => new Promise((ok, no) => { r.onsuccess = () => ok(r.result); r.onerror = () => no(r.error); });
  const db = await ask(indexedDB.open("minhchung"));
"""
_SEED = (
    "async ({mutations, photos, meta}) => {"
    + _OPEN
    + """
  const tx = db.transaction(["outbox", "photos", "meta"], "readwrite");
  const done = new Promise((ok, no) => { tx.oncomplete = ok; tx.onabort = () => no(tx.error); });
  let next = (await ask(tx.objectStore("meta").get("next"))) ?? 1;
  const by = await ask(tx.objectStore("meta").get("me"));
  for (const one of mutations) tx.objectStore("outbox").put({ by, ...one, seq: next++ });
  for (const one of photos) tx.objectStore("photos").put({ by, ...one });
  for (const [key, value] of Object.entries(meta)) tx.objectStore("meta").put(value, key);
  tx.objectStore("meta").put(next, "next");
  await done;
  db.close();
}
"""
)
_COUNT = "async (store) => {" + _OPEN + "const n = await ask(db.transaction(store).objectStore(store).count()); db.close(); return n; }"
_PHOTOS = "async () => {" + _OPEN + 'const all = await ask(db.transaction("photos").objectStore("photos").getAll()); db.close();'
_STATES = _PHOTOS + "return all.map((p) => [p.state, p.size]); }"
_ONLINE = "window.dispatchEvent(new Event('online'))"


def seed(
    app: PhoneApp,
    mutations: list[dict[str, Any]] | None = None,
    photos: list[dict[str, Any]] | None = None,
    meta: dict[str, Any] | None = None,
) -> None:
    """Appends mutations (numbered here) and rows of photos, and sets `meta`, past the app: it looks at its next round."""
    app.page.evaluate(_SEED, {"mutations": mutations or [], "photos": photos or [], "meta": meta or {}})


def stored(app: PhoneApp, store: str) -> int:
    """How many rows this store of the phone holds."""
    return int(app.page.evaluate(_COUNT, store))


def photo_states(app: PhoneApp) -> list[tuple[str, int]]:
    """(state, bytes) of each photo on the phone."""
    return [(state, size) for state, size in app.page.evaluate(_STATES)]


def signal_returns(app: PhoneApp) -> None:
    app.page.evaluate(_ONLINE)


def emptied(app: PhoneApp) -> float:
    """When the outbox was seen empty."""
    deadline = time.monotonic() + 120
    while stored(app, "outbox"):
        if time.monotonic() > deadline:
            raise TimeoutError("the outbox did not empty within 2 minutes")
        app.page.wait_for_timeout(50)
    return time.monotonic()


def quiet(server: Served, seconds: float = 1.5) -> None:
    """Waits until nothing has moved for a while."""
    while True:
        before = (server.line.count.up, server.line.count.down)
        time.sleep(seconds)
        if before == (server.line.count.up, server.line.count.down):
            return


def day(citizens: list[str]) -> list[dict[str, Any]]:
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


def entry(citizen: str, n: int) -> dict[str, Any]:
    return _mutation("create", "evidence", str(uuid.uuid4()), _evidence(dossier_id(citizen, YEAR), n // 100 % 10 + 1, f"{n}"))


def _mutation(op: str, kind: str, doc: str, patch: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "op": op, "type": kind, "doc": doc, "base": 0, "set": patch, "at": patch.get("captured_at", AT)}


def _evidence(dossier: str, indicator: int, seed: str) -> dict[str, Any]:
    return {
        "dossier": dossier, "indicator": indicator, "bytes": 201_334,
        "sha256": hashlib.sha256(seed.encode() + dossier.encode()).hexdigest(),
        "width": 1600, "height": 1200, "captured_at": _moment(seed), "source": "camera", "caption": f"{CAPTION} {seed[:4]}",
    }  # fmt: skip


def photo_row(n: int) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(f"earlier {n}".encode()).hexdigest(),
        "type": "image/jpeg",
        "size": 200_000,
        "state": "waiting",
        "at": AT,
    }


def _moment(seed: str) -> str:
    """Some moment of the year, another for each seed, as it is in the field."""
    second = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16) % (300 * 86400)
    at = datetime.datetime(2026, 1, 10, tzinfo=datetime.UTC) + datetime.timedelta(seconds=second, milliseconds=second % 997)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
