"""A second client of the contract, written from docs/protocol.md alone: what it calls saved is on its disk."""

import base64
import copy
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

from sync.protocol import dossier_id
from tests.phones import Key
from tests.sim.wire import Answer, Lost, Wire
from tests.world import YEAR

NEVER_SHOWN = ("rejected", "gone", "out_of_scope")
NEXT_STATE = {"submit": "submitted", "withdraw": "draft", "appraise": "appraised", "reopen": "submitted", "confirm": "confirmed"}
TUS = {"Tus-Resumable": "1.0.0"}


class Refused(Exception):
    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.code = status, body, str(body.get("code", status))


def fresh_disk() -> dict[str, Any]:
    disk: dict[str, Any] = {"id": str(uuid.uuid4()), "key": Key(), "next": 1, "epoch": None, "restoring": False}
    disk |= {"clone": None, "origin": None, "people": [], "scopes": [], "outbox": [], "done": [], "calls": []}
    return disk | {"docs": {}, "cursors": {}, "sweeps": {}, "photos": {}, "bytes": {}, "aside": {}}


class SimPhone:
    """One browser's store. Every method that changes `disk` does it as one transaction would."""

    can_be_copied = True

    def __init__(self, wire: Wire, name: str, app: str = "2026.11.1") -> None:
        self.wire, self.name, self.version = wire, name, app
        self.cookies: dict[str, str] = {}
        self.disk = fresh_disk()
        self.revoked = False

    def cloned(self) -> "SimPhone":
        """Its storage copied to another phone, cookie and key included."""
        other = SimPhone(self.wire, f"{self.name}, bản chép", self.version)
        other.cookies = dict(self.cookies)
        keys = {k: self.disk[k] for k in ("key", "clone", "origin")}  # not copied: a key is what it is
        other.disk = copy.deepcopy({k: v for k, v in self.disk.items() if k not in keys}) | keys
        return other

    def reopen(self) -> None:
        """After a crash: all that counts is on the disk."""

    # who
    @property
    def people(self) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = self.disk["people"]
        return people

    def pair(self, code: str) -> None:
        device = {"id": self.disk["id"], "name": self.name, "platform": "Android 11", "key": self.disk["key"].jwk}
        call = {"code": code, "device": device, "signature": self.disk["key"].sign(f"pair\n{code}")}
        answer = self._json("POST", "/api/v1/pair", call)
        self.disk["calls"].append(call)
        self._renumber(answer["next"])
        self.disk |= {"people": answer["people"], "scopes": answer["scopes"]}
        self.disk["epoch"] = self.disk["epoch"] or answer["epoch"]

    @property
    def id(self) -> str:
        return str(self.disk["id"])

    def waiting(self) -> tuple[int, int]:
        """Mutations and photos that the server has not confirmed."""
        return len(self.disk["outbox"]), sum(state == "waiting" for state in self.disk["photos"].values())

    def held(self) -> list[tuple[str, str, str, bool]]:
        """Every photo: by whom, hash, state, and whether its bytes are here."""
        return [(by, sha256, state, sha256 in self.disk["bytes"]) for (by, sha256), state in self.disk["photos"].items()]

    def docs(self) -> dict[str, dict[str, Any]]:
        docs: dict[str, dict[str, Any]] = self.disk["docs"]
        return docs

    # what the screen shows
    def pending(self, doc: str) -> list[dict[str, Any]]:
        shown = [m for m in self.disk["done"] if m.get("shown")]
        return [m for m in (*shown, *self.disk["outbox"]) if m["doc"] == doc]

    def view(self, doc: str) -> dict[str, Any] | None:
        known, pending = self.disk["docs"].get(doc), self.pending(doc)
        if known is None and not any(m["op"] == "create" for m in pending):
            return None
        data: dict[str, Any] = dict(known["data"]) if known else {}
        kind = known["type"] if known else pending[0]["type"]
        for m in pending:
            if m["op"] == "delete":
                return None
            if m["op"] == "create" and known:
                data |= {k: v for k, v in m["set"].items() if data.get(k) is None}
            elif m["op"] not in ("resolve", "move"):
                data |= m.get("set", {})
            data |= {"state": NEXT_STATE[m["op"]]} if m["op"] in NEXT_STATE else {}
        return {"id": doc, "type": kind, "rev": known["rev"] if known else 0, "data": data}

    def basis(self, doc: str) -> dict[str, Any]:
        fields: dict[str, tuple[int, str]] = {}
        for m in self.pending(doc):
            for name in m.get("set", {}):
                base = m.get("base", 0)
                own = base.get(name, 0) if isinstance(base, dict) else base
                fields[name] = (fields[name][0] if name in fields else own, m["id"])
        known = self.disk["docs"].get(doc)
        return {"rev": known["rev"] if known else 0, "fields": fields}

    def all(self, kind: str) -> list[dict[str, Any]]:
        ids = dict.fromkeys([*self.disk["docs"], *[m["doc"] for m in self.disk["outbox"]]])
        return [v for v in map(self.view, ids) if v is not None and v["type"] == kind]

    # saving
    def _save(self, by: dict[str, Any], *made: dict[str, Any]) -> list[dict[str, Any]]:
        """All on disk with their numbers, or nothing; returns the mutations as they are kept."""
        kept = []
        for mutation in made:
            kept.append({"seq": self.disk["next"] + len(kept), "id": str(uuid.uuid4()), "by": by["id"], **mutation})
        self.disk["outbox"].extend(kept)
        self.disk["next"] += len(kept)
        return kept

    def _begin(self, citizen: str, year: int) -> tuple[str, list[dict[str, Any]]]:
        doc = dossier_id(citizen, year)
        if self.view(doc) is not None:
            return doc, []
        return doc, [{"op": "create", "type": "dossier", "doc": doc, "base": 0, "set": {"citizen": citizen, "year": year}}]

    def _create(self, kind: str, patch: dict[str, Any]) -> dict[str, Any]:
        return {"op": "create", "type": kind, "doc": str(uuid.uuid4()), "base": 0, "set": patch}

    @staticmethod
    def _delete(entry: dict[str, Any]) -> dict[str, Any]:
        return {"op": "delete", "type": "evidence", "doc": entry["id"], "base": {entry["id"]: entry["rev"]}}

    def edit(self, by: dict[str, Any], kind: str, doc: str, patch: dict[str, Any], basis: Any, citizen: str) -> list[dict[str, Any]]:
        """Fields of one form, whose basis was taken when it was drawn; no update mixes bases."""
        first = self._begin(citizen, YEAR)[1] if kind == "dossier" else []
        parts: dict[int, dict[str, Any]] = {}
        for name, value in patch.items():
            base, after = basis["fields"].get(name, (basis["rev"], None))
            part = parts.setdefault(base, {"op": "update", "type": kind, "doc": doc, "base": base, "after": {}, "set": {}})
            part["set"][name] = value
            part["after"] |= {name: after} if after else {}
        return self._save(by, *first, *parts.values())

    def shoot(self, by: dict[str, Any], citizen: str, year: int, photo: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
        sha256 = hashlib.sha256(content).hexdigest()
        self.disk["bytes"][sha256] = content
        self.disk["photos"].setdefault((by["id"], sha256), "waiting")
        doc, first = self._begin(citizen, year)
        return self._save(by, *first, self._create("evidence", {"dossier": doc, "sha256": sha256, **photo}))

    def take_away(self, by: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
        return self._save(by, self._delete(entry))

    def move_photo(self, by: dict[str, Any], entry: dict[str, Any], citizen: str, indicator: int) -> list[dict[str, Any]]:
        doc, first = self._begin(citizen, YEAR)
        patch = {"dossier": doc, "sha256": entry["data"]["sha256"], "indicator": indicator, "moved_from": entry["id"]}
        return self._save(by, *first, self._create("evidence", patch), self._delete(entry))

    def register(self, by: dict[str, Any], patch: dict[str, Any]) -> list[dict[str, Any]]:
        return self._save(by, self._create("citizen", {"place": by["place"], **patch}))

    def say(self, by: dict[str, Any], citizen: str, on: str, words: str) -> list[dict[str, Any]]:
        return self._save(by, self._create("comment", {"on": on, "text": words})) if citizen else []

    def step(self, by: dict[str, Any], dossier: dict[str, Any], op: str, scores: dict[int, int]) -> list[dict[str, Any]]:
        basis, patch = self.basis(dossier["id"]), {f"chapter.{n}": score for n, score in scores.items()}
        seen = {name: basis["fields"].get(name, (basis["rev"], None)) for name in patch}
        made = {"op": op, "type": "dossier", "doc": dossier["id"], "expect": dossier["data"].get("state", "draft")}
        made |= {"base": {n: s[0] for n, s in seen.items()}, "after": {n: s[1] for n, s in seen.items() if s[1]}}
        return self._save(by, made | ({"set": patch} if patch else {}))

    def settle(self, by: dict[str, Any], conflict: dict[str, Any], pick: str) -> list[dict[str, Any]]:
        return self._save(by, {"op": "resolve", "type": "conflict", "doc": conflict["id"], "base": conflict["rev"], "set": {"pick": pick}})

    def propose(self, by: dict[str, Any], citizen: dict[str, Any], place: int) -> list[dict[str, Any]]:
        return self._save(by, {"op": "move", "type": "citizen", "doc": citizen["id"], "base": citizen["rev"], "set": {"place": place}})

    # one round
    def sync(self, most: int = 50, limit: int = 65536) -> None:
        """Text to the end, all pages. Raises Lost where the line broke; what was applied stays."""
        for _ in range(400):
            had = len(self.disk["outbox"])
            answer = self._mended(lambda: self._once(most, limit), 6)
            if not answer["more"] and not (self.disk["outbox"] and len(self.disk["outbox"]) < had):
                return
        raise AssertionError("a round without end")

    def _once(self, most: int, limit: int) -> dict[str, Any]:
        disk = self.disk
        waiting = [key for key, state in disk["photos"].items() if state == "waiting"]
        body = {"v": 1, "app": self.version, "device": disk["id"], "now": "2036-11-24T07:29:01.000Z", "epoch": disk["epoch"]}
        body |= {"limit": limit, "waiting": {"mutations": len(disk["outbox"]), "photos": len(waiting)}}
        body |= {"cursors": dict(disk["cursors"]), "mutations": disk["outbox"][:most]}
        body["photos"] = [{"by": by, "sha256": sha256} for by, sha256 in waiting]
        answer = self._json("POST", "/api/v1/sync", body)
        self._apply(answer, {m["id"] for m in body["mutations"]})
        return answer

    def _apply(self, answer: dict[str, Any], sent: set[str]) -> None:
        """What this request did not carry stays, also where the server handled it in one whose answer was lost."""
        disk = copy.copy(self.disk)
        told = {r["seq"]: r for r in answer["results"]}
        came = {c["doc"] for c in answer["changes"]}
        acked = [m for m in disk["outbox"] if m["seq"] <= answer["ack"] and m["id"] in sent]
        for m in acked:
            result = told.get(m["seq"], {}).get("result")
            elsewhere = result in (*NEVER_SHOWN, "waiting", "amendment", "duplicate") or self.wire.trimmed
            assert elsewhere or m["doc"] in came, (m, told.get(m["seq"]))
            disk["done"] = [*disk["done"], {**m, "shown": result not in NEVER_SHOWN, "result": result}]
        disk["outbox"] = [m for m in disk["outbox"] if m not in acked]
        disk["docs"] = dict(disk["docs"])
        anew = [scope for scope in answer["scopes"] if scope in answer["resync"] or not disk["cursors"].get(scope)]
        disk["sweeps"] = {**disk["sweeps"], **{scope: set() for scope in anew}}
        for change in answer["changes"]:
            assert change.get("left") or change.get("deleted") or change["scope"] in answer["scopes"], change
            self._change(disk, change)
        disk["done"] = [{**m, "shown": m["shown"] and m["doc"] not in came} for m in disk["done"]]
        for scope, seen in list(disk["sweeps"].items()):
            seen |= {c["doc"] for c in answer["changes"] if c["scope"] == scope}
            if not answer["more"]:
                self._drop_unseen(disk, scope, seen)
                del disk["sweeps"][scope]
        disk["restoring"] = disk["restoring"] and answer["more"]
        lost = {scope: "" for scope in disk["cursors"] if scope not in answer["scopes"]}
        disk["cursors"] = {**disk["cursors"], **lost, **answer["cursors"]}
        disk |= {"scopes": answer["scopes"], "people": answer["people"]}
        disk["photos"] = dict(disk["photos"])
        for photo in answer["photos"]:
            if photo["state"] == "stored" and (photo["by"], photo["sha256"]) in disk["photos"]:
                disk["photos"][(photo["by"], photo["sha256"])] = "received"
        self._purge(disk)
        self.disk = disk

    @staticmethod
    def _change(disk: dict[str, Any], change: dict[str, Any]) -> None:
        doc, known = change["doc"], disk["docs"].get(change["doc"])
        if change.get("deleted"):
            disk["docs"].pop(doc, None)
        elif change.get("left"):
            scopes = [s for s in known["scopes"] if s != change["scope"]] if known and change["scope"] else []
            disk["docs"].pop(doc, None)
            if scopes:
                disk["docs"][doc] = {**known, "scopes": scopes}
        else:
            scopes = sorted({*(known["scopes"] if known else []), change["scope"]})
            if known and known["rev"] > change["rev"] and not disk["restoring"]:
                disk["docs"][doc] = {**known, "scopes": scopes}
            else:
                if known and disk["restoring"] and known["data"] != change["data"]:
                    disk["aside"] = {**disk["aside"], doc: known}
                disk["docs"][doc] = {"type": change["type"], "rev": change["rev"], "data": change["data"], "scopes": scopes}

    @staticmethod
    def _drop_unseen(disk: dict[str, Any], scope: str, seen: set[str]) -> None:
        waiting = {m["doc"] for m in disk["outbox"]}
        for doc, known in list(disk["docs"].items()):
            if scope in known["scopes"] and doc not in seen and (doc not in waiting or known["type"] == "conflict"):
                if disk["restoring"]:
                    disk["aside"] = {**disk["aside"], doc: known}
                SimPhone._change(disk, {"doc": doc, "left": True, "scope": scope})

    @staticmethod
    def _purge(disk: dict[str, Any]) -> None:
        """What no granted scope gives goes, once nothing waits."""
        lost = [s for s in disk["cursors"] if s not in disk["scopes"]]
        if not lost or disk["outbox"]:
            return
        for doc, known in list(disk["docs"].items()):
            kept = [s for s in known["scopes"] if s in disk["scopes"]]
            disk["docs"].pop(doc)
            if kept:
                disk["docs"][doc] = {**known, "scopes": kept}
        disk["cursors"] = {s: c for s, c in disk["cursors"].items() if s in disk["scopes"]}

    # the server's refusals, each with its mending
    def _mended(self, step: Callable[[], Any], tries: int) -> Any:
        try:
            return step()
        except Refused as refused:
            mend = {
                "auth.required": self._renew, "device.unknown": self._pair_again, "device.cloned": self._become_another,
                "seq.gap": lambda b: self._renumber(b["expected"]), "epoch": self._after_restore,
            }.get(refused.code)  # fmt: skip
            if refused.code == "device.revoked":
                self.revoked = True
                if refused.body["epoch"] != self.disk["epoch"]:
                    self._after_restore({**refused.body, "expected": 1})
            if mend is None or tries <= 0:
                raise
            body = refused.body
            return self._mended(lambda: (mend(body), step())[1], tries - 1)

    def _renew(self, body: dict[str, Any]) -> None:
        if "challenge" not in body:
            raise Lost
        signature = self.disk["key"].sign(f"renew\n{body['challenge']}\n\n")
        call = {"device": self.disk["id"], "challenge": body["challenge"], "signature": signature}
        self._json("POST", "/api/v1/pair/renew", call)

    def _pair_again(self, body: dict[str, Any]) -> None:
        for call in self.disk["calls"]:
            answer = self._json("POST", "/api/v1/pair", call)
        if self.disk["origin"] is not None:
            answer = self._renew_as(*self.disk["origin"], self.disk["id"], self.disk["key"], body["challenge"])
        self._renumber(answer["next"])

    def _renew_as(self, device: str, key: Key, clone: str, clone_key: Key, challenge: str) -> dict[str, Any]:
        call: dict[str, Any] = {"device": device, "challenge": challenge, "clone": {"id": clone, "key": clone_key.jwk}}
        call["signature"] = key.sign(f"renew\n{challenge}\n{clone}\n{clone_key.thumbprint}")
        return self._json("POST", "/api/v1/pair/renew", call)

    def _become_another(self, body: dict[str, Any]) -> None:
        if self.disk["clone"] is None:
            self.disk["clone"] = (str(uuid.uuid4()), Key())
        ident, key = self.disk["clone"]
        answer = self._renew_as(self.disk["id"], self.disk["key"], ident, key, body["challenge"])
        origin = self.disk["origin"] or (self.disk["id"], self.disk["key"])
        self.disk |= {"id": ident, "key": key, "clone": None, "origin": origin}
        self._renumber(answer["next"])

    def _renumber(self, start: int) -> None:
        self.disk["outbox"] = [{**m, "seq": start + n} for n, m in enumerate(self.disk["outbox"])]
        self.disk["next"] = start + len(self.disk["outbox"])

    def _after_restore(self, body: dict[str, Any]) -> None:
        again = [{k: v for k, v in m.items() if k not in ("shown", "result")} for m in self.disk["done"]]
        self.disk |= {"outbox": [*again, *self.disk["outbox"]], "done": [], "restoring": True, "epoch": body["epoch"]}
        self.disk["sweeps"] = {scope: set() for scope in self.disk["scopes"]}
        self.disk["cursors"] = dict.fromkeys([*self.disk["scopes"], *self.disk["cursors"]], "")
        self.disk["photos"] = dict.fromkeys(self.disk["photos"], "waiting")
        self._renumber(body["expected"])

    # photos
    def upload(self, steps: int = 10_000) -> None:
        """Chunks of waiting photos, at most `steps` requests. Raises Lost."""
        for (by, sha256), state in list(self.disk["photos"].items()):
            if state == "waiting" and steps > 0:
                steps = self._mended(lambda by=by, sha=sha256, n=steps: self._send(by, sha, n), 3)

    def _send(self, by: str, sha256: str, steps: int) -> int:
        content: bytes = self.disk["bytes"][sha256]
        parts = {"sha256": sha256, "type": "image/jpeg", "by": by}
        metadata = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in parts.items())
        made = self._tus("POST", "/api/v1/files", {"Upload-Length": str(len(content)), "Upload-Metadata": metadata})
        url, tries = made.headers["location"], 0
        while "upload-receipt" not in made.headers and steps > 0:
            offset, steps = int(made.headers["upload-offset"]), steps - 1
            chunk = content[offset : offset + 700]
            digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
            headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            try:
                made = self._tus("PATCH", url, {**headers, "Upload-Checksum": f"sha256 {digest}"}, chunk)
            except Refused as refused:
                if refused.code in ("upload.hash", "upload.gone"):
                    return steps  # it begins anew at the next round
                tries += 1
                if tries > 4 or refused.code not in ("upload.offset", "upload.checksum"):
                    raise Lost from refused
                made = self._tus("HEAD", url, {})
        if "upload-receipt" in made.headers:
            assert made.headers["upload-receipt"] == f"sha256 {sha256}"
            self.disk["photos"][(by, sha256)] = "received"
        return steps

    def hand_over(self) -> None:
        """A revoked phone gives what it holds by deposit; only what the answer lists counts as sent. Then it is emptied."""
        disk = self.disk
        photos = [{"by": by, "sha256": sha} for (by, sha), state in disk["photos"].items() if state == "waiting"]
        if disk["outbox"] or photos:
            raw = json.dumps({"v": 1, "device": disk["id"], "mutations": disk["outbox"], "photos": photos})
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                archive.writestr("outbox.json", raw)
                archive.writestr("signature", disk["key"].sign(raw))
                for sha in sorted({photo["sha256"] for photo in photos}):
                    archive.writestr(f"photos/{sha}", disk["bytes"][sha])
            headers = {"Content-Type": "application/zip"}
            kept = self._read(self.wire.call(self.cookies, "POST", "/api/v1/deposit", headers, out.getvalue()))
            assert set(kept["mutations"]) == {m["id"] for m in disk["outbox"]}
            assert set(kept["photos"]) >= {p["sha256"] for p in photos}
        disk |= {"outbox": [], "photos": {}, "docs": {}}

    # the line
    def _tus(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        answer = self.wire.call(self.cookies, method, path, {**TUS, **headers}, body)
        if answer.status in (401, 403, 409, 460, 404) and "json" in answer.headers.get("content-type", ""):
            if method == "HEAD":
                raise Refused(answer.status, {"code": "upload.gone"})
            self._read(answer)
        if answer.status not in (200, 201, 204) or "upload-offset" not in answer.headers:
            raise Lost
        return answer

    def _json(self, method: str, path: str, body: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        return self._read(self.wire.call(self.cookies, method, path, headers, json.dumps(body).encode()))

    @staticmethod
    def _read(answer: Answer) -> dict[str, Any]:
        if "json" not in answer.headers.get("content-type", ""):
            raise Lost
        try:
            body: dict[str, Any] = json.loads(answer.body)
        except ValueError as error:
            raise Lost from error
        if answer.status not in (200, 201):
            raise Refused(answer.status, body)
        return body
