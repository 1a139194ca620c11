"""Many at once against several real server processes: nothing lost, nobody blocked, one writer per upload."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from server.db import tables
from server.storage.disk import DiskStore
from tests.phones import Phone
from tests.pictures import create, head, noisy, patch, sha256
from tests.races.conftest import LONG
from tests.served import Served
from tests.world import World, new_id

WRITERS, WRITES = 8, 150
BATCH = 1 if LONG else 10
ROUNDS = 60 if LONG else 12
Crowd = tuple[Served, World]


def all_together(jobs: list[Callable[[], None]]) -> None:
    """Runs them at once; an error in one is an error of the test."""
    failed: list[BaseException] = []
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], None]) -> None:
        try:
            gate.wait()
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[:3]


def paired(crowd: Crowd, place: int, name: str) -> Phone:
    served, world = crowd
    return Phone(served.client(), name).pair(world.chapter_code(place, name))  # type: ignore[arg-type]


def posted(phone: Phone, **over: Any) -> dict[str, Any]:
    """One round, as phones do: a busy server says when to come again."""
    while True:
        answer = phone.post(phone.body(**over))
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            body: dict[str, Any] = answer.get_json()
            phone.apply(body)
            return body
        time.sleep(float(answer.headers["Retry-After"]) * random.random())


def test_a_reader_that_polls_sees_every_row_of_eight_writers(crowded: Crowd) -> None:
    """A cursor that passed a row not yet committed would lose it for ever."""
    _, world = crowded
    first = paired(crowded, world.na, "Người đọc")
    first.do("create", "dossier", world.dossier(), world.begin())
    written: list[set[str]] = [set() for _ in range(WRITERS)]
    phones = [paired(crowded, world.na, f"Người viết {n}") for n in range(WRITERS)]
    done = threading.Event()
    polls = 0

    def write(phone: Phone, mine: set[str]) -> None:
        for start in range(0, WRITES, BATCH):
            ids = [new_id() for _ in range(min(BATCH, WRITES - start))]
            for ident in ids:
                phone.queue("create", "comment", ident, {"on": world.dossier(), "text": f"{phone.name} {start}"})
            posted(phone)
            assert phone.outbox == []
            mine.update(ids)

    def read() -> None:
        nonlocal polls
        while not done.is_set():
            assert posted(first)["resync"] == []
            polls += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        all_together([lambda p=p, m=m: write(p, m) for p, m in zip(phones, written, strict=True)])  # type: ignore[misc]
    finally:
        done.set()
        reader.join()
    while posted(first)["more"]:
        pass
    every = set().union(*written)
    assert len(every) == WRITERS * WRITES
    assert every - first.docs.keys() == set()
    assert polls > 5


def test_batches_over_two_hamlets_in_opposite_order_never_wait_for_each_other(crowded: Crowd) -> None:
    _, world = crowded
    phones = [paired(crowded, world.na, f"Hai thôn {n}") for n in range(4)]
    dossiers = {world.na: world.dossier(world.pao), world.keo: world.dossier(world.lieu)}
    people: list[dict[int, str]] = []
    for phone in phones:
        mine = {world.na: phone.person["id"]}
        phone.pair(world.chapter_code(world.keo, phone.name))
        mine[world.keo] = phone.person["id"]
        people.append(mine)
        for place, citizen in ((world.na, world.pao), (world.keo, world.lieu)):
            phone.queue("create", "dossier", dossiers[place], world.begin(citizen), by=mine[place])
        posted(phone)

    def write(n: int) -> None:
        order = [world.na, world.keo] if n % 2 else [world.keo, world.na]
        for _ in range(ROUNDS):
            for place in order * 3:
                phones[n].queue("create", "comment", new_id(), {"on": dossiers[place], "text": "x"}, by=people[n][place])
            answer = phones[n].post(phones[n].body())
            assert answer.status_code == 200, answer.text
            body = answer.get_json()
            assert [r for r in body["results"] if r["result"] == "rejected"] == []
            phones[n].apply(body)

    all_together([lambda n=n: write(n) for n in range(len(phones))])  # type: ignore[misc]
    comment = tables.Comment.__table__
    query = select(comment.c.place_id, func.count()).where(comment.c.text == "x").group_by(comment.c.place_id)
    with world.db.read() as conn:
        found = {row[0]: row[1] for row in conn.execute(query)}
    assert found == {place: len(phones) * ROUNDS * 3 for place in dossiers}


def test_two_patches_of_one_upload_at_once_leave_one_file(crowded: Crowd) -> None:
    served, world = crowded
    one = paired(crowded, world.na, "Hai tab")
    twin = Phone(served.client())  # type: ignore[arg-type]
    twin.client.session.cookies.update(one.client.session.cookies)  # type: ignore[attr-defined]
    for n in range(ROUNDS // 2):
        content = noisy(90_000 + n)
        url = create(one, content).headers["Location"]
        offset = 0
        while offset < len(content):
            statuses: list[int] = []
            chunk = content[offset : offset + 50_000]
            all_together([lambda p=p: statuses.append(patch(p, url, offset, chunk).status_code) for p in (one, twin)])  # type: ignore[misc]  # noqa: B023
            assert 204 in statuses
            assert set(statuses) <= {204, 409, 503}
            offset += len(chunk)
            assert head(one, url).headers["Upload-Offset"] == str(offset)
        assert head(twin, url).headers["Upload-Receipt"] == f"sha256 {sha256(content)}"
        with DiskStore(served.log.parent / "photos").original(world.commune, sha256(content)) as file:
            assert file.read() == content
