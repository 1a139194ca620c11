"""From one version to the next: a form open, an unsent photo, a second tab that stays behind, and a part that is missing."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Playwright, expect

from e2e.rig import ROOT, Phone, Served

PERSON = "Nông Thị Đào"
TITLE = "Đọc và cập nhật thông tin"
FORGET_THE_SHELL_BEFORE = """caches.keys().then((all) => Promise.all(
  all.filter((one) => one.startsWith("shell-") && !one.includes("next")).map((one) => caches.delete(one))))"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Served from a copy of the code, so that a next version can be put there."""
    for part in ("server", "sync", "pwa/dist"):
        shutil.copytree(ROOT / part, tmp_path / "code" / part, ignore=shutil.ignore_patterns("__pycache__"))
    server = Served(tmp_path / "home", tmp_path / "code")
    server.command("init", "--name", "Xã Thử")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(playwright: Playwright, served: Served, tmp_path: Path) -> Iterator[Page]:
    profile = tmp_path / "profile"
    profile.mkdir()
    phone = Phone(playwright, profile, served.origin)
    yield phone.open()
    phone.kill()


def next_version(served: Served, root: Path) -> None:
    """A worker that keeps another shell; the part read later has another name in it, and the old one is gone from the server."""
    dist = root / "pwa" / "dist"
    worker = dist / "sw.js"
    text = worker.read_text()
    (later,) = re.findall(r"/app/(more-[\w]+\.js)", text)
    worker.write_text(text.replace("const CACHE = `shell-", "const CACHE = `shell-next-").replace(f'"/app/{later}",', ""))
    for old in dist.glob("more-*.js"):
        old.unlink()


def until(page: Page, condition: str) -> None:
    for _ in range(200):
        with contextlib.suppress(Error):  # the page may be leaving
            if page.evaluate(condition):
                return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def updated(page: Page, do: Callable[[], None]) -> None:
    page.evaluate("globalThis.old = true")
    do()
    until(page, "globalThis.old === undefined")


@pytest.mark.timeout(240)
def test_an_update_loses_nothing_and_leaves_no_tab_without_its_parts(served: Served, page: Page, tmp_path: Path) -> None:
    place = served.command("place", "add", "Thôn Nà Nát", "--json")["id"]
    citizen = served.command("citizen", "add", PERSON, "--place", str(place), "--birth-year", "1951", "--json")["id"]
    link = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Lương Văn Sính", "--json")["link"]
    page.goto(link)
    page.get_by_role("link", name=PERSON).click()
    until(page, "navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    until(page, "navigator.serviceWorker.controller !== null")
    served.proxy.cut()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("button", name="Chụp ảnh").click()
    page.get_by_role("button", name="Chụp", exact=True).click()
    page.get_by_role("button", name="Dùng ảnh này").click()
    expect(page.locator(".tile")).to_have_count(1)
    second = page.context.new_page()
    second.goto(f"{served.origin}/app/#/person/{citizen}")
    expect(second.get_by_role("heading", name=PERSON)).to_be_visible()
    page.bring_to_front()
    page.get_by_label("Lời kê khai").fill("Đọc báo ở nhà văn hoá")

    next_version(served, tmp_path / "code")
    served.proxy.mend()
    page.evaluate("navigator.serviceWorker.getRegistration('/app/').then((one) => one.update())")
    offer = page.locator(".toast", has_text="Có bản mới của ứng dụng")
    expect(offer).to_be_visible(timeout=30_000)
    served.proxy.cut()
    updated(page, lambda: offer.get_by_role("button", name="Cập nhật").click())
    expect(page.get_by_label("Lời kê khai")).to_have_value("Đọc báo ở nhà văn hoá")
    expect(page.locator(".tile")).to_have_count(1)

    expect(second.locator(".toast", has_text="Có bản mới của ứng dụng")).to_be_visible()  # told, not torn away
    second.evaluate("location.hash = '#/settings'")
    expect(second.get_by_role("heading", name="Cài đặt")).to_be_visible()  # from the shell before

    page.evaluate(FORGET_THE_SHELL_BEFORE)
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.reload()
    expect(page.locator(".tile")).to_have_count(1)
    page.evaluate("location.hash = '#/settings'")
    expect(page.get_by_text("Phần này của ứng dụng chưa có trên máy").first).to_be_visible()
    page.evaluate("location.hash = '#/'")
    expect(page.get_by_role("link", name=PERSON)).to_be_visible()
