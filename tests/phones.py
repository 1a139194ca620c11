"""A phone for tests: its own P-256 key, its numbered outbox, its copy of what the server sent."""

import base64
import gzip
import hashlib
import json
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient

AT = "2026-11-24T07:29:01.000Z"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Key:
    """A phone's signing key, as WebCrypto would make it."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        numbers = self.private.public_key().public_numbers()
        self.jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }

    def sign(self, text: str) -> str:
        r, s = decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(SHA256())))
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    @property
    def thumbprint(self) -> str:
        text = json.dumps({k: self.jwk[k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())


class Phone:
    """Pairs, numbers and sends mutations, keeps `docs` as the answers say. Each has its own cookies."""

    def __init__(self, client: FlaskClient, name: str = "Redmi 9A") -> None:
        self.client = client
        self.name = name
        self.id = str(uuid.uuid4())
        self.key = Key()
        self.person: dict[str, Any] = {}
        self.next = 1
        self.epoch: str | None = None
        self.outbox: list[dict[str, Any]] = []
        self.cursors: dict[str, str] = {}
        self.docs: dict[str, dict[str, Any]] = {}
        self.last: dict[str, Any] = {}

    # pairing
    def pair_body(self, code: str, citizen: dict[str, Any] | None = None) -> dict[str, Any]:
        device = {"id": self.id, "name": self.name, "platform": "Android 11", "key": self.key.jwk}
        body = {"code": code, "device": device, "signature": self.key.sign(f"pair\n{code}")}
        return body | ({"citizen": citizen} if citizen else {})

    def try_pair(self, code: str, citizen: dict[str, Any] | None = None) -> Any:
        return self.client.post("/api/v1/pair", json=self.pair_body(code, citizen))

    def pair(self, code: str, citizen: dict[str, Any] | None = None) -> "Phone":
        answer = self.try_pair(code, citizen)
        assert answer.status_code == 201, answer.text
        body = answer.get_json()
        self.person, self.next = body["person"], body["next"]
        self.epoch = self.epoch or body["epoch"]
        return self

    def renew(self, challenge: str, clone: "Phone | None" = None) -> Any:
        """Asks for a new cookie; with `clone`, for an identity of its own under that phone's id and key."""
        ident, thumb = (clone.id, clone.key.thumbprint) if clone else ("", "")
        signature = self.key.sign(f"renew\n{challenge}\n{ident}\n{thumb}")
        body: dict[str, Any] = {"device": self.id, "challenge": challenge, "signature": signature}
        if clone:
            body["clone"] = {"id": clone.id, "key": clone.key.jwk}
        return self.client.post("/api/v1/pair/renew", json=body)

    # the outbox
    def mutation(
        self, op: str, kind: str, doc: str, patch: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """The next numbered mutation, not sent yet; `more` overrides any part (`base`, `after`, `expect`, `by`)."""
        base = 0 if op == "create" else self.rev(doc)
        made = {"seq": self.next, "id": str(uuid.uuid4()), "by": self.person.get("id"), "op": op, "type": kind}
        made |= {"doc": doc, "base": base, "at": AT, **more}
        if patch is not None:
            made["set"] = patch
        self.next = made["seq"] + 1
        return made

    def queue(self, *args: Any, **more: Any) -> dict[str, Any]:
        made = self.mutation(*args, **more)
        self.outbox.append(made)
        return made

    def do(self, *args: Any, **more: Any) -> dict[str, Any]:
        """Queues one mutation and syncs; returns its result, or {} where it was plainly applied."""
        made = self.queue(*args, **more)
        return self.result(self.sync(), made["seq"])

    @staticmethod
    def result(body: dict[str, Any], seq: int) -> dict[str, Any]:
        return next((r for r in body["results"] if r["seq"] == seq), {})

    # sync
    def body(self, **over: Any) -> dict[str, Any]:
        waiting = {"mutations": len(self.outbox), "photos": 0, "free_bytes": 812000000, "persisted": True}
        body = {"v": 1, "app": "2026.11.1", "device": self.id, "now": AT, "epoch": self.epoch, "limit": 65536}
        body |= {"waiting": waiting, "cursors": dict(self.cursors), "photos": [], "mutations": list(self.outbox)}
        return body | over

    def post(self, body: Any, *, gzipped: bool = False) -> Any:
        raw = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if gzipped:
            raw, headers["Content-Encoding"] = gzip.compress(raw), "gzip"
        return self.client.post("/api/v1/sync", data=raw, headers=headers)

    def sync(self, *, everything: bool = True, **over: Any) -> dict[str, Any]:
        """One round, and with `everything` as many more as the server has pages. Returns the first answer."""
        first: dict[str, Any] | None = None
        while True:
            answer = self.post(self.body(**over))
            assert answer.status_code == 200, answer.text
            body = answer.get_json()
            first = first or body
            self.apply(body)
            if not (body["more"] and everything):
                return first

    def apply(self, body: dict[str, Any]) -> None:
        self.last = body
        for change in body["changes"]:
            if change.get("deleted") or change.get("left"):
                self.docs.pop(change["doc"], None)
            else:
                self.docs[change["doc"]] = change
        self.outbox = [m for m in self.outbox if m["seq"] > body["ack"]]
        for scope in body["resync"]:
            self.cursors.pop(scope, None)
        self.cursors |= {k: v for k, v in body["cursors"].items() if k not in body["resync"]}

    def rev(self, doc: str) -> int:
        return int(self.docs[doc]["rev"]) if doc in self.docs else 0

    def data(self, doc: str) -> dict[str, Any]:
        data: dict[str, Any] = self.docs[doc]["data"]
        return data

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [d for d in self.docs.values() if d["type"] == kind]
