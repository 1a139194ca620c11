"""What the staff pages read: counts by place, lists, one dossier with its photos. Writes nothing."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from server.db import tables
from server.domain import programme
from server.domain.text import fold
from sync.decide import decide

_CITIZEN, _DOSSIER = tables.Citizen.__table__, tables.Dossier.__table__
_EVIDENCE, _PLACE = tables.Evidence.__table__, tables.Place.__table__
_RECEIPT, _PHOTO = tables.Receipt.__table__, tables.Photo.__table__
STATES = ("none", "draft", "submitted", "appraised", "returned", "eligible", "not_eligible", "decided")
PAGE = 100


@dataclass(frozen=True)
class Filter:
    place: int | None = None
    state: str | None = None
    group: int | None = None
    kind: str | None = None
    text: str = ""
    page: int = 1


def by_place(conn: Connection, commune_id: int, year: int) -> list[dict[str, Any]]:
    """Every place with how many people stand in each state."""
    query = (
        select(_PLACE.c.id, _PLACE.c.name, _PLACE.c.kind, _DOSSIER.c.state, func.count(_CITIZEN.c.id))
        .select_from(_PLACE)
        .outerjoin(_CITIZEN, _same(_CITIZEN, "place_id", _PLACE, "id") & _CITIZEN.c.deleted.is_(False))
        .outerjoin(_DOSSIER, _dossier_of_year(year))
        .where(_PLACE.c.commune_id == commune_id, _PLACE.c.deleted.is_(False))
        .group_by(_PLACE.c.id, _PLACE.c.name, _PLACE.c.kind, _DOSSIER.c.state)
    )
    places: dict[int, dict[str, Any]] = {}
    for ident, name, kind, state, count in conn.execute(query):
        place = places.setdefault(ident, {"id": ident, "name": name, "kind": kind, "people": 0, "states": {}})
        place["people"] += count
        if count:
            place["states"][state or "none"] = place["states"].get(state or "none", 0) + count
    return sorted(places.values(), key=lambda p: p["name"])


def _same(one: Any, one_column: str, other: Any, other_column: str) -> Any:
    return (one.c.commune_id == other.c.commune_id) & (one.c[one_column] == other.c[other_column])


def _dossier_of_year(year: int) -> Any:
    return _same(_DOSSIER, "citizen_id", _CITIZEN, "id") & (_DOSSIER.c.year == year) & _DOSSIER.c.deleted.is_(False)


def people(conn: Connection, commune_id: int, year: int, wish: Filter) -> tuple[list[dict[str, Any]], int]:
    """One page of people with their dossiers, and how many there are in all."""
    where = [_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.deleted.is_(False)]
    if wish.place is not None:
        where.append(_CITIZEN.c.place_id == wish.place)
    if wish.group is not None:
        where.append(_CITIZEN.c.group == wish.group)
    if wish.text:
        where.append(_CITIZEN.c.search_name.contains(fold(wish.text), autoescape=True))
    if wish.state == "none":
        where.append(_DOSSIER.c.id.is_(None))
    elif wish.state:
        where.append(_DOSSIER.c.state == wish.state)
    if wish.kind:
        kinds = select(_EVIDENCE.c.citizen_id).where(
            _EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.kind == wish.kind, _EVIDENCE.c.deleted.is_(False)
        )
        where.append(_CITIZEN.c.id.in_(kinds))
    joined = _CITIZEN.outerjoin(_DOSSIER, _dossier_of_year(year)).join(_PLACE, _same(_CITIZEN, "place_id", _PLACE, "id"))
    total = int(conn.execute(select(func.count()).select_from(joined).where(*where)).scalar_one())
    query = (
        select(_CITIZEN.c.id, _CITIZEN.c.full_name, _CITIZEN.c.birth_year, _CITIZEN.c.group, _CITIZEN.c.state.label("citizen_state"),
               _PLACE.c.name.label("place"), _DOSSIER.c.state, _DOSSIER.c.id.label("dossier"), *_sums())
        .select_from(joined).where(*where)
        .order_by(_PLACE.c.name, _CITIZEN.c.search_name, _CITIZEN.c.id)
        .limit(PAGE).offset((max(wish.page, 1) - 1) * PAGE)
    )  # fmt: skip
    rows = [dict(row) for row in conn.execute(query).mappings()]
    counts = _photo_counts(conn, commune_id, [r["dossier"] for r in rows if r["dossier"]])
    for row in rows:
        row["photos"] = counts.get(row["dossier"], 0)
        row["state"] = row["state"] or "none"
    return rows, total


def everyone(conn: Connection, commune_id: int, year: int, place: int) -> list[dict[str, Any]]:
    """All people of a place, page after page."""
    rows, total = people(conn, commune_id, year, Filter(place=place))
    for page in range(2, -(-total // PAGE) + 1):
        rows += people(conn, commune_id, year, Filter(place=place, page=page))[0]
    return rows


def _sums() -> list[Any]:
    sums = []
    for who in ("self", "chapter", "final"):
        total = sum((func.coalesce(_DOSSIER.c[f"{who}_{n}"], 0) for n in range(2, 11)), func.coalesce(_DOSSIER.c[f"{who}_1"], 0))
        sums.append(total.label(f"{who}_total"))
    return sums


def _photo_counts(conn: Connection, commune_id: int, dossiers: list[str]) -> dict[str, int]:
    query = (
        select(_EVIDENCE.c.dossier_id, func.count())
        .where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.dossier_id.in_(dossiers), _EVIDENCE.c.deleted.is_(False))
        .group_by(_EVIDENCE.c.dossier_id)
    )  # fmt: skip
    return {row[0]: row[1] for row in conn.execute(query)} if dossiers else {}


def dossier(conn: Connection, commune_id: int, citizen_id: str, year: int) -> dict[str, Any] | None:
    """One person's dossier: citizen, ten indicators with scores, declaration and photos, what it comes to."""
    query = select(_CITIZEN, _PLACE.c.name.label("place")).join(_PLACE, _same(_CITIZEN, "place_id", _PLACE, "id"))
    citizen = conn.execute(query.where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.id == citizen_id)).mappings().first()
    if citizen is None or citizen["deleted"]:
        return None
    query = select(_DOSSIER).where(
        _DOSSIER.c.commune_id == commune_id, _DOSSIER.c.citizen_id == citizen_id, _DOSSIER.c.year == year, _DOSSIER.c.deleted.is_(False)
    )
    row = conn.execute(query).mappings().first()
    found = dict(row) if row else {}
    photos = _photos(conn, commune_id, found["id"]) if found else []
    rule = programme.rule_of(conn, commune_id, year)
    indicators = [_indicator(data, found, photos) for data in programme.indicators(conn, commune_id, year)]
    outcomes = {who: decide({n: found.get(f"{who}_{n}") for n in range(1, 11)}, rule) for who in ("self", "chapter", "final")}
    return {
        "citizen": dict(citizen), "row": found, "state": found.get("state", "none"), "indicators": indicators,
        "photos": photos, "rule": rule, "outcomes": outcomes, "left": sum(1 for p in photos if not p["verdict"] and not p["replaced_by"]),
    }  # fmt: skip


