"""The year's programme: its rule and ten indicators, data that staff own."""

import uuid
from typing import Any

from sqlalchemy import Connection, insert, select

from server.db import tables
from server.domain import programme_sample
from server.domain.workspace import reserve
from sync.decide import Rule

_COMMUNE = tables.Commune.__table__
_REFERENCE = tables.Reference.__table__
_NAMESPACE = uuid.UUID("0a4ed4f6-52d1-4d0b-8f0e-2f4c3c6f6a10")


def year_of(conn: Connection, commune_id: int) -> int:
    return int(conn.execute(select(_COMMUNE.c.year).where(_COMMUNE.c.id == commune_id)).scalar_one())


def ensure_year(conn: Connection, commune_id: int, year: int, now: str) -> None:
    """Puts in the programme of a year with sample indicators, unless it is there."""
    if _programme(conn, commune_id, year) is not None:
        return
    documents: list[tuple[str, str, dict[str, Any]]] = [("programme", "programme", _settings())]
    documents += [("indicator", f"indicator.{n}", programme_sample.indicator(n)) for n in range(1, 11)]
    first = reserve(conn, commune_id, f"commune:{commune_id}", len(documents))
    rows = [
        {
            "commune_id": commune_id,
            "id": str(uuid.uuid5(_NAMESPACE, f"{commune_id}/{year}/{name}")),
            "type": kind,
            "year": year,
            "data": data,
            "rev": 1,
            "seq": first + offset,
            "deleted": False,
            "updated_at": now,
        }
        for offset, (kind, name, data) in enumerate(documents)
    ]
    conn.execute(insert(_REFERENCE), rows)


def _settings() -> dict[str, Any]:
    return {
        "min_total": 80,
        "min_each": 5,
        "digital_reached": 5,
        "digital_proficient": 8,
        "consent": {"version": "mẫu-1", "text": CONSENT_TEXT},
    }


CONSENT_TEXT = (
    "Tôi đồng ý để xã lưu họ tên, năm sinh, số điện thoại, ảnh minh chứng và điểm của tôi để xét danh hiệu "
    "Công dân học tập. Tôi có thể xem, sửa, hoặc rút lại đồng ý bất cứ lúc nào."
)


def settings(conn: Connection, commune_id: int, year: int) -> dict[str, Any]:
    return _programme(conn, commune_id, year) or _settings()


def rule_of(conn: Connection, commune_id: int, year: int | None = None) -> Rule:
    """The rule of recognition of a year (by default the running one)."""
    data = settings(conn, commune_id, year or year_of(conn, commune_id))
    return Rule(int(data["min_total"]), int(data["min_each"]))


def indicators(conn: Connection, commune_id: int, year: int) -> list[dict[str, Any]]:
    query = select(_REFERENCE.c.data).where(
        _REFERENCE.c.commune_id == commune_id,
        _REFERENCE.c.type == "indicator",
        _REFERENCE.c.year == year,
        _REFERENCE.c.deleted.is_(False),
    )
    return sorted((dict(row[0]) for row in conn.execute(query)), key=lambda data: data["no"])


def _programme(conn: Connection, commune_id: int, year: int) -> dict[str, Any] | None:
    query = select(_REFERENCE.c.data).where(
        _REFERENCE.c.commune_id == commune_id, _REFERENCE.c.type == "programme", _REFERENCE.c.year == year
    )
    row = conn.execute(query).first()
    return dict(row[0]) if row else None
