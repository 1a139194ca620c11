"""A seeded network between phones and the real app: it loses, repeats, delays, cuts and forges."""

import random
from dataclasses import dataclass, field

from flask import Flask
from werkzeug.http import parse_cookie

FATES = ("lost", "answer lost", "twice", "late", "cut", "portal", "413", "429", "503", "crash")


class Lost(Exception):
    """No answer came that a phone could use."""


class Crash(Exception):
    """The app was killed while it waited for this answer; the request may have arrived."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """`bad` is the share of requests that meet a fault; `late` holds what is delivered once more, much later."""

    app: Flask
    dice: random.Random
    bad: float = 0.3
    late: list[Sent] = field(default_factory=list)
    met: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    trimmed: bool = False  # stored answers were let go: a replay tells nothing

    def call(self, cookies: dict[str, str], method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Raises Lost or Crash where no answer reaches the phone."""
        sent = Sent(method, path, headers | ({"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())} if cookies else {}), body)
        fate = self.dice.choice(FATES) if self.dice.random() < self.bad else "fine"
        self.met[fate] = self.met.get(fate, 0) + 1
        if fate in ("lost", "portal", "413", "429", "503"):
            return self._stopped(fate)
        if fate == "crash" and self.dice.random() < 0.5:
            raise Crash
        answer = self._deliver(sent)
        if fate in ("crash", "answer lost"):
            raise Crash if fate == "crash" else Lost
        if fate == "twice":
            answer = self._deliver(sent)
        if fate == "late":
            self.late.append(sent)
        if "set-cookie" in answer.headers:
            cookies.update(parse_cookie(answer.headers["set-cookie"].split(";")[0]).items())
        if fate == "cut":
            return Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        return answer

    @staticmethod
    def _stopped(fate: str) -> Answer:
        """Before it reached the server: nothing, a captive portal's page, or a proxy's refusal in its own words."""
        if fate == "lost":
            raise Lost
        status = 200 if fate == "portal" else int(fate)
        return Answer(status, {"content-type": "text/html", "retry-after": "3"}, b"<html>Moi dang nhap Wi-Fi</html>")

    def deliver_late(self) -> None:
        """What a proxy kept arrives again; nobody reads the answer."""
        if self.late:
            self._deliver(self.late.pop(self.dice.randrange(len(self.late))))

    def heal(self) -> None:
        self.bad = 0.0
        while self.late:
            self.deliver_late()

    def _deliver(self, sent: Sent) -> Answer:
        self.requests += 1
        client = self.app.test_client(use_cookies=False)
        answer = client.open(sent.path, method=sent.method, headers=sent.headers, data=sent.body)
        assert answer.status_code != 500, (sent.method, sent.path, answer.text)
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.data)
