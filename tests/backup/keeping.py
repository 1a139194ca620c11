"""A phone that keeps what it sent, as the app does for 30 days: after a restore it sends it again."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from tests.phones import Phone
from tests.pictures import create, patch, sha256

BATCH = 40
RETRY = (429, 503)


class Keeping(Phone):
    """`ledger` is what the person was told is saved: document -> what must be found there."""

    def __init__(self, client: FlaskClient, name: str) -> None:
        super().__init__(client, name)
        self.codes: list[str] = []
        self.kept: list[dict[str, Any]] = []
        self.photos: dict[str, bytes] = {}
        self.receipts: set[str] = set()
        self.uploads: dict[str, tuple[str, int]] = {}
        self.ledger: dict[str, dict[str, Any]] = {}

    def pair(self, code: str, citizen: dict[str, Any] | None = None) -> "Keeping":
        super().pair(code, citizen)
        self.codes.append(code)
        return self

    def save(self, op: str, kind: str, doc: str, patch: dict[str, Any], **more: Any) -> None:
        self.queue(op, kind, doc, patch, **more)
        self.ledger.setdefault(doc, {}).update(patch)

    def shoot(self, doc: str, patch: dict[str, Any], content: bytes) -> None:
        self.photos[sha256(content)] = content
        self.save("create", "evidence", doc, patch | {"sha256": sha256(content)})

    def moves_to(self, client: FlaskClient) -> None:
        """Another server under the same name; the cookie stays."""
        cookie = self.client.get_cookie("mc_device")
        assert cookie is not None
        client.set_cookie("mc_device", cookie.value)
        self.client = client

    def round(self) -> bool:
        """One round of sync and one step of each upload. False where there was nothing to do."""
        asked = [{"sha256": s, "by": self.person["id"]} for s in self.photos if s not in self.receipts]
        answer = self.post(self.body(mutations=self.outbox[:BATCH], photos=asked))
        body = answer.get_json()
        if answer.status_code in RETRY:
            return True
        if answer.status_code != 200:
            mend: dict[str, Callable[[dict[str, Any]], object]] = {"epoch": self.after_restore, "device.unknown": self.pair_again}
            mend[body["code"]](body)
            return True
        self.kept += [m for m in self.outbox if m["seq"] <= body["ack"]]
        news = [c for c in body["changes"] if self.docs.get(c["doc"]) != c and not (c.get("deleted") and c["doc"] not in self.docs)]
        busy = bool(self.outbox or news or body["more"])
        self.apply(body)
        for state in body["photos"]:
            busy = True
            if state["state"] == "stored":
                self.receipts.add(state["sha256"])
            else:
                self.upload(state)
        return busy

    def upload(self, state: dict[str, Any]) -> None:
        """Half of what is left of a photo, or the rest of it where it is half there."""
        content = self.photos[state["sha256"]]
        url, offset = state.get("upload"), state.get("offset", 0)
        if url is None:
            made = create(self, content, self.person["id"])
            if made.status_code in RETRY:
                return
            url = made.headers["Location"]
        end = len(content) if offset else len(content) // 2
        assert patch(self, url, offset, content[offset:end]).status_code in (204, *RETRY)

    def after_restore(self, body: dict[str, Any]) -> None:
        again = [*self.kept, *self.outbox]
        self.kept = []
        self.outbox = [{**m, "seq": body["expected"] + n} for n, m in enumerate(again)]
        self.next = body["expected"] + len(again)
        self.epoch, self.cursors, self.receipts = body["epoch"], {}, set()
        self.docs = {}

    def pair_again(self, _body: dict[str, Any]) -> None:
        for code in self.codes:
            answer = self.try_pair(code)
            assert answer.status_code == 201, answer.text
            self.next = answer.get_json()["next"]
        self.outbox = [{**m, "seq": self.next + n} for n, m in enumerate(self.outbox)]
        self.next += len(self.outbox)


def settle(phones: list[Keeping], most: int = 60) -> int:
    """Rounds of all phones until none has anything to do; returns how many it took."""
    for n in range(1, most):
        if not any([phone.round() for phone in phones]):
            return n
    raise AssertionError(f"no fixed point after {most} rounds")
