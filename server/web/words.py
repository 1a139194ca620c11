"""What fields, values, results and reasons are called on the staff site. Vietnamese that a person reads; no names of the wire."""

from datetime import datetime, timedelta, timezone
from typing import Any

from server.documents.xlsx import STATES as DOSSIER_STATES

VIETNAM = timezone(timedelta(hours=7))
KINDS = {
    "vneid": "VNeID",
    "public_service": "Dịch vụ công",
    "payment": "Thanh toán",
    "video_call": "Gọi video",
    "online_selling": "Bán hàng qua mạng",
    "digital_class": "Lớp kỹ năng số",
    "helping": "Giúp người khác",
}
GROUPS = {
    1: "Nông dân, lao động nông thôn",
    2: "Công nhân, thợ thủ công, thợ sửa chữa",
    3: "Cán bộ, công chức, viên chức, doanh nhân",
}
GENDERS = {"female": "Nữ", "male": "Nam", "other": "Khác"}
SETTINGS = {"family": "Gia đình", "clan": "Dòng họ", "community": "Cộng đồng", "unit": "Đơn vị"}
VERDICTS = {"accepted": "Ảnh hợp lệ", "retake": "Cần chụp lại", "incomplete": "Cần bổ sung"}
SOURCES = {"camera": "chụp trong ứng dụng", "library": "ảnh từ thư viện", "office": "xã nhập hộ"}
ROLES = {"citizen": "công dân", "chapter": "chi hội", "head": "trưởng thôn", "contact": "đầu mối đơn vị", "staff": "cán bộ xã"}
FIELDS = {
    "citizen": {
        "place": "Thôn, đơn vị", "full_name": "Họ và tên", "birth_year": "Năm sinh", "gender": "Giới tính", "group": "Nhóm",
        "setting": "Học tập ở", "state": "Xác nhận đúng người", "phone": "Số điện thoại", "note": "Ghi chú",
        "consent": "Đồng ý lưu dữ liệu",
        "delete": "Xoá người này", "deleted": "Xoá", "merged": "Gộp hai người",
    },
    "dossier": {
        "citizen": "Của", "year": "Năm", "chapter_note": "Nhận xét của chi hội", "state": "Trạng thái hồ sơ", "reason": "Lý do",
        "deleted": "Xoá", "merged": "Gộp hai người",
    },
    "evidence": {
        "dossier": "Hồ sơ", "indicator": "Chỉ số", "kind": "Loại", "sha256": "Ảnh", "captured_at": "Lúc chụp", "source": "Ảnh từ",
        "caption": "Ghi chú của ảnh", "verdict": "Xã xem ảnh", "reason": "Lý do", "replaces": "Thay cho ảnh", "moved_from": "Chuyển từ ảnh",
        "position": "Nơi chụp", "delete": "Xoá ảnh này", "deleted": "Xoá",
    },
    "comment": {"on": "Về", "text": "Lời nhắn", "deleted": "Xoá"},
    "conflict": {"state": "Việc chờ chọn", "value": "Bản được chọn", "mine": "Bản gửi đến", "pick": "Bản được chọn"},
}  # fmt: skip
NUMBERED = {
    "self": "tự chấm", "note": "kê khai", "chapter": "chi hội chấm", "final": "xã duyệt", "verdict": "xã yêu cầu",
    "verdict_reason": "lý do bổ sung",
}  # fmt: skip
UNSAID = frozenset({"bytes", "width", "height", "thumbhash", "superseded"})  # nobody at a desk asks for these
OPS = {
    "create": "Ghi mới", "update": "Sửa", "submit": "Gửi hồ sơ", "withdraw": "Rút lại để sửa", "appraise": "Chi hội chấm",
    "reopen": "Mở lại", "return": "Trả lại", "settle": "Xã duyệt điểm", "decide": "Công nhận", "judge": "Xã xem", "delete": "Xoá",
    "undelete": "Khôi phục", "move": "Chuyển nơi ở", "confirm": "Xác nhận đúng người", "resolve": "Chọn bản đúng",
    "merge": "Gộp hai người", "unmerge": "Tách lại", "apart": "Hai người khác nhau",
    "superseded": "Bản cũ đến muộn – đã có bản mới hơn của chính người đó",
    "void": "Nội dung quá dài",
}  # fmt: skip
DOCS = {"citizen": "thông tin người", "dossier": "hồ sơ", "evidence": "ảnh", "comment": "lời nhắn", "conflict": "việc chờ chọn"}


