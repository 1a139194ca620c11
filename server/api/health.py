"""The real test of signal."""

from flask import Blueprint, Response

blueprint = Blueprint("health", __name__, url_prefix="/api/v1/health")


@blueprint.get("")
def health() -> Response:
    response = Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response
