"""A folder and a bucket keep the same promises; the bucket's are proved against a real S3 server."""

import errno
import io
import os
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.storage import open_store
from server.storage.base import PhotoStore, StoreDown
from server.storage.s3 import S3Store
from tests.pictures import noisy, sha256
from tests.seaweed import Seaweed

CONTENT = noisy(70_000)
NAME = sha256(CONTENT)
COMMUNE, UPLOAD = 12, "0d1f6c1e-0000-4000-8000-000000000001"


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest) -> PhotoStore:
    url: str = request.getfixturevalue("photos_url" if request.param == "disk" else "bucket_url")
    return open_store(url)


def read(store: PhotoStore, name: str = NAME, commune: int = COMMUNE) -> bytes:
    with store.original(commune, name) as file:
        return file.read()


def test_chunks_become_the_original(store: PhotoStore) -> None:
    for start in range(0, len(CONTENT), 30_000):
        store.append(COMMUNE, UPLOAD, start, CONTENT[start : start + 30_000])
    assert store.part_hash(COMMUNE, UPLOAD) == (NAME, CONTENT[:32])
    assert not store.has_original(COMMUNE, NAME)
    store.finish(COMMUNE, UPLOAD, NAME)
    store.drop_part(COMMUNE, UPLOAD)
    assert store.has_original(COMMUNE, NAME)
    assert read(store) == CONTENT
    assert list(store.originals(COMMUNE)) == [(NAME, len(CONTENT))]


def test_first_bytes_are_whole_even_where_chunks_are_tiny(store: PhotoStore) -> None:
    for start in range(0, 60, 7):
        store.append(COMMUNE, UPLOAD, start, CONTENT[start : min(60, start + 7)])
    assert store.part_hash(COMMUNE, UPLOAD) == (sha256(CONTENT[:60]), CONTENT[:32])


def test_a_chunk_whose_offset_was_never_noted_is_written_over(store: PhotoStore) -> None:
    store.append(COMMUNE, UPLOAD, 0, CONTENT[:20_000])
    store.append(COMMUNE, UPLOAD, 20_000, CONTENT[20_000:50_000])
    store.append(COMMUNE, UPLOAD, 20_000, CONTENT[20_000:25_000])
    store.append(COMMUNE, UPLOAD, 25_000, CONTENT[25_000:])
    assert store.part_hash(COMMUNE, UPLOAD)[0] == NAME


def test_a_dropped_upload_leaves_nothing_to_the_next(store: PhotoStore) -> None:
    store.append(COMMUNE, UPLOAD, 0, b"x" * 40)
    store.append(COMMUNE, UPLOAD, 40, b"x" * 40)
    store.drop_part(COMMUNE, UPLOAD)
    store.drop_part(COMMUNE, UPLOAD)
    store.append(COMMUNE, UPLOAD, 0, b"y" * 40)
    assert store.part_hash(COMMUNE, UPLOAD)[0] == sha256(b"y" * 40)


def test_what_is_kept_is_not_written_over(store: PhotoStore) -> None:
    store.put(COMMUNE, NAME, CONTENT)
    store.put(COMMUNE, NAME, CONTENT)
    store.append(COMMUNE, UPLOAD, 0, CONTENT)
    store.finish(COMMUNE, UPLOAD, NAME)
    assert read(store) == CONTENT
    assert len(list(store.originals(COMMUNE))) == 1


def test_a_crash_between_original_and_receipt_costs_no_byte(store: PhotoStore) -> None:
    """The phone sends its last chunk again: all is still there, and the original is not touched even by wrong bytes."""
    store.append(COMMUNE, UPLOAD, 0, CONTENT[:40_000])
    store.append(COMMUNE, UPLOAD, 40_000, CONTENT[40_000:])
    store.finish(COMMUNE, UPLOAD, NAME)
    store.append(COMMUNE, UPLOAD, 40_000, b"!" * (len(CONTENT) - 40_000))
    assert read(store) == CONTENT
    store.append(COMMUNE, UPLOAD, 40_000, CONTENT[40_000:])
    assert store.part_hash(COMMUNE, UPLOAD)[0] == NAME
    store.finish(COMMUNE, UPLOAD, NAME)
    store.drop_part(COMMUNE, UPLOAD)
    assert read(store) == CONTENT


def test_a_writer_that_stalled_past_its_lease_cuts_nothing(store: PhotoStore) -> None:
    store.append(COMMUNE, UPLOAD, 0, CONTENT[:40_000])
    store.append(COMMUNE, UPLOAD, 40_000, CONTENT[40_000:])
    store.append(COMMUNE, UPLOAD, 0, CONTENT[:10_000])
    assert store.part_hash(COMMUNE, UPLOAD)[0] == NAME


