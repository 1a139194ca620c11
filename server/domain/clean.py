"""The worker that makes clean copies: decodes under a pixel limit, turns upright, drops all metadata.

Runs in a process of its own; a lease row keeps two workers apart, a killed one's work is taken up.
"""

import io
import logging
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, ImageCms, ImageOps
from sqlalchemy import or_, select, update

from server.db import tables
from server.db.session import Database
from server.domain import trimming, uploads
from server.storage.base import PhotoStore
from sync.photos import SIZES
from sync.protocol import timestamp

log = logging.getLogger(__name__)
_PHOTO = tables.Photo.__table__
MAX_PIXELS = 60_000_000
LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 3
QUALITY = {"thumb": 70, "screen": 80, "full": 85}
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
QUARTER_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
IDLE_S = 1.0
EXPIRE_EVERY_S = 3600
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
pillow_heif.register_heif_opener()


def run_worker(db: Database, store: PhotoStore, stop: Callable[[], bool]) -> None:
    """Cleans what arrives until `stop()`; waits a second where there is nothing."""
    expired_at = 0.0
    while not stop():
        try:
            busy = clean_one(db, store)
            if time.monotonic() - expired_at > EXPIRE_EVERY_S:
                uploads.expire(db, store)
                trimming.trim(db)
                expired_at = time.monotonic()
        except Exception:  # a lost database or full disk: say so, and try again
            log.exception("the photo worker met an error")
            busy = False
        if not busy:
            time.sleep(IDLE_S)


def clean_one(db: Database, store: PhotoStore) -> bool:
    """Takes one photo under a lease and makes its copies. False where none waits."""
    lease = str(uuid.uuid4())
    taken = _take(db, lease)
    if taken is None:
        return False
    commune_id, sha256, attempts = taken
    values = _clean(store, commune_id, sha256) if attempts <= MOST_ATTEMPTS else {"state": "unreadable"}
    if values is None:
        return True  # its lease runs out in minutes, then it is tried again
    with db.write() as conn:
        conn.execute(
            update(_PHOTO)
            .where(_PHOTO.c.commune_id == commune_id, _PHOTO.c.sha256 == sha256, _PHOTO.c.lease == lease)
            .values(**{"lease": None, "lease_until": None} | values)
        )
    return True


def _clean(store: PhotoStore, commune_id: int, sha256: str) -> dict[str, Any] | None:
    """What to write of the photo; None where the machine failed, which says nothing of the picture."""
    try:
        width, height = make_copies(store, commune_id, sha256)
    except MemoryError:
        log.warning("photo %s needs more memory than there is", sha256[:12])
        return None
    except Exception as error:  # decoders fail on damaged files in every way that there is
        if isinstance(error, OSError) and error.errno is not None:  # a full disk, a lost folder: no attempt of its own
            log.warning("photo %s cannot be read or written now: %s", sha256[:12], error)
            return {"attempts": 0, "lease": "later", "lease_until": timestamp(datetime.now(UTC) + LEASE)}
        log.warning("photo %s cannot be decoded: %s", sha256[:12], type(error).__name__)
        return {"state": "unreadable"}
    return {"state": "ready", "width": width, "height": height}


def _take(db: Database, lease: str) -> tuple[int, str, int] | None:
    now = datetime.now(UTC)
    free = or_(_PHOTO.c.lease.is_(None), _PHOTO.c.lease_until < timestamp(now))
    query = (
        select(_PHOTO.c.commune_id, _PHOTO.c.sha256, _PHOTO.c.attempts)
        .where(_PHOTO.c.state == "received", free)
        .execution_options(every_commune="one worker serves all")
    )
    with db.read() as conn:
        if conn.execute(query.limit(1)).first() is None:
            return None
    with db.write() as conn:
        row = conn.execute(query.order_by(_PHOTO.c.received_at).limit(1).with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        conn.execute(
            update(_PHOTO)
            .where(_PHOTO.c.commune_id == row[0], _PHOTO.c.sha256 == row[1])
            .values(lease=lease, lease_until=timestamp(now + LEASE), attempts=row[2] + 1)
        )
        return int(row[0]), str(row[1]), int(row[2]) + 1


def make_copies(store: PhotoStore, commune_id: int, sha256: str) -> tuple[int, int]:
    """Clean JPEGs of each size; returns width and height upright. Raises what Pillow raises."""
    with store.original(commune_id, sha256) as file, Image.open(file, formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > MAX_PIXELS:
            raise ValueError("too many pixels")
        if opened.getexif().get(ExifTags.Base.Orientation, 1) in QUARTER_TURNED:
            width, height = height, width
        if opened.format == "JPEG":
            opened.draft("RGB", (SIZES["full"], SIZES["full"]))
        profile = opened.info.get("icc_profile")
        image = _flat(ImageOps.exif_transpose(opened))
    image.thumbnail((SIZES["full"], SIZES["full"]), Image.Resampling.LANCZOS)
    image = _in_srgb(image, profile)
    for size in sorted(SIZES, key=SIZES.__getitem__, reverse=True):
        image.thumbnail((SIZES[size], SIZES[size]), Image.Resampling.LANCZOS)
        store.put_clean(commune_id, sha256, size, _jpeg(image, QUALITY[size]))
    return width, height


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of a phone's wide profile, turned before the profile is dropped; as they are where it is broken."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return _flat(turned) if turned is not None else image


def _flat(image: Image.Image) -> Image.Image:
    """RGB on white: pixels alone, no palette, alpha, frames or metadata."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        ground = Image.new("RGB", layered.size, "white")
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    plain = image.convert("RGB")
    bare = Image.new("RGB", plain.size)
    bare.paste(plain)
    return bare


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
