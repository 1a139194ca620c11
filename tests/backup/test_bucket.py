"""Photos that live in an S3 bucket go into the same backups, and back into a bucket or onto a disk."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from server.backup.making import Report
from tests.backup.conftest import Site, wrong_with
from tests.phones import Phone
from tests.pictures import jpeg, send


@pytest.fixture
def photos_url(bucket_url: str) -> str:
    return bucket_url


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("into", ["bucket", "disk"])
def test_a_buckets_photos_are_backed_up_and_put_back(
    save: Callable[..., Report], here: Site, chapter: Phone, fresh: Site, folder: Path, into: str
) -> None:
    assert here.photos.startswith("s3://")
    assert save().copied == 3
    send(chapter, jpeg(colour="white"), chapter.person["id"])
    assert save().copied == 1
    assert wrong_with(folder) == []
    there = dataclasses.replace(fresh, photos=here.photos + "-other") if into == "bucket" else fresh
    done = there.restore(folder)
    assert (done.photos, done.owed) == (4, 0)
    assert there.wrong() == [] and here.wrong() == []
