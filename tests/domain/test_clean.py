"""The photo worker: upright, small, without metadata; damaged pictures and failing machines apart."""

import errno
import io
from pathlib import Path

import pytest
from PIL import Image, ImageCms
from sqlalchemy import insert, select, update

from server.db import tables
from server.db.session import Database
from server.domain import clean
from server.storage.disk import DiskStore
from sync.photos import SIZES
from tests.pictures import encoded, jpeg, sha256
from tests.world import NOW, World

_PHOTO = tables.Photo.__table__
FAR = "2999-01-01T00:00:00.000Z"


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "photos")


def arrive(db: Database, store: DiskStore, world: World, content: bytes) -> str:
    name = sha256(content)
    store.put(world.commune, name, content)
    with db.write() as conn:
        row = {"commune_id": world.commune, "sha256": name, "bytes": len(content), "type": "image/jpeg", "received_at": NOW}
        conn.execute(insert(_PHOTO).values(state="received", attempts=0, **row))
    return name


def row_of(db: Database) -> dict[str, object]:
    with db.read() as conn:
        return dict(conn.execute(select(_PHOTO)).mappings().one())


def copy(store: DiskStore, world: World, name: str, size: str = "full") -> Image.Image:
    image = Image.open(store.clean_path(world.commune, name, size))
    image.load()
    return image


def test_copies_are_upright_and_carry_no_metadata(db: Database, world: World, store: DiskStore) -> None:
    image = Image.new("RGB", (300, 200), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010F] = "Phone of Nông Văn Páo"
    exif.get_ifd(0x8825)[2] = (22.0, 6.0, 0.0)
    name = arrive(db, store, world, encoded(image, "JPEG", exif=exif, comment=b"secret"))
    assert clean.clean_one(db, store) is True
    assert clean.clean_one(db, store) is False
    row = row_of(db)
    assert (row["state"], row["width"], row["height"], row["lease"]) == ("ready", 200, 300, None)
    for size in ("thumb", "screen", "full"):
        shown = copy(store, world, name, size)
        assert shown.size[0] < shown.size[1]
        assert not shown.getexif()
        assert not {"exif", "comment", "icc_profile", "xmp"} & set(shown.info)
        raw = store.clean_path(world.commune, name, size).read_bytes()
        assert b"secret" not in raw
        assert "Páo".encode() not in raw


def test_a_large_photo_is_measured_before_it_is_made_small(db: Database, world: World, store: DiskStore) -> None:
    name = arrive(db, store, world, jpeg(6000, 4500))
    clean.clean_one(db, store)
    assert (row_of(db)["width"], row_of(db)["height"]) == (6000, 4500)
    assert [max(copy(store, world, name, s).size) for s in ("thumb", "screen", "full")] == [240, 1080, 2560]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF"])
def test_other_kinds_of_photos_become_jpeg(db: Database, world: World, store: DiskStore, kind: str) -> None:
    name = arrive(db, store, world, encoded(Image.new("RGB", (120, 80), "blue"), kind))
    clean.clean_one(db, store)
    shown = copy(store, world, name)
    assert (shown.format, shown.size) == ("JPEG", (120, 80))
    red, _, blue = shown.getpixel((60, 40))  # type: ignore[misc]
    assert blue > 200 > 60 > red


