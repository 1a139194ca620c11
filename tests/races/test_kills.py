"""SIGKILL to the server in the middle of a batch and of a chunk, many times: all or nothing, and nothing twice."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import requests
from sqlalchemy import func, select, update

from server.db import tables
from server.db.session import Database
from server.storage.disk import DiskStore
from tests.phones import Phone
from tests.pictures import create, head, noisy, patch, sha256
from tests.races.conftest import LONG
from tests.served import Served
from tests.world import World, new_id

KILLS = 100 if LONG else 4
BATCH, CHUNK = 60, 60_000
LONG_AGO = "2020-01-01T00:00:00.000Z"
_COMMENT, _UPLOAD, _RECEIPT = tables.Comment.__table__, tables.Upload.__table__, tables.Receipt.__table__


def test_a_killed_server_kept_all_of_a_batch_and_of_a_chunk_or_nothing(database_url: str, tmp_path: Path) -> None:
    db = Database(database_url)
    world, store = World(db), DiskStore(tmp_path / "photos")
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"\nseed {seed}")
    outcomes: Counter[str] = Counter()
    with Served(tmp_path, database_url) as served:
        one = Phone(served.client()).pair(world.chapter_code())  # type: ignore[arg-type]
        one.do("create", "dossier", world.dossier(), world.begin())
        usual_s = timed_round(one, world)
        for n in range(KILLS):
            content, batch = noisy(2 * CHUNK + n), comments(one, world)
            url = create(one, content).headers["Location"]
            offset = 0
            if n % 2:  # every second time it is the last chunk
                patch(one, url, 0, content[:CHUNK])
                offset = CHUNK
            end = len(content) if n % 2 else CHUNK
            body = one.body()
            killed_in_the_middle(
                served, chance.uniform(0, usual_s), [lambda: one.post(body), lambda: patch(one, url, offset, content[offset:end])]  # noqa: B023
            )

            here, stands = kept(db, batch), reached(db, url, content)
            assert here in (0, BATCH)
            assert stands in (offset, end)
            if stands == len(content):
                assert original(store, world, content) == content
            outcomes[f"batch {'kept' if here else 'absent'}"] += 1
            outcomes[f"{'last chunk' if n % 2 else 'chunk'} {'kept' if stands == end else 'absent'}"] += 1

            with db.write() as conn:  # half a minute later: the lease of a dead server has run out
                conn.execute(update(_UPLOAD).where(_UPLOAD.c.lease.is_not(None)).values(lease_until=LONG_AGO))
            served.start()
            one.sync()
            assert one.outbox == []
            assert batch <= one.docs.keys()
            assert kept(db, batch) == BATCH
            rest = int(head(one, url).headers["Upload-Offset"])
            if rest < len(content):  # also where the server died between the file's move and its receipt
                assert patch(one, url, rest, content[rest:]).status_code == 204
            assert head(one, url).headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
            assert original(store, world, content) == content
    print(f"{KILLS} kills: {dict(sorted(outcomes.items()))}")
    db.close()


def comments(phone: Phone, world: World) -> set[str]:
    ids = [new_id() for _ in range(BATCH)]
    for ident in ids:
        phone.queue("create", "comment", ident, {"on": world.dossier(), "text": "x"})
    return set(ids)


def timed_round(phone: Phone, world: World) -> float:
    """Seconds that one batch takes here: a kill falls somewhere within."""
    comments(phone, world)
    started = time.monotonic()
    phone.sync()
    return time.monotonic() - started


def killed_in_the_middle(served: Served, delay_s: float, calls: list[Callable[[], object]]) -> None:
    jobs = [threading.Thread(target=quietly, args=(call,)) for call in calls]
    for job in jobs:
        job.start()
    time.sleep(delay_s)
    served.kill()
    for job in jobs:
        job.join()


def quietly(call: Callable[[], object]) -> None:
    """The phone's side of a power cut: the line breaks."""
    with contextlib.suppress(requests.RequestException):
        call()


def kept(db: Database, ids: set[str]) -> int:
    with db.read() as conn:
        return int(conn.execute(select(func.count()).where(_COMMENT.c.id.in_(ids))).scalar_one())


def reached(db: Database, url: str, content: bytes) -> int:
    """Where the upload stands by the database: the whole length where its receipt is there."""
    with db.read() as conn:
        if conn.execute(select(_RECEIPT.c.sha256).where(_RECEIPT.c.sha256 == sha256(content))).first():
            return len(content)
        return int(conn.execute(select(_UPLOAD.c.offset).where(_UPLOAD.c.id == url.rsplit("/", 1)[1])).scalar_one())


def original(store: DiskStore, world: World, content: bytes) -> bytes:
    with store.original(world.commune, sha256(content)) as file:
        return file.read()
