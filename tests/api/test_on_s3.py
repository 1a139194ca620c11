"""The upload tests once more with a bucket as the store, and what happens while that bucket is away."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select, update

from server.db import tables
from server.db.session import Database, sqlite_url
from server.domain import clean
from tests.api.test_files import *  # noqa: F403
from tests.api.test_photos import cleaned, one  # noqa: F401
from tests.api.test_photos import test_each_size_is_a_clean_jpeg_that_stays_in_the_phones_cache as test_each_size  # noqa: F401
from tests.phones import Phone
from tests.pictures import create, head, jpeg, noisy, patch, send, sha256
from tests.seaweed import Seaweed
from tests.world import World, new_id, photo

_PHOTO = tables.Photo.__table__
LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The bucket does not care which database there is: one is enough."""
    url = sqlite_url(tmp_path)
    shutil.copy(sqlite_template, url.removeprefix("sqlite:///"))
    return url


@pytest.fixture
def photos_url(bucket_url: str) -> str:
    return bucket_url


def states(db: Database) -> dict[str, tuple[str, int]]:
    with db.read() as conn:
        return {row[0]: (row[1], row[2]) for row in conn.execute(select(_PHOTO.c.sha256, _PHOTO.c.state, _PHOTO.c.attempts))}


def test_a_bucket_lost_in_the_middle_costs_nobody_a_byte(
    world: World, phone: Callable[..., Phone], app: Flask, db: Database, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One photo has half its chunks in, another the first of its clean copies, a third is shown."""
    sender = phone().pair(world.chapter_code())
    shown, waiting, half = jpeg(300, 200, "red"), jpeg(400, 300, "blue"), noisy(90_000)
    sender.queue("create", "dossier", world.dossier(), world.begin())
    sender.do("create", "evidence", new_id(), photo(world.dossier()) | {"sha256": sha256(shown), "bytes": len(shown)})
    send(sender, shown)
    cleaned(app, db)
    send(sender, waiting)
    url = create(sender, half).headers["Location"]
    assert patch(sender, url, 0, half[:50_000]).status_code == 204

    store: Any = app.extensions["photos"]
    put, written = store.client.put_object, []

    def lost_after_one(**given: Any) -> Any:
        if written:
            seaweed.stop()
        written.append(given["Key"])
        return put(**given)

    try:
        with monkeypatch.context() as patched:
            patched.setattr(store.client, "put_object", lost_after_one)
            assert clean.clean_one(db, store) is True
        assert [key.split("/")[3] for key in written] == ["full", "screen"]
        assert states(db)[sha256(waiting)] == ("received", 0)
        for answer in (
            patch(sender, url, 50_000, half[50_000:]),
            sender.client.get(f"/api/v1/photos/{sha256(shown)}", query_string={"size": "thumb"}),
        ):
            assert (answer.status_code, answer.get_json()["code"]) == (503, "store.down")
            assert int(answer.headers["Retry-After"]) > 0
        assert sender.client.get("/api/v1/health").status_code == 204
        assert head(sender, url).headers["Upload-Offset"] == "50000"
        assert sender.do("create", "comment", new_id(), {"on": world.dossier(), "text": "chữ vẫn đi"}) == {}
    finally:
        seaweed.start()

    assert "Upload-Receipt" in patch(sender, url, 50_000, half[50_000:]).headers
    with store.original(world.commune, sha256(half)) as file:
        assert file.read() == half
    with db.write() as conn:
        conn.execute(update(_PHOTO).where(_PHOTO.c.lease.is_not(None)).values(lease_until=LONG_AGO))
    cleaned(app, db)
    assert [state for state, _ in states(db).values()] == ["ready"] * 3
    copy = sender.client.get(f"/api/v1/photos/{sha256(shown)}", query_string={"size": "thumb"})
    assert Image.open(io.BytesIO(copy.data)).size == (240, 160)
    for size in ("thumb", "screen", "full"):
        found = store.clean(world.commune, sha256(waiting), size)
        assert Image.open(io.BytesIO(found.file.read())).format == "JPEG"
        found.file.close()


def test_an_upload_leaves_no_parts_behind(world: World, phone: Callable[..., Phone], app: Flask) -> None:
    sender = phone().pair(world.chapter_code())
    content = noisy(90_000)
    url = create(sender, content).headers["Location"]
    for start in range(0, len(content), 30_000):
        assert patch(sender, url, start, content[start : start + 30_000]).status_code == 204
    store: Any = app.extensions["photos"]
    kept = [name.removeprefix(store.prefix) for name, _ in store._names(store.prefix)]
    assert kept == [f"{world.commune}/originals/{sha256(content)[:2]}/{sha256(content)[2:4]}/{sha256(content)}"]
