"""The last way in: a file that a phone exported, from any sender."""

from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from flask import Blueprint, Response, current_app, jsonify, request

from server.domain import deposit
from server.domain.permissions import STAFF_RIGHTS
from server.http import attempts
from server.http.access import current_staff, database
from sync.errors import Problem
from sync.protocol import timestamp

blueprint = Blueprint("deposit", __name__, url_prefix="/api/v1/deposit")
TRIES, WINDOW_S = 30, 3600
BLOCK = 256 * 1024


@blueprint.post("")
def put_in() -> Response:
    with database().write() as conn:
        attempts.count(conn, "deposit", request.remote_addr or "?", TRIES, WINDOW_S)
        staff = current_staff(conn)
    if staff is not None and "phones" not in STAFF_RIGHTS.get(staff["role"], ()):
        staff = None
    with SpooledTemporaryFile(max_size=BLOCK) as file:
        size = 0
        while block := request.stream.read(BLOCK):
            size += len(block)
            if size > deposit.MAX_DEPOSIT_BYTES:
                raise Problem("too_large", "Gói quá lớn.", max=deposit.MAX_DEPOSIT_BYTES)
            file.write(block)
        if size == 0:
            raise Problem("empty_body", "The body is empty.")
        file.seek(0)
        store = current_app.extensions["photos"]
        kept = deposit.take(database(), store, cast(BinaryIO, file), timestamp(datetime.now(UTC)), staff)
    response = jsonify({"mutations": kept.mutations, "photos": kept.photos, "drafts": kept.drafts, "aside": kept.aside})
    response.status_code = 201
    return response
