"""One edit with who makes it, and what becomes of it."""

from dataclasses import dataclass, field
from typing import Any

from server.domain.permissions import Actor, Subject
from server.domain.workspace import Doc
from sync.merge import OwnWrite, own_write
from sync.protocol import is_timestamp


@dataclass
class Outcome:
    """`result` None is plainly applied. `keep` tells that the content goes to quarantine."""

    result: str | None = None
    code: str | None = None
    message: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    keep: bool = False
    waits_for: str | None = None
    left: bool = False  # the document is none of this device's business (any more)

    def wire(self) -> dict[str, Any] | None:
        if self.result is None:
            return None
        body: dict[str, Any] = {"result": self.result}
        if self.code:
            body |= {"code": self.code, "message": self.message or self.code}
        return body | self.extra


def rejected(code: str, message: str, **extra: Any) -> Outcome:
    return Outcome("rejected", code, message, extra, keep=True)


@dataclass
class Edit:
    """One mutation with who makes it and how its own earlier writes are known."""

    mutation: dict[str, Any]
    actor: Actor
    seq: int
    seq_of: Any  # mutation id -> (device, number) | None
    source: str | None = None  # the merged citizen for whom it was meant

    def base_of(self, name: str) -> int:
        base = self.mutation.get("base", 0)
        return int(base.get(name, 0)) if isinstance(base, dict) else int(base)

    @property
    def is_own(self) -> OwnWrite:
        """Edits for a merged person are one's own only among themselves: their forms never showed the others."""
        own = own_write(self.actor.device_id, self.mutation.get("after") or {}, self.seq_of)
        return lambda name, version: own(name, version) and (version[5] if len(version) > 5 else None) == self.source

    @property
    def patch(self) -> dict[str, Any]:
        return self.mutation.get("set") or {}

    @property
    def device_at(self) -> str | None:
        """The phone's own clock: evidence, never order."""
        at = self.mutation.get("at")
        return at if is_timestamp(at) else None

    def version(self, rev: int) -> list[Any]:
        written = [rev, self.actor.device_id, self.mutation["id"], self.seq, self.actor.person_id]
        return written if self.source is None else [*written, self.source]


def subject_of(doc: Doc) -> Subject:
    return Subject(doc.row["place_id"], doc.row["citizen_id"], doc.row["author"])