def test_a_folder_without_hard_links_moves_the_file(photos_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(photos_url)
    store.append(COMMUNE, UPLOAD, 0, CONTENT)

    def none(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    store.finish(COMMUNE, UPLOAD, NAME)
    store.drop_part(COMMUNE, UPLOAD)
    assert read(store) == CONTENT


def test_one_hash_from_many_at_once_is_one_whole_original(store: PhotoStore) -> None:
    failed: list[BaseException] = []

    def keep() -> None:
        try:
            store.put(COMMUNE, NAME, CONTENT)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=keep) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert read(store) == CONTENT
    assert list(store.originals(COMMUNE)) == [(NAME, len(CONTENT))]


def test_communes_do_not_see_each_other(store: PhotoStore) -> None:
    store.put(COMMUNE, NAME, CONTENT)
    store.put_clean(COMMUNE, NAME, "thumb", b"small")
    assert not store.has_original(1, NAME)
    assert list(store.originals(1)) == []
    assert store.clean(1, NAME, "thumb") is None
    with pytest.raises(FileNotFoundError):
        read(store, commune=1)


def test_clean_copies_by_size(store: PhotoStore) -> None:
    store.put_clean(COMMUNE, NAME, "thumb", b"first")
    store.put_clean(COMMUNE, NAME, "thumb", b"second time")
    found = store.clean(COMMUNE, NAME, "thumb")
    assert found is not None
    assert (found.file.read(), found.length) == (b"second time", 11)
    found.file.close()
    assert store.clean(COMMUNE, NAME, "full") is None


def test_originals_come_in_order_of_their_hashes(store: PhotoStore) -> None:
    names = [sha256(bytes([n])) for n in range(12)]
    for n, name in enumerate(names):
        store.put(COMMUNE, name, bytes([n]))
    assert list(store.originals(COMMUNE)) == [(name, 1) for name in sorted(names)]


def test_the_probe_leaves_nothing(store: PhotoStore, photos_url: str) -> None:
    assert "photos" in store.check()
    if isinstance(store, S3Store):
        assert list(store._names(store.prefix)) == []
    else:
        assert list(Path(photos_url.removeprefix("file://")).iterdir()) == []


def test_a_bucket_refuses_bytes_that_are_not_their_hash(bucket_url: str) -> None:
    store = open_store(bucket_url)
    with pytest.raises(StoreDown):
        store.put(COMMUNE, NAME, CONTENT + b"!")
    assert not store.has_original(COMMUNE, NAME)


def test_a_bucket_without_conditions_is_written_plainly(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(bucket_url)
    assert isinstance(store, S3Store)
    asked: list[bool] = []
    original = store.client.put_object

    def weak(**given: Any) -> Any:
        from botocore.exceptions import ClientError

        asked.append("IfNoneMatch" in given)
        if "IfNoneMatch" in given:
            raise ClientError({"Error": {"Code": "NotImplemented", "Message": "A header"}}, "PutObject")
        return original(**given)

    monkeypatch.setattr(store.client, "put_object", weak)
    store.put(COMMUNE, NAME, CONTENT)
    assert asked == [True, False]
    assert read(store) == CONTENT


def test_a_wrong_secret_is_told(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreDown, match=r"SignatureDoesNotMatch|AccessDenied"):
        open_store(bucket_url).check()


def grown(job: Callable[[], object]) -> int:
    """Bytes that Python allocated above the start, at the highest."""
    job()  # what a first call imports and caches does not count
    tracemalloc.start()
    try:
        start = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        job()
        return tracemalloc.get_traced_memory()[1] - start
    finally:
        tracemalloc.stop()


def test_memory_stays_flat_however_large_the_photo(store: PhotoStore) -> None:
    block, count = os.urandom(256 * 1024), 64  # 16 MB
    for n in range(count):
        store.append(COMMUNE, UPLOAD, n * len(block), block)
    name = sha256(block * count)

    def pass_through() -> None:
        assert store.part_hash(COMMUNE, UPLOAD)[0] == name
        store.finish(COMMUNE, UPLOAD, name)
        with store.original(COMMUNE, name) as file:
            file.seek(0, io.SEEK_END)
            assert file.tell() == count * len(block)

    assert grown(pass_through) < 4 * 1024 * 1024


def test_a_bucket_that_is_down_says_so_and_loses_nothing(seaweed: Seaweed, bucket_url: str) -> None:
    store = open_store(bucket_url)
    store.append(COMMUNE, UPLOAD, 0, CONTENT[:40_000])
    seaweed.stop()
    try:
        for call in (
            lambda: store.append(COMMUNE, UPLOAD, 40_000, CONTENT[40_000:]),
            lambda: store.part_hash(COMMUNE, UPLOAD),
            lambda: store.finish(COMMUNE, UPLOAD, NAME),
        ):
            with pytest.raises(StoreDown):
                call()
    finally:
        seaweed.start()
    store.append(COMMUNE, UPLOAD, 40_000, CONTENT[40_000:])
    store.finish(COMMUNE, UPLOAD, store.part_hash(COMMUNE, UPLOAD)[0])
    assert read(store) == CONTENT
