"""The one sync endpoint: push, then pull, in one round trip."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from server.domain import communes, devices, reading, receipts, syncing, watching
from server.http.access import CurrentDevice, auth_required, challenge, current_device, database, set_device_cookie
from server.http.body import read_json
from sync.errors import Problem
from sync.protocol import VERSION, Envelope, is_too_old, parse_envelope, timestamp

blueprint = Blueprint("sync", __name__, url_prefix="/api/v1/sync")


@blueprint.post("")
def sync() -> Response:
    """The push is committed before the pull's snapshot is taken."""
    envelope = parse_envelope(read_json())
    moment = datetime.now(UTC)
    with database().write() as conn:
        device = current_device(conn)
        if device.id != envelope.device:
            raise auth_required()
        _check_epoch(conn, device, envelope)
        batch = syncing.Batch(conn, device.commune_id, device.id, device.people, timestamp(moment))
        try:
            pushed = syncing.push(batch, envelope.mutations)
        except Problem as problem:
            if problem.code == "device.cloned":
                problem.details["challenge"] = challenge()
            raise
        said = watching.heard(conn, device.row, envelope.waiting, pushed.ack - device.row["last_seq"], timestamp(moment))
        devices.heard(conn, device.commune_id, device.id, {**_heard(envelope, moment), "waiting": said})
        photos = receipts.states(conn, device.commune_id, device, envelope.photos)
    if is_too_old(envelope.app):
        raise Problem("app.too_old", "Ứng dụng đã cũ, mời cập nhật.", ack=pushed.ack, results=pushed.results)
    response = jsonify({**_pull(device, envelope, pushed), "photos": photos})
    set_device_cookie(response, device.commune_id, device.id, device.row["token_version"])
    return response


def _check_epoch(conn: Any, device: CurrentDevice, envelope: Envelope) -> None:
    epoch = communes.find(conn, device.commune_id)["epoch"]
    if envelope.epoch is not None and envelope.epoch != epoch:
        raise Problem("epoch", "The server was restored.", epoch=epoch, expected=device.row["last_seq"] + 1)


def _heard(envelope: Envelope, moment: datetime) -> dict[str, Any]:
    skew = 0
    if envelope.now:
        skew = int((moment - datetime.fromisoformat(envelope.now.replace("Z", "+00:00"))).total_seconds() * 1000)
    return {
        "app": envelope.app[:40],
        "last_seen_at": timestamp(moment),
        "skew_ms": skew,
    }


def _pull(device: CurrentDevice, envelope: Envelope, pushed: syncing.Pushed) -> dict[str, Any]:
    with database().read() as conn:
        commune = communes.find(conn, device.commune_id)
        actors = tuple(devices.actors(conn, device.commune_id, device.id).values())
        reader = reading.Reader(conn, device.commune_id, actors)
        pulled = reading.pull(reader, envelope.cursors, envelope.limit)
        own = reading.touched(reader, pushed.touched, pushed.left)
        present = {(c["type"], c["doc"]) for c in pulled.changes}
        return {
            "v": VERSION,
            "now": timestamp(datetime.now(UTC)),
            "epoch": commune["epoch"],
            "year": commune["year"],
            "ack": pushed.ack,
            "results": pushed.results,
            "people": devices.people(conn, device.commune_id, device.id),
            "scopes": [scope.name for scope in reader.scopes()],
            "changes": pulled.changes + [c for c in own if (c["type"], c["doc"]) not in present],
            "cursors": pulled.cursors,
            "more": pulled.more,
            "resync": pulled.resync,
        }
