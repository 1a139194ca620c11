"""One phone, two people: they switch without signal, one with a PIN, and each sees what is theirs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Phone, Served
from e2e.test_accessible import findings, fits

SHOTS = os.environ.get("MINHCHUNG_SHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.mark.timeout(240)
def test_two_people_share_a_phone_without_signal(served: Served, make_phone: Callable[[str], Phone]) -> None:
    place = served.command("place", "add", "Thôn Nà Nát", "--json")["id"]
    citizen = served.command("citizen", "add", "Nông Thị Đào", "--place", str(place), "--birth-year", "1951", "--json")["id"]
    served.command("citizen", "add", "Hoàng Văn Cao", "--place", str(place), "--birth-year", "1971", "--json")
    chapter = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Lương Văn Sính", "--json")
    own = served.command("pair", "--role", "citizen", "--place", str(place), "--citizen", citizen, "--json")
    phone = make_phone("shared")
    page = phone.open()
    page.goto(chapter["link"])
    expect(page.get_by_role("heading", name="Thôn Nà Nát")).to_be_visible()
    page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    page.evaluate("location.hash = '#/pair'")
    page.get_by_label("Mã ghép máy").fill(own["code"])
    page.get_by_role("button", name="Bắt đầu").click()
    expect(page.get_by_role("heading", name="Nông Thị Đào")).to_be_visible(timeout=30_000)

    served.proxy.cut()
    page.evaluate("location.hash = '#/who'")
    page.get_by_role("button", name="Đặt mã PIN").click()
    page.get_by_label("Mã PIN mới").fill("2468")
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_text("có mã PIN")).to_be_visible()
    shot(page, "who-1-open")
    assert (findings(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Đưa máy cho người khác").click()
    expect(page.get_by_text("Mọi thứ đang làm dở vẫn còn")).to_be_visible()
    shot(page, "who-2-locked")
    page.evaluate("location.hash = '#/queue'")
    expect(page.get_by_role("heading", name="Ai đang dùng máy?")).to_be_visible()  # no way around it by an address
    page.get_by_role("button", name="Lương Văn Sính").click()
    expect(page.get_by_role("link", name="Hoàng Văn Cao")).to_be_visible()

    page.evaluate("location.hash = '#/who'")
    page.get_by_role("button", name="Nông Thị Đào").click()
    page.get_by_label("Mã PIN").fill("1111")
    page.get_by_role("button", name="Mở").click()
    expect(page.get_by_text("Mã PIN chưa đúng")).to_be_visible()
    shot(page, "who-3-pin")
    assert (findings(page), fits(page)) == ([], True)
    page.get_by_label("Mã PIN").fill("2468")
    page.get_by_role("button", name="Mở").click()
    expect(page.get_by_role("heading", name="Nông Thị Đào")).to_be_visible()
    expect(page.get_by_text("Hoàng Văn Cao")).to_have_count(0)
