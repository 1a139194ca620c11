"""Lines as they are in high hamlets: slow, lossy, cut in the middle of a photo, a server that restarts."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.rig import Phone, Served
from e2e.test_story import PERSON, pair, people, photograph

__all__ = ["people"]  # the fixture
TITLE = "Đọc và cập nhật thông tin"


def go_to_camera(page: Page) -> None:
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("button", name="Chụp ảnh").click()


def back_to_person(page: Page) -> None:
    page.locator("header a.round").first.click()


@pytest.mark.timeout(240)
def test_photos_get_through_a_slow_lossy_line_that_breaks_and_a_restarted_server(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone]
) -> None:
    phone = make_phone("slow")
    page = phone.open()
    pair(page, people["link"])
    line = served.proxy.line
    line.delay_s, line.rate_bytes_s, line.loss = 0.1, 15_000, 0.05
    go_to_camera(page)
    photograph(page, "một")
    page.wait_for_timeout(1500)  # in the middle of the photo
    served.proxy.cut()
    served.restart()
    served.proxy.mend()
    page.reload()
    back_to_person(page)
    expect(page.locator(".row", has_text=TITLE)).to_contain_text("Xã đã nhận", timeout=90_000)


@pytest.mark.timeout(240)
def test_what_was_saved_before_a_kill_in_the_middle_of_sending_arrives_once(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone]
) -> None:
    phone = make_phone("killed")
    page = phone.open()
    pair(page, people["link"])
    served.proxy.line.rate_bytes_s = 20_000
    go_to_camera(page)
    photograph(page, "trước khi tắt máy")
    phone.kill()
    served.proxy.line.rate_bytes_s = None
    page = phone.open()
    page.goto(f"{served.origin}/app/")
    expect(page.get_by_role("heading", name=f"1. {TITLE}")).to_be_visible()  # where the person stood
    page.goto(f"{served.origin}/app/#/")
    page.get_by_role("link", name=PERSON).click()
    expect(page.locator(".row", has_text=TITLE)).to_contain_text("1 ảnh · Xã đã nhận", timeout=60_000)
