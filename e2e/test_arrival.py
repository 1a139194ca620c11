"""A page is entered whatever the line does meanwhile: status changes come faster than an old phone loads a page."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from e2e.rig import Phone, Served
from e2e.test_story import PERSON, pair, people

__all__ = ["people"]  # the fixture
# Finding a dossier asks for a digest: here it takes longer than the time between two changes of status.
SLOW_LOADS = """
  const digest = SubtleCrypto.prototype.digest;
  SubtleCrypto.prototype.digest = async function (...args) {
    await new Promise((done) => setTimeout(done, 250));
    return digest.apply(this, args);
  };
"""
RESTLESS = "() => { const line = new BroadcastChannel('minhchung'); setInterval(() => line.postMessage('changed'), 80); }"


def test_the_camera_opens_while_the_status_changes_all_the_time(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone]
) -> None:
    page = make_phone("slow").open()
    page.add_init_script(SLOW_LOADS)
    pair(page, people["link"])
    page.get_by_role("link", name=PERSON).click()
    page.evaluate(RESTLESS)
    page.get_by_role("link", name="Đọc và cập nhật thông tin").click()
    page.get_by_role("button", name="Chụp ảnh").click()
    expect(page.get_by_role("button", name="Chụp", exact=True)).to_be_enabled()


def test_words_of_one_indicator_never_come_into_the_next(
    served: Served, people: dict[str, Any], make_phone: Callable[[str], Phone]
) -> None:
    page = make_phone("slow").open()
    page.add_init_script(SLOW_LOADS)
    pair(page, people["link"])
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name="Đọc và cập nhật thông tin").click()
    words = page.get_by_label("Lời kê khai")
    words.fill("đọc báo cùng tổ")
    page.get_by_role("button", name="Lưu lời kê khai").click()
    expect(page.locator(".chip", has_text="Đã lưu trên máy")).to_be_visible()
    page.evaluate(RESTLESS)
    page.wait_for_timeout(300)
    page.locator("a.neighbour", has_text="Chỉ số sau").click()
    expect(page.get_by_role("heading", name="2. ")).to_be_visible()
    expect(words).to_have_value("")
    page.wait_for_timeout(600)
    expect(words).to_have_value("")
