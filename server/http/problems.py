"""Problem kinds to HTTP: one table from code to status, one function that builds the JSON (RFC 9457)."""

import errno
import json
import logging
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from server.storage.base import StoreDown
from sync.errors import Problem

log = logging.getLogger(__name__)
STATUS = {
    "bad_request": 400,
    "empty_body": 400,
    "signature.invalid": 400,
    "value.invalid": 400,
    "pair.citizen_needed": 400,
    "auth.required": 401,
    "device.unknown": 401,
    "challenge.expired": 401,
    "device.revoked": 403,
    "origin": 403,
    "right.missing": 403,
    "not_found": 404,
    "pair.unknown": 404,
    "pair.taken": 409,
    "conflict": 409,
    "conflict.moved": 409,
    "conflict.open": 409,
    "state.stale": 409,
    "quarantine.settled": 409,
    "merge.decided": 409,
    "merge.moved_on": 409,
    "parent.deleted": 409,
    "device.cloned": 409,
    "seq.gap": 409,
    "epoch": 409,
    "pair.spent": 410,
    "too_large": 413,
    "encoding": 415,
    "upload.gone": 404,
    "photo.not_ready": 404,
    "photo.unreadable": 404,
    "upload.offset": 409,
    "upload.content_type": 415,
    "upload.checksum": 460,
    "upload.hash": 460,
    "upload.type": 415,
    "upload.busy": 503,
    "upload.algorithm": 400,
    "upload.hash_missing": 400,
    "upload.empty": 400,
    "upload.person": 403,
    "deposit.invalid": 400,
    "app.too_old": 426,
    "too_many": 429,
    "busy": 503,
    "store.down": 503,
    "server.full": 503,
    "server.readonly": 503,
}
RETRY_AFTER_S = 5
STORE_RETRY_S = 15
REPAIR_S = 120  # somebody must make room or mount the disk again first
FULL = ("SQLITE_FULL", "DiskFull", errno.ENOSPC, errno.EDQUOT)
READ_ONLY = ("SQLITE_READONLY", "ReadOnlySqlTransaction", errno.EROFS)


def problem_response(problem: Problem) -> Response:
    """The canonical error answer: type, title, status, code and named details."""
    status = STATUS.get(problem.code, 422)
    body: dict[str, Any] = {"type": "about:blank", "title": problem.message, "status": status}
    body |= {"code": problem.code, **problem.details}
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
    if status in (429, 503):
        response.headers["Retry-After"] = str(problem.details.get("retry_after", RETRY_AFTER_S))
    if problem.code == "encoding":
        response.headers["Accept-Encoding"] = "gzip, identity"
    response.headers["Cache-Control"] = "no-store"
    return response


def install(app: Flask) -> None:
    """Answers problems as JSON below /api; staff pages install their own page for the rest."""
    app.register_error_handler(Problem, _on_problem)
    app.register_error_handler(OperationalError, _on_busy)
    app.register_error_handler(InternalError, _on_busy)  # PostgreSQL's word for a read-only one
    app.register_error_handler(OSError, _on_disk)
    app.register_error_handler(IntegrityError, _on_busy)  # two made the same row at once: the second may try again
    app.register_error_handler(PoolTimeout, _on_busy)
    app.register_error_handler(StoreDown, _on_store)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_bug)


def for_api() -> bool:
    return request.path.startswith("/api/")


def _on_problem(problem: Problem) -> Any:
    return problem_response(problem) if for_api() else _page(problem)


def _page(problem: Problem) -> Any:
    from flask import current_app

    page = current_app.extensions.get("problem_page")
    return page(problem, STATUS.get(problem.code, 422)) if page else problem_response(problem)


def _on_busy(error: Exception) -> Any:
    log.warning("database busy or lost: %s", error)
    # A full SQLite ends its transaction itself, so the rollback that follows fails in its turn: the cause lies behind.
    found = [_repair(_state(one)) for one in _chain(error)]
    return _on_problem(next(filter(None, found), None) or Problem("busy", "Máy chủ đang bận, xin thử lại sau ít giây."))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _state(error: BaseException) -> str:
    return getattr(error, "sqlite_errorname", None) or type(error).__name__


def _on_disk(error: OSError) -> Any:
    problem = _repair(error.errno)
    if problem is None:
        return _on_bug(error)
    log.error("the disk takes nothing: %s", error)
    return _on_problem(problem)


def _repair(state: Any) -> Problem | None:
    """What only people at the server can mend; phones keep all and come again."""
    if state in FULL:
        return Problem("server.full", "Máy chủ hết chỗ. Mọi thứ vẫn ở trên máy và sẽ tự gửi lại.", retry_after=REPAIR_S)
    if state in READ_ONLY or str(state).startswith("SQLITE_READONLY"):
        return Problem("server.readonly", "Máy chủ đang sửa. Mọi thứ vẫn ở trên máy và sẽ tự gửi lại.", retry_after=REPAIR_S)
    return None


def _on_store(error: StoreDown) -> Any:
    log.warning("photo storage is away: %s", error)
    return _on_problem(Problem("store.down", "Kho ảnh đang bận, ảnh vẫn còn trên máy, xin thử lại sau.", retry_after=STORE_RETRY_S))


def _on_http(error: HTTPException) -> Any:
    if not for_api():
        if error.code == 404:
            return _page(Problem("not_found", "Không tìm thấy trang này."))
        return error
    codes = {404: "not_found", 405: "bad_request", 413: "too_large", 415: "encoding"}
    answer = problem_response(Problem(codes.get(error.code or 500, "bad_request"), error.name))
    answer.status_code = error.code or 500
    return answer


def _on_bug(error: Exception) -> Any:
    log.exception("unexpected", exc_info=error)
    answer = _on_problem(Problem("internal", "Có lỗi ở máy chủ. Nội dung trên máy vẫn còn nguyên."))
    if isinstance(answer, Response):
        answer.status_code = 500
        return answer
    return answer[0], 500
