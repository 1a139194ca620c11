"""Two phones change one score without signal; who is named settles it on the phone, also without signal."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Phone, Served
from e2e.test_accessible import findings, fits

SHOTS = os.environ.get("MINHCHUNG_SHOTS")
NASTY = '<img src=x onerror="document.title=1"><b>Páo</b>'
MEET = "Tham gia hoạt động cộng đồng"


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def links(served: Served) -> dict[str, Any]:
    place = served.command("place", "add", "Thôn Nà Nát", "--json")["id"]
    citizen = served.command("citizen", "add", "Nông Thị Đào", "--place", str(place), "--birth-year", "1951", "--json")["id"]
    own = served.command("pair", "--role", "citizen", "--place", str(place), "--citizen", citizen, "--json")
    chapter = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Lương Văn Sính", "--json")
    return {"citizen": citizen, "own": own["link"], "chapter": chapter["link"]}


def sync(page: Page) -> None:
    page.evaluate("location.hash = '#/queue'")
    page.get_by_role("button", name="Gửi ngay").click()
    expect(page.get_by_text("Không còn gì chờ gửi")).to_be_visible(timeout=30_000)


def indicator(page: Page, citizen: str, no: int) -> None:
    page.evaluate(f"location.hash = '#/person/{citizen}/{no}'")
    expect(page.get_by_role("heading", name=f"{no}. ")).to_be_visible()


def score(page: Page, band: int, number: int) -> None:
    page.locator(".bandhead").nth(band).click()
    page.locator(".num", has_text=str(number)).click()
    expect(page.locator(".scored .number")).to_have_text(str(number))


def declare(page: Page, words: str) -> None:
    page.get_by_label("Lời kê khai").fill(words)
    page.get_by_role("button", name="Lưu lời kê khai").click()
    expect(page.locator(".toast")).to_contain_text("Đã lưu trên máy")


def settle_score(page: Page, served: Served) -> None:
    """Chosen without signal, undone, chosen again."""
    page.evaluate("location.hash = '#/'")
    strip = page.get_by_role("link", name="2 chỗ có hai bản khác nhau")
    expect(strip).to_be_visible()
    shot(page, "conflict-1-home")
    served.proxy.cut()
    strip.click()
    expect(page.get_by_role("heading", name="Mời chọn bản đúng")).to_be_visible()
    shot(page, "conflict-2-list")
    page.get_by_role("link", name="Tự chấm điểm").click()
    expect(page.get_by_role("heading", name="Có hai bản khác nhau")).to_be_visible()
    expect(page.get_by_text("Lương Văn Sính")).to_be_visible()
    shot(page, "conflict-3-card")
    assert (findings(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Chọn 5 điểm").click()
    expect(page.get_by_role("status").filter(has_text="Đã chọn: 5 điểm").first).to_be_visible()
    shot(page, "conflict-4-chosen")
    page.locator("section").get_by_role("button", name="Hoàn tác").click()
    expect(page.get_by_role("button", name="Chọn 9 điểm")).to_be_visible()
    page.get_by_role("button", name="Chấm điểm khác").click()
    shot(page, "conflict-5-third")
    page.locator(".bandhead").nth(2).click()
    page.locator(".num", has_text="7").click()
    expect(page.get_by_role("status").filter(has_text="Đã chọn: 7 điểm").first).to_be_visible()


@pytest.mark.timeout(240)
def test_two_versions_are_settled_without_signal_and_everybody_sees_the_choice(
    served: Served, links: dict[str, Any], make_phone: Callable[[str], Phone]
) -> None:
    citizen = links["citizen"]
    chapter, own = make_phone("chapter").open(), make_phone("own").open()
    for page, link in ((chapter, links["chapter"]), (own, links["own"])):
        page.goto(link)
        expect(page.get_by_text("Nông Thị Đào").first).to_be_visible()
        page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    served.proxy.cut()
    indicator(chapter, citizen, 3)
    score(chapter, 3, 9)
    declare(chapter, f"Đi họp đủ. {NASTY}")
    indicator(own, citizen, 3)
    score(own, 1, 5)
    declare(own, "Đi họp thôn, làm đường.")
    served.proxy.mend()
    sync(chapter)
    sync(own)

    own.evaluate("location.hash = '#/'")
    settle_score(own, served)
    own.evaluate("location.hash = '#/conflicts'")
    own.get_by_role("link", name="Lời kê khai").click()
    expect(own.get_by_text(NASTY)).to_be_visible()  # as text, not as markup
    shot(own, "conflict-6-words")
    own.get_by_role("button", name="Gõ bản khác").click()
    own.get_by_role("button", name="Chép bản sửa khác").click()
    own.get_by_label("Bản đúng").fill("Đi họp đủ, làm đường.")
    own.get_by_role("button", name="Dùng bản vừa gõ").click()
    expect(own.get_by_role("status").filter(has_text="Đã chọn: Đi họp đủ").first).to_be_visible()
    indicator(own, citizen, 3)
    expect(own.locator(".scored .number")).to_have_text("7")
    expect(own.get_by_label("Lời kê khai")).to_have_value("Đi họp đủ, làm đường.")

    chapter.evaluate("location.hash = '#/'")
    chapter.reload()
    indicator(chapter, citizen, 3)
    served.proxy.mend()
    chapter.reload()
    expect(chapter.get_by_role("link", name="Nội dung vừa sửa đang chờ xem lại")).to_be_visible(timeout=30_000)
    shot(chapter, "conflict-7-waits")
    own.reload()
    sync(own)
    sync_down(chapter, citizen)


def sync_down(page: Page, citizen: str) -> None:
    for _ in range(20):
        page.reload()
        indicator(page, citizen, 3)
        if page.locator(".scored .number").inner_text() == "7":
            break
        page.wait_for_timeout(500)
    expect(page.locator(".scored .number")).to_have_text("7")
    expect(page.get_by_label("Lời kê khai")).to_have_value("Đi họp đủ, làm đường.")
    expect(page.get_by_role("link", name="Nội dung vừa sửa đang chờ xem lại")).to_have_count(0)
