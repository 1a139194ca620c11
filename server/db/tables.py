"""The tables. The commune's id leads every key; nothing here knows a rule of the programme.

Times are RFC 3339 text in UTC with milliseconds (they sort as text); ids of documents are UUID text
made by the client. `rev` numbers the writes of one document, `seq` is its place's counter value.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, MetaData, Table, text
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING
metadata: MetaData = SQLModel.metadata


class Stored(SQLModel):
    """A table class; its `__table__` serves Core statements."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]


def _json(**options: Any) -> Any:
    return Field(sa_type=JSON, **options)


def _big(default: int = 0) -> Any:
    return Field(default=default, sa_type=BigInteger)


def _to_place() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["commune_id", "place_id"], ["place.commune_id", "place.id"])


def _to_citizen() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["commune_id", "citizen_id"], ["citizen.commune_id", "citizen.id"])


class Directory(Stored, table=True):
    """The one exempt table: look-ups that arrive without a commune."""

    kind: str = Field(primary_key=True, max_length=16)  # pair, poster, login, device
    key_hash: str = Field(primary_key=True, max_length=64)  # SHA-256 hex
    commune_id: int


class Commune(Stored, table=True):
    id: int = Field(primary_key=True)
    name: str
    epoch: str
    year: int  # the programme year that runs
    practice: bool = False
    revision_floor: int = _big()  # revisions and counters go on from here after a restore
    created_at: str


class Tenant(Stored):
    commune_id: int = Field(primary_key=True, sa_type=BigInteger)


class Counter(Tenant, table=True):
    """One locked row per place and one per commune: the order of all changes."""

    scope: str = Field(primary_key=True, max_length=64)  # place:4471, commune:12
    value: int = _big()
    floor: int = _big()  # tombstones at or below are trimmed


class Person(Tenant, table=True):
    """Who acts: a citizen, a chapter member, a hamlet head, a unit's contact, a member of staff."""

    id: str = Field(primary_key=True, max_length=36)
    name: str
    role: str  # citizen, chapter, head, contact, staff
    place_id: int | None = None
    citizen_id: str | None = Field(default=None, max_length=36)
    active: bool = True
    created_at: str


class Staff(Tenant, table=True):
    __table_args__ = (Index("uq_staff_login", "commune_id", "login", unique=True),)
    person_id: str = Field(primary_key=True, max_length=36)
    login: str  # lower case; also in directory, unique on the server
    password_hash: str
    role: str = "staff"  # staff, admin, viewer
    failed_count: int = 0
    locked_until: str | None = None
    token_version: int = 1
    active: bool = True
    last_place: str | None = None  # where this person stopped in the review
    created_at: str


class Device(Tenant, table=True):
    id: str = Field(primary_key=True, max_length=36)
    name: str = ""
    platform: str = ""
    key: dict[str, Any] = _json()
    thumbprint: str
    token_version: int = 1
    last_seq: int = _big()  # the highest number handled
    cloned_from: str | None = Field(default=None, max_length=36)
    revoked_at: str | None = None
    app: str | None = None
    last_seen_at: str | None = None
    skew_ms: int = _big()
    waiting: dict[str, Any] | None = _json(default=None)
    created_at: str


class DevicePerson(Tenant, table=True):
    __tablename__ = "device_person"
    device_id: str = Field(primary_key=True, max_length=36)
    person_id: str = Field(primary_key=True, max_length=36)
    added_at: str
    removed_at: str | None = None


class PairingCode(Tenant, table=True):
    __tablename__ = "pairing_code"
    code_hash: str = Field(primary_key=True, max_length=64)
    kind: str  # single, poster
    person_id: str | None = Field(default=None, max_length=36)  # whom a single code pairs
    place_id: int | None = None
    created_by: str | None = None
    created_at: str
    expires_at: str
    used_at: str | None = None
    used_by: str | None = Field(default=None, max_length=36)  # device
    used_key: str | None = None  # its key's thumbprint
    replaced_at: str | None = None


class Place(Tenant, table=True):
    id: int = Field(primary_key=True)
    doc: str = Field(max_length=36)  # its id as a document of the commune's scope
    name: str
    kind: str = "hamlet"  # hamlet, unit
    rev: int = _big(1)
    seq: int = _big()  # in the commune's counter
    deleted: bool = False
    created_at: str


class Reference(Tenant, table=True):
    """Documents that everyone in the commune reads: programme, indicator, announcement, guide."""

    id: str = Field(primary_key=True, max_length=36)
    type: str
    year: int | None = None
    data: dict[str, Any] = _json()
    rev: int = _big(1)
    seq: int = _big()  # in the commune's counter
    deleted: bool = False
    updated_at: str


