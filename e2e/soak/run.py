"""The rounds: draws what happens, lets it happen, kills, opens again and looks; at the end compares ledger and server."""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Playwright, expect

from e2e.rig import Phone, Served
from e2e.soak.driver import Driver, picture, spot
from e2e.soak.holdings import PHONE_STORE, phone_differences, served_holdings
from e2e.soak.kills import BY_LINE, Killer, Plan, draw
from e2e.soak.ledger import Act, Finding, Holdings, Key, Ledger, compare, wanted

PLACE = "Thôn Nà Nát"
PEOPLE = ("Nông Thị Đào", "Hoàng Văn Cao", "Bàn Mùi Pham", "Lộc Thị Én")
ACTS = (
    "photo",
    "photo",
    "photo",
    "pick",
    "pick",
    "note",
    "note",
    "note",
    "score",
    "score",
    "register",
    "move",
    "remove",
    "recaption",
    "submit",
)
CHECK_EVERY = 20
DRAIN_S = 150
LINE_WAIT_S = 5.0
MOST_WRONG = 10  # then the rounds say nothing new


@dataclass
class Outcome:
    rounds: int = 0
    findings: list[Finding] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    held: Holdings = field(default_factory=Holdings)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def saved(self) -> int:
        return sum(act.said for act in self.acts)


