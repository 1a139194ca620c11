"""What a store of photos can do, whether it is a folder or a bucket.

Three kinds of things, each below its commune: parts of unfinished uploads, originals as received (named by
their SHA-256, never served), and clean copies in each size. Every write is whole or absent, and durable
before the call returns. A store that cannot be reached raises StoreDown, and nothing of it is half done.
"""

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol

BLOCK = 256 * 1024


class StoreDown(OSError):
    """The store does not answer now; the same call may work later."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EIO, message)


class Copy(NamedTuple):
    """A clean copy to send: read it once, then close it."""

    file: BinaryIO
    length: int  # bytes


class PhotoStore(Protocol):
    """One area per commune, so that no hash tells one commune of another's files."""

    def append(self, commune_id: int, upload_id: str, offset: int, chunk: bytes) -> None:
        """Keeps a chunk of an unfinished upload at its offset; the same chunk again does no harm."""

    def part_hash(self, commune_id: int, upload_id: str) -> tuple[str, bytes]:
        """SHA-256 hex and the first 32 bytes of all that came of an upload."""

    def finish(self, commune_id: int, upload_id: str, sha256: str) -> None:
        """Makes a whole upload the original of its hash."""

    def drop_part(self, commune_id: int, upload_id: str) -> None:
        """Forgets what came of an upload; nothing there is fine."""

    def put(self, commune_id: int, sha256: str, content: bytes) -> None:
        """Keeps bytes that came whole (from the office or a deposit)."""

    def has_original(self, commune_id: int, sha256: str) -> bool: ...

    def original(self, commune_id: int, sha256: str) -> AbstractContextManager[BinaryIO]:
        """The received bytes, seekable. Raises FileNotFoundError."""

    def originals(self, commune_id: int) -> Iterator[tuple[str, int]]:
        """Every original of a commune as (SHA-256, bytes), in the order of the hashes."""

    def put_clean(self, commune_id: int, sha256: str, size: str, content: bytes) -> None:
        """Keeps the clean JPEG of a size (thumb, screen, full)."""

    def clean(self, commune_id: int, sha256: str, size: str) -> Copy | None:
        """The clean JPEG of a size; None where it is not made yet."""

    def check(self) -> str:
        """Writes, reads and takes away a probe; returns what it looked at. Raises OSError, whose text says why."""