class Synced(Tenant):
    id: str = Field(primary_key=True, max_length=36)
    place_id: int
    citizen_id: str = Field(max_length=36)
    rev: int = _big(1)
    seq: int = _big()
    deleted: bool = False
    field_versions: dict[str, Any] = _json()  # field -> [rev, device, mutation]
    author: str = Field(max_length=36)  # person
    created_at: str
    updated_at: str


class Citizen(Synced, table=True):
    __table_args__ = (Index("ix_citizen_place", "commune_id", "place_id", "seq"), _to_place())
    full_name: str
    search_name: str = ""  # folded: no diacritics, đ to d, lower case
    birth_year: int | None = None
    gender: str | None = None
    group: int | None = None  # 1, 2, 3 [plan II.1b]
    setting: str | None = None
    state: str = "confirmed"  # unconfirmed, confirmed
    phone: str | None = None
    note: str | None = None
    consent: list[Any] = _json(default_factory=list)  # append-only
    possible_duplicate: str | None = None  # id of whom it may repeat
    merged_into: str | None = None


class Dossier(Synced, table=True):
    __table_args__ = (
        Index("ix_dossier_place", "commune_id", "place_id", "seq"),
        Index("ix_dossier_citizen", "commune_id", "citizen_id", "year"),
        Index("ix_dossier_state", "commune_id", "year", "state"),
        _to_citizen(),
    )
    year: int
    programme_rev: int = _big()  # the rule's revision that it is scored under
    state: str = "draft"
    reason: str | None = None
    chapter_note: str | None = None
    decided_snapshot: dict[str, Any] | None = _json(default=None)  # revision and photo hashes
    # dotted ("self.1") only on the wire, mapped in sync.fields
    self_1: int | None = None
    self_2: int | None = None
    self_3: int | None = None
    self_4: int | None = None
    self_5: int | None = None
    self_6: int | None = None
    self_7: int | None = None
    self_8: int | None = None
    self_9: int | None = None
    self_10: int | None = None
    note_1: str | None = None
    note_2: str | None = None
    note_3: str | None = None
    note_4: str | None = None
    note_5: str | None = None
    note_6: str | None = None
    note_7: str | None = None
    note_8: str | None = None
    note_9: str | None = None
    note_10: str | None = None
    chapter_1: int | None = None
    chapter_2: int | None = None
    chapter_3: int | None = None
    chapter_4: int | None = None
    chapter_5: int | None = None
    chapter_6: int | None = None
    chapter_7: int | None = None
    chapter_8: int | None = None
    chapter_9: int | None = None
    chapter_10: int | None = None
    final_1: int | None = None
    final_2: int | None = None
    final_3: int | None = None
    final_4: int | None = None
    final_5: int | None = None
    final_6: int | None = None
    final_7: int | None = None
    final_8: int | None = None
    final_9: int | None = None
    final_10: int | None = None
    verdict_1: str | None = None
    verdict_2: str | None = None
    verdict_3: str | None = None
    verdict_4: str | None = None
    verdict_5: str | None = None
    verdict_6: str | None = None
    verdict_7: str | None = None
    verdict_8: str | None = None
    verdict_9: str | None = None
    verdict_10: str | None = None
    verdict_reason_1: str | None = None
    verdict_reason_2: str | None = None
    verdict_reason_3: str | None = None
    verdict_reason_4: str | None = None
    verdict_reason_5: str | None = None
    verdict_reason_6: str | None = None
    verdict_reason_7: str | None = None
    verdict_reason_8: str | None = None
    verdict_reason_9: str | None = None
    verdict_reason_10: str | None = None



class Evidence(Synced, table=True):
    __table_args__ = (
        Index("ix_evidence_place", "commune_id", "place_id", "seq"),
        Index("ix_evidence_dossier", "commune_id", "dossier_id"),
        Index("ix_evidence_sha256", "commune_id", "sha256"),
        ForeignKeyConstraint(["commune_id", "dossier_id"], ["dossier.commune_id", "dossier.id"]),
    )
    dossier_id: str = Field(max_length=36)
    indicator: int
    kind: str | None = None
    sha256: str = Field(max_length=64)
    bytes: int = 0
    width: int | None = None
    height: int | None = None
    captured_at: str | None = None
    source: str | None = None  # camera, library, office
    position: dict[str, Any] | None = _json(default=None)
    thumbhash: str | None = None
    caption: str | None = None
    verdict: str | None = None  # accepted, retake, incomplete
    reason: str | None = None
    replaces: str | None = Field(default=None, max_length=36)
    moved_from: str | None = Field(default=None, max_length=36)


class Comment(Synced, table=True):
    __table_args__ = (Index("ix_comment_place", "commune_id", "place_id", "seq"),)
    on: str = Field(max_length=36)
    text: str


