"""A word from the phone without signal reaches the office, and the answer comes back under the same dossier and photo."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.conftest import Phone, Served
from e2e.test_accessible import findings, fits
from e2e.test_story import PERSON, pair, people, photograph, sign_in

__all__ = ["people"]
SHOTS = os.environ.get("MINHCHUNG_SHOTS")
NASTY = "<img src=x onerror=alert(1)> Ảnh họp thôn tháng 3"


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.mark.timeout(240)
def test_comments_go_both_ways(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone], office: BrowserContext
) -> None:
    page = make_phone("chapter").open()
    pair(page, people["link"])
    served.proxy.cut()
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name="Tham gia hoạt động cộng đồng").click()
    page.get_by_role("button", name="Chụp ảnh").click()
    photograph(page, "Họp thôn")
    page.locator(".tile").click()
    page.get_by_role("button", name="Trao đổi về ảnh này").click()
    page.get_by_label("Lời nhắn").fill(NASTY)
    page.get_by_role("button", name="Gửi lời nhắn").click()
    expect(page.locator(".said .words")).to_have_text(NASTY)
    expect(page.locator(".said")).to_contain_text("Chờ gửi")
    shot(page, "talk-1-waits")
    assert (findings(page), fits(page)) == ([], True)
    served.proxy.mend()
    page.evaluate("location.hash = '#/queue'")
    page.get_by_role("button", name="Gửi ngay").click()
    expect(page.get_by_text("Không còn gì chờ gửi")).to_be_visible(timeout=60_000)

    desk = office.new_page()
    sign_in(desk, people["staff"])
    desk.goto("/people?q=nong+thi+dao")
    desk.get_by_role("link", name=PERSON).click()
    desk.locator(".shot a").first.click()
    expect(desk.get_by_text(NASTY)).to_be_visible()  # as text
    desk.locator("#talk").get_by_label("Lời nhắn").fill("Xã đã xem, ảnh rõ.")
    desk.get_by_role("button", name="Gửi lời nhắn").click()
    expect(desk.locator("#talk blockquote").last).to_have_text("Xã đã xem, ảnh rõ.")
    desk.locator("#talk").scroll_into_view_if_needed()
    shot(desk, "talk-2-office")

    page.evaluate("location.hash = '#/'")
    page.reload()
    expect(page.locator(".row", has_text=PERSON)).to_contain_text("Lời nhắn mới", timeout=30_000)
    shot(page, "talk-3-new")
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name="Tham gia hoạt động cộng đồng").click()
    page.locator(".tile", has_text="Lời nhắn mới").click()
    page.get_by_role("button", name="Trao đổi về ảnh này (2)").click()
    expect(page.locator(".said .words").last).to_have_text("Xã đã xem, ảnh rõ.")
    shot(page, "talk-4-answer")
    page.evaluate("location.hash = '#/'")
    expect(page.locator(".row", has_text=PERSON)).not_to_contain_text("Lời nhắn mới")
