"""`minhchung serve` as a process of its own, and a client that speaks real HTTP to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parent.parent
SECRET = "only-for-tests-and-long-enough-0123456789abcdef"


class Served:
    """A server over a home and a database that are there already."""

    def __init__(self, home: Path, database_url: str, *words: str, **environ: str) -> None:
        self.port = _free_port()
        self.words = words
        self.log = home / "serve.log"
        self.env = {
            **os.environ, "MINHCHUNG_HOME": str(home), "MINHCHUNG_PORT": str(self.port), "MINHCHUNG_SECRET": SECRET,
            "MINHCHUNG_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT), **environ,
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Served":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        run = [sys.executable, "-m", "server.cli", "serve", *self.words]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(run, env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process is not None and self.process.poll() is None, self.log.read_text()
            try:
                if requests.get(f"{self.origin}/api/v1/health", timeout=5).status_code == 204:
                    return
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """As in a power cut: the server and all that it started, at once."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def children(self) -> list[int]:
        """The processes that it started: the photo worker and the servers (and Python's resource tracker)."""
        assert self.process is not None
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(pid) for thread in threads for pid in told(thread / "children").split()]

    def listeners(self) -> list[int]:
        """Those of its children that hold the port."""
        return [pid for pid in self.children() if _holds(pid, self.port)]

    def client(self) -> "HttpClient":
        return HttpClient(self.origin)


class HttpClient:
    """As much of Flask's test client as a test phone needs, over the wire."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.session = requests.Session()

    def open(self, method: str, path: str, **given: Any) -> Any:
        if "query_string" in given:
            given["params"] = given.pop("query_string")
        answer: Any = self.session.request(method, self.origin + path, timeout=60, **given)
        answer.get_json = answer.json
        answer.data = answer.content
        return answer

    def get(self, path: str, **given: Any) -> Any:
        return self.open("GET", path, **given)

    def post(self, path: str, **given: Any) -> Any:
        return self.open("POST", path, **given)

    def patch(self, path: str, **given: Any) -> Any:
        return self.open("PATCH", path, **given)

    def head(self, path: str, **given: Any) -> Any:
        return self.open("HEAD", path, **given)


def told(path: Path) -> str:
    """What the system says of a process; nothing of one that ended meanwhile."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _holds(pid: int, port: int) -> bool:
    wanted = f":{port:04X}"
    rows = [line.split() for line in told(Path(f"/proc/{pid}/net/tcp")).splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(wanted) and row[3] == "0A"}
    try:
        links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(f"socket:[{inode}]" in links for inode in inodes)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
