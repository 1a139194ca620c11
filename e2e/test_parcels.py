"""A neighbour's file goes by a volunteer's phone: taken in without signal, handed in later, and the commune's answer shown."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import Phone, Served
from e2e.test_accessible import findings, fits
from e2e.test_story import PERSON, pair, people, photograph

__all__ = ["people"]
SHOTS = os.environ.get("MINHCHUNG_SHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


@pytest.mark.timeout(240)
def test_a_volunteers_phone_carries_a_neighbours_file(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone], tmp_path: Path
) -> None:
    place = served.command("place", "add", "Thôn Kéo Lày", "--json")["id"]
    other = served.command("pair", "--role", "chapter", "--place", str(place), "--name", "Vi Văn Páo", "--json")
    neighbour, volunteer = make_phone("neighbour").open(), make_phone("volunteer").open()
    pair(neighbour, people["link"])
    volunteer.goto(other["link"])
    expect(volunteer.get_by_role("heading", name="Thôn Kéo Lày")).to_be_visible()
    volunteer.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    served.proxy.cut()
    neighbour.get_by_role("link", name=PERSON).click()
    neighbour.get_by_role("link", name="Đọc và cập nhật thông tin").click()
    neighbour.get_by_role("button", name="Chụp ảnh").click()
    photograph(neighbour, "Đọc báo")
    neighbour.evaluate("location.hash = '#/settings'")
    with neighbour.expect_download() as download:
        neighbour.get_by_role("button", name="Xuất phần chưa gửi ra tệp").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)

    volunteer.evaluate("location.hash = '#/settings'")
    volunteer.get_by_role("link", name="Gói gửi hộ").click()
    with volunteer.expect_file_chooser() as chooser:
        volunteer.get_by_role("button", name="Nhận gói của hàng xóm").click()
    chooser.value.set_files(file)
    expect(volunteer.locator(".row", has_text=file.name)).to_contain_text("Chờ nộp")
    shot(volunteer, "parcel-1-waits")
    assert (findings(volunteer), fits(volunteer)) == ([], True)
    served.proxy.mend()
    volunteer.reload()
    expect(volunteer.locator(".row", has_text=file.name)).to_contain_text("Xã đã nhận đủ: 2 nội dung, 1 ảnh", timeout=60_000)
    shot(volunteer, "parcel-2-received")
