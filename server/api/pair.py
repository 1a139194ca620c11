"""Pairing: a code makes a phone known; its key renews its cookie."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from server.domain import communes, devices, pairing
from server.domain.reading import Reader
from server.http import attempts
from server.http.access import auth_required, database, set_device_cookie, tokens
from server.http.body import read_json
from sync.errors import Problem
from sync.protocol import timestamp

blueprint = Blueprint("pair", __name__, url_prefix="/api/v1/pair")
TRIES, WINDOW_S = 400, 600  # one address may be a whole mobile network's; a code has 40 bits


@blueprint.post("")
def pair() -> Response:
    body = _object(read_json())
    now = timestamp(datetime.now(UTC))
    with database().write() as conn:
        attempts.count(conn, "pair", request.remote_addr or "?", TRIES, WINDOW_S)
    with database().write() as conn:
        commune_id, device_id, person_id = pairing.pair(conn, pairing.tidy_code(body.get("code")), body, now)
        answer = _answer(conn, commune_id, device_id, person_id)
        version = devices.find(conn, commune_id, device_id)["token_version"]  # type: ignore[index]
    response = jsonify(answer)
    response.status_code = 201
    set_device_cookie(response, commune_id, device_id, version)
    return response


@blueprint.post("/renew")
def renew() -> Response:
    body = _object(read_json())
    now = timestamp(datetime.now(UTC))
    challenge_ok = tokens().read("challenge", str(body.get("challenge") or "")) is not None
    with database().write() as conn:
        try:
            commune_id, device_id = pairing.renew(conn, body, challenge_ok, now)
        except Problem as problem:
            if problem.code in ("device.unknown", "challenge.expired"):
                raise auth_required(problem.code) from problem
            raise
        answer = _answer(conn, commune_id, device_id, None)
        version = devices.find(conn, commune_id, device_id)["token_version"]  # type: ignore[index]
    response = jsonify(answer)
    set_device_cookie(response, commune_id, device_id, version)
    return response


def _answer(conn: Any, commune_id: int, device_id: str, person_id: str | None) -> dict[str, Any]:
    people = devices.people(conn, commune_id, device_id)
    actors = tuple(devices.actors(conn, commune_id, device_id).values())
    row = devices.find(conn, commune_id, device_id) or {}
    commune = communes.find(conn, commune_id)
    return {
        "device": device_id,
        "person": next((p for p in people if p["id"] == person_id), people[0] if people else None),
        "people": people,
        "scopes": [scope.name for scope in Reader(conn, commune_id, actors).scopes()],
        "next": row.get("last_seq", 0) + 1,
        "epoch": commune["epoch"],
        "commune": {"id": commune_id, "name": commune["name"], "practice": commune["practice"]},
        "year": commune["year"],
    }


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Problem("bad_request", "The body must be a JSON object.")
    return body