class Conflict(Synced, table=True):
    __table_args__ = (
        Index("ix_conflict_place", "commune_id", "place_id", "seq"),
        Index("ix_conflict_doc", "commune_id", "doc_id", "field"),
    )
    type: str  # of the document in question
    doc_id: str = Field(max_length=36)
    field: str
    base: Any = _json(default=None)
    theirs: Any = _json(default=None)  # {"value", "by", "at", "device", "rev"}
    mine: Any = _json(default=None)
    to: str
    state: str = "open"  # open, resolved, closed


class History(Tenant, table=True):
    """Every write of every document: who, when, from which phone, from what to what."""

    doc_id: str = Field(primary_key=True, max_length=36)
    rev: int = Field(primary_key=True, sa_type=BigInteger)
    type: str
    op: str
    patch: dict[str, Any] = _json()  # field -> [before, after]
    person_id: str | None = None
    device_id: str | None = None
    mutation_id: str | None = None
    device_at: str | None = None
    server_at: str


class MutationLog(Tenant, table=True):
    """What each device number was, and what came of it; numbers are remembered for ever."""

    __tablename__ = "mutation_log"
    __table_args__ = (Index("ix_mutation_log_id", "commune_id", "mutation_id"),)
    device_id: str = Field(primary_key=True, max_length=36)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    mutation_id: str = Field(max_length=36)
    spent_id: bool = True  # false for op void: the number is spent, the id is not
    digest: str
    result: dict[str, Any] | None = _json(default=None)  # None: applied
    doc: str | None = None
    type: str | None = None
    at: str


class Quarantine(Tenant, table=True):
    """What arrived and could not be applied: never dropped, staff decide."""

    __table_args__ = (
        Index("ix_quarantine_waits", "commune_id", "waits_for"),
        Index("ix_quarantine_mutation", "commune_id", "mutation_id"),
    )
    id: str = Field(primary_key=True, max_length=36)
    device_id: str | None = None
    seq: int | None = Field(default=None, sa_type=BigInteger)
    mutation_id: str | None = Field(default=None, max_length=36)
    person_id: str | None = None
    place_id: int | None = None
    citizen_id: str | None = Field(default=None, max_length=36)
    reason: str  # rejected code, gone, out_of_scope, waiting, amendment, deposit ...
    payload: dict[str, Any] = _json()
    state: str = "open"  # open, applied, moved, set_aside
    waits_for: str | None = Field(default=None, max_length=36)
    photos: list[Any] = _json(default_factory=list)
    received_at: str
    settled_by: str | None = None
    settled_at: str | None = None


class ScopeExit(Tenant, table=True):
    """Rows that left a scope (a citizen moved): the counter value tells when."""

    __tablename__ = "scope_exit"
    place_id: int = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    type: str
    doc_id: str = Field(max_length=36)
    citizen_id: str = Field(max_length=36)
    rev: int = _big()
    at: str = Field(sa_column_kwargs={"server_default": text("'2026-11-24T00:00:00.000Z'")})  # of the old rows


class Upload(Tenant, table=True):
    """An unfinished tus upload."""

    __table_args__ = (
        Index("uq_upload_hash", "commune_id", "person_id", "sha256", unique=True),
    )
    id: str = Field(primary_key=True, max_length=36)
    person_id: str = Field(max_length=36)
    device_id: str = Field(max_length=36)
    sha256: str = Field(max_length=64)
    type: str
    length: int = _big()
    offset: int = _big()
    expires_at: str
    lease: str | None = None
    lease_until: str | None = None
    created_at: str


class Receipt(Tenant, table=True):
    """The bytes of this hash arrived whole from this person: a promise kept for ever."""

    __table_args__ = (Index("ix_receipt_upload", "commune_id", "upload_id"),)
    person_id: str = Field(primary_key=True, max_length=36)
    sha256: str = Field(primary_key=True, max_length=64)
    device_id: str | None = None
    upload_id: str | None = Field(default=None, max_length=36)  # its tus name, for a later HEAD
    received_at: str


class Photo(Tenant, table=True):
    """One received original by its hash, and the state of its clean copies."""

    __table_args__ = (Index("ix_photo_state", "commune_id", "state"),)
    sha256: str = Field(primary_key=True, max_length=64)
    bytes: int = _big()
    type: str
    state: str = "received"  # received, ready, unreadable
    width: int | None = None
    height: int | None = None
    attempts: int = 0
    lease: str | None = None
    lease_until: str | None = None
    received_at: str


class AccessLog(Tenant, table=True):
    """Who saw which personal data, and sign-ins."""

    __tablename__ = "access_log"
    id: str = Field(primary_key=True, max_length=36)
    person_id: str
    action: str
    target: str
    at: str


class Attempt(Stored, table=True):
    """Tries per key (pairing, sign-in, deposit), for rate limits across processes."""

    kind: str = Field(primary_key=True, max_length=16)
    key: str = Field(primary_key=True, max_length=128)
    window: int = Field(primary_key=True, sa_type=BigInteger)
    count: int = 0
