"""The person at the phone: opens the app, does things through its screens, and writes the ledger by what the screen says."""

import base64
import contextlib
import hashlib
import io
import re
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from e2e.rig import Phone
from e2e.soak.holdings import PHONE_STORE
from e2e.soak.kills import Killer
from e2e.soak.ledger import Act, Finding, Key, Ledger, Wanted, wanted

SAVED = "Đã lưu trên máy"
LOCKED = "Hồ sơ đã gửi nên chưa sửa được lúc này."
LOST_SHOT = "Ảnh vừa chụp chưa kịp lưu, mời chụp lại"
SAID = re.compile(r"^(Đã lưu|Đã chuyển ảnh|Đã bỏ ảnh|Đã lấy lại ảnh|Hồ sơ đã lưu trên máy|Đã rút hồ sơ)")
BANDS = ((1, 2, 3, 4), (5, 6), (7, 8), (9, 10))
SETTLE_MS = 5_000
MOST_SHOTS = 5

# Not a part of the app: tells the driver what the screen says, and which bytes go to the disk.
EARS = """() => {
  let last = "";
  new MutationObserver(() => {
    const words = document.querySelector(".toast .grow")?.textContent.trim() ?? "";
    if (words !== last) { last = words; if (words) window.soakHears("says", words); }
  }).observe(document, { childList: true, subtree: true, characterData: true });
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, ...key) {
    if (this.name === "bytes") {
      let text = "";
      for (const byte of new Uint8Array(value)) text += String.fromCharCode(byte);
      window.soakHears("bytes", btoa(text));
    }
    return put.call(this, value, ...key);
  };
}"""


class Died(Exception):
    """The kill fell in the middle of an act."""