def _indicator(data: dict[str, Any], row: dict[str, Any], photos: list[dict[str, Any]]) -> dict[str, Any]:
    n = data["no"]
    scores = {who: row.get(f"{who}_{n}") for who in ("self", "chapter", "final")}
    apart = abs((scores["self"] or 0) - (scores["chapter"] or 0)) if scores["self"] and scores["chapter"] else 0
    return {
        **data, **scores, "apart": apart, "note": row.get(f"note_{n}"), "verdict": row.get(f"verdict_{n}"),
        "verdict_reason": row.get(f"verdict_reason_{n}"), "photos": [p for p in photos if p["indicator"] == n],
    }  # fmt: skip


def _photos(conn: Connection, commune_id: int, dossier_id: str) -> list[dict[str, Any]]:
    person = tables.Person.__table__
    query = (
        select(_EVIDENCE, _PHOTO.c.state.label("photo_state"), person.c.name.label("author_name"))
        .outerjoin(_PHOTO, (_PHOTO.c.commune_id == _EVIDENCE.c.commune_id) & (_PHOTO.c.sha256 == _EVIDENCE.c.sha256))
        .outerjoin(person, (person.c.commune_id == _EVIDENCE.c.commune_id) & (person.c.id == _EVIDENCE.c.author))
        .where(_EVIDENCE.c.commune_id == commune_id, _EVIDENCE.c.dossier_id == dossier_id, _EVIDENCE.c.deleted.is_(False))
        .order_by(_EVIDENCE.c.indicator, _EVIDENCE.c.captured_at, _EVIDENCE.c.id)
    )
    rows = [dict(row) for row in conn.execute(query).mappings()]
    replaced = {row["replaces"]: row["id"] for row in rows if row["replaces"]}
    for row in rows:
        row["replaced_by"] = replaced.get(row["id"])
        row["arrived"] = row["photo_state"] is not None
    return rows


def neighbours(conn: Connection, commune_id: int, year: int, citizen_id: str) -> str | None:
    """Who comes after this person, in the list's order, among those whose dossier waits for the commune."""
    query = (
        select(_CITIZEN.c.id)
        .join(_DOSSIER, _dossier_of_year(year))
        .join(_PLACE, _same(_CITIZEN, "place_id", _PLACE, "id"))
        .where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.deleted.is_(False))
        .where((_DOSSIER.c.state == "appraised") | (_CITIZEN.c.id == citizen_id))
        .order_by(_PLACE.c.name, _CITIZEN.c.search_name, _CITIZEN.c.id)
    )
    waiting = list(conn.execute(query).scalars())
    at = waiting.index(citizen_id) + 1 if citizen_id in waiting else 0
    return next((ident for ident in waiting[at:] + waiting[:at] if ident != citizen_id), None)


def results(conn: Connection, commune_id: int, year: int) -> list[dict[str, Any]]:
    """Every dossier of the year, as the result sheet needs it."""
    query = (
        select(_CITIZEN.c.full_name, _CITIZEN.c.birth_year, _CITIZEN.c.group, _PLACE.c.name.label("place"), _DOSSIER)
        .join(_DOSSIER, _dossier_of_year(year))
        .join(_PLACE, _same(_CITIZEN, "place_id", _PLACE, "id"))
        .where(_CITIZEN.c.commune_id == commune_id, _CITIZEN.c.deleted.is_(False))
        .order_by(_PLACE.c.name, _CITIZEN.c.search_name)
    )
    rule = programme.rule_of(conn, commune_id, year)
    rows = []
    for row in conn.execute(query).mappings():
        scores = {n: row[f"final_{n}"] for n in range(1, 11)}
        rows.append({**dict(row), "scores": scores, "outcome": decide(scores, rule)})
    return rows
