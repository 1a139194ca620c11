"""The phone app in Chromium, as the measurements drive it: a profile of its own, paired, timed from inside the page."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.processes import preferred
from bench.served import Served
from e2e.conftest import Phone

USABLE = ".people a.row"  # the people of the hamlet, drawn: one can search and tap

# Notes when the first row stands and a frame was shown; and from a file's choice until the toast says it is on disk.
WATCH = """
(() => {
  const seen = (window.__bench = { usable: null, chosen: null, saved: null });
  const afterFrame = (name) => { seen[name] = 0; requestAnimationFrame(() => setTimeout(() => { seen[name] = performance.now(); }, 0)); };
  const look = () => {
    if (seen.usable === null && document.querySelector("USABLE")) afterFrame("usable");
    const said = document.querySelector(".toast")?.textContent ?? "";
    if (seen.chosen !== null && seen.saved === null && said.includes("Đã lưu trên máy")) afterFrame("saved");
  };
  const chosen = (event) => { if (event.target.type === "file") Object.assign(seen, { chosen: performance.now(), saved: null }); };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  addEventListener("change", chosen, true);
})();
""".replace("USABLE", USABLE)

BUSY = """
() => {
  const began = performance.now();
  let x = 0;
  for (let n = 0; n < 2e7; n += 1) x = (x * 31 + n) | 0;
  return performance.now() - began + (x === 1 ? 1 : 0);
}
"""
# Without worker and canvas off the page the app makes photos small in the page itself.
NO_WORKER = "delete window.OffscreenCanvas; delete window.Worker;"


class PhoneApp:
    """One Chromium with a profile that stays; `open` starts a fresh process over it."""

    def __init__(self, playwright: Any, folder: Path, server: Served) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.server = server
        self._phone = Phone(playwright, folder, server.origin)
        self.page: Page = None  # type: ignore[assignment]

    def open(self, *scripts: str) -> Page:
        self.page = self._phone.open()
        preferred(self.pid)
        for script in (WATCH, *scripts):
            self.page.add_init_script(script)
        return self.page

    @property
    def pid(self) -> int:
        process = self._phone._process
        assert process is not None
        return process.pid

    def kill(self) -> None:
        self._phone.kill()

    def pair(self, code: str) -> Page:
        """Opens, pairs by the link, and waits until no signal is needed any more."""
        page = self.open()
        page.goto(f"{self.server.origin}/app/#pair={code}")
        page.get_by_role("heading", name="Thôn Đo").wait_for()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        self.until("caches.keys().then((names) => names.length > 0)")
        return page

    def throttle(self, rate: float) -> None:
        self.page.context.new_cdp_session(self.page).send("Emulation.setCPUThrottlingRate", {"rate": rate})

    def choose(self, file: Path) -> None:
        """Taps the button for photos that exist and chooses `file`, as a file on disk: Playwright would carry its bytes into the page."""
        session = self.page.context.new_cdp_session(self.page)
        opened: list[int] = []
        session.on("Page.fileChooserOpened", lambda event: opened.append(event["backendNodeId"]))
        session.send("Page.enable")
        session.send("Page.setInterceptFileChooserDialog", {"enabled": True})
        self.page.get_by_role("button", name="Chọn ảnh").click()
        deadline = time.monotonic() + 60
        while not opened and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        session.send("DOM.setFileInputFiles", {"files": [str(file)], "backendNodeId": opened[0]})
        session.send("Page.setInterceptFileChooserDialog", {"enabled": False})
        session.detach()

    def noted(self, name: str, timeout_ms: int = 120_000) -> float:
        """Milliseconds since the navigation at which `name` was seen; waits for it."""
        self.until(f"window.__bench && window.__bench.{name} > 0", timeout_ms)
        return float(self.page.evaluate(f"window.__bench.{name}"))

    def until(self, expression: str, timeout_ms: int = 60_000, every_ms: int = 50) -> None:
        """Waits for a true value; asked from outside, because the page's policy lets nothing be evaluated within."""
        deadline = time.monotonic() + timeout_ms / 1000
        while not self.page.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {expression}")
            self.page.wait_for_timeout(every_ms)

    def busy(self) -> float:
        """Milliseconds of a fixed loop in the page: what the slowing is worth."""
        return float(self.page.evaluate(BUSY))


@contextlib.contextmanager
def phone_app(server: Served, code: int | None = 0) -> Iterator[PhoneApp]:
    """A phone app, paired with the server's code number `code` unless that is None."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="minhchung-phone-", ignore_cleanup_errors=True) as folder:
        app = PhoneApp(playwright, Path(folder) / "profile", server)
        try:
            if code is not None:
                app.pair(server.codes[code])
            yield app
        finally:
            app.kill()