def label(kind: str, name: str) -> str:
    """A field in words: `self.3` is "Chỉ số 3 – tự chấm"."""
    part, _, number = name.partition(".")
    if number.isdigit() and part in NUMBERED:
        return f"Chỉ số {number} – {NUMBERED[part]}"
    return FIELDS.get(kind, {}).get(name) or _plain(name)


def shown(kind: str, name: str, value: Any, places: dict[int, str] | None = None) -> str:
    """A value in words; the templates escape it."""
    if value is None or value == "" or value == []:
        return "để trống"
    if name in ("delete", "deleted"):
        return "Xoá" if value else "Giữ lại"
    choices: dict[Any, str] = choices_of(kind, name)
    if isinstance(value, str | int) and value in choices:
        return choices[value]
    if name == "place" and isinstance(value, int):
        return (places or {}).get(value, f"số {value}")
    if name == "captured_at":
        return when(str(value)) or _plain(value)
    if name == "consent" and isinstance(value, list):
        return f"{len(value)} lần đồng ý"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict) and "value" in value:
        return _plain(value["value"])
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    return str(value).encode("utf-8", "replace").decode()  # half of a character, as some phones send it, is no text


def choices_of(kind: str, name: str) -> dict[Any, str]:
    """The values that one chooses among, where a field has such; for the form's select."""
    part = name.split(".")[0]
    if kind == "citizen":
        named: dict[str, dict[Any, str]] = {"group": GROUPS, "gender": GENDERS, "setting": SETTINGS}
        return named.get(name, {"confirmed": "Đã xác nhận", "unconfirmed": "Chờ xác nhận"} if name == "state" else {})
    if kind == "dossier":
        return {**DOSSIER_STATES} if name == "state" else {"incomplete": "Cần bổ sung"} if part == "verdict" else {}
    if kind == "evidence":
        by_name: dict[str, dict[Any, str]] = {"verdict": VERDICTS, "kind": KINDS, "source": SOURCES}
        return by_name.get(name, {})
    if kind == "conflict" and name == "state":
        return {"open": "chờ chọn", "resolved": "đã chọn", "closed": "thôi"}
    return {}


def is_number(kind: str, name: str) -> bool:
    return name in ("birth_year", "group", "place") or (kind == "dossier" and name.split(".")[0] in ("self", "chapter", "final"))


def typed(kind: str, name: str, text: str) -> Any:
    """What somebody typed for a field, as its value; a slip in a number stays text, which the field's check then refuses."""
    text = text.strip()
    if is_number(kind, name):
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else (text or None)
    return text or None


