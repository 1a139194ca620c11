"""A phone of the simulation that is the app itself: its engine and store in a Node process."""

import base64
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.sim.wire import Crash, Lost, Wire

SCRIPT = Path(__file__).parent / "node_phone.mjs"
UNDO_MS = 20_000


class Refusal(Exception):
    """The engine would not: `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Node:
    """A long-lived process; `run` sends one command and serves the requests that it makes meanwhile."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--no-warnings", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.count = 0
        assert self._read() == {"ready": True}

    def run(self, phone: "NodePhone", act: str, **args: Any) -> Any:
        self.count += 1
        self._write({"n": self.count, "act": act, "args": args})
        while True:
            told = self._read()
            if "fetch" in told:
                self._write({"answer": told["fetch"], **self._fetch(phone, told)})
            elif told["done"] == self.count:
                return self._value(told)

    @staticmethod
    def _fetch(phone: "NodePhone", told: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = phone.wire.call(phone.cookies, told["method"], told["path"], told["headers"], base64.b64decode(told["body"]))
        except Lost:
            return {"lost": True}
        except Crash:
            return {"crash": True}
        return {"status": answer.status, "headers": answer.headers, "body": base64.b64encode(answer.body).decode()}

    @staticmethod
    def _value(told: dict[str, Any]) -> Any:
        if told.get("error") == "crash":
            raise Crash
        if told.get("error") == "bug":
            raise AssertionError(told["stack"])
        if "error" in told:
            raise Refusal(told["error"], told["message"])
        return told["value"]

    def _write(self, what: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the phone's process ended"
        return json.loads(line)


class Nodes:
    """Processes that are used again from run to run."""

    def __init__(self) -> None:
        self.all: list[Node] = []
        self.used = 0

    def phone(self, wire: Wire, name: str) -> "NodePhone":
        if self.used == len(self.all):
            self.all.append(Node())
        self.used += 1
        return NodePhone(self.all[self.used - 1], wire, name)

    def again(self) -> None:
        """A new run: all are free."""
        self.used = 0

    def __enter__(self) -> "Nodes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for node in self.all:
            node.process.kill()
            node.process.wait()


class NodePhone:
    can_be_copied = False

    def __init__(self, node: Node, wire: Wire, name: str) -> None:
        self.node, self.wire, self.name = node, wire, name
        self.cookies: dict[str, str] = {}
        self.known: set[str] = set()
        years = wire.dice.choice([0, 0, 0, -10, 10])
        self._run("fresh", at=1_795_000_000_000 + years * 365 * 86_400_000)

    def _run(self, act: str, **args: Any) -> Any:
        return self.node.run(self, act, **args)

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._read("state")
        return found

    def _read(self, act: str, **args: Any) -> Any:
        """Reading needs no line, but a round of the app's own may be killed meanwhile."""
        while True:
            try:
                return self._run(act, **args)
            except Crash:
                self.reopen()

    @property
    def people(self) -> list[dict[str, Any]]:
        people: list[dict[str, Any]] = self.state["people"]
        return people

    @property
    def revoked(self) -> bool:
        state = self.state
        return bool(state["revoked"]) or not state["paired"]

    @property
    def id(self) -> str:
        return str(self.state["id"])

    def waiting(self) -> tuple[int, int]:
        state = self.state
        return len(state["outbox"]), sum(p["state"] != "received" for p in state["photos"])

    def held(self) -> list[tuple[str, str, str, bool]]:
        return [(p["by"], p["sha256"], p["state"], p["has"]) for p in self.state["photos"]]

    def docs(self) -> dict[str, dict[str, Any]]:
        return {d["id"]: d for d in self.state["docs"]}

    # the line
    def pair(self, code: str) -> None:
        self._run("pair", code=code)

    def reopen(self) -> None:
        while True:
            try:
                return self._run("reopen")
            except Crash:
                continue

    def sync(self, most: int = 50, limit: int = 65536) -> None:
        self._run("tick", ms=UNDO_MS)
        self._run("send")

    def upload(self, steps: int = 0) -> None:
        self._run("send")

    def hand_over(self) -> None:
        """The app does it by itself when it hears that it was revoked."""
        self._run("send")

    # reading
    def all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._read("all", type=kind)
        return found

    def basis(self, doc: str) -> dict[str, Any]:
        found: dict[str, Any] = self._read("basis", doc=doc)
        return found

    # saving
    def _save(self, by: dict[str, Any], act: str, **args: Any) -> list[dict[str, Any]]:
        """What the engine called saved: the entries of the outbox that are new."""
        try:
            self._run("choose", id=by["id"])
            self._run(act, **args)
            if act in ("remove", "settle"):
                self._run("tick", ms=UNDO_MS)
        except Refusal:
            pass
        except Crash:
            self.reopen()
        new = [m for m in self.state["outbox"] if m["id"] not in self.known]
        self.known |= {m["id"] for m in new}
        return new

    def edit(self, by: dict[str, Any], kind: str, doc: str, patch: dict[str, Any], basis: Any, citizen: str) -> list[dict[str, Any]]:
        return self._save(by, "fields", type=kind, doc=doc, set=patch, basis=basis, citizen=citizen)

    def shoot(self, by: dict[str, Any], citizen: str, _year: int, photo: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
        packed = base64.b64encode(content).decode()
        return self._save(by, "shoot", citizenId=citizen, bytes=packed, type="image/jpeg", source="camera", **photo)

    def take_away(self, by: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
        return self._save(by, "remove", id=entry["id"])

    def move_photo(self, by: dict[str, Any], entry: dict[str, Any], citizen: str, indicator: int) -> list[dict[str, Any]]:
        return self._save(by, "move", id=entry["id"], to={"citizenId": citizen, "indicator": indicator})

    def register(self, by: dict[str, Any], patch: dict[str, Any]) -> list[dict[str, Any]]:
        return self._save(by, "register", person=patch)

    def say(self, by: dict[str, Any], citizen: str, on: str, words: str) -> list[dict[str, Any]]:
        return self._save(by, "say", citizen=citizen, text=words, on=on)

    def step(self, by: dict[str, Any], dossier: dict[str, Any], op: str, scores: dict[int, int]) -> list[dict[str, Any]]:
        basis = self.basis(dossier["id"])
        return self._save(by, "step", op=op, citizen=dossier["data"]["citizen"], scores=scores, basis=basis)

    def settle(self, by: dict[str, Any], conflict: dict[str, Any], pick: str) -> list[dict[str, Any]]:
        return self._save(by, "settle", id=conflict["id"], pick=pick, rev=conflict["rev"])

    def propose(self, _by: dict[str, Any], _citizen: dict[str, Any], _place: int) -> list[dict[str, Any]]:
        return []  # the app has no such button: staff move people
