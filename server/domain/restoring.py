"""After a restore from backup: a new epoch, numbers never given out before, and what was taken away stays so."""

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from server.db import tables
from server.domain import commands, devices, undoing
from server.domain.edits import Edit
from server.domain.permissions import Actor
from server.domain.workspace import Workspace

_COMMUNE = tables.Commune.__table__
_COUNTER = tables.Counter.__table__
_DEVICE, _PAIR = tables.Device.__table__, tables.DevicePerson.__table__
_CODE, _QUARANTINE = tables.PairingCode.__table__, tables.Quarantine.__table__
_STAFF, _PHOTO = tables.Staff.__table__, tables.Photo.__table__
ANY_REVISION = 2**62
Entry = dict[str, Any]


def new_epoch(conn: Connection, commune_id: int, unix_ms: int | None = None) -> str:
    """Tells every phone, at its next request, that the server was restored; returns the epoch.

    Revisions and counters go on from `unix_ms` (now) or the highest known, if that is more.
    """
    start = int(time.time() * 1000) if unix_ms is None else unix_ms
    known = conn.execute(select(_COMMUNE.c.revision_floor).where(_COMMUNE.c.id == commune_id)).scalar_one()
    epoch = f"e{uuid.uuid4().hex[:12]}"
    conn.execute(
        update(_COMMUNE).where(_COMMUNE.c.id == commune_id).values(epoch=epoch, revision_floor=max(start, known))
    )
    conn.execute(
        update(_COUNTER)
        .where(_COUNTER.c.commune_id == commune_id, _COUNTER.c.value < start)
        .values(value=start)
    )
    return epoch


def begin_anew(conn: Connection, journal: Iterable[Entry], now: str) -> int:
    """All that a restored database needs before it serves; returns how many entries of the journal took effect.

    New epochs, staff signed out, leases of the old server dropped, and the journal's entries done again, in order.
    """
    communes = list(conn.execute(select(_COMMUNE.c.id)).scalars())
    for commune_id in communes:
        new_epoch(conn, commune_id)
        conn.execute(update(_STAFF).where(_STAFF.c.commune_id == commune_id).values(token_version=_STAFF.c.token_version + 1))
        leased = (_PHOTO.c.commune_id == commune_id, _PHOTO.c.lease.is_not(None))
        conn.execute(update(_PHOTO).where(*leased).values(lease=None, lease_until=None))
    return sum(_AGAIN[entry["what"]](conn, entry, now) for entry in journal if entry["commune"] in communes and entry["what"] in _AGAIN)


def _revoke(conn: Connection, entry: Entry, now: str) -> bool:
    """Also a phone that the backup does not know: else it could pair again by the code that it kept."""
    commune_id, device_id = entry["commune"], entry["device"]
    known = devices.find(conn, commune_id, device_id)
    if known is None:
        row = {"id": device_id, "key": entry["key"], "thumbprint": entry["thumbprint"], "created_at": entry["at"]}
        devices.add(conn, commune_id, row | {"name": "", "platform": ""})
    elif known["revoked_at"]:
        return False
    conn.execute(
        update(_DEVICE)
        .where(_DEVICE.c.commune_id == commune_id, _DEVICE.c.id == device_id)
        .values(revoked_at=entry["at"], token_version=_DEVICE.c.token_version + 1)
    )
    return True


def _pair_of(entry: Entry, table: Table) -> tuple[Any, ...]:
    return (
        table.c.commune_id == entry["commune"], table.c.device_id == entry["device"], table.c.person_id == entry["person"],
    )  # fmt: skip


def _remove_person(conn: Connection, entry: Entry, now: str) -> bool:
    row = conn.execute(select(_PAIR.c.removed_at).where(*_pair_of(entry, _PAIR))).first()
    if row is None:
        key = {"commune_id": entry["commune"], "device_id": entry["device"], "person_id": entry["person"]}
        conn.execute(insert(_PAIR).values(**key, added_at=entry["at"], removed_at=entry["at"]))
        return True
    conn.execute(update(_PAIR).where(*_pair_of(entry, _PAIR)).values(removed_at=entry["at"]))
    return row[0] is None


def _bring_person_back(conn: Connection, entry: Entry, now: str) -> bool:
    taken = conn.execute(update(_PAIR).where(*_pair_of(entry, _PAIR), _PAIR.c.removed_at.is_not(None)).values(removed_at=None))
    return taken.rowcount > 0


def _replace_code(conn: Connection, entry: Entry, now: str) -> bool:
    where = (_CODE.c.commune_id == entry["commune"], _CODE.c.code_hash == entry["code"], _CODE.c.replaced_at.is_(None))
    return conn.execute(update(_CODE).where(*where).values(replaced_at=entry["at"])).rowcount > 0


def _delete(conn: Connection, entry: Entry, now: str) -> bool:
    """What the backup has is deleted again; what it lacks is deleted when a phone brings it."""
    commune_id, docs = entry["commune"], [ident for _, ident in entry["docs"]]
    mutation = {"id": entry["id"], "op": "delete", "type": entry["docs"][0][0], "doc": docs[0], "at": entry["at"]}
    mutation["base"] = dict.fromkeys(docs, ANY_REVISION)
    work = Workspace(conn, commune_id, now)
    work.load(docs)
    known = [work.docs[ident] for ident in docs if ident in work.docs]
    if docs[0] not in work.docs:
        conn.execute(
            insert(_QUARANTINE).values(
                commune_id=commune_id, id=str(uuid.uuid4()), person_id=entry["person"], mutation_id=entry["id"],
                reason="waiting", payload=mutation, state="open", waits_for=docs[0], photos=[], received_at=now,
            )
        )  # fmt: skip
    standing = [doc for doc in known if not doc.row["deleted"]]
    if standing:
        work.lock({doc.row["place_id"] for doc in standing})
        actor = Actor(entry["person"], "staff")
        commands.delete_all(work, Edit(mutation, actor, 0, lambda _ident: None), standing)
        work.flush()
    return bool(standing) or docs[0] not in work.docs


def _undelete(conn: Connection, entry: Entry, now: str) -> bool:
    """Staff brought it back after all; a deletion that waited for its document waits no more."""
    commune_id, docs = entry["commune"], [ident for _, ident in entry["docs"]]
    conn.execute(
        update(_QUARANTINE)
        .where(_QUARANTINE.c.commune_id == commune_id, _QUARANTINE.c.waits_for.in_(docs), _QUARANTINE.c.state == "open")
        .where(_QUARANTINE.c.device_id.is_(None), _QUARANTINE.c.payload["op"].as_string() == "delete")
        .values(state="applied", waits_for=None, settled_at=now)
    )
    work = Workspace(conn, commune_id, now)
    work.load(docs)
    gone = [work.docs[ident] for ident in docs if ident in work.docs and work.docs[ident].row["deleted"]]
    if gone:
        mutation = {"id": entry["id"], "op": "undelete", "type": gone[0].type, "doc": gone[0].id, "at": entry["at"]}
        work.lock({doc.row["place_id"] for doc in gone})
        undoing.revive(work, Edit(mutation, Actor(entry["person"], "staff"), 0, lambda _ident: None), gone)
        work.flush()
    return bool(gone)


_AGAIN: dict[str, Callable[[Connection, Entry, str], bool]] = {
    "device.revoked": _revoke,
    "person.removed": _remove_person,
    "person.back": _bring_person_back,
    "code.replaced": _replace_code,
    "documents.deleted": _delete,
    "documents.undeleted": _undelete,
}
