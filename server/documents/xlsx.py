"""The year's result as one XLSX sheet. Bytes out; knows no database and no web."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

GROUPS = {1: "Nông dân, lao động nông thôn", 2: "Công nhân, thợ", 3: "Cán bộ, công chức, viên chức, doanh nhân"}
STATES = {
    "draft": "Đang làm",
    "submitted": "Đã gửi – chờ chi hội chấm",
    "appraised": "Chi hội đã chấm – chờ xã duyệt",
    "returned": "Trả lại",
    "eligible": "Đủ điều kiện – chờ quyết định",
    "not_eligible": "Chưa đủ điều kiện",
    "decided": "Đã được công nhận",
}
HEAD = [
    "STT",
    "Họ và tên",
    "Năm sinh",
    "Thôn, đơn vị",
    "Nhóm",
    *[f"Chỉ số {n}" for n in range(1, 11)],
    "Tổng điểm",
    "Kết quả",
    "Vì sao chưa đủ",
]
WIDTHS = [6, 30, 10, 26, 26, *[9] * 10, 11, 30, 44]


def result(rows: list[dict[str, Any]], commune: str, year: int) -> bytes:
    """`rows` as `review.results` gives them."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = f"Kết quả {year}"
    sheet.append([plain(f"Kết quả Công dân học tập năm {year} – {commune}")])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append(HEAD)
    for cell in sheet[2]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    for number, row in enumerate(rows, 1):
        sheet.append(_line(number, row))
    for n, width in enumerate(WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(n)].width = width
    sheet.freeze_panes = "C3"
    sheet.auto_filter.ref = f"A2:{get_column_letter(len(HEAD))}{max(len(rows) + 2, 2)}"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _line(number: int, row: dict[str, Any]) -> list[Any]:
    settled = row["state"] in ("eligible", "not_eligible", "decided")
    outcome = row["outcome"]
    return [
        number, plain(row["full_name"]), row["birth_year"], plain(row["place"]), GROUPS.get(row["group"], ""),
        *[row["scores"][n] for n in range(1, 11)], outcome.total if settled else None, STATES[row["state"]],
        plain(why_not(outcome)) if settled and not outcome.eligible else "",
    ]  # fmt: skip


def why_not(outcome: Any) -> str:
    """Why a settled dossier is not eligible, in words [plan II.2b]."""
    reasons = []
    if outcome.unscored:
        reasons.append("chưa chấm chỉ số " + ", ".join(map(str, outcome.unscored)))
    if outcome.short_by:
        reasons.append(f"còn thiếu {outcome.short_by} điểm")
    if outcome.low:
        reasons.append("điểm thấp ở chỉ số " + ", ".join(map(str, outcome.low)))
    return "; ".join(reasons)


def plain(text: str | None) -> str:
    """Text that no spreadsheet takes for a formula, without control characters."""
    clean = "".join(c for c in text or "" if c >= " ")
    return f"'{clean}" if clean[:1] in ("=", "+", "-", "@", "\t") else clean
