"""Photos to look at: clean copies only, through an entry that the asker may see."""

from flask import Blueprint, Response, current_app, request
from werkzeug.wsgi import wrap_file

from server.domain import photos_access
from server.domain.permissions import Actor
from server.http.access import current_device, current_staff, database
from sync.errors import Problem
from sync.photos import SIZES
from sync.protocol import is_sha256

blueprint = Blueprint("photos", __name__, url_prefix="/api/v1/photos")
PRIVATE_FOR_EVER = "private, max-age=31536000, immutable"


@blueprint.get("/<sha256>")
def photo(sha256: str) -> Response:
    size = request.args.get("size", "screen")
    if not is_sha256(sha256) or size not in SIZES:
        raise Problem("not_found", "Không tìm thấy ảnh.")
    with database().read() as conn:
        staff = current_staff(conn)
        if staff is not None:
            commune_id, actors = staff["commune_id"], [Actor(staff["person_id"], "staff")]
        else:
            device = current_device(conn)
            commune_id, actors = device.commune_id, list(device.people.values())
        if not photos_access.may_see(conn, commune_id, actors, sha256):
            raise Problem("not_found", "Không tìm thấy ảnh.")
        state = photos_access.state(conn, commune_id, sha256)
    if state == "unreadable":
        raise Problem("photo.unreadable", "Ảnh này không mở được, cần chụp lại.")
    tag = f"{sha256}-{size}"
    if request.if_none_match.contains(tag):
        return _for_ever(Response(status=304), tag)
    copy = current_app.extensions["photos"].clean(commune_id, sha256, size)
    if copy is None:
        raise Problem("photo.not_ready", "Ảnh đang được chuẩn bị, xin thử lại sau.")
    response = Response(wrap_file(request.environ, copy.file), mimetype="image/jpeg", direct_passthrough=True)
    response.content_length = copy.length
    return _for_ever(response, tag)


def _for_ever(response: Response, tag: str) -> Response:
    response.set_etag(tag)
    response.headers["Cache-Control"] = PRIVATE_FOR_EVER
    return response
