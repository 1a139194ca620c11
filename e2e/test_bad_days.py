"""Bad days in a real browser: each has its plain sentence, and nothing that was said to be saved is missing afterwards.

One home and one browser serve the whole file; every test is a phone (or two) of its own. docs/bad-days.md lists them.
"""

import contextlib
import io
import re
import shutil
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from playwright.sync_api import Error as PlaywrightError
from sqlalchemy import select

from e2e.rig import CHROMIUM, ROOT, Served
from server.db import migrate, tables
from server.db.session import Database, sqlite_url
from server.domain import communes, pairing, people, places, staff
from tests.world import NOW

PERSON = "Nông Văn Páo"
TITLE = "Đọc và cập nhật thông tin"
ANDROID = "Mozilla/5.0 (Linux; Android 11; M2006C3LG) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
IPHONE = f"{IOS}Version/16.4 Mobile/15E148 Safari/604.1"
CAMERA = {"permissions": ["camera"]}
HEARD = """globalThis.heard = [];
new MutationObserver(() => { for (const one of document.querySelectorAll(".toast")) heard.push(one.textContent); })
  .observe(document, { childList: true, subtree: true, characterData: true });"""  # short messages, which a later one may replace
FULL = """const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (value, ...key) {
  const size = value.byteLength ?? value.bytes?.byteLength ?? JSON.stringify(value).length;
  if (size > (globalThis.room ?? Infinity)) throw new DOMException("full", "QuotaExceededError");
  return put.call(this, value, ...key);
};
const { estimate } = StorageManager.prototype;
StorageManager.prototype.estimate = async function () {
  return globalThis.room === undefined ? estimate.call(this) : { quota: 1e9, usage: 1e9 - globalThis.room };
};"""  # a browser whose disk has globalThis.room bytes left
pytestmark = pytest.mark.timeout(120)


class Commune:
    """A served commune, with the code's copy that serves it, and codes for phones."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        self.root = folder / "code"
        for part in ("server", "sync", "pwa/dist"):
            shutil.copytree(ROOT / part, self.root / part, ignore=shutil.ignore_patterns("__pycache__"))
        self.db = Database(sqlite_url(home))
        migrate.upgrade(self.db)
        with self.db.write() as conn:
            self.id = communes.add(conn, "Xã Thử", 2026, NOW)
            self.login, self.password = staff.add(conn, self.id, "Hoàng Thị Hạnh")
        self.served = Served(home, self.root)
        self.served.start()

    def code(self, kind: str = "chapter") -> str:
        """A code for a hamlet of its own, in which one person lives: no test meets another's photos."""
        with self.db.write() as conn:
            place = places.add(conn, self.id, "Thôn Nà Pò", NOW)
            people.add_citizen(conn, self.id, PERSON, place, NOW, birth_year=1968, group=1)
            if kind == "poster":
                return pairing.make_poster(conn, self.id, place)
            return pairing.make_code(conn, self.id, "chapter", place, name="Lý Thị Chi")[0]

    def photos(self) -> dict[str, Any]:
        """Rows of the photos that the commune has received, by hash."""
        table = tables.Photo.__table__
        with self.db.read() as conn:
            return {row["sha256"]: dict(row) for row in conn.execute(select(table)).mappings()}

    def close(self) -> None:
        self.served.stop()
        self.db.close()


