"""What the screen called saved, and the comparison with what the server holds. Pure, but for the ledger's own file."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, str]  # a photo: the hash of its bytes, and its first caption: two shots of one still scene have one hash


@dataclass
class Act:
    """One thing that a person did. `said`: the screen called it saved; else it may be there or not."""

    number: int
    round: int
    kind: str  # begun, photo, note, score, caption, person, move, remove, restore, submit, withdraw
    about: dict[str, Any]
    said: bool = False


class Ledger:
    """A file of JSON lines, on disk before `tried` and `said` return; what they return is only a copy."""

    def __init__(self, path: Path) -> None:
        self.acts: list[Act] = []
        self._file = path.open("a", encoding="utf-8")

    def tried(self, round_: int, kind: str, **about: Any) -> Act:
        act = Act(len(self.acts) + 1, round_, kind, about)
        self.acts.append(act)
        self._write({"n": act.number, "round": round_, "kind": kind, **about})
        return act

    def said(self, act: Act) -> None:
        if not act.said:
            act.said = True
            self._write({"n": act.number, "said": True})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


@dataclass
class Holdings:
    """What the server holds, as plain rows; `originals` maps a photo's name on disk to the hash of its bytes."""

    citizens: list[dict[str, Any]] = field(default_factory=list)  # id, full_name, deleted
    dossiers: list[dict[str, Any]] = field(default_factory=list)  # citizen, state, fields: {"self.1": 7}
    # id, citizen, indicator, sha256, caption, moved_from, deleted; `born`: the caption with which its first entry was made
    evidence: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)  # doc, mutation, op, patch: {field: [before, after]}
    receipts: set[str] = field(default_factory=set)
    originals: dict[str, str] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)  # conflicts, quarantine, unreadable photos: one phone alone must cause none


@dataclass(frozen=True)
class Finding:
    kind: str  # lost, twice, wrong
    words: str
    round: int | None = None


@dataclass
class Course:
    """The values that one thing may have now: the last one said, or any that was tried after it."""

    may: list[Any]
    last: Act | None = None

    def step(self, act: Act, value: Any) -> None:
        self.may = [value] if act.said else [*self.may, value]
        self.last = act


@dataclass
class Photo:
    """All that was done with one photo."""

    acts: list[Act] = field(default_factory=list)
    here: Course = field(default_factory=lambda: Course([False]))
    place: Course = field(default_factory=lambda: Course([]))
    caption: Course = field(default_factory=lambda: Course([]))


@dataclass
class Wanted:
    """The ledger read as what should be."""

    photos: dict[Key, Photo] = field(default_factory=dict)
    fields: dict[tuple[str, str], Course] = field(default_factory=dict)  # citizen, field
    states: dict[str, Course] = field(default_factory=dict)  # citizen


def wanted(acts: Iterable[Act]) -> Wanted:
    want = Wanted()
    for act in acts:
        about = act.about
        if act.kind in ("note", "score"):
            name = f"{'note' if act.kind == 'note' else 'self'}.{about['indicator']}"
            want.fields.setdefault((about["citizen"], name), Course([None])).step(act, about["value"])
        elif act.kind in ("submit", "withdraw"):
            want.states.setdefault(about["citizen"], Course(["draft", None])).step(act, "submitted" if act.kind == "submit" else "draft")
        elif act.kind not in ("person", "begun"):
            _photo_step(want.photos.setdefault((about["sha256"], about["born"]), Photo()), act)
    return want


def _photo_step(photo: Photo, act: Act) -> None:
    about = act.about
    if act.kind == "photo":
        photo.acts.append(act)
        photo.caption.step(act, about.get("caption") or None)
    if act.kind == "caption":
        photo.caption.step(act, about["value"])
    if act.kind in ("photo", "move"):
        photo.place.step(act, (about["citizen"], about["indicator"]))
    if act.kind in ("photo", "restore"):
        photo.here.step(act, True)
    if act.kind == "remove":
        photo.here.step(act, False)


def compare(acts: list[Act], held: Holdings) -> list[Finding]:
    """Everything said saved is there, exactly once, and nothing else is."""
    want = wanted(acts)
    return [
        *_photos(acts, want, held),
        *_fields(acts, want, held),
        *_people(acts, held),
        *_states(want, held),
        *_once(held),
        *(Finding("wrong", f"set aside for staff: {words}") for words in held.aside),
    ]


def _photos(acts: list[Act], want: Wanted, held: Holdings) -> Iterable[Finding]:
    by_key = defaultdict(list)
    for row in held.evidence:
        by_key[(row["sha256"], row["born"])].append(row)
    begun = _begun(acts)
    for sha256, born in sorted(by_key.keys() - want.photos.keys()):
        rows = by_key[(sha256, born)]
        spot = (rows[0]["citizen"], rows[0]["indicator"], born)
        if begun[spot] < 1:
            yield Finding("wrong", f"photo {sha256[:12]} {born}: nobody took it")
        if len(rows) > 1:
            yield Finding("twice", f"photo {sha256[:12]} {born}: {len(rows)} entries")
        begun[spot] -= 1
    for key, photo in want.photos.items():
        yield from _photo(key, photo, by_key[key], held)


