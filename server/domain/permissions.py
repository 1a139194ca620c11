"""Who may do what: one table, read by every write and every page.

A relation is what ties a person to a document: `self` (the citizen it is about), `appraiser` (a
chapter member, hamlet head or unit's contact of its place), `author`, `staff`, `viewer`.
"""

from dataclasses import dataclass

APPRAISERS = frozenset({"chapter", "head", "contact"})


@dataclass(frozen=True)
class Actor:
    """A person as seen at this moment: rights are checked at arrival, never at the time of typing."""

    person_id: str
    role: str
    place_id: int | None = None
    citizen_id: str | None = None
    device_id: str = ""
    accepted: bool = False  # staff accept this person's edit from quarantine: whoever wrote it, staff's right carries it


@dataclass(frozen=True)
class Subject:
    """The document in question, as far as rights need it."""

    place_id: int
    citizen_id: str
    author: str | None = None


WRITES: dict[tuple[str, str], frozenset[str]] = {
    ("create", "citizen"): frozenset({"appraiser", "staff"}),
    ("create", "dossier"): frozenset({"self", "appraiser", "staff"}),
    ("create", "evidence"): frozenset({"self", "appraiser", "staff"}),
    ("create", "comment"): frozenset({"self", "appraiser", "staff"}),
    ("update", "citizen"): frozenset({"self", "appraiser", "staff"}),
    ("update", "dossier"): frozenset({"self", "appraiser", "staff"}),
    ("update", "evidence"): frozenset({"author"}),
    ("submit", "dossier"): frozenset({"self", "appraiser"}),
    ("withdraw", "dossier"): frozenset({"self", "appraiser"}),
    ("appraise", "dossier"): frozenset({"appraiser"}),
    ("reopen", "dossier"): frozenset({"appraiser"}),
    ("return", "dossier"): frozenset({"staff"}),
    ("settle", "dossier"): frozenset({"staff"}),
    ("decide", "dossier"): frozenset({"staff"}),
    ("judge", "dossier"): frozenset({"staff"}),
    ("judge", "evidence"): frozenset({"staff"}),
    ("delete", "evidence"): frozenset({"author", "self", "staff"}),
    ("delete", "citizen"): frozenset({"staff"}),
    ("move", "citizen"): frozenset({"staff", "appraiser"}),
    ("confirm", "citizen"): frozenset({"appraiser", "staff"}),
    ("resolve", "conflict"): frozenset({"self", "appraiser", "author", "staff"}),
}
# of an update's fields, by their first part
FIELD_WRITES: dict[str, frozenset[str]] = {
    "self": frozenset({"self", "appraiser", "staff"}),
    "note": frozenset({"self", "appraiser", "staff"}),
    "chapter": frozenset({"appraiser"}),
    "chapter_note": frozenset({"appraiser"}),
    "final": frozenset({"staff"}),
}
# staff pages: what each staff role may do
STAFF_RIGHTS: dict[str, frozenset[str]] = {
    "admin": frozenset({"read", "review", "people", "phones", "quarantine", "staff", "export"}),
    "staff": frozenset({"read", "review", "people", "phones", "quarantine", "export"}),
    "viewer": frozenset({"read"}),
}


def relations(actor: Actor, subject: Subject) -> frozenset[str]:
    """All that ties this person to this document; empty means that it is none of theirs."""
    found = set()
    if actor.role == "staff":
        found.add("staff")
    if actor.accepted:
        found.add("appraiser")
    if actor.role in APPRAISERS and actor.place_id == subject.place_id:
        found.add("appraiser")
    if actor.citizen_id is not None and actor.citizen_id == subject.citizen_id:
        found.add("self")
    if found and subject.author == actor.person_id:
        found.add("author")
    return frozenset(found)


def may_write(actor: Actor, op: str, kind: str, subject: Subject) -> bool:
    return bool(WRITES.get((op, kind), frozenset()) & relations(actor, subject))


def may_write_field(actor: Actor, kind: str, name: str, subject: Subject) -> bool:
    if kind != "dossier":
        return True
    allowed = FIELD_WRITES.get(name.split(".")[0])
    if allowed is None:
        return name in ("citizen", "year")
    tied = relations(actor, subject)
    if name.startswith("chapter") and "self" in tied:
        return False  # nobody appraises their own dossier
    return bool(allowed & tied)


def staff_may(role: str, right: str) -> bool:
    return right in STAFF_RIGHTS.get(role, frozenset())
