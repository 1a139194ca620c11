"""A served home of one's own behind a bad line, and browsers whose profile outlives a SIGKILL."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright

from e2e.proxy import Proxy

ROOT = Path(__file__).parent.parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


class Served:
    """`minhchung serve` over a home under `home`, reached through `proxy` at `origin`."""

    def __init__(self, home: Path, root: Path = ROOT) -> None:
        self.root = root  # of the code that serves; a copy may be changed while it serves
        self.port = _free_port()
        self.proxy = Proxy(self.port)
        self.origin = f"http://localhost:{self.proxy.port}"
        self.env = {
            **os.environ, "MINHCHUNG_HOME": str(home), "MINHCHUNG_ORIGIN": self.origin, "MINHCHUNG_PORT": str(self.port),
        }  # fmt: skip
        self.log = (home.parent / "serve.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> Any:
        """Runs `minhchung ...`; with --json among the words, the parsed answer."""
        run = [sys.executable, "-m", "server.cli", *words]
        done = subprocess.run(run, env=self.env, cwd=self.root, capture_output=True, text=True, check=True)
        return json.loads(done.stdout) if "--json" in words else done.stdout

    def start(self) -> None:
        run = [sys.executable, "-m", "server.cli", "serve"]
        self.process = subprocess.Popen(run, env=self.env, cwd=self.root, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/health", timeout=2)
                return
            except (urllib.error.URLError, OSError):
                assert self.process.poll() is None, "the server ended; see serve.log"
                time.sleep(0.1)
        raise AssertionError("the server did not answer within 30 s")

    def kill(self) -> None:
        """As in a power cut: SIGKILL to the server and its photo worker at once. Again is harmless."""
        if self.process is not None:
            _kill_group(self.process)

    def restart(self) -> None:
        """As after a power cut: killed, and up again over the same home."""
        self.kill()
        self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
        self.proxy.close()
        self.log.close()


class Phone:
    """One Chromium process with a profile that outlives it; `kill` is SIGKILL to all of it."""

    def __init__(self, playwright: Playwright, profile: Path, origin: str) -> None:
        self._playwright = playwright
        self._profile = profile
        self._origin = origin
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> Any:
        """A page of 360x740 in a fresh process over the same profile."""
        note = self._profile / "DevToolsActivePort"
        note.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--lang=vi",
                "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--window-size=360,740",
                "--remote-debugging-port=0", f"--user-data-dir={self._profile}", "about:blank",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not (note.exists() and "\n" in note.read_text()):
            assert time.monotonic() < deadline, "Chromium did not start within 30 s"
            time.sleep(0.05)
        browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{note.read_text().split()[0]}")
        context = browser.contexts[0]
        context.grant_permissions(["camera"], origin=self._origin)
        page = context.pages[0] if context.pages else context.new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        page.set_default_timeout(20_000)
        return page

    def kill(self) -> None:
        if self._process is not None:
            _kill_group(self._process)
            self._process = None


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """The process leads a group of its own, so that its children die with it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
