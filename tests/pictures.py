"""Pictures for tests, made in memory, and the tus steps that carry one to the server."""

import base64
import hashlib
import io
from typing import Any

from PIL import Image

from tests.phones import Phone

FILES = "/api/v1/files"
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"


def jpeg(width: int = 64, height: int = 48, colour: str = "green", **options: Any) -> bytes:
    return encoded(Image.new("RGB", (width, height), colour), "JPEG", **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noisy(size_bytes: int) -> bytes:
    """A JPEG of at least this size: bytes after its end mark, as some cameras append."""
    return jpeg() + bytes(i % 251 for i in range(size_bytes))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def metadata(content_hash: str, by: str | None = None, kind: str = "image/jpeg") -> str:
    pairs = {"sha256": content_hash, "type": kind} | ({"by": by} if by else {})
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


def create(phone: Phone, content: bytes, by: str | None = None, **over: Any) -> Any:
    headers = TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata(sha256(content), by)}
    return phone.client.post(FILES, headers=headers | over)


def patch(phone: Phone, url: str, offset: int, chunk: bytes, **over: Any) -> Any:
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": OCTETS}
    return phone.client.patch(url, data=chunk, headers=headers | over)


def head(phone: Phone, url: str) -> Any:
    return phone.client.head(url, headers=TUS)


def send(phone: Phone, content: bytes, by: str | None = None) -> Any:
    """Creates and sends at once; the answer to the last chunk."""
    made = create(phone, content, by)
    assert made.status_code == 201, made.text
    return patch(phone, made.headers["Location"], 0, content)