def test_what_is_transparent_becomes_white(db: Database, world: World, store: DiskStore) -> None:
    name = arrive(db, store, world, encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"))
    clean.clean_one(db, store)
    assert min(copy(store, world, name).getpixel((25, 25))) > 250  # type: ignore[arg-type]


def test_a_profile_is_applied_and_dropped(db: Database, world: World, store: DiskStore) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for given in (profile, b"no profile at all"):
        name = arrive(db, store, world, encoded(Image.new("RGB", (40 + len(given) % 7, 40), (200, 30, 30)), "JPEG", icc_profile=given))
        clean.clean_one(db, store)
        shown = copy(store, world, name)
        assert "icc_profile" not in shown.info
        assert abs(shown.getpixel((5, 5))[0] - 200) < 12  # type: ignore[index]


@pytest.mark.parametrize("content", [jpeg()[:200], b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + b"\0" * 90, b"\0\0\0\x18ftypheic" + b"\0" * 60])
def test_what_cannot_be_decoded_is_kept_as_unreadable(db: Database, world: World, store: DiskStore, content: bytes) -> None:
    name = arrive(db, store, world, content)
    clean.clean_one(db, store)
    assert row_of(db)["state"] == "unreadable"
    assert store.has_original(world.commune, name)


def test_a_bomb_of_pixels_is_not_unpacked(db: Database, world: World, store: DiskStore) -> None:
    arrive(db, store, world, encoded(Image.new("1", (9000, 9000)), "PNG"))
    clean.clean_one(db, store)
    assert row_of(db)["state"] == "unreadable"


def test_a_full_disk_says_nothing_of_the_picture(db: Database, world: World, store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(db, store, world, jpeg())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store, "put_clean", full)
        for _ in range(5):
            clean.clean_one(db, store)
            with db.write() as conn:
                assert row_of(db)["state"] == "received"
                conn.execute(update(_PHOTO).values(lease_until=NOW))
    clean.clean_one(db, store)
    assert row_of(db)["state"] == "ready"


def test_a_photo_that_kills_the_worker_each_time_is_given_up(db: Database, world: World, store: DiskStore) -> None:
    arrive(db, store, world, jpeg())
    with db.write() as conn:
        conn.execute(update(_PHOTO).values(attempts=clean.MOST_ATTEMPTS, lease="dead", lease_until=NOW))
    assert clean.clean_one(db, store) is True
    assert row_of(db)["state"] == "unreadable"


def test_a_lease_keeps_a_second_worker_away_until_it_runs_out(db: Database, world: World, store: DiskStore) -> None:
    arrive(db, store, world, jpeg())
    with db.write() as conn:
        conn.execute(update(_PHOTO).values(lease="other", lease_until=FAR))
    assert clean.clean_one(db, store) is False
    with db.write() as conn:
        conn.execute(update(_PHOTO).values(lease_until=NOW))
    assert clean.clean_one(db, store) is True
    assert row_of(db)["state"] == "ready"


def test_the_worker_goes_on_after_an_error_and_stops_when_told(
    db: Database, world: World, store: DiskStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(db, store, world, jpeg())
    turns = iter([False, False, True])
    calls: list[int] = []
    original = clean.clean_one

    def first_fails(db: Database, store: DiskStore) -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("lost database")
        return original(db, store)

    monkeypatch.setattr(clean, "clean_one", first_fails)
    monkeypatch.setattr(clean, "IDLE_S", 0)
    clean.run_worker(db, store, lambda: next(turns))
    assert row_of(db)["state"] == "ready"
    assert io.BytesIO(store.clean_path(world.commune, str(row_of(db)["sha256"]), "thumb").read_bytes()).read(2) == b"\xff\xd8"


def test_a_photo_of_48_megapixels_gets_its_copies(db: Database, world: World, store: DiskStore) -> None:
    name = arrive(db, store, world, encoded(Image.new("RGB", (8000, 6000), "green"), "JPEG", quality=60))
    clean.clean_one(db, store)
    row = row_of(db)
    assert (row["state"], row["width"], row["height"]) == ("ready", 8000, 6000)
    assert max(copy(store, world, name).size) == SIZES["full"]


def test_of_an_animated_photo_the_first_frame_is_shown(db: Database, world: World, store: DiskStore) -> None:
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("green", "red", "blue")]
    name = arrive(db, store, world, encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100, lossless=True))
    clean.clean_one(db, store)
    shown = copy(store, world, name)
    red, green, blue = shown.getpixel((30, 20))  # type: ignore[misc]
    assert (shown.format, shown.size) == ("JPEG", (60, 40))
    assert green > 100 > 40 > max(red, blue)


def test_what_hides_behind_a_photo_is_in_no_copy(db: Database, world: World, store: DiskStore) -> None:
    name = arrive(db, store, world, jpeg(comment=b"<script>alert(1)</script>") + b"<html><script>alert(2)</script>PK\x03\x04")
    clean.clean_one(db, store)
    assert row_of(db)["state"] == "ready"
    for size in ("thumb", "screen", "full"):
        assert b"script" not in store.clean_path(world.commune, name, size).read_bytes()
