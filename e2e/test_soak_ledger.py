"""The soak's comparison finds what is lost or there twice: each doctored server answer is caught, and by its name."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.soak.holdings import phone_differences
from e2e.soak.ledger import Finding, Holdings, Ledger, compare

PHOTO, MOVED, TAKEN_AWAY = "a" * 64, "b" * 64, "c" * 64
DAO = "citizen-dao"


def entry(ident: str, sha256: str, indicator: int, **more: Any) -> dict[str, Any]:
    plain = {"caption": None, "born": "", "moved_from": None, "deleted": False}
    return {"id": ident, "citizen": DAO, "indicator": indicator, "sha256": sha256, **plain, **more}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """One of each; the last score and the last text were never called saved."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for sha256, caption in ((PHOTO, "họp tổ"), (MOVED, ""), (TAKEN_AWAY, "")):
        ledger.said(ledger.tried(1, "photo", sha256=sha256, citizen=DAO, indicator=1, caption=caption, born=caption))
    ledger.said(ledger.tried(2, "move", sha256=MOVED, born="", citizen=DAO, indicator=2))
    ledger.said(ledger.tried(2, "remove", sha256=TAKEN_AWAY, born=""))
    ledger.said(ledger.tried(3, "note", citizen=DAO, indicator=1, value="đọc báo"))
    ledger.said(ledger.tried(3, "note", citizen=DAO, indicator=1, value="đọc sách"))
    ledger.said(ledger.tried(4, "score", citizen=DAO, indicator=1, value=7))
    ledger.tried(5, "score", citizen=DAO, indicator=1, value=9)
    ledger.said(ledger.tried(6, "person", name="Triệu Mùi Khé"))
    ledger.said(ledger.tried(7, "submit", citizen=DAO))
    return ledger


@pytest.fixture
def held() -> Holdings:
    return Holdings(
        citizens=[
            {"id": DAO, "full_name": "Nông Thị Đào", "deleted": False},
            {"id": "khe", "full_name": "Triệu Mùi Khé", "deleted": False},
        ],
        dossiers=[{"citizen": DAO, "state": "submitted", "fields": {"self.1": 7, "note.1": "đọc sách"}}],
        evidence=[
            entry("e1", PHOTO, 1, caption="họp tổ", born="họp tổ"),
            entry("e2", MOVED, 1, deleted=True),
            entry("e3", MOVED, 2, moved_from="e2"),
            entry("e4", TAKEN_AWAY, 1, deleted=True),
        ],
        history=[
            {"doc": "d", "mutation": "m1", "op": "update", "patch": {"note.1": [None, "đọc báo"]}},
            {"doc": "d", "mutation": "m2", "op": "update", "patch": {"note.1": ["đọc báo", "đọc sách"]}},
            {"doc": "d", "mutation": "m3", "op": "update", "patch": {"self.1": [None, 7]}},
        ],
        receipts={PHOTO, MOVED, TAKEN_AWAY},
        originals={sha256: sha256 for sha256 in (PHOTO, MOVED, TAKEN_AWAY)},
    )  # fmt: skip


def kinds(findings: list[Finding]) -> list[str]:
    return [finding.kind for finding in findings]


def test_a_server_that_holds_what_was_called_saved_passes(ledger: Ledger, held: Holdings) -> None:
    assert compare(ledger.acts, held) == []


def test_what_was_tried_and_never_called_saved_may_be_there_or_not(ledger: Ledger, held: Holdings) -> None:
    held.dossiers[0]["fields"]["self.1"] = 9
    assert compare(ledger.acts, held) == []


def test_a_photo_whose_news_died_with_the_browser_may_be_there_once(ledger: Ledger, held: Holdings) -> None:
    ledger.tried(8, "begun", citizen=DAO, indicator=5, born="", count=1)
    held.evidence.append(entry("e9", "d" * 64, 5))
    assert compare(ledger.acts, held) == []
    held.evidence.append(entry("e10", "d" * 64, 5))
    assert kinds(compare(ledger.acts, held)) == ["twice"]
    held.evidence[-1] = entry("e10", "e" * 64, 5)
    assert kinds(compare(ledger.acts, held)) == ["wrong"]


BREAKS: dict[str, tuple[str, Callable[[Holdings], Any]]] = {
    "an entry is missing": ("lost", lambda h: h.evidence.pop(0)),
    "an entry came twice": ("twice", lambda h: h.evidence.append(h.evidence[0] | {"id": "e9"})),
    "an entry was deleted by nobody": ("lost", lambda h: h.evidence[0].update(deleted=True)),
    "a photo stands at another indicator": ("wrong", lambda h: h.evidence[0].update(indicator=3)),
    "a caption is gone": ("lost", lambda h: h.evidence[0].update(caption=None)),
    "a moved photo stayed at both": ("twice", lambda h: h.evidence[1].update(deleted=False)),
    "a photo taken away came back": ("wrong", lambda h: h.evidence[3].update(deleted=False)),
    "a photo that nobody took": ("wrong", lambda h: h.evidence.append(entry("e9", "d" * 64, 1))),
    "a receipt is missing": ("lost", lambda h: h.receipts.discard(PHOTO)),
    "bytes are missing": ("lost", lambda h: h.originals.pop(PHOTO)),
    "bytes are damaged": ("lost", lambda h: h.originals.update({PHOTO: "0" * 64})),
    "a text was overwritten": ("lost", lambda h: h.dossiers[0]["fields"].update({"note.1": "đọc báo"})),
    "an earlier text is in no history": ("lost", lambda h: h.history.pop(0)),
    "a text was written twice": ("twice", lambda h: h.history.append(h.history[0] | {"mutation": "m9"})),
    "a mutation was applied twice": ("twice", lambda h: h.history.append(h.history[2])),
    "a score is gone": ("lost", lambda h: h.dossiers[0]["fields"].update({"self.1": None})),
    "a person is gone": ("lost", lambda h: h.citizens.pop()),
    "a person is there twice": ("twice", lambda h: h.citizens.append(h.citizens[1] | {"id": "k2"})),
    "a dossier was not sent in": ("lost", lambda h: h.dossiers[0].update(state="draft")),
    "something was set aside": ("wrong", lambda h: h.aside.append("conflict")),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_server_is_caught(ledger: Ledger, held: Holdings, name: str) -> None:
    kind, damage = BREAKS[name]
    broken = copy.deepcopy(held)
    damage(broken)
    found = kinds(compare(ledger.acts, broken))
    assert kind in found


def test_the_ledger_is_on_disk_before_it_answers(ledger: Ledger, tmp_path: Path) -> None:
    lines = (tmp_path / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(ledger.acts) + sum(act.said for act in ledger.acts)


def test_a_fresh_phone_that_lacks_a_photo_is_caught(held: Holdings) -> None:
    docs: list[dict[str, Any]] = [{"id": r["id"], "type": "citizen", "data": {"full_name": r["full_name"]}} for r in held.citizens]
    docs += [{"id": "d", "type": "dossier", "data": {"citizen": DAO, "self.1": 7, "note.1": "đọc sách"}}]
    docs += [{"id": r["id"], "type": "evidence", "data": r} for r in held.evidence if not r["deleted"]]
    assert phone_differences(docs, held) == []
    assert kinds(phone_differences(docs[:-1], held)) == ["wrong"]
