"""What must hold after every run, I1 to I11 of docs/protocol.md."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from server.db import tables
from tests.sim.phone import SimPhone

if TYPE_CHECKING:
    from tests.sim.play import Sim

KINDS = ("citizen", "dossier", "evidence", "comment", "conflict")
COMMANDS = ("submit", "withdraw", "appraise", "reopen", "confirm", "resolve", "delete", "move")


def all_hold(sim: "Sim") -> None:
    held = Server(sim)
    drained(sim)
    converged(sim, held)
    accounted(sim, held)
    once(sim, held)
    nothing_overwritten_unseen(sim, held)
    nothing_resurrected(held)
    decided_stands(sim, held)
    photos_arrived(sim)


class Server:
    """All rows, read once."""

    def __init__(self, sim: "Sim") -> None:
        with sim.db.read() as conn:
            def rows(table: Any) -> list[dict[str, Any]]:
                return [dict(r) for r in conn.execute(select(table.__table__)).mappings()]

            self.history = sorted(rows(tables.History), key=lambda r: (r["doc_id"], r["rev"]))
            self.log, self.quarantine, self.conflicts = rows(tables.MutationLog), rows(tables.Quarantine), rows(tables.Conflict)
            self.dossiers, self.evidence = rows(tables.Dossier), rows(tables.Evidence)
            kinds = (tables.Citizen, tables.Dossier, tables.Evidence, tables.Comment, tables.Conflict)
            self.docs = {row["id"]: row for table in kinds for row in rows(table)}


def drained(sim: "Sim") -> None:
    """I9."""
    assert all(p.waiting() == (0, 0) for p in sim.phones), [(p.name, p.waiting()) for p in sim.phones]


def converged(sim: "Sim", held: "Server") -> None:
    """I1, I4, I7: every phone shows what a phone that was paired just now is given, and nothing beyond its grants.

    Only what a restored server lacks may stay where an edit of it still waits for it: it may be the last copy.
    """
    for phone in sim.phones:
        if phone.revoked:
            continue
        given_to = SimPhone(sim.wire, "máy mới")
        given_to.cookies, given_to.disk["id"] = phone.cookies, phone.id
        given_to.sync()
        mine = {
            d: (known["rev"], known["data"])
            for d, known in phone.docs().items()
            if not sim.restored or known["type"] not in KINDS or d in held.docs
        }
        given = {d: (known["rev"], known["data"]) for d, known in given_to.docs().items()}
        wrong = {d: (mine.get(d), given.get(d)) for d in mine.keys() | given.keys() if mine.get(d) != given.get(d)}
        assert not wrong, (phone.name, wrong)


def accounted(sim: "Sim", held: Server) -> None:
    """I2, I8: everything that was said to be saved is in history, held with both values, or kept in quarantine."""
    written = {r["mutation_id"] for r in held.history}
    kept = {r["mutation_id"] for r in held.quarantine}
    values = {(r["doc_id"], name, json.dumps(pair[1])) for r in held.history for name, pair in r["patch"].items() if isinstance(pair, list)}
    disputed = json.dumps([(c["mine"], c["theirs"], c["base"]) for c in held.conflicts])
    disputed += json.dumps([r["patch"] for r in held.history if r["type"] == "conflict"])
    results = {r["mutation_id"]: r["result"] for r in held.log if r["spent_id"]}
    for phone, m in sim.ledger:
        if m["id"] in written or m["id"] in kept or m["id"] in disputed:
            continue
        assert m["id"] in results, ("never arrived", phone.name, m)
        told = (results[m["id"]] or {}).get("result")
        if m["op"] in COMMANDS and not m.get("set"):
            continue
        if told == "rejected" and m["op"] in COMMANDS:
            assert not any(n.startswith(("chapter", "final")) for n in m["set"]) or _same(values, m), (phone.name, m, results[m["id"]])
            continue
        if told == "redirected":
            m = {**m, "doc": results[m["id"]]["doc"], "set": {n: v for n, v in m["set"].items() if n not in ("citizen", "dossier", "on")}}
        elsewhere = told is None and sim.wire.trimmed and _somewhere(values, m)  # it was perhaps redirected, and the answer is gone
        assert elsewhere or _same(values, m), ("lost", phone.name, m, results[m["id"]])


def _same(values: set[tuple[str, str, str]], m: dict[str, Any]) -> bool:
    """Every value is one that the document had, so that writing it again changed nothing."""
    begun = ("citizen", "year") if m["type"] == "dossier" else ()  # of a dossier that is there already nothing else was said
    said = [(name, value) for name, value in m["set"].items() if name not in begun]
    return all((m["doc"], name, json.dumps(value)) in values or value in ("", None) for name, value in said)


def _somewhere(values: set[tuple[str, str, str]], m: dict[str, Any]) -> bool:
    written = {(name, value) for _, name, value in values}
    said = [(n, v) for n, v in m["set"].items() if n not in ("citizen", "dossier", "on", "year") and v not in ("", None)]
    return all((n, json.dumps(v)) in written for n, v in said)


def once(sim: "Sim", held: Server) -> None:
    """I3."""
    spent = [r["mutation_id"] for r in held.log if r["spent_id"]]
    assert len(spent) == len(set(spent)), "an id was handled twice"
    made = {m["id"] for _, m in sim.ledger}
    pairs = [(r["doc_id"], r["mutation_id"]) for r in held.history if r["mutation_id"] in made and r["op"] != "superseded"]
    assert len(pairs) == len(set(pairs)), [p for p in pairs if pairs.count(p) > 1][:3]


def nothing_overwritten_unseen(sim: "Sim", held: Server) -> None:
    """A write by a phone replaced no foreign value that its form had not shown; its own chain never conflicts."""
    redirected = {r["mutation_id"] for r in held.log if r["result"] and "doc" in r["result"]}
    made = {m["id"]: m for _, m in sim.ledger if m["id"] not in redirected}  # their forms were of another document
    whose: dict[str, set[int]] = {}
    for phone, m in sim.ledger:
        whose.setdefault(m["id"], set()).add(id(phone))
    last: dict[tuple[str, str], tuple[int, str | None]] = {}
    for row in held.history:
        m = made.get(row["mutation_id"])
        for name in row["patch"]:
            key = (row["doc_id"], name)
            asked = m is not None and m["doc"] == row["doc_id"] and m["op"] in ("update", "appraise") and row["type"] == "dossier"
            if m and asked and key in last and name in m["set"]:
                rev, writer = last[key]
                base = m["base"].get(name, 0) if isinstance(m["base"], dict) else m["base"]
                assert rev <= base or (writer in whose and m.get("after", {}).get(name)), (name, row, last[key], m)
            last[key] = (row["rev"], row["mutation_id"])
    for conflict in held.conflicts:
        mine, theirs = made.get((conflict["mine"] or {}).get("mutation", "")), (conflict["theirs"] or {}).get("mutation")
        shown = (mine or {}).get("after", {}).get(conflict["field"])
        assert not (theirs and shown == theirs and conflict["state"] == "open"), ("a conflict with one's own write", conflict)


def nothing_resurrected(held: Server) -> None:
    """I6: what was deleted is so, unless staff brought it back: the last word of history on it holds."""
    last = {r["doc_id"]: r["patch"]["deleted"][1] for r in held.history if "deleted" in r["patch"]}
    wrong = {d: is_gone for d, is_gone in last.items() if d in held.docs and held.docs[d]["deleted"] != is_gone}
    assert not wrong, wrong


def decided_stands(sim: "Sim", held: Server) -> None:
    """I10."""
    now = {r["id"]: r for r in held.dossiers}
    for ident, then in sim.office.decided.items():
        free = ("rev", "seq", "place_id", "deleted", "updated_at", "field_versions")
        changed = {k for k, v in then.items() if k not in free and now[ident][k] != v}
        assert not changed, (ident, changed)


def photos_arrived(sim: "Sim") -> None:
    """I11: the bytes on the server are those that were hashed when they were shot."""
    store = sim.app.extensions["photos"]
    sent = {(m["by"], m["set"]["sha256"]) for _, m in sim.ledger if m["type"] == "evidence" and m["op"] == "create"}
    with sim.db.read() as conn:
        receipts = {tuple(row) for row in conn.execute(select(tables.Receipt.__table__.c.person_id, tables.Receipt.__table__.c.sha256))}
    for phone in sim.phones:
        for by, sha256, state, _ in phone.held():
            assert state == "received", (phone.name, by, sha256)
            sent.add((by, sha256))
    for by, sha256 in sent:
        moved = any(m["set"].get("moved_from") and (m["by"], m["set"]["sha256"]) == (by, sha256) for _, m in sim.ledger if "set" in m)
        assert (by, sha256) in receipts or moved, (by, sha256)
        if (by, sha256) in receipts:
            with store.original(sim.world.commune, sha256) as file:
                assert hashlib.sha256(file.read()).hexdigest() == sha256
