"""Where photos are kept, chosen by one setting."""

from urllib.parse import urlsplit

from server.storage.base import PhotoStore
from server.storage.disk import DiskStore


def open_store(url: str) -> PhotoStore:
    """The store of `file:///folder` or `s3://bucket/prefix`; the S3 client is imported only where it is asked for."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        from server.storage.s3 import S3Store

        return S3Store(parts.netloc, parts.path.strip("/"))
    return DiskStore.at(url)
