"""Processes that are to be there: each one that ends is started again."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

log = logging.getLogger(__name__)
HEALTHY_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0  # one that ends sooner than healthy waits twice as long each time
STOP_S = 8.0


@dataclass
class _Member:
    name: str
    make: Callable[[], BaseProcess]
    process: BaseProcess | None = None
    started_at: float = 0.0
    pause_s: float = 0.0


class Watched:
    """`make(target, *args)` makes a process that is not started yet."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._members: list[_Member] = []
        self._lock = threading.Lock()
        self._stopped = False

    def add(self, name: str, target: Callable[..., None], *args: Any) -> None:
        self._members.append(_Member(name, lambda: self._make(target, *args)))

    def run(self) -> None:
        """Starts all and keeps them there until `stop`, or an exception such as a signal's SystemExit."""
        while True:
            with self._lock:
                if self._stopped:
                    return
                for member in self._members:
                    self._look_after(member)
            alive = [m.process.sentinel for m in self._members if m.process is not None]
            wait(alive, timeout=min([1.0, *(m.pause_s for m in self._members if m.process is None)]))

    def stop(self) -> None:
        """Asks all to end; kills what has not after some seconds."""
        with self._lock:
            self._stopped = True
        running = [m.process for m in self._members if m.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _look_after(self, member: _Member) -> None:
        now = time.monotonic()
        if member.process is not None and not member.process.is_alive():
            hurried = now - member.started_at < HEALTHY_S
            member.pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, member.pause_s * 2)) if hurried else 0.0
            log.error("%s ended with code %s; starting it again", member.name, member.process.exitcode)
            member.process, member.started_at = None, now
        if member.process is None and now - member.started_at >= member.pause_s:
            member.process = member.make()
            member.process.start()
            member.started_at = now
