"""Fixtures: a served home of one's own, a bad line before it, and browsers that can be killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from e2e.rig import CHROMIUM, Phone, Served

expect.set_options(timeout=20_000)  # machines that run everything at once are slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path / "home")
    server.command("init", "--name", "Xã Thử")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make_phone(playwright: Playwright, served: Served, tmp_path: Path) -> Iterator[Callable[[str], Phone]]:
    made: list[Phone] = []

    def make(name: str) -> Phone:
        profile = tmp_path / f"profile-{name}"
        profile.mkdir()
        made.append(Phone(playwright, profile, served.origin))
        return made[-1]

    yield make
    for phone in made:
        phone.kill()


@pytest.fixture
def office(playwright: Playwright, served: Served) -> Iterator[BrowserContext]:
    """A desktop browser, 1280x800."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    yield browser.new_context(viewport={"width": 1280, "height": 800}, base_url=served.origin)
    browser.close()