class Driver:
    def __init__(self, phone: Phone, origin: str, ledger: Ledger, killer: Killer) -> None:
        self.phone, self.origin, self.ledger, self.killer = phone, origin, ledger, killer
        self.page: Page = None  # type: ignore[assignment]
        self.round = 0
        self.stands: set[str] = set()  # where the person may stand after a kill now
        self.typed: tuple[str, str] | None = None  # route and words of a draft that is on disk
        self.in_review = False
        self.heard: list[str] = []
        self._doing: list[Act] = []  # what the next "saved" on the screen speaks of
        self._shot: dict[str, Any] | None = None  # where bytes that reach the disk belong

    # -- opening and looking ------------------------------------------------------------------------------

    def open(self) -> None:
        self.heard.clear()
        self.page = self.phone.open()
        self.page.set_default_timeout(15_000)
        self.page.expose_binding("soakHears", self._hears)
        self.page.add_init_script(f"({EARS})()")

    def _hears(self, _source: Any, what: str, value: str) -> None:
        if what == "bytes" and self._shot is not None:
            sha256 = hashlib.sha256(base64.b64decode(value)).hexdigest()
            self._doing.append(self.ledger.tried(self.round, "photo", sha256=sha256, born=self._shot["caption"], **self._shot))
        if what == "says":
            self.heard.append(value)
            if SAID.match(value) and self._doing:
                self._saved()
                self.killer.said()

    def _saved(self) -> None:
        for act in self._doing:
            self.ledger.said(act)
        self._doing = []

    def start(self) -> None:
        """The app's own address, without a place in it: it must find where the person stood."""
        self.page.goto(f"{self.origin}/app/")
        expect(self.page.locator("h1")).not_to_be_empty()

    def store(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(PHONE_STORE)
        return found

    def where(self) -> str:
        return str(self.page.evaluate("location.hash"))

    def settle(self) -> None:
        """Until the place where the person stands is on disk."""
        for _ in range(SETTLE_MS // 25):
            if self.store()["route"] == self.where():
                break
            self.page.wait_for_timeout(25)
        self.stands = {spot(self.where())}

    def go(self, route: str) -> None:
        if self.where() != route:
            self.stands = self.stands | {spot(route)}
            self.page.evaluate("route => { location.hash = route; }", route)
        self.arrive(route)
        self.settle()

    def arrive(self, route: str) -> None:
        """The last page stays, and can be tapped, until the next has its data: a person looks before the next tap."""
        match = re.match(r"#/person/([^/]+)/(\d+)$", route)
        if match:
            expect(self.page.locator(f'header a.round[href="#/person/{match[1]}"]')).to_be_visible()
            expect(self.page.get_by_role("heading", name=re.compile(rf"^{match[2]}\. "))).to_be_visible()
        elif route.startswith("#/person/"):
            expect(self.page.locator(f'a.row[href="{route}/1"]')).to_be_visible()
        elif route == "#/register":
            expect(self.page.locator("#full_name")).to_be_visible()

    # -- saying what is done ------------------------------------------------------------------------------

    def quiet(self) -> None:
        """No old words on the screen that could be taken for new ones."""
        expect(self.page.locator(".toast")).to_have_count(0)

    def _press(self, button: Locator, *acts: Act) -> None:
        self._doing.extend(acts)
        self.killer.tapped()
        button.click()

    def _drawn(self, *acts: Act) -> None:
        """What was just asserted comes from the store: it is said as plainly as by the words."""
        if self._doing and (not acts or set(map(id, acts)) & set(map(id, self._doing))):
            self._saved()
            self.killer.said()

    def _button(self, name: str, exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    # -- acts ---------------------------------------------------------------------------------------------

    def indicator(self, citizen: str, no: int) -> None:
        """Opens an indicator that can be worked on; a dossier that was sent in is taken back first."""
        self.go(f"#/person/{citizen}/{no}")
        shoot = self._button("Chụp ảnh")
        expect(shoot.or_(self.page.get_by_text(LOCKED))).to_be_visible()
        if not shoot.count():
            self.go(f"#/person/{citizen}")
            self.withdraw(citizen)
            self.go(f"#/person/{citizen}/{no}")
            expect(shoot).to_be_visible()

    def photo(self, citizen: str, no: int, caption: str, review: bool = False) -> None:
        self.indicator(citizen, no)
        self._button("Chụp ảnh").click()
        expect(self.page.locator(f'header a.round[href="#/person/{citizen}/{no}"]')).to_be_visible()
        self._shoot()
        self.page.get_by_label("Ghi chú").fill(caption)
        self.page.wait_for_timeout(250 if review else 0)
        self.in_review = review
        if review:
            return
        self._shot = {"citizen": citizen, "indicator": no, "caption": caption}
        self.ledger.tried(self.round, "begun", citizen=citizen, indicator=no, born=caption, count=1)
        self._press(self._button("Dùng ảnh này"))
        expect(self.page.locator(".tile", has_text=caption)).to_be_visible()
        self._drawn()
        self._shot = None
        self.settle()

    def _shoot(self) -> None:
        """A camera may be too busy for its first picture; then the screen says so, and a person taps again."""
        for _ in range(MOST_SHOTS):
            heard = len(self.heard)
            self._button("Chụp").click()
            with contextlib.suppress(AssertionError):
                expect(self.page.get_by_label("Ghi chú")).to_be_visible(timeout=10_000)
                return
            assert len(self.heard) > heard, "the shutter did nothing and said nothing"
        raise AssertionError("the camera gave no picture")

    def pick(self, citizen: str, no: int, pictures: list[bytes]) -> None:
        self.indicator(citizen, no)
        tiles = self.page.locator(".tile").count()
        self._shot = {"citizen": citizen, "indicator": no, "caption": ""}
        self.ledger.tried(self.round, "begun", citizen=citizen, indicator=no, born="", count=len(pictures))
        with self.page.expect_file_chooser() as chooser:
            self._button("Chọn ảnh có sẵn").click()
        self.killer.tapped()
        chooser.value.set_files([{"name": f"anh-{n}.jpg", "mimeType": "image/jpeg", "buffer": data} for n, data in enumerate(pictures)])  # type: ignore[arg-type]
        expect(self.page.locator(".tile")).to_have_count(tiles + len(pictures))
        self._drawn()
        self._shot = None

    def note(self, citizen: str, no: int, words: str) -> None:
        self.indicator(citizen, no)
        self.page.get_by_label("Lời kê khai").fill(words)
        self._press(self._button("Lưu lời kê khai"), self.ledger.tried(self.round, "note", citizen=citizen, indicator=no, value=words))
        expect(self.page.locator(".chip", has_text=SAVED)).to_be_visible()
        self._drawn()

    def type(self, citizen: str, no: int, words: str) -> None:
        """Words that nobody called saved; the draft keeps them all the same."""
        self.indicator(citizen, no)
        self.page.get_by_label("Lời kê khai").fill(words)
        self.page.wait_for_timeout(900)
        self.typed = (spot(self.where()), words)

    def save_typed(self, citizen: str, no: int, words: str) -> None:
        """After coming back: the button saves what the draft kept."""
        self.quiet()
        act = self.ledger.tried(self.round, "note", citizen=citizen, indicator=no, value=words)
        self._press(self._button("Lưu lời kê khai"), act)
        expect(self.page.locator(".chip", has_text=SAVED)).to_be_visible()
        self._drawn()

    def score(self, citizen: str, no: int, value: int) -> None:
        self.indicator(citizen, no)
        change = self.page.get_by_role("button", name="Đổi điểm")
        if change.count():
            if self.page.locator(".scored .number").inner_text() == str(value):
                value = value % 10 + 1
            change.click()
        band = next(n for n, numbers in enumerate(BANDS) if value in numbers)
        head = self.page.locator(".bandhead").nth(band)
        if head.get_attribute("aria-expanded") != "true":
            head.click()
        act = self.ledger.tried(self.round, "score", citizen=citizen, indicator=no, value=value)
        self._press(self.page.get_by_role("button", name=f"{value} điểm", exact=True), act)
        expect(self.page.locator(".scored .number")).to_have_text(str(value))
        self._drawn()

    def register(self, name: str) -> str:
        self.go("#/register")
        self.page.get_by_label("Họ và tên").fill(name)
        self.page.get_by_label("Năm sinh").fill("1968")
        self.page.get_by_text("Nói đồng ý").click()
        self.stands.add("new")
        self._press(self._button("Lưu và mở hồ sơ"), self.ledger.tried(self.round, "person", name=name))
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()
        self._drawn()
        self.settle()
        return self.where().rsplit("/", 1)[1]

    def _viewer(self, citizen: str, no: int, caption: str) -> None:
        if self.page.locator("dialog").count():
            self.page.locator("dialog .sheethead button").click()
            expect(self.page.locator("dialog")).to_have_count(0)
        self.indicator(citizen, no)
        self.page.locator(".tile", has_text=caption).click()
        expect(self.page.locator("dialog")).to_be_visible()

    def move(self, photo: Key, citizen: str, no: int, caption: str, to: int) -> None:
        self._viewer(citizen, no, caption)
        self._button("Chuyển ảnh").click()
        self.page.locator("#move-indicator").select_option(str(to))
        act = self.ledger.tried(self.round, "move", sha256=photo[0], born=photo[1], citizen=citizen, indicator=to)
        self._press(self.page.locator("dialog .big"), act)
        expect(self.page.locator(".tile", has_text=caption)).to_have_count(0)
        self._drawn()

    def remove(self, photo: Key, citizen: str, no: int, caption: str, undo: bool) -> None:
        self._viewer(citizen, no, caption)
        self._press(self._button("Bỏ ảnh này"), self.ledger.tried(self.round, "remove", sha256=photo[0], born=photo[1]))
        expect(self.page.locator(".tile", has_text=caption)).to_have_count(0)
        self._drawn()
        if undo:
            self._press(self._button("Hoàn tác"), self.ledger.tried(self.round, "restore", sha256=photo[0], born=photo[1]))
            expect(self.page.locator(".tile", has_text=caption)).to_be_visible()
            self._drawn()

    def recaption(self, photo: Key, citizen: str, no: int, caption: str, words: str) -> None:
        self._viewer(citizen, no, caption)
        self.page.locator("dialog").get_by_label("Ghi chú").fill(words)
        self._press(self._button("Lưu ghi chú"), self.ledger.tried(self.round, "caption", sha256=photo[0], born=photo[1], value=words))
        expect(self.page.locator(".tile", has_text=words)).to_have_count(1)
        self._drawn()

    def submit(self, citizen: str) -> None:
        self.go(f"#/person/{citizen}")
        send = self._button("Gửi hồ sơ")
        expect(send.or_(self._button("Rút lại để sửa"))).to_be_visible()
        if not send.count():
            return
        send.click()
        act = self.ledger.tried(self.round, "submit", citizen=citizen)
        self._press(self.page.locator("dialog").get_by_role("button", name=re.compile("^(Vẫn g|G)ửi hồ sơ$")), act)
        expect(self._button("Rút lại để sửa")).to_be_visible()
        self._drawn()

    def withdraw(self, citizen: str) -> None:
        self._press(self._button("Rút lại để sửa"), self.ledger.tried(self.round, "withdraw", citizen=citizen))
        expect(self._button("Gửi hồ sơ")).to_be_visible()
        self._drawn()

    # -- after coming back --------------------------------------------------------------------------------

    def died(self) -> None:
        """What was under way is over; whether it was saved is open."""
        self._doing, self._shot = [], None

    def missed(self) -> list[Finding]:
        """Where the person stands and what the screen shows there, against the ledger."""
        here = spot(self.where())
        findings = []
        if here not in self.stands and "new" not in self.stands:
            findings.append(Finding("wrong", f"the person stands at {here}, not at {sorted(self.stands)}", self.round))
        if self.in_review and LOST_SHOT not in self.heard:
            findings.append(Finding("wrong", f"a shot was lost without a word: {self.heard}", self.round))
        self.in_review = False
        match = re.fullmatch(r"(.+)/(\d+)", here)
        if match and self.where().startswith("#/capture"):
            self.go(f"#/person/{match[1]}/{match[2]}")
        if match:
            findings += self._unseen(wanted(self.ledger.acts), match[1], int(match[2]))
        return findings

    def _unseen(self, want: Wanted, citizen: str, no: int) -> list[Finding]:
        """What is certain to be here and is not on the screen."""
        sure = [p for p in want.photos.values() if p.here.may == [True] and p.place.may == [(citizen, no)]]
        looks: list[tuple[str, Callable[[], None]]] = [
            (f"the photo {photo.caption.may[0]!r}", partial(self._one_tile, photo.caption.may[0]))
            for photo in sure
            if len(photo.caption.may) == 1 and photo.caption.may[0]
        ]
        if sure:
            looks.append((f"one of {len(sure)} photos", expect(self.page.locator(".tile").nth(len(sure) - 1)).to_be_visible))
        note, score = want.fields.get((citizen, f"note.{no}")), want.fields.get((citizen, f"self.{no}"))
        if self.typed and self.typed[0] == f"{citizen}/{no}":
            looks.append(("the draft", partial(self._declaration, self.typed[1])))
        elif note and len(note.may) == 1 and note.may[0]:
            looks.append(("the declaration", partial(self._declaration, note.may[0])))
        if score and len(score.may) == 1 and score.may[0]:
            looks.append(("the score", partial(expect(self.page.locator(".scored .number")).to_have_text, str(score.may[0]))))
        return [finding for name, look in looks for finding in self._look(f"{name} at {citizen}/{no}", look)]

    def _look(self, name: str, look: Callable[[], None]) -> list[Finding]:
        try:
            look()
        except AssertionError as error:
            return [Finding("lost", f"{name} is not on the phone's screen: {str(error).splitlines()[0]}", self.round)]
        return []

    def _one_tile(self, caption: str) -> None:
        expect(self.page.locator(".tile", has_text=caption)).to_have_count(1)

    def _declaration(self, words: str) -> None:
        """In its field while the dossier is the person's to change, else as plain words."""
        written = self.page.get_by_role("heading", name="Kê khai")
        expect(written).to_be_visible()
        entry = self.page.get_by_label("Lời kê khai")
        if entry.count():
            expect(entry).to_have_value(words)
        else:
            expect(self.page.locator("main")).to_contain_text(words)


def spot(route: str) -> str:
    """The person and the indicator of a route; capturing for an indicator is standing there."""
    match = re.match(r"#/(?:person|capture)/([^/?]+)(?:/(\d+))?", route)
    return f"{match[1]}/{match[2]}" if match and match[2] else (match[1] if match else route or "#/")


def picture(chance: Random, words: str) -> bytes:
    """A JPEG like a phone's, of its own: sky, ground and grain."""
    size = (1400, 1050)
    image = Image.effect_noise(size, chance.randint(20, 60)).convert("RGB")
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(12):
        x, y = chance.randrange(size[0]), chance.randrange(size[1])
        draw.ellipse(
            (x, y, x + chance.randrange(60, 500), y + chance.randrange(60, 400)), fill=(*(chance.randrange(256) for _ in range(3)), 200)
        )
    draw.text((40, 40), words, fill="white")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
