"""Several server processes on one port: one that dies is replaced, and all go together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.served import Served, told

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def until(happens: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def refused(served: Served) -> bool:
    try:
        requests.get(f"{served.origin}/api/v1/health", timeout=5)
    except requests.ConnectionError:
        return True
    return False


def test_a_server_or_worker_that_dies_is_replaced_and_all_end_together(database_url: str, tmp_path: Path) -> None:
    with Served(tmp_path, database_url, "--processes", "3") as served:
        until(lambda: len(served.listeners()) == 3, "three servers hold the port")
        first, *others = served.listeners()
        rest = set(served.children()) - {first, *others}
        os.kill(first, signal.SIGKILL)
        assert all(served.client().get("/api/v1/health").status_code == 204 for _ in range(20))
        until(lambda: len(served.listeners()) == 3, "a new server stands in for the killed one")
        assert first not in served.listeners()
        worker = next(pid for pid in rest if "spawn_main" in told(Path(f"/proc/{pid}/cmdline")))
        os.kill(worker, signal.SIGKILL)
        until(lambda: worker not in served.children() and len(served.children()) >= 4, "a new worker stands in")

        assert served.process is not None
        served.process.terminate()
        assert served.process.wait(30) == 0
        assert refused(served)


def test_a_killed_first_process_leaves_nobody_on_the_port(tmp_path: Path) -> None:
    with Served(tmp_path, f"sqlite:///{tmp_path / 'minhchung.db'}", "--processes", "2") as served:
        until(lambda: len(served.listeners()) == 2, "two servers hold the port")
        assert served.process is not None
        os.kill(served.process.pid, signal.SIGKILL)
        served.process.wait()
        until(lambda: refused(served), "the port is free")
        served.start()


def test_one_process_starts_its_worker_again(tmp_path: Path) -> None:
    with Served(tmp_path, f"sqlite:///{tmp_path / 'minhchung.db'}") as served:

        def workers() -> list[int]:
            return [p for p in served.children() if "spawn_main" in told(Path(f"/proc/{p}/cmdline"))]

        until(workers, "a worker runs")
        killed = workers()[0]
        os.kill(killed, signal.SIGKILL)
        until(lambda: workers() and killed not in workers(), "a new worker stands in")


def test_no_process_at_all_is_no_choice() -> None:
    run = [sys.executable, "-m", "server.cli", "serve", "--processes", "0"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "--processes" in done.stderr
