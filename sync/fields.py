"""Which document types there are, their fields, what a value may be, and who settles a disagreement.

A dossier's fields are flat on the wire ("self.3") and columns in the database ("self_3").
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.protocol import MAX_MUTATION_BYTES, is_sha256, is_timestamp, is_uuid

Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Field:
    """`policy` names who chooses between two values: staff, chapter, citizen, author; `last` (the
    later arrival wins, both stay in history), `append`, `fixed` (immutable), `command`."""

    check: Check
    policy: str
    column: str


def text(limit: int) -> Check:
    def check(value: Any) -> bool:
        return value is None or (isinstance(value, str) and len(value) <= limit and well_formed(value))

    return check


def well_formed(value: str) -> bool:
    """Unicode without NUL and without lone surrogates: what both databases can keep."""
    return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def whole(low: int, high: int) -> Check:
    def check(value: Any) -> bool:
        return value is None or (isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)

    return check


def one_of(*choices: str) -> Check:
    return lambda value: value is None or value in choices


def required(check: Check) -> Check:
    return lambda value: value is not None and check(value)


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _consent(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 50 and all(isinstance(i, dict) and plain(i) for i in value)


def _position(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and len(value) <= 8 and plain(value))


def plain(value: Any) -> bool:
    """A small JSON value whose texts are all well-formed: it must be answerable to every phone."""
    text = json.dumps(value, ensure_ascii=False)
    return len(text) <= 4000 and well_formed(text) and "\\u0000" not in text


def _field(name: str, check: Check, policy: str, column: str | None = None) -> tuple[str, Field]:
    return name, Field(check, policy, column or name)


def _numbered(name: str, check: Check, policy: str) -> list[tuple[str, Field]]:
    return [_field(f"{name}.{n}", check, policy, f"{name}_{n}") for n in range(1, 11)]


SCORE = whole(1, 10)
NAME = required(lambda v: isinstance(v, str) and 1 <= len(v.strip()) <= 120 and well_formed(v))
DOSSIER_STATES = ("draft", "submitted", "appraised", "returned", "eligible", "not_eligible", "decided")

CITIZEN = dict(
    [
        _field("place", required(whole(1, 2**31 - 1)), "command", "place_id"),
        _field("full_name", NAME, "staff"),
        _field("birth_year", whole(1890, 2100), "staff"),
        _field("gender", one_of("female", "male", "other"), "staff"),
        _field("group", whole(1, 3), "staff"),
        _field("setting", one_of("family", "clan", "community", "unit"), "staff"),
        _field("state", one_of("unconfirmed", "confirmed"), "command"),
        _field("phone", text(40), "last"),
        _field("note", text(4000), "last"),
        _field("consent", _consent, "append"),
    ]
)
DOSSIER = dict(
    [
        _field("citizen", required(is_uuid), "fixed", "citizen_id"),
        _field("year", required(whole(2021, 2100)), "fixed"),
        *_numbered("self", SCORE, "citizen"),
        *_numbered("note", text(4000), "citizen"),
        *_numbered("chapter", SCORE, "chapter"),
        _field("chapter_note", text(4000), "chapter"),
        *_numbered("final", SCORE, "staff"),
        *_numbered("verdict", one_of("", "incomplete"), "command"),
        *_numbered("verdict_reason", text(1000), "command"),
        _field("state", one_of(*DOSSIER_STATES), "command"),
        _field("reason", text(1000), "command"),
    ]
)
EVIDENCE = dict(
    [
        _field("dossier", required(is_uuid), "fixed", "dossier_id"),
        _field("indicator", required(whole(1, 10)), "fixed"),
        _field("kind", text(40), "fixed"),
        _field("sha256", required(is_sha256), "fixed"),
        _field("bytes", whole(0, 64 * 1024 * 1024), "fixed"),
        _field("width", whole(0, 100_000), "fixed"),
        _field("height", whole(0, 100_000), "fixed"),
        _field("captured_at", _optional(is_timestamp), "fixed"),
        _field("source", text(20), "fixed"),
        _field("position", _position, "fixed"),
        _field("thumbhash", text(200), "fixed"),
        _field("caption", text(1000), "author"),
        _field("verdict", one_of("accepted", "retake", "incomplete"), "command"),
        _field("reason", text(1000), "command"),
        _field("replaces", _optional(is_uuid), "fixed"),
        _field("moved_from", _optional(is_uuid), "fixed"),
    ]
)
COMMENT = dict([_field("on", required(is_uuid), "fixed"), _field("text", required(text(4000)), "fixed")])
CONFLICT = dict(
    [
        _field("doc", required(is_uuid), "fixed", "doc_id"),
        _field("type", text(20), "fixed"),
        *[_field(name, lambda _: True, "command") for name in ("field", "base", "theirs", "mine", "to", "state")],
    ]
)
TYPES: dict[str, dict[str, Field]] = {
    "citizen": CITIZEN,
    "dossier": DOSSIER,
    "evidence": EVIDENCE,
    "comment": COMMENT,
    "conflict": CONFLICT,
}


def is_known_type(name: object) -> bool:
    return isinstance(name, str) and name in TYPES


# what a command may carry in `set`, besides its next state
COMMAND_SETS: dict[tuple[str, str], tuple[str, ...]] = {
    ("submit", "dossier"): (),
    ("withdraw", "dossier"): (),
    ("appraise", "dossier"): ("chapter.", "chapter_note"),
    ("reopen", "dossier"): ("reason",),
    ("return", "dossier"): ("reason",),
    ("settle", "dossier"): ("final.",),
    ("decide", "dossier"): (),
    ("judge", "dossier"): ("verdict.", "verdict_reason."),
    ("judge", "evidence"): ("verdict", "reason"),
    ("delete", "evidence"): (),
    ("delete", "citizen"): (),
    ("move", "citizen"): ("place",),
    ("confirm", "citizen"): (),
    ("resolve", "conflict"): ("pick", "value"),
}


@dataclass(frozen=True)
class Fault:
    code: str
    message: str
    field: str | None = None


def check_mutation(mutation: dict[str, Any], size_bytes: int) -> Fault | None:
    """What is wrong with one mutation's form, or None. Rights and state are others' business."""
    op, kind, patch = mutation.get("op"), mutation.get("type"), mutation.get("set", {})
    if size_bytes > MAX_MUTATION_BYTES:
        return Fault("mutation.too_large", "Nội dung quá dài.")
    if op == "void":
        return None
    if not isinstance(kind, str) or kind not in TYPES:
        return Fault("type.unknown", "Loại dữ liệu không rõ.")
    if not is_uuid(mutation.get("doc")):
        return Fault("doc.invalid", "Mã hồ sơ không hợp lệ.")
    if not isinstance(patch, dict):
        return Fault("set.invalid", "Nội dung không hợp lệ.")
    if not _after_ok(mutation.get("after", {})) or not _base_ok(mutation.get("base", 0)):
        return Fault("base.invalid", "Phiên bản gốc không hợp lệ.")
    return _check_patch(str(op), kind, patch)


def _check_patch(op: str, kind: str, patch: dict[str, Any]) -> Fault | None:
    fields = TYPES[kind]
    if op not in ("create", "update"):
        allowed = COMMAND_SETS.get((op, kind))
        if allowed is None:
            return Fault("op.unknown", "Việc này không có.")
        stray = [f for f in patch if not any(f == a or (a.endswith(".") and f.startswith(a)) for a in allowed)]
        if stray:
            return Fault("field.unknown", "Có trường không thuộc việc này.", stray[0])
    for name, value in patch.items():
        if (op, name) in (("resolve", "pick"), ("resolve", "value")):
            continue
        spec = fields.get(name)
        if spec is None:
            return Fault("field.unknown", "Có trường không rõ.", name)
        if op in ("create", "update") and spec.policy == "command" and not (op == "create" and name == "place"):
            return Fault("field.command", "Trường này chỉ đổi bằng một việc riêng.", name)
        if op == "update" and spec.policy == "fixed":
            return Fault("immutable", "Trường này không đổi được.", name)
        if not spec.check(value):
            return Fault("value.invalid", "Giá trị không hợp lệ.", name)
    return _check_required(op, kind, patch)


def _check_required(op: str, kind: str, patch: dict[str, Any]) -> Fault | None:
    needed = {
        "citizen": ("place", "full_name"),
        "dossier": ("citizen", "year"),
        "evidence": ("dossier", "indicator", "sha256"),
        "comment": ("on", "text"),
    }
    if op == "create":
        lacking = [name for name in needed.get(kind, ("",)) if name not in patch]
        if lacking:
            return Fault("value.missing", "Thiếu thông tin bắt buộc.", lacking[0])
    return None


def _after_ok(after: Any) -> bool:
    return isinstance(after, dict) and all(is_uuid(v) for v in after.values())


def _base_ok(base: Any) -> bool:
    if isinstance(base, dict):
        return all(isinstance(v, int) and not isinstance(v, bool) for v in base.values())
    return isinstance(base, int) and not isinstance(base, bool)
