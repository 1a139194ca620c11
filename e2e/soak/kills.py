"""When the kill falls and whom it hits: told of what goes over the line, of taps, and of what the screen says."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

from e2e.proxy import Proxy
from e2e.rig import Phone, Served

# When: at a delay from the tap; as the screen says so; settled; in the shot's review; with words typed and not saved;
# as a sync request passes; as the database writes its effects; as its answer passes; as a piece of a photo passes; as the
# answer to that passes.
BY_HAND = ("tap", "said", "settled", "review", "typed")
BY_LINE = ("text", "commit", "answer", "upload", "receipt")
COMMIT_WAIT_S = 3.0
WHOM = ("browser", "server", "both", "line")


@dataclass(frozen=True)
class Plan:
    when: str
    whom: str
    delay_s: float
    fault: str  # what the line does where it is the one: drop, half, cut
    offline: bool  # no signal while the person works
    slow: bool  # 60 kB/s
    reopen_offline: bool

    def __str__(self) -> str:
        return f"{self.fault if self.whom == 'line' else self.whom} at {self.when}{', offline' if self.offline else ''}"


def draw(chance: Random) -> Plan:
    when = chance.choice((*BY_HAND[:3], *BY_HAND, *BY_LINE, *BY_LINE, *BY_LINE))
    hand = when in BY_HAND
    whom = chance.choice(("browser", "browser", "both")) if hand else chance.choice((*WHOM, "server"))
    if when == "commit":
        whom = chance.choice(("server", "server", "both"))
    short = {"tap": 0.25, "answer": 0.04, "text": 0.04, "commit": 0.02, "upload": 0.3, "receipt": 0.02}.get(when, 0.0)
    return Plan(
        when, whom, chance.random() * short, chance.choice(("drop", "half", "cut")),
        offline=hand and chance.random() < 0.4, slow=when in ("upload", "receipt") or chance.random() < 0.15,
        reopen_offline=chance.random() < 0.3,
    )  # fmt: skip


class Killer:
    """Armed for one round at a time. `fire` may come from any thread, and acts once."""

    def __init__(self, served: Served, phone: Phone, journal: Path | None) -> None:
        self.served, self.phone = served, phone
        self.journal = journal  # SQLite's write-ahead log: it changes while a transaction is being committed
        self.proxy: Proxy = served.proxy
        self.proxy.watch = self._watch
        self.plan: Plan | None = None
        self.fired = threading.Event()
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._asked: dict[int, str] = {}

    def arm(self, plan: Plan) -> None:
        self.plan = plan
        self.fired.clear()

    def rest(self) -> None:
        self.plan = None
        self.fired.clear()

    def tapped(self) -> None:
        if self.plan and self.plan.when == "tap":
            self._later(self.plan)

    def said(self) -> None:
        if self.plan and self.plan.when == "said":
            self.fire()

    def wait(self, seconds: float) -> bool:
        """Whether the kill fell by itself within this time."""
        return self.fired.wait(seconds)

    def fire(self, late: bool = False) -> None:
        if self.plan is not None:
            self._strike(self.plan, late)

    def _strike(self, plan: Plan, late: bool = False) -> None:
        """Only while its round is on: a timer may come after that."""
        with self._lock:
            if self.plan is not plan or self.fired.is_set():
                return
            self.counts[f"{plan.fault if plan.whom == 'line' else plan.whom} at {plan.when}{' (late)' if late else ''}"] += 1
            if plan.whom in ("server", "both"):
                self.served.kill()
            if plan.whom in ("browser", "both"):
                self.phone.kill()
            if plan.whom == "line":
                self._spoil(plan.fault)
            self.fired.set()

    def _spoil(self, fault: str) -> None:
        if fault == "drop":
            self.proxy.line.drop_answers += 2
        elif fault == "half":
            self.proxy.line.half_close = True
        else:
            self.proxy.cut()

    def _later(self, plan: Plan) -> None:
        timer = threading.Timer(plan.delay_s, self._strike, [plan])
        timer.daemon = True
        timer.start()

    def _watch(self, connection: int, piece: bytes, answers: bool) -> None:
        asked = _asked(piece) if not answers else None
        if asked is not None:
            self._asked[connection] = asked
        plan = self.plan
        if plan is None or self.fired.is_set() or plan.when not in BY_LINE:
            return
        if not answers and asked == ("text" if plan.when == "commit" else plan.when):
            if plan.when == "commit" and self.journal is not None:
                threading.Thread(target=self._at_commit, args=(plan, self.journal, _changed(self.journal)), daemon=True).start()
            else:
                self._later(plan)
        elif answers and self._asked.get(connection) == {"answer": "text", "receipt": "upload"}.get(plan.when):
            self._answer(plan)

    def _at_commit(self, plan: Plan, journal: Path, before: int) -> None:
        end = time.monotonic() + COMMIT_WAIT_S
        while time.monotonic() < end and not self.fired.is_set():
            if _changed(journal) != before:
                self._strike(plan)
            time.sleep(0.0002)

    def _answer(self, plan: Plan) -> None:
        """The browser dies with the answer in hand; the server, with its answer still on the way."""
        if plan.whom == "browser":
            self._later(plan)
            return
        self._strike(plan)
        if plan.whom in ("server", "both"):
            self.proxy.line.drop_answers += 1


def _changed(journal: Path) -> int:
    try:
        return journal.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _asked(piece: bytes) -> str | None:
    head = piece[:40]
    if head.startswith(b"POST /api/v1/sync"):
        return "text"
    if head.startswith((b"PATCH /api/v1/files", b"POST /api/v1/files")):
        return "upload"
    return "other" if head.startswith((b"GET ", b"POST ", b"HEAD ")) else None
