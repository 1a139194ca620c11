"""Request bodies: JSON, gzip with a guard against bombs, size limits."""

import json
import zlib
from typing import Any

from flask import request

from sync.errors import Problem
from sync.protocol import MAX_SENT_BYTES, MAX_UNPACKED_BYTES


def read_json() -> Any:
    """The decoded JSON body. Raises Problem `too_large`, `encoding`, `empty_body`, `bad_request`."""
    if (request.content_length or 0) > MAX_SENT_BYTES:
        raise Problem("too_large", "The body is too large.", max=MAX_SENT_BYTES)
    raw = request.stream.read(MAX_SENT_BYTES + 1)
    if len(raw) > MAX_SENT_BYTES:
        raise Problem("too_large", "The body is too large.", max=MAX_SENT_BYTES)
    if not raw:
        raise Problem("empty_body", "The body is empty.")
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "gzip":
        raw = _gunzip(raw)
    elif encoding not in ("identity", ""):
        raise Problem("encoding", "Only gzip or no encoding.")
    if len(raw) > MAX_UNPACKED_BYTES:
        raise Problem("too_large", "The body is too large.", max=MAX_UNPACKED_BYTES)
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Problem("bad_request", "The body is not JSON in UTF-8.") from error


def _gunzip(raw: bytes) -> bytes:
    unpacker = zlib.decompressobj(31)
    try:
        plain = unpacker.decompress(raw, MAX_UNPACKED_BYTES + 1)
    except zlib.error as error:
        raise Problem("bad_request", "The body is not gzip.") from error
    if len(plain) > MAX_UNPACKED_BYTES:
        raise Problem("too_large", "The unpacked body is too large.", max=MAX_UNPACKED_BYTES)
    if not unpacker.eof:
        raise Problem("bad_request", "The gzip body is cut short.")
    return plain


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