class Soak:
    def __init__(self, playwright: Playwright, folder: Path, seed: int, database_url: str | None = None) -> None:
        self.playwright, self.folder, self.seed = playwright, folder, seed
        self.served = Served(folder / "home")
        self.database_url = database_url or f"sqlite:///{folder / 'home' / 'minhchung.db'}"
        self.served.env["MINHCHUNG_DATABASE_URL"] = self.database_url
        self.served.command("init", "--name", "Xã Thử")
        self.place = self.served.command("place", "add", PLACE, "--json")["id"]
        for name in PEOPLE:
            self.served.command("citizen", "add", name, "--place", str(self.place), "--birth-year", "1971", "--json")
        self.served.start()
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.phone = self._phone("phone")
        journal = None if database_url else folder / "home" / "minhchung.db-wal"
        self.killer = Killer(self.served, self.phone, journal)
        self.driver = Driver(self.phone, self.served.origin, self.ledger, self.killer)
        self.citizens: list[str] = []
        self.outcome = Outcome(acts=self.ledger.acts, kills=self.killer.counts)

    def _phone(self, name: str) -> Phone:
        profile = self.folder / f"profile-{name}"
        profile.mkdir()
        return Phone(self.playwright, profile, self.served.origin)

    def begin(self) -> None:
        self.driver.open()
        self._pair(self.driver)
        self.citizens = sorted(d["id"] for d in self.driver.store()["docs"] if d["type"] == "citizen")
        self.driver.settle()

    def _pair(self, driver: Driver) -> None:
        link = self.served.command("pair", "--role", "chapter", "--place", str(self.place), "--name", "Lương Văn Sính", "--json")["link"]
        driver.page.goto(link)
        expect(driver.page.get_by_role("heading", name=PLACE)).to_be_visible()
        driver.page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
        for _ in range(400):
            kinds = Counter(d["type"] for d in driver.store()["docs"])
            if kinds["citizen"] >= len(PEOPLE) and kinds["indicator"] == 10:
                return
            driver.page.wait_for_timeout(50)
        raise AssertionError("the people of the place never came")

    # -- one round ----------------------------------------------------------------------------------------

    def round(self, number: int) -> str:
        chance = Random(f"{self.seed}/{number}")
        plan = draw(chance)
        driver, killer, line = self.driver, self.killer, self.served.proxy.line
        driver.round = number
        killer.rest()
        saved, found = self.outcome.saved, len(self.outcome.findings)
        line.rate_bytes_s = 60_000 if plan.slow else None
        if plan.offline:
            self.served.proxy.cut()
        did = []
        try:
            for last in ([False] if chance.random() < 0.35 else []) + [True]:
                name = self._choose(chance, plan, last)
                did.append(name)
                if last:
                    if plan.when == "said":
                        driver.quiet()
                    killer.arm(plan)
                self._act(chance, name)
            self._kill(plan)
        except (PlaywrightError, AssertionError) as error:
            if not killer.wait(3):
                self._stuck(f"{did[-1]} could not be done", error)
        driver.died()
        self._after(plan)
        self.outcome.rounds += 1
        bad = "".join(f"\n    {f.kind}: {f.words}" for f in self.outcome.findings[found:])
        return f"round {number}: {' + '.join(did)}; {plan}; saved {self.outcome.saved - saved}{bad}"

    def _choose(self, chance: Random, plan: Plan, last: bool) -> str:
        if last and plan.when in ("review", "typed"):
            return {"review": "review", "typed": "type"}[plan.when]
        if last and plan.when in ("upload", "receipt"):
            return chance.choice(("photo", "pick"))
        return chance.choice(ACTS)

    def _act(self, chance: Random, name: str) -> None:
        driver, round_ = self.driver, self.driver.round
        citizen, no = chance.choice(self.citizens), chance.randint(1, 10)
        words = f"{name} {round_}.{len(self.ledger.acts) + 1}"
        if name in ("move", "remove", "recaption"):
            known = self._known_photo(chance)
            if known:
                self._act_on(chance, name, known, words)
                return
            name = "photo"
        if name in ("photo", "review"):
            driver.photo(citizen, no, words, review=name == "review")
        elif name == "pick":
            driver.pick(citizen, no, [picture(chance, words) for _ in range(chance.choice((1, 1, 2)))])
        elif name == "note":
            driver.note(citizen, no, words)
        elif name == "type":
            driver.type(citizen, no, words)
        elif name == "score":
            driver.score(citizen, no, chance.randint(1, 10))
        elif name == "register":
            self.citizens.append(driver.register(f"Người {words}"))
        else:
            driver.submit(citizen)

    def _act_on(self, chance: Random, name: str, known: tuple[Key, str, int, str], words: str) -> None:
        if name == "move":
            self.driver.move(*known, to=known[2] % 10 + 1)
        elif name == "remove":
            self.driver.remove(*known, undo=chance.random() < 0.4)
        else:
            self.driver.recaption(*known, words)

    def _known_photo(self, chance: Random) -> tuple[Key, str, int, str] | None:
        """One with a note of its own, of which nothing is in doubt."""
        sure = [
            (key, *photo.place.may[0], photo.caption.may[0])
            for key, photo in wanted(self.ledger.acts).photos.items()
            if photo.here.may == [True] and len(photo.place.may) == 1 and len(photo.caption.may) == 1 and photo.caption.may[0]
        ]
        return chance.choice(sure) if sure else None

    def _kill(self, plan: Plan) -> None:
        """Waits for what the kill is tied to; where it does not come, the kill falls late."""
        if plan.when in BY_LINE and not self.killer.fired.is_set():
            self.driver.page.evaluate("dispatchEvent(new Event('online'))")
            self._pump(LINE_WAIT_S)
        elif plan.when == "settled":
            self.driver.page.wait_for_timeout(400)
        elif plan.when == "tap":
            self._pump(0.4)
        if not self.killer.fired.is_set():
            self.killer.fire(late=plan.when in (*BY_LINE, "said", "tap"))
        if plan.whom == "line":
            self.driver.page.wait_for_timeout(1200)  # the app meets the bad line

    def _pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.killer.fired.is_set():
            self.driver.page.wait_for_timeout(30)

    def _after(self, plan: Plan) -> None:
        driver, proxy = self.driver, self.served.proxy
        browser = plan.whom in ("browser", "both")
        late = browser and plan.reopen_offline
        if late:
            proxy.cut()
            self._reopen()
        if plan.whom in ("server", "both"):
            self.served.kill()
            self.served.start()
        self._mend()
        if browser and not late:
            self._reopen()
        elif not driver.page.is_closed():
            driver.page.evaluate("dispatchEvent(new Event('online'))")
        if driver.typed and plan.when == "typed" and driver.typed[0] == spot(driver.where()):
            citizen, no = driver.typed[0].split("/")
            try:
                driver.save_typed(citizen, int(no), driver.typed[1])
            except AssertionError as error:
                self._stuck("the button did not save the draft", error)
        driver.typed = None

    def _mend(self) -> None:
        line = self.served.proxy.line
        if line.half_close:
            self.served.proxy.cut()
        line.half_close, line.drop_answers, line.rate_bytes_s = False, 0, None
        self.served.proxy.mend()

    def _reopen(self) -> None:
        self.phone.kill()
        self.driver.open()
        self.driver.start()
        if self.driver.in_review:
            self.driver.page.wait_for_timeout(300)
        self.outcome.findings += self.driver.missed()
        self.driver.settle()

    # -- healing and comparing ----------------------------------------------------------------------------

    def heal(self) -> None:
        """All is well again: the queue must drain, and the server must hold what the ledger says."""
        self._mend()
        self.killer.rest()
        driver, end, state = self.driver, time.monotonic() + DRAIN_S, {}
        driver.page.reload()
        while time.monotonic() < end:
            state = driver.store()
            if not (state["outbox"] or state["photos"] or state["removals"]):
                break
            driver.page.wait_for_timeout(300)
        else:
            left = f"{state['outbox']}, {len(state['photos'])} photos, {len(state['removals'])} removals"
            self.outcome.findings.append(Finding("wrong", f"the phone's queue did not drain: {left}", driver.round))
        driver.settle()
        self.outcome.held = served_holdings(self.folder / "home", self.database_url)
        self.outcome.findings += [f for f in compare(self.ledger.acts, self.outcome.held) if f not in self.outcome.findings]

    def fresh(self) -> None:
        """A new phone of the same place sees the same, in its store and on its screen."""
        phone = self._phone("fresh")
        driver = Driver(phone, self.served.origin, self.ledger, self.killer)
        try:
            driver.open()
            self._pair(driver)
            differences: list[Finding] = []
            for _ in range(100):
                differences = phone_differences(driver.page.evaluate(PHONE_STORE)["docs"], self.outcome.held)
                if not differences:
                    break
                driver.page.wait_for_timeout(200)
            self.outcome.findings += differences
            for citizen, no in self._places()[:6]:
                driver.go(f"#/person/{citizen}/{no}")
                self.outcome.findings += driver.missed()
        finally:
            phone.kill()

    def _places(self) -> list[tuple[str, int]]:
        count: Counter[Any] = Counter((row["citizen"], row["indicator"]) for row in self.outcome.held.evidence if not row["deleted"])
        return [place for place, _ in count.most_common()]

    def _stuck(self, words: str, error: Exception) -> None:
        """Not by a kill: the app did not do what it should, or the driver does not know its way."""
        round_ = self.driver.round
        self.outcome.findings.append(Finding("wrong", f"{words}: {str(error).splitlines()[0]} (see stuck-{round_}.png)", round_))
        with contextlib.suppress(PlaywrightError):
            self.driver.page.screenshot(path=self.folder / f"stuck-{round_}.png", timeout=5_000)
        if sum(finding.kind == "wrong" for finding in self.outcome.findings) > MOST_WRONG:
            raise error

    def close(self) -> None:
        self.phone.kill()
        self.served.stop()
        self.ledger.close()


def soak(
    playwright: Playwright, folder: Path, seed: int, rounds: range, minutes: float | None = None, say: Any = print,
    database_url: str | None = None,
) -> Outcome:  # fmt: skip
    """Plays the rounds and compares; `minutes` ends early, after a whole round. A database of `database_url` must be empty."""
    run = Soak(playwright, folder, seed, database_url)
    end = time.monotonic() + minutes * 60 if minutes else None
    try:
        run.begin()
        for count, number in enumerate(rounds, 1):
            say(run.round(number))
            if count % CHECK_EVERY == 0:
                run.heal()
                say(f"  after {count}: {run.outcome.saved} saved, {len(run.outcome.findings)} findings")
                for finding in run.outcome.findings:
                    say(f"    {finding.kind}: {finding.words}")
            if end and time.monotonic() > end:
                break
        run.heal()
        run.fresh()
    finally:
        run.close()
    return run.outcome