@pytest.fixture(scope="module")
def commune(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commune]:
    made = Commune(tmp_path_factory.mktemp("bad-days"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    args = ["--no-sandbox", "--use-fake-device-for-media-stream", "--host-resolver-rules=MAP xa.example 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
    yield browser
    browser.close()


NewPhone = Callable[..., BrowserContext]


@pytest.fixture
def new_phone(chromium: Browser, commune: Commune) -> Iterator[NewPhone]:
    """Makes a phone: a browser context of its own. Leaves the line whole for the next test."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        size = {"width": 360, "height": 740}
        context = chromium.new_context(viewport=size, locale="vi", base_url=commune.served.origin, **options)
        context.set_default_timeout(20_000)
        context.add_init_script(HEARD)
        made.append(context)
        return context

    yield make
    commune.served.proxy.mend()
    for context in made:
        context.close()


@pytest.fixture
def paired(new_phone: NewPhone, commune: Commune) -> Callable[..., Page]:
    """A phone of the chapter, standing at the camera of the first indicator, without signal unless wanted."""

    def make(signal: bool = False, script: str = "", **options: Any) -> Page:
        context = new_phone(**{**CAMERA, **options})
        if script:
            context.add_init_script(script)
        page = pair(context.new_page(), commune.code())
        if not signal:
            commune.served.proxy.cut()
        return page

    return make


def pair(page: Page, code: str) -> Page:
    page.goto(f"/app/#pair={code}")
    expect(page.get_by_role("link", name=PERSON)).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


def to_indicator(page: Page, title: str = TITLE) -> None:
    page.get_by_role("link", name=PERSON).click()
    page.get_by_role("link", name=title).click()


def to_camera(page: Page, title: str = TITLE) -> None:
    to_indicator(page, title)
    page.get_by_role("button", name="Chụp ảnh").click()


def use(page: Page, caption: str) -> None:
    page.get_by_label("Ghi chú").fill(caption)
    page.get_by_role("button", name="Dùng ảnh này").click()


def shoot(page: Page, caption: str) -> None:
    page.get_by_role("button", name="Chụp", exact=True).click()
    use(page, caption)
    expect(page.locator(".tile", has_text=caption)).to_be_visible()


def pick(page: Page, *files: tuple[str, bytes]) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Chọn ảnh có sẵn").click()
    chooser.value.set_files([{"name": name, "mimeType": "image/jpeg", "buffer": content} for name, content in files])


def declare(page: Page, words: str) -> None:
    page.get_by_label("Lời kê khai").fill(words)
    save_words(page)


def save_words(page: Page) -> None:
    page.get_by_role("button", name="Lưu lời kê khai").click()
    expect(page.get_by_role("button", name="Lưu lời kê khai")).to_have_count(0)
    expect(page.locator(".chip", has_text="Đã lưu trên máy")).to_be_visible()  # drawn from the store: it is on disk


def held(page: Page, store: str) -> list[Any]:
    """What this phone's database holds in a store, buffers as their length."""
    found: list[Any] = page.evaluate(
        """async (store) => {
          const db = await new Promise((done) => { const r = indexedDB.open("minhchung"); r.onsuccess = () => done(r.result); });
          const all = await new Promise((done) => {
            const r = db.transaction(store).objectStore(store).getAll();
            r.onsuccess = () => done(r.result);
          });
          db.close();
          return all.map((one) => one instanceof ArrayBuffer ? one.byteLength : one);
        }""",
        store,
    )
    return found


def toast(page: Page, words: str) -> None:
    """The short message was shown since the page was opened, or comes soon."""
    until(page, "(words) => heard.some((one) => one.includes(words))", words)


def until(page: Page, condition: str, value: Any = None) -> None:
    """`page.wait_for_function` without eval, which the page's own policy forbids."""
    for _ in range(200):
        with contextlib.suppress(PlaywrightError):  # the page is on its way elsewhere
            if page.evaluate(condition, value):
                return
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {condition} {value or ''}; heard {page.evaluate('[...new Set(heard)]')}")


def received(page: Page, title: str = TITLE) -> None:
    expect(page.locator(".row", has_text=title)).to_contain_text("Xã đã nhận", timeout=30_000)


def back(page: Page) -> None:
    page.locator("header a.round").first.click()


# The phone itself


def test_a_full_phone_says_so_keeps_what_it_has_and_still_takes_text(paired: Callable[..., Page]) -> None:
    page = paired(script=FULL)
    to_camera(page)
    shoot(page, "trước khi máy đầy")
    before = held(page, "photos")
    page.evaluate("globalThis.room = 10_000")
    page.get_by_role("button", name="Chụp ảnh").click()
    page.get_by_role("button", name="Chụp", exact=True).click()
    use(page, "khi máy đã đầy")
    toast(page, "Máy đã đầy, ảnh chưa lưu được. Xin xoá bớt tệp rồi chụp lại.")
    assert held(page, "photos") == before
    page.get_by_role("button", name="Chụp lại").click()
    back(page)
    expect(page.get_by_text("Máy sắp đầy")).to_be_visible()
    declare(page, "Máy đầy vẫn kê khai được")
    page.reload()
    expect(page.get_by_label("Lời kê khai")).to_have_value("Máy đầy vẫn kê khai được")
    page.get_by_role("button", name="Chụp ảnh").click()
    shoot(page, "sau khi dọn máy")
    expect(page.locator(".tile")).to_have_count(2)


def test_two_tabs_of_one_phone_lose_no_words_of_either(paired: Callable[..., Page], commune: Commune) -> None:
    one = paired()
    to_indicator(one)
    two = one.context.new_page()
    two.goto(one.url)
    expect(two.get_by_label("Lời kê khai")).to_be_visible()
    two.get_by_label("Lời kê khai").fill("Viết ở thẻ thứ hai")
    one.bring_to_front()
    declare(one, "Viết ở thẻ thứ nhất")
    two.bring_to_front()
    expect(two.get_by_label("Lời kê khai")).to_have_value("Viết ở thẻ thứ hai")
    save_words(two)
    numbers = [m["seq"] for m in held(one, "outbox")]
    assert numbers == sorted(set(numbers))
    commune.served.proxy.mend()
    one.bring_to_front()
    one.reload()
    expect(one.get_by_text("Có hai bản khác nhau").first).to_be_visible(timeout=30_000)
    table = tables.Conflict.__table__
    with commune.db.read() as conn:
        rows = [dict(row) for row in conn.execute(select(table).where(table.c.field == "note.1")).mappings()]
    both = {str(value) for row in rows for value in (row["theirs"], row["mine"])}
    assert any("Viết ở thẻ thứ nhất" in value for value in both) and any("Viết ở thẻ thứ hai" in value for value in both), both


def test_two_tabs_send_one_after_the_other(paired: Callable[..., Page], commune: Commune) -> None:
    one = paired()
    to_camera(one)
    shoot(one, "chỉ gửi một lần")
    sent: list[int] = []
    one.context.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")) if request.method == "PATCH" else None)
    two = one.context.new_page()
    two.goto(one.url)
    expect(two.locator(".tile", has_text="chỉ gửi một lần")).to_be_visible()
    commune.served.proxy.mend()
    for tab in (one, two):
        tab.evaluate("dispatchEvent(new Event('online'))")
    for tab in (one, two):
        expect(tab.locator(".tile")).to_contain_text("Xã đã nhận", timeout=30_000)
    assert sum(sent) == held(one, "photos")[0]["size"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotAllowedError", "Chưa được phép dùng camera. Có thể chụp bằng camera của máy hoặc chọn ảnh có sẵn."),
        ("NotReadableError", "Camera đang bận ở ứng dụng khác. Đóng ứng dụng đó, hoặc dùng camera của máy."),
        ("NotFoundError", "Máy này không mở được camera ở đây. Mời dùng camera của máy hoặc chọn ảnh có sẵn."),
    ],
)
def test_a_camera_refused_busy_or_absent_leaves_two_other_ways(paired: Callable[..., Page], name: str, words: str) -> None:
    script = f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{name}'));"
    page = paired(permissions=[]) if name == "NotAllowedError" else paired(script=script)
    to_camera(page)
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_role("button", name="Camera của máy").first).to_be_enabled()
    pick(page, ("IMG_1.jpg", jpeg(noise(800, 600))))
    expect(page.locator(".tile")).to_have_count(1)


def test_a_browser_killed_by_the_phones_camera_says_that_the_shot_is_lost_and_stands_where_it_was(paired: Callable[..., Page]) -> None:
    page = paired()
    to_camera(page)
    with page.expect_file_chooser():
        page.get_by_role("button", name="Camera của máy").click()
    page.wait_for_timeout(300)
    page.close()
    again = page.context.new_page()
    again.goto("/app/")
    toast(again, "Ảnh vừa chụp chưa kịp lưu, mời chụp lại")
    expect(again.get_by_role("heading", name=f"1. {TITLE}")).to_be_visible()
    shoot(again, "chụp lại")
    again.close()
    third = page.context.new_page()
    third.goto("/app/")
    expect(third.locator(".tile", has_text="chụp lại")).to_be_visible()
    assert third.evaluate("heard") == []


def test_a_photo_kept_a_moment_before_the_kill_reopens_on_its_indicator(paired: Callable[..., Page]) -> None:
    page = paired()
    to_camera(page)
    page.get_by_role("button", name="Chụp", exact=True).click()
    expect(page.get_by_role("button", name="Dùng ảnh này")).to_be_visible()
    # The page dies between the store's word and the next screen: nothing after the save runs.
    page.evaluate("addEventListener('hashchange', (event) => event.stopImmediatePropagation(), true)")
    camera = page.url
    page.get_by_role("button", name="Dùng ảnh này").click()
    until(page, "location.hash.startsWith('#/person/')")
    page.close()
    again = page.context.new_page()
    again.goto(camera)  # a browser that restores the address it last knew
    expect(again.locator(".tile")).to_have_count(1)
    assert again.evaluate("heard") == []


def test_a_database_that_the_browser_closed_is_opened_again(paired: Callable[..., Page]) -> None:
    page = paired()
    to_indicator(page)
    page.evaluate(
        """() => new Promise((done) => {
          const request = indexedDB.open("minhchung", 999);
          request.onupgradeneeded = () => request.transaction.abort();
          request.onerror = () => done(true);
        })"""
    )
    declare(page, "Sau khi trình duyệt đóng bộ nhớ")
    page.reload()
    expect(page.get_by_label("Lời kê khai")).to_have_value("Sau khi trình duyệt đóng bộ nhớ")


def test_a_database_that_the_browser_lost_is_told_and_its_unsent_work_comes_out_as_a_file(paired: Callable[..., Page]) -> None:
    page = paired()
    to_camera(page)
    shoot(page, "trước khi mất bộ nhớ")
    (photo,) = held(page, "photos")
    page.goto("/app/manifest.webmanifest")  # a page of the same origin in which the app does not run
    page.evaluate("new Promise((done) => { const r = indexedDB.deleteDatabase('minhchung'); r.onsuccess = r.onerror = done; })")
    page.goto("/app/")
    expect(page.get_by_text("Trình duyệt đã làm mất bộ nhớ của ứng dụng")).to_be_visible()
    with page.expect_download() as export:
        page.get_by_role("button", name="Xuất bản sao ra tệp").click()
    archive = zipfile.ZipFile(export.value.path())
    assert len(archive.read(f"photos/{photo['sha256']}")) == photo["size"]
    page.get_by_role("button", name="Xã đã có tệp, xoá bản sao").click()
    expect(page.get_by_text("Trình duyệt đã làm mất bộ nhớ của ứng dụng")).to_have_count(0)


@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_ten_years_off_is_said_and_everything_still_arrives(paired: Callable[..., Page], commune: Commune, years: int) -> None:
    shift = f"""{{ const Real = Date; const ms = {years} * 365 * 864e5;
      globalThis.Date = class extends Real {{
        constructor(...a) {{ a.length ? super(...a) : super(Real.now() + ms); }}
        static now() {{ return Real.now() + ms; }}
      }}; }}"""
    page = paired(signal=True, script=shift)
    expect(page.get_by_text("Giờ trên máy đang sai. Xin chỉnh lại ngày giờ.")).to_be_visible()
    to_camera(page)
    shoot(page, f"giờ lệch {years} năm")
    back(page)
    received(page)


def test_a_double_tap_saves_one_photo(paired: Callable[..., Page]) -> None:
    page = paired()
    to_camera(page)
    page.get_by_role("button", name="Chụp", exact=True).dblclick()
    page.get_by_label("Ghi chú").fill("chạm hai lần")
    page.get_by_role("button", name="Dùng ảnh này").dblclick()
    expect(page.locator(".tile")).to_have_count(1)
    assert len(held(page, "photos")) == 1
    back(page)
    page.get_by_role("button", name="Gửi hồ sơ").click()
    page.get_by_role("button", name="Vẫn gửi hồ sơ").dblclick()
    expect(page.locator(".statline").first).to_contain_text("Đã gửi")
    assert [m["op"] for m in held(page, "outbox")].count("submit") == 1


# The line


def test_a_captive_portal_is_named_and_nothing_is_taken_for_sent(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired()
    to_camera(page)
    shoot(page, "ở quán nước")
    commune.served.proxy.mend()
    portal = {"status": 200, "content_type": "text/html", "body": "<html>Xin mời đăng nhập Wi-Fi</html>"}
    page.context.route("**/api/**", lambda route: route.fulfill(**portal))
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("Wi-Fi này cần đăng nhập trước khi gửi được")).to_be_visible()
    assert [photo["state"] for photo in held(page, "photos")] == ["waiting"]
    assert held(page, "outbox")
    page.context.unroute("**/api/**")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator(".tile")).to_contain_text("Xã đã nhận", timeout=30_000)