def when(text: str | None) -> str:
    """A time as Vietnamese readers write it, in Vietnam's zone."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(VIETNAM)
    except (ValueError, OverflowError):
        return ""
    return at.strftime("%d/%m/%Y %H:%M")


def size(count_bytes: int) -> str:
    """Room on a phone, as its own settings say it."""
    if count_bytes >= 1024**3:
        return f"{count_bytes / 1024**3:.1f} GB".replace(".", ",")
    return f"{count_bytes // 1024**2} MB"


REASONS = {
    "amendment": "gửi đến sau khi hồ sơ đã nộp, xã xem rồi mới ghi",
    "aside": "bản mà máy giữ riêng sau khi xã khôi phục dữ liệu",
    "base.invalid": "không rõ sửa từ bản nào",
    "conflict.moved": "lựa chọn này làm từ bản cũ",
    "conflict.open": "còn nội dung chờ chọn bản đúng",
    "deposit": "nộp bằng tệp, chờ xã nhận",
    "doc.invalid": "mã hồ sơ không khớp người và năm",
    "draft": "bản đang ghi dở trong tệp nộp",
    "field.command": "mục này chỉ xã đổi được",
    "field.unknown": "có mục mà phần mềm của xã chưa biết – có thể ứng dụng trên máy mới hơn",
    "gone": "người hoặc ảnh này đã bị xoá trước khi nội dung đến",
    "id.exists": "mã này đã có nội dung khác",
    "immutable": "mục này không sửa được sau khi gửi",
    "internal": "phần mềm của xã gặp lỗi khi ghi, nội dung được giữ lại",
    "mutation.too_large": "nội dung quá dài",
    "op.unknown": "việc mà phần mềm của xã chưa biết – có thể ứng dụng trên máy mới hơn",
    "out_of_scope": "người gửi không phụ trách nơi này, hoặc không còn dùng máy này",
    "place.unknown": "thôn hoặc đơn vị này không có",
    "replay.changed": "máy gửi lại với nội dung khác lần trước",
    "right.missing": "người gửi không có quyền ghi mục này",
    "scores.missing": "còn chỉ số chưa có điểm",
    "set.invalid": "nội dung bị hỏng",
    "state.stale": "hồ sơ đã sang bước khác",
    "type.unknown": "loại nội dung mà phần mềm của xã chưa biết",
    "value.invalid": "có giá trị không hợp lệ",
    "value.missing": "thiếu thông tin bắt buộc",
    "waiting": "thuộc về người hoặc hồ sơ mà máy khác chưa gửi đến; đến là tự ghi",
}  # fmt: skip


def reason(code: str) -> str:
    return REASONS.get(code, f"chưa ghi được ({code})")


def deed(sent: dict[str, Any]) -> str:
    """What one sent piece of content does, whatever it is made of."""
    op, kind = sent.get("op"), sent.get("type")
    told = OPS.get(op, "Bản ghi") if isinstance(op, str) else "Bản ghi"
    return f"{told} – {DOCS[kind]}" if isinstance(kind, str) and kind in DOCS else told


def said_by(sent: dict[str, Any], places: dict[int, str]) -> list[tuple[str, str]]:
    """What one sent piece of content says, field by field, for reading; whatever it is made of."""
    kind, patch = str(sent.get("type") or ""), sent.get("set")
    if not isinstance(patch, dict):
        rest = sent.get("values") if isinstance(sent.get("values"), dict) else None
        rest = rest or {k: v for k, v in sent.items() if k not in ("id", "seq", "by", "op", "type", "doc", "base", "at", "after", "set")}
        return [(label(_kind_of(str(k)), str(k)), shown(_kind_of(str(k)), str(k), v, places)) for k, v in rest.items()]
    hidden = UNSAID | {"sha256", "dossier", "citizen", "on", "replaces", "moved_from"}
    return [(label(kind, str(name)), shown(kind, str(name), value, places)) for name, value in patch.items() if name not in hidden]


def _kind_of(name: str) -> str:
    return next((kind for kind, fields in FIELDS.items() if name in fields), "dossier")


IDS = frozenset(
    {"sha256", "dossier", "citizen", "on", "replaces", "moved_from", "people", "moved", "merged", "merged_into",
     "possible_duplicate", "position"}
)  # fmt: skip


def lines(doc: dict[str, Any], patch: dict[str, Any], places: dict[int, str]) -> list[tuple[str, str | None, str]]:
    """One write of history, field by field: (label, before or None, after)."""
    kind = doc["type"]
    if kind == "conflict":
        return _choice_lines(doc, patch, places)
    told: list[tuple[str, str | None, str]] = []
    for name, (before, after) in sorted(patch.items(), key=lambda item: _order(item[0])):
        if name == "superseded" and isinstance(after, dict):
            told += [(label(kind, n), None, shown(kind, n, v, places)) for n, v in after.items()]
        elif name == "deleted" or name in UNSAID or name in IDS or before == after:
            continue
        elif before in (None, "", []):
            told.append((label(kind, name), None, shown(kind, name, after, places)))
        else:
            told.append((label(kind, name), shown(kind, name, before, places), shown(kind, name, after, places)))
    return told


def _choice_lines(doc: dict[str, Any], patch: dict[str, Any], places: dict[int, str]) -> list[tuple[str, str | None, str]]:
    kind, name = str(doc["about"]), doc["field"]
    if "value" in patch:
        return [(label(kind, name), None, shown(kind, name, patch["value"][1], places))]
    if "state" in patch:
        return [(label(kind, name), None, "chờ chọn lại")]
    mine, theirs = (doc["mine"] or {}).get("value"), (doc["theirs"] or {}).get("value")
    return [(label(kind, name), shown(kind, name, theirs, places), shown(kind, name, mine, places))]


def _order(name: str) -> tuple[str, int]:
    part, _, number = name.partition(".")
    return part, int(number) if number.isdigit() else 0
