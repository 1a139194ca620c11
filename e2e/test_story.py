"""The main job in a real browser: a photo taken with no signal becomes the commune's result."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from e2e.rig import Phone, Served

PERSON = "Nông Thị Đào"
SHOTS = os.environ.get("MINHCHUNG_SHOTS")  # a folder: screenshots for people to look at


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.fixture
def people(served: Served) -> dict[str, Any]:
    place = served.command("place", "add", "Thôn Nà Nát", "--json")["id"]
    for name in (PERSON, "Hoàng Văn Cao", "Bàn Mùi Pham"):
        served.command("citizen", "add", name, "--place", str(place), "--birth-year", "1971", "--json")
    staff = served.command("staff", "add", "Nguyễn Thị Hạnh", "--json")
    pair = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Lương Văn Sính", "--json")
    return {"staff": staff, "link": pair["link"]}


def pair(page: Page, link: str) -> None:
    page.goto(link)
    expect(page.get_by_role("heading", name="Thôn Nà Nát")).to_be_visible()
    page.wait_for_function("navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready.then(() => true)")


def photograph(page: Page, caption: str) -> None:
    page.get_by_role("button", name="Chụp", exact=True).click()
    page.get_by_label("Ghi chú").fill(caption)
    page.get_by_role("button", name="Dùng ảnh này").click()
    expect(page.locator(".tile", has_text=caption)).to_be_visible()  # drawn from the store: it is on disk


def score(page: Page, number: int) -> None:
    page.locator(".bandhead").nth(2).click()
    page.locator(".num", has_text=str(number)).click()
    expect(page.locator(".scored .number")).to_have_text(str(number))


def collect_offline(page: Page) -> None:
    page.get_by_role("searchbox").fill("nong thi dao")
    expect(page.get_by_role("link", name=PERSON)).to_have_count(1)
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name="Đọc và cập nhật thông tin").click()
    page.get_by_role("button", name="Chụp ảnh").click()
    photograph(page, "Đọc báo cùng tổ")
    expect(page.get_by_text("1 ảnh vẫn được lưu trên máy")).to_be_visible()
    score(page, 8)


def send_in(page: Page) -> None:
    page.get_by_role("button", name="Gửi hồ sơ").click()
    page.get_by_role("button", name="Vẫn gửi hồ sơ").click()
    expect(page.locator(".statline").first).to_contain_text("Đã gửi")


def appraise(page: Page) -> None:
    page.get_by_role("button", name="Chấm điểm").click()
    for _ in range(10):
        section = page.locator(".judge:not(:has(.scored))").first
        section.locator(".bandhead").nth(2).click()
        section.locator(".num").nth(1).click()
    page.get_by_label("Nhận xét chung").fill("Tham gia đều.")
    page.get_by_role("button", name="Gửi điểm chấm").click()
    expect(page.locator(".statline").first).to_contain_text("Chi hội đã chấm")


def sign_in(page: Page, staff: dict[str, str]) -> None:
    page.goto("/")
    page.get_by_label("Tên đăng nhập").fill(staff["login"])
    page.get_by_label("Mật khẩu").fill(staff["password"])
    page.get_by_role("button", name="Đăng nhập").click()


def open_dossier(page: Page) -> None:
    page.goto("/people?q=nong+thi+dao")
    page.get_by_role("link", name=PERSON).click()


def ask_for_a_retake(page: Page) -> None:
    page.locator(".shot a").first.click()
    page.get_by_role("button", name="Cần chụp lại").first.click()
    page.get_by_role("button", name="ảnh bị mờ, tối").click()
    expect(page.get_by_text("Cần chụp lại").first).to_be_visible()


@pytest.mark.timeout(240)
def test_a_photo_taken_with_no_signal_becomes_the_result_and_comes_back_for_a_retake(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone], office: BrowserContext
) -> None:
    phone = make_phone("chapter")
    page = phone.open()
    pair(page, people["link"])
    shot(page, "1-home")

    served.proxy.cut()
    collect_offline(page)
    shot(page, "2-indicator")
    phone.kill()

    page = phone.open()
    page.goto(f"{served.origin}/app/")
    expect(page.get_by_role("heading", name="1. Đọc và cập nhật thông tin")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".scored .number")).to_have_text("8")
    page.locator("header a.round").first.click()
    send_in(page)
    shot(page, "3-sent-offline")

    served.proxy.line.drop_answers = 1
    served.proxy.mend()
    page.reload()
    shot(page, "4-sending")
    expect(page.locator(".row", has_text="Đọc và cập nhật thông tin")).to_contain_text("Xã đã nhận", timeout=60_000)
    appraise(page)
    shot(page, "5-appraised")

    desk = office.new_page()
    sign_in(desk, people["staff"])
    shot(desk, "6-overview")
    arrives(desk, ".chip", "Chi hội đã chấm")
    shot(desk, "7-wall")
    ask_for_a_retake(desk)
    open_dossier(desk)
    desk.get_by_role("button", name="Xã duyệt điểm").click()
    expect(desk.get_by_text("Đủ điều kiện").first).to_be_visible()
    shot(desk, "8-settled")
    assert office.request.get("/result.xlsx").body()[:2] == b"PK"

    page.reload()
    row = page.locator(".row", has_text="Đọc và cập nhật thông tin")
    expect(row).to_contain_text("Cần chụp lại: ảnh bị mờ, tối", timeout=30_000)
    shot(page, "9-verdict")
    row.click()
    page.locator(".tile").first.click()
    page.get_by_role("button", name="Chụp lại ảnh này").click()
    photograph(page, "Chụp lại cho rõ")
    expect(page.locator(".tile")).to_have_count(2)
    arrives(desk, ".shot.replaced")
    shot(desk, "10-retaken")
    assert served.proxy.line.dropped == 1


def arrives(desk: Page, selector: str, words: str | None = None) -> None:
    """The phone sends by itself: looks again until the commune has it."""
    for _ in range(40):
        open_dossier(desk)
        if desk.locator(selector, has_text=words).count():
            return
        desk.wait_for_timeout(500)
    raise AssertionError(f"never arrived: {selector} {words or ''}")
