"""A clean copy for eyes at the office, of a photo that no entry shows: quarantined or withdrawn. Never an original."""

from flask import Response, current_app, request
from werkzeug.wsgi import wrap_file

from sync.errors import Problem


def clean_copy(commune_id: int, sha256: str, state: str | None) -> Response:
    """`size` in the address is thumb or screen. Raises Problem `not_found`, `photo.unreadable`, `photo.not_ready`."""
    if state is None:
        raise Problem("not_found", "Không tìm thấy ảnh.")
    if state == "unreadable":
        raise Problem("photo.unreadable", "Ảnh này không mở được.")
    size = "screen" if request.args.get("size") == "screen" else "thumb"
    copy = current_app.extensions["photos"].clean(commune_id, sha256, size) if state == "ready" else None
    if copy is None:
        raise Problem("photo.not_ready", "Ảnh đang được chuẩn bị, xin thử lại sau.")
    response = Response(wrap_file(request.environ, copy.file), mimetype="image/jpeg", direct_passthrough=True)
    response.content_length = copy.length
    response.headers["Cache-Control"] = "private, no-store"
    return response
