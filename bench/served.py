"""A home filled for a measurement, and a real `minhchung serve` over it in processes of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.client import Client
from bench.line import Line
from server.config import from_env
from server.db import migrate
from server.db.session import Database
from server.domain import communes, pairing, people, places
from tests.phones import Phone

ROOT = Path(__file__).parent.parent
NOW = "2026-11-24T07:30:00.000Z"
YEAR = 2026
NAMES = ("Nông Thị Đào", "Hoàng Văn Cao", "Bàn Mùi Pham", "Lò Thị Mẩy", "Vàng A Sính")


class Served:
    """`start` begins the processes; `line` stands before them; `codes` pair one appraiser each."""

    def __init__(self, home: Path, citizens: int = 0, codes: int = 1) -> None:
        self.port = _free_port()
        self.line = Line(self.port)
        self.origin = f"http://localhost:{self.line.port}"
        self.env = {**os.environ, "MINHCHUNG_HOME": str(home), "MINHCHUNG_ORIGIN": self.origin, "MINHCHUNG_PORT": str(self.port)}
        self.log = (home.parent / "serve.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None
        self.citizens: list[str] = []
        self.codes: list[str] = []
        self._fill(citizens, codes)

    def _fill(self, citizens: int, codes: int) -> None:
        settings = from_env(self.env)
        db = Database(settings.database_url)
        migrate.upgrade(db)
        with db.write() as conn:
            commune = communes.add(conn, "Xã Đo", YEAR, NOW)
            self.place = places.add(conn, commune, "Thôn Đo", NOW)
            for n in range(citizens):
                name = f"{NAMES[n % len(NAMES)]} {n}"
                self.citizens.append(people.add_citizen(conn, commune, name, self.place, NOW, birth_year=1971, group=1))
            for n in range(codes):
                self.codes.append(pairing.make_code(conn, commune, "chapter", self.place, name=f"Lương Văn Cao {n}")[0])
        db.close()

    def start(self) -> None:
        run = [sys.executable, "-m", "server.cli", "serve"]
        self.process = subprocess.Popen(run, env=self.env, cwd=ROOT, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/health", timeout=2)
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("the server ended; see serve.log") from None
                time.sleep(0.1)
        raise RuntimeError("the server did not answer within 30 s")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def phone(self, n: int = 0, port: int | None = None) -> Phone:
        """A phone in Python, paired with code `n`, past the line unless `port` says otherwise."""
        return Phone(Client(port or self.port)).pair(self.codes[n])  # type: ignore[arg-type]

    def stop(self) -> None:
        self.line.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
        self.log.close()


@contextlib.contextmanager
def served(citizens: int = 0, codes: int = 1) -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="minhchung-bench-") as folder:
        server = Served(Path(folder) / "home", citizens, codes)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