def _begun(acts: list[Act]) -> Counter[tuple[str, int, str]]:
    """Photos on their way to the disk of which a kill took the news, by place: they may be there or not."""
    left: Counter[tuple[str, int, str]] = Counter()
    for act in acts:
        if act.kind in ("begun", "photo"):
            left[(act.about["citizen"], act.about["indicator"], act.about["born"])] += act.about.get("count", -1)
    return left


def _photo(key: Key, photo: Photo, rows: list[dict[str, Any]], held: Holdings) -> Iterable[Finding]:
    sha256, born = key
    name, round_ = f"photo {sha256[:12]} {born}".strip(), photo.acts[0].round
    said = sum(act.said for act in photo.acts)
    began = [row for row in rows if row["moved_from"] is None]
    if len(began) < said:
        yield Finding("lost", f"{name}: {len(began)} entries, {said} were called saved", round_)
    if len(began) > len(photo.acts):
        yield Finding("twice", f"{name}: {len(began)} entries, it was taken {len(photo.acts)} times", round_)
    if said and sha256 not in held.receipts:
        yield Finding("lost", f"{name}: no receipt", round_)
    if said and held.originals.get(sha256) != sha256:
        yield Finding("lost", f"{name}: its bytes on the server are {held.originals.get(sha256) or 'absent'}", round_)
    if began and len(photo.acts) == 1:
        yield from _shown(name, photo, [row for row in rows if not row["deleted"]], round_)


def _shown(name: str, photo: Photo, live: list[dict[str, Any]], round_: int) -> Iterable[Finding]:
    """Where one photo is now, with which words."""
    if len(live) > 1:
        yield Finding("twice", f"{name}: shown {len(live)} times", round_)
    if bool(live) not in photo.here.may:
        yield Finding("wrong" if live else "lost", f"{name}: {'still there' if live else 'taken away'}", round_)
    for row in live[:1]:
        if (row["citizen"], row["indicator"]) not in photo.place.may:
            yield Finding("wrong", f"{name}: is at {row['citizen']}/{row['indicator']}, not at {photo.place.may}", round_)
        if row["caption"] not in photo.caption.may:
            yield Finding("lost", f"{name}: its note is {row['caption']!r}, not {photo.caption.may}", round_)


def _fields(acts: list[Act], want: Wanted, held: Holdings) -> Iterable[Finding]:
    values = {(row["citizen"], name): value for row in held.dossiers for name, value in row["fields"].items()}
    written = Counter((name, _key(after)) for row in held.history for name, (_before, after) in row["patch"].items() if after is not None)
    for (citizen, name), course in want.fields.items():
        if values.get((citizen, name)) not in course.may:
            round_ = course.last.round if course.last else None
            yield Finding("lost", f"{name} of {citizen}: is {values.get((citizen, name))!r}, not {course.may}", round_)
    for act in acts:
        if act.kind not in ("note", "score"):
            continue
        name = f"{'note' if act.kind == 'note' else 'self'}.{act.about['indicator']}"
        times = written[(name, _key(act.about["value"]))]
        if act.said and not times:
            yield Finding("lost", f"{name}: {act.about['value']!r} is in no history", act.round)
        if act.kind == "note" and times > 1:  # every text of a soak is typed once
            yield Finding("twice", f"{name}: {act.about['value']!r} was written {times} times", act.round)


def _key(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _people(acts: list[Act], held: Holdings) -> Iterable[Finding]:
    names = Counter(row["full_name"] for row in held.citizens if not row["deleted"])
    for act in acts:
        if act.kind == "person" and act.said and not names[act.about["name"]]:
            yield Finding("lost", f"{act.about['name']}: not registered", act.round)
        if act.kind == "person" and names[act.about["name"]] > 1:
            yield Finding("twice", f"{act.about['name']}: registered {names[act.about['name']]} times", act.round)


def _states(want: Wanted, held: Holdings) -> Iterable[Finding]:
    states = {row["citizen"]: row["state"] for row in held.dossiers}
    for citizen, course in want.states.items():
        if states.get(citizen) not in course.may:
            round_ = course.last.round if course.last else None
            yield Finding("lost", f"dossier of {citizen}: {states.get(citizen)}, not {course.may}", round_)


def _once(held: Holdings) -> Iterable[Finding]:
    times = Counter((row["doc"], row["mutation"]) for row in held.history if row["mutation"])
    for (doc, mutation), count in times.items():
        if count > 1:
            yield Finding("twice", f"mutation {mutation} was applied {count} times to {doc}")
