"""tus 1.0: core, creation, creation-with-upload, checksum, expiration, termination."""

import base64
import binascii
from datetime import datetime
from email.utils import format_datetime

from flask import Blueprint, Response, current_app, request

from server.domain import uploads
from server.domain.uploads import Progress
from server.http.access import CurrentDevice, current_device, database
from sync.errors import Problem
from sync.photos import MAX_CHUNK_BYTES, MAX_PHOTO_BYTES

blueprint = Blueprint("files", __name__, url_prefix="/api/v1/files")
TUS = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"


@blueprint.after_request
def _tus_headers(response: Response) -> Response:
    response.headers["Tus-Resumable"] = TUS
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 412:
        response.headers["Tus-Version"] = TUS
    return response


@blueprint.before_request
def _version() -> Response | None:
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != TUS:
        return Response(status=412)
    return None


@blueprint.route("", methods=["OPTIONS"])
@blueprint.route("/<upload_id>", methods=["OPTIONS"])
def options(upload_id: str = "") -> Response:
    response = Response(status=204)
    response.headers["Tus-Version"] = TUS
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(MAX_PHOTO_BYTES)
    response.headers["Tus-Checksum-Algorithm"] = "sha1,sha256"
    return response


@blueprint.post("")
def create() -> Response:
    device = _device()
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    person = metadata.get("by") or next(iter(device.people), "")
    if person not in device.senders:
        raise Problem("upload.person", "This person does not use this phone.")
    wish = {"sha256": metadata.get("sha256"), "type": metadata.get("type"), "length": _number("Upload-Length")}
    made = uploads.create(database(), current_app.extensions["photos"], device.commune_id, device.id, person, wish)
    if request.headers.get("Content-Type") == "application/offset+octet-stream" and not made.receipt:
        chunk = _chunk()
        if chunk and made.offset == 0:
            made = _append(device, made.id, 0, chunk)
    response = _progress(made, 201)
    response.headers["Location"] = f"/api/v1/files/{made.id}"
    return response


@blueprint.route("/<upload_id>", methods=["HEAD"])
def head(upload_id: str) -> Response:
    device = _device()
    found = uploads.find(database(), device.commune_id, sorted(device.senders), upload_id)
    response = _progress(found, 200)
    response.headers["Upload-Length"] = str(found.length)
    return response


@blueprint.patch("/<upload_id>")
def patch(upload_id: str) -> Response:
    device = _device()
    if request.headers.get("Content-Type") != "application/offset+octet-stream":
        raise Problem("upload.content_type", "Content-Type must be application/offset+octet-stream.")
    offset = _number("Upload-Offset")
    chunk = _chunk()
    if not chunk:
        raise Problem("empty_body", "The chunk has no bytes.")
    return _progress(_append(device, upload_id, offset, chunk), 204)


@blueprint.post("/<upload_id>")
def overridden(upload_id: str) -> Response:
    """For proxies that let no PATCH or DELETE through."""
    method = request.headers.get("X-HTTP-Method-Override", "")
    if method == "PATCH":
        return patch(upload_id)
    if method == "DELETE":
        return delete(upload_id)
    if method == "HEAD":
        return head(upload_id)
    raise Problem("bad_request", "POST here needs X-HTTP-Method-Override.")


@blueprint.delete("/<upload_id>")
def delete(upload_id: str) -> Response:
    device = _device()
    uploads.terminate(database(), current_app.extensions["photos"], device.commune_id, sorted(device.senders), upload_id)
    return Response(status=204)


def _append(device: CurrentDevice, upload_id: str, offset: int, chunk: bytes) -> Progress:
    return uploads.append(
        database(), current_app.extensions["photos"], device.commune_id, sorted(device.senders), upload_id, offset, chunk,
        request.headers.get("Upload-Checksum"),
    )  # fmt: skip


def _device() -> CurrentDevice:
    with database().read() as conn:
        return current_device(conn)


def _chunk() -> bytes:
    limit = MAX_CHUNK_BYTES * 2  # foreign clients may send larger steps than our phones
    if (request.content_length or 0) > limit:
        raise Problem("too_large", "The chunk is too large.", max=limit)
    chunk = request.stream.read(limit + 1)
    if len(chunk) > limit:
        raise Problem("too_large", "The chunk is too large.", max=limit)
    return chunk


def _progress(progress: Progress, status: int) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(progress.offset)
    if progress.expires_at:
        expires = datetime.fromisoformat(progress.expires_at.replace("Z", "+00:00"))
        response.headers["Upload-Expires"] = format_datetime(expires, usegmt=True)
    if progress.receipt:
        response.headers["Upload-Receipt"] = f"sha256 {progress.receipt}"
    return response


def _number(header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Problem("bad_request", f"{header} must be a whole number.")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    found = {}
    for pair in text.split(","):
        name, _, encoded = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(encoded, validate=True).decode()
        except (ValueError, binascii.Error) as error:
            raise Problem("bad_request", "Upload-Metadata is not base64.") from error
    return found
