"""Reads what the server holds: its tables, and the hash of every original on disk; and what a phone's store holds."""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from e2e.soak.ledger import Finding, Holdings
from server.db import tables
from server.db.session import Database
from sync.fields import TYPES

PHONE_STORE = """async () => {
  const db = await new Promise((done, failed) => {
    const asked = indexedDB.open("minhchung");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const tx = db.transaction(["docs", "outbox", "photos", "meta"]);
  const read = (asked) => new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const meta = tx.objectStore("meta");
  const [docs, outbox, photos, returnTo, removals, notices] = await Promise.all([
    read(tx.objectStore("docs").getAll()), read(tx.objectStore("outbox").getAll()), read(tx.objectStore("photos").getAll()),
    read(meta.get("return_to")), read(meta.get("removals")), read(meta.get("notices"))]);
  db.close();
  return { docs, outbox: outbox.map((m) => ({ seq: m.seq, op: m.op, type: m.type })), photos: photos.filter((p) => p.state !== "received"),
    route: returnTo?.route ?? "", removals: Object.keys(removals ?? {}), notices: (notices ?? []).map((n) => n.code) };
}"""


def served_holdings(home: Path, database_url: str) -> Holdings:
    database = Database(database_url)
    held = Holdings()
    with database.read() as conn:
        held.citizens = [{"id": r["id"], "full_name": r["full_name"], "deleted": r["deleted"]} for r in _rows(conn, tables.Citizen)]
        held.dossiers = [
            {"citizen": r["citizen_id"], "state": r["state"], "fields": _fields(r)} for r in _rows(conn, tables.Dossier) if not r["deleted"]
        ]
        held.evidence = [
            {name: r[name] for name in ("id", "indicator", "sha256", "caption", "moved_from", "deleted")} | {"citizen": r["citizen_id"]}
            for r in _rows(conn, tables.Evidence)
        ]
        held.history = [
            {"doc": r["doc_id"], "mutation": r["mutation_id"], "op": r["op"], "patch": r["patch"]} for r in _rows(conn, tables.History)
        ]
        _trace(held)
        held.receipts = {r["sha256"] for r in _rows(conn, tables.Receipt)}
        held.aside = [f"conflict on {r['field']} of {r['doc_id']}" for r in _rows(conn, tables.Conflict)]
        held.aside += [f"quarantine, {r['reason']}: {r['payload']}" for r in _rows(conn, tables.Quarantine)]
        held.aside += [f"photo {r['sha256'][:12]} is unreadable" for r in _rows(conn, tables.Photo) if r["state"] == "unreadable"]
    database.close()
    for file in (home / "photos").glob("*/originals/*/*/*"):
        held.originals[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return held


def _trace(held: Holdings) -> None:
    """Each entry's first caption, through its moves."""
    made = {row["doc"]: row["patch"].get("caption", [None, None])[1] for row in held.history if row["op"] == "create"}
    from_ = {row["id"]: row["moved_from"] for row in held.evidence}
    for row in held.evidence:
        first = row["id"]
        while from_.get(first):
            first = from_[first]
        row["born"] = made.get(first) or ""


def _rows(conn: Connection, table: Any) -> list[dict[str, Any]]:
    source: Table = table.__table__
    return [dict(row) for row in conn.execute(select(source)).mappings()]


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[field.column] for name, field in TYPES["dossier"].items() if field.column in row}


def phone_differences(docs: list[dict[str, Any]], held: Holdings) -> list[Finding]:
    """A fresh phone of the same place shows what the server holds, no less and no more."""
    of = {kind: {d["id"]: d["data"] for d in docs if d["type"] == kind} for kind in ("citizen", "dossier", "evidence")}
    photos = {r["id"]: (r["sha256"], r["indicator"], r["caption"]) for r in held.evidence if not r["deleted"]}
    seen = {ident: (d["sha256"], d["indicator"], d.get("caption")) for ident, d in of["evidence"].items()}
    people = {r["id"]: r["full_name"] for r in held.citizens if not r["deleted"]}
    dossiers = {
        r["citizen"]: {k: v for k, v in r["fields"].items() if k[:5] in ("self.", "note.") and v is not None} for r in held.dossiers
    }
    found = {
        "photos": (photos, seen),
        "people": (people, {ident: d["full_name"] for ident, d in of["citizen"].items()}),
        "dossiers": (
            dossiers,
            {d["citizen"]: {k: v for k, v in d.items() if k[:5] in ("self.", "note.") and v is not None} for d in of["dossier"].values()},
        ),
    }
    findings = []
    for name, (there, here) in found.items():
        keys = sorted(k for k in there.keys() | here.keys() if there.get(k) != here.get(k))
        findings += [Finding("wrong", f"a fresh phone's {name}: {k} is {here.get(k)}, not {there.get(k)}") for k in keys]
    return findings