def test_a_server_without_room_is_named_and_gets_the_photo_later(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired()
    to_camera(page)
    shoot(page, "máy chủ đầy")
    commune.served.proxy.mend()
    headers = {"Retry-After": "1", "Content-Type": "application/problem+json"}
    full = {"status": 503, "headers": headers, "body": '{"code": "server.full", "status": 503}'}
    page.context.route("**/api/v1/files**", lambda route: route.fulfill(**full))
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("Máy chủ của xã đang hết chỗ. Mọi thứ vẫn ở trên máy và sẽ tự gửi lại.")).to_be_visible()
    page.context.unroute("**/api/v1/files**")
    expect(page.locator(".tile")).to_contain_text("Xã đã nhận", timeout=40_000)


def test_a_refused_photo_rests_in_the_queue_and_can_be_exported_or_taken_away(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired()
    to_camera(page)
    shoot(page, "xã không đọc được")
    commune.served.proxy.mend()
    tried: list[str] = []

    def refuse(route: Any) -> None:
        if route.request.method == "POST":
            tried.append(route.request.url)
        route.fulfill(status=415, content_type="application/problem+json", body='{"code": "upload.type", "status": 415}')

    page.context.route("**/api/v1/files**", refuse)
    page.goto("/app/#/queue")
    expect(page.get_by_text("Xã chưa nhận được ảnh này").first).to_be_visible()
    page.get_by_role("button", name="Gửi ngay").click()
    page.wait_for_timeout(500)
    assert len(tried) == 1
    with page.expect_download() as export:
        page.get_by_role("button", name="Xuất phần chưa gửi ra tệp").click()
    names = zipfile.ZipFile(export.value.path()).namelist()
    assert any(name.startswith("photos/") for name in names)
    page.get_by_role("button", name="Bỏ ảnh này").click()
    toast(page, "Đã bỏ ảnh")
    expect(page.get_by_text("Không còn gì chờ gửi")).to_be_visible(timeout=15_000)


# Files that are no good photos


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width // 8 or 1, height // 8 or 1), 90).resize((width, height)).convert("RGB")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(image: Image.Image) -> bytes:
    return encoded(image, "JPEG", quality=80)


def animated() -> bytes:
    frames = [noise(320, 240) for _ in range(3)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)


def polyglot() -> bytes:
    """A photo that is a web page and an archive as well."""
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("run.html", "<script>alert(1)</script>")
    return jpeg(noise(640, 480)) + b"<html><script>alert(document.cookie)</script></html>" + hidden.getvalue()


NO_PHOTOS: list[tuple[str, Callable[[], bytes], str]] = [
    ("nothing.jpg", lambda: b"", "Tệp ảnh bị trống. Mời chọn ảnh khác."),
    ("page.jpg", lambda: b"<html><script>alert(1)</script></html>", "Tệp này không phải ảnh."),
    ("moving.gif", lambda: encoded(noise(64, 64), "GIF"), "Tệp này không phải ảnh."),
    ("white.jpg", lambda: jpeg(Image.new("RGB", (900, 700), "white")), "Ảnh tối đen hoặc trắng xoá. Mời chụp lại cho rõ hơn."),
    ("black.jpg", lambda: jpeg(Image.new("RGB", (900, 700), "black")), "Ảnh tối đen hoặc trắng xoá. Mời chụp lại cho rõ hơn."),
]


def test_a_file_that_is_no_photo_is_refused_plainly(paired: Callable[..., Page]) -> None:
    page = paired()
    to_indicator(page)
    for name, content, words in NO_PHOTOS:
        page.evaluate("heard.length = 0")
        pick(page, (name, content()))
        toast(page, words)
        assert (held(page, "photos"), held(page, "outbox")) == ([], []), name


def test_odd_photos_become_small_clean_ones(paired: Callable[..., Page]) -> None:
    page = paired()
    to_indicator(page)
    odd = {"48 megapixel": jpeg(noise(8000, 6000)), "animated": animated(), "polyglot": polyglot()}
    assert len(odd["polyglot"]) > len(jpeg(noise(640, 480)))
    pick(page, *[(f"{name}.jpg", content) for name, content in odd.items()])
    expect(page.locator(".tile")).to_have_count(3, timeout=40_000)
    kept = page.evaluate(
        """async () => {
          const db = await new Promise((done) => { const r = indexedDB.open("minhchung"); r.onsuccess = () => done(r.result); });
          const all = await new Promise((done) => {
            const r = db.transaction("bytes").objectStore("bytes").getAll();
            r.onsuccess = () => done(r.result);
          });
          db.close();
          return Promise.all(all.map(async (bytes) => {
            const image = await createImageBitmap(new Blob([bytes]));
            const text = new TextDecoder("latin1").decode(bytes);
            const clean = !/script|PK\\x03\\x04/.test(text);
            return { longest: Math.max(image.width, image.height), clean, jpeg: text.startsWith("\\xff\\xd8") };
          }));
        }"""
    )
    assert sorted(one["longest"] for one in kept) == [320, 640, 1600]
    assert all(one["clean"] and one["jpeg"] for one in kept)


def test_a_photo_that_the_phone_cannot_open_goes_up_as_it_is_and_the_server_reads_it(
    paired: Callable[..., Page], commune: Commune
) -> None:
    pillow_heif.register_heif_opener()
    page = paired(signal=True)
    to_indicator(page)
    before = set(commune.photos())
    pick(page, ("IMG_0001.HEIC", encoded(noise(640, 480), "HEIF")))
    toast(page, "Máy không mở được loại ảnh này. Ảnh vẫn được lưu và gửi lên xã.")
    expect(page.locator(".tile")).to_contain_text("Xã đã nhận", timeout=30_000)
    (sha256,) = set(commune.photos()) - before
    for _ in range(60):
        if commune.photos()[sha256]["state"] == "ready":
            break
        page.wait_for_timeout(250)
    row = commune.photos()[sha256]
    assert (row["state"], row["width"], row["height"]) == ("ready", 640, 480)
    answer = page.request.get(f"/api/v1/photos/{sha256}?size=thumb")
    assert answer.headers["content-type"] == "image/jpeg"


def test_a_photo_cut_off_in_the_middle_is_kept_and_never_stops_the_others(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired(signal=True)
    to_indicator(page)
    whole = jpeg(noise(1200, 900))
    pick(page, ("half.jpg", whole[: len(whole) // 2]), ("header.jpg", whole[:300]), ("whole.jpg", whole))
    expect(page.locator(".tile")).to_have_count(3, timeout=30_000)
    for n in range(3):
        expect(page.locator(".tile").nth(n)).to_contain_text("Xã đã nhận", timeout=30_000)


# Words that are code


def test_script_in_a_name_or_caption_is_only_words_on_the_phone_and_at_the_commune(
    paired: Callable[..., Page], commune: Commune, new_phone: NewPhone
) -> None:
    name = "<img src=x onerror=hacked=1>Đào"
    caption = "<script>hacked=1</script> <b>đậm</b>"
    page = paired(signal=True)
    page.get_by_role("button", name="Ghi thêm người").click()
    page.get_by_label("Họ và tên").fill(name)
    page.get_by_label("Năm sinh").fill("1971")
    page.get_by_text("Nói đồng ý").click()
    page.get_by_role("button", name="Lưu và mở hồ sơ").click()
    expect(page.get_by_text(name).first).to_be_visible()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("button", name="Chụp ảnh").click()
    shoot(page, caption)
    expect(page.locator(".tile")).to_contain_text("Xã đã nhận", timeout=30_000)
    assert page.evaluate("typeof hacked") == "undefined"

    desk = new_phone().new_page()
    desk.set_viewport_size({"width": 1280, "height": 800})
    desk.goto("/")
    desk.get_by_label("Tên đăng nhập").fill(commune.login)
    desk.get_by_label("Mật khẩu").fill(commune.password)
    desk.get_by_role("button", name="Đăng nhập").click()
    desk.goto("/people?q=onerror")
    desk.get_by_role("link", name=name).click()
    expect(desk.get_by_text(name).first).to_be_visible()
    expect(desk.get_by_text(caption).first).to_be_visible()
    assert desk.evaluate("typeof hacked") == "undefined"
    assert desk.locator("img[src=x]").count() == 0


# Codes and other ways in and out


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: "AAAAAAAA", "Mã không đúng. Xin xem lại từng ký tự."),
        (lambda commune: commune.code(), "Mã đã dùng hoặc hết hạn. Xin xã cấp mã mới."),
    ],
)
def test_a_wrong_or_used_code_is_told_and_another_can_be_typed(
    new_phone: NewPhone, commune: Commune, make: Callable[[Commune], str], words: str
) -> None:
    code = make(commune)
    if code != "AAAAAAAA":
        pair(new_phone().new_page(), code)
    page = new_phone().new_page()
    page.goto(f"/app/#pair={code}")
    expect(page.get_by_text(words)).to_be_visible()
    page.get_by_label("Mã ghép máy").fill(commune.code())
    page.get_by_role("button", name="Bắt đầu").click()
    expect(page.get_by_role("link", name=PERSON)).to_be_visible()


def test_a_poster_code_registers_who_holds_the_phone(new_phone: NewPhone, commune: Commune) -> None:
    page = new_phone().new_page()
    page.goto(f"/app/#pair={commune.code('poster')}")
    expect(page.get_by_text("Mã này dùng chung cho cả thôn. Xin ghi tên của người dùng máy.")).to_be_visible()
    page.get_by_label("Họ và tên").fill("Vi Thị Mai")
    page.get_by_label("Năm sinh").fill("1958")
    page.get_by_role("button", name="Tôi đồng ý").click()
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    expect(page.get_by_text("Vi Thị Mai").first).to_be_visible()


def test_what_is_unsent_comes_out_as_a_file_that_the_commune_takes(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired()
    to_camera(page)
    shoot(page, "mãi không có sóng")
    waiting = {m["id"] for m in held(page, "outbox")}
    page.goto("/app/#/settings")
    with page.expect_download() as export:
        page.get_by_role("button", name="Xuất phần chưa gửi ra tệp").click()
    commune.served.proxy.mend()
    content = Path(export.value.path()).read_bytes()
    url = f"http://127.0.0.1:{commune.served.port}/api/v1/deposit"
    answer = page.request.post(url, data=content, headers={"Content-Type": "application/zip"})
    assert answer.status == 201
    body = answer.json()
    assert set(body["mutations"]) == waiting
    assert body["photos"] == [photo["sha256"] for photo in held(page, "photos")]


def test_english_by_a_tap_and_vietnamese_again(paired: Callable[..., Page]) -> None:
    page = paired()
    page.goto("/app/#/settings")
    page.get_by_text("English").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_text("Tiếng Việt").click()
    expect(page.get_by_role("heading", name="Cài đặt")).to_be_visible()


# Browsers in which the app could not keep its word


def nothing_stored(page: Page) -> bool:
    return bool(
        page.evaluate(
            """async () => {
              const databases = (await globalThis.indexedDB?.databases?.()) ?? [];
              const workers = (await navigator.serviceWorker?.getRegistrations?.()) ?? [];
              return databases.length + workers.length === 0;
            }"""
        )
    )


def test_an_insecure_address_is_told_and_stores_nothing(new_phone: NewPhone, commune: Commune) -> None:
    page = new_phone().new_page()
    page.goto(f"http://xa.example:{commune.served.proxy.port}/app/#pair={commune.code()}")
    expect(page.get_by_role("heading", name="Đường dẫn chưa an toàn")).to_be_visible()
    expect(page.get_by_text("Chưa có gì được lưu ở đây")).to_be_visible()
    assert page.evaluate("isSecureContext") is False
    assert nothing_stored(page)


@pytest.mark.parametrize(("mark", "app"), [("Zalo android/12", "Zalo"), ("[FBAN/EMA;FBAV/400.0]", "Facebook")])
def test_a_link_opened_inside_another_app_leads_out(new_phone: NewPhone, mark: str, app: str) -> None:
    page = new_phone(user_agent=f"{ANDROID} {mark}").new_page()
    page.goto("/app/#pair=K7PM42QD")
    expect(page.get_by_text(f"Trang này đang mở bên trong {app}")).to_be_visible()
    way = page.get_by_role("link", name="Mở bằng Chrome").get_attribute("href") or ""
    assert re.match(r"intent://localhost:\d+/app/%23pair=K7PM42QD#Intent;scheme=http;package=com\.android\.chrome", way)
    assert nothing_stored(page)


def test_an_iphone_tab_asks_to_install_first_and_can_go_on_with_signal(new_phone: NewPhone, commune: Commune) -> None:
    page = new_phone(user_agent=IPHONE, has_touch=True).new_page()
    page.goto(f"/app/#pair={commune.code()}")
    expect(page.get_by_role("heading", name="Cài ra màn hình chính trước")).to_be_visible()
    expect(page.get_by_text("có thể bị xoá sau 7 ngày")).to_be_visible()
    assert nothing_stored(page)
    page.get_by_role("button", name="Tiếp tục ở đây khi có sóng").click()
    expect(page.get_by_role("link", name=PERSON)).to_be_visible()


# Installing and updating


def test_the_browser_finds_nothing_that_forbids_installing(playwright: Playwright, commune: Commune, tmp_path: Path) -> None:
    context = playwright.chromium.launch_persistent_context(tmp_path / "profile", executable_path=CHROMIUM, args=["--no-sandbox"])
    page = context.new_page()
    page.goto(f"{commune.served.origin}/app/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    devtools = context.new_cdp_session(page)
    manifest = devtools.send("Page.getAppManifest")
    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    context.close()
    assert manifest["url"].endswith("/app/manifest.webmanifest")
    assert manifest["errors"] == []
    assert errors == []


def test_a_new_version_waits_until_the_shot_is_kept_and_the_person_agrees(paired: Callable[..., Page], commune: Commune) -> None:
    page = paired(signal=True)
    page.reload()  # from here on the worker serves it
    until(page, "navigator.serviceWorker.controller !== null")
    to_camera(page)
    page.get_by_role("button", name="Chụp", exact=True).click()
    expect(page.get_by_role("button", name="Dùng ảnh này")).to_be_visible()
    worker = commune.root / "pwa" / "dist" / "sw.js"
    worker.write_text(worker.read_text().replace("const CACHE = `shell-", f"const CACHE = `shell-{uuid.uuid4().hex[:6]}"))
    page.evaluate("navigator.serviceWorker.getRegistration('/app/').then((one) => one.update())")
    until(page, "navigator.serviceWorker.getRegistration('/app/').then((one) => one.waiting !== null)")
    page.wait_for_timeout(300)
    expect(page.locator(".toast")).to_have_count(0)
    expect(page.get_by_role("button", name="Dùng ảnh này")).to_be_visible()
    use(page, "giữa lúc có bản mới")
    expect(page.locator(".tile", has_text="giữa lúc có bản mới")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0)
    back(page)
    toast(page, "Có bản mới của ứng dụng")
    page.evaluate("globalThis.old = true")
    page.get_by_role("button", name="Cập nhật").click()
    until(page, "globalThis.old === undefined")
    expect(page.locator(".row", has_text=TITLE)).to_contain_text("1 ảnh")
    assert page.evaluate("navigator.serviceWorker.getRegistration('/app/').then((one) => one.waiting)") is None
