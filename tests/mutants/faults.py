"""The faults: each replaces one piece of one file, and names the tests that must see it."""

from dataclasses import dataclass

MERGING = "tests/api/test_merging.py tests/sync/test_merge_properties.py"
NUMBERS = "tests/api/test_numbers.py"
COMMANDS = "tests/api/test_commands.py"
PULL = "tests/api/test_pull.py"
FILES = "tests/api/test_files.py"
RESTORE = "tests/api/test_restore.py"
RIGHTS = "tests/api/test_rights.py tests/api/test_photos.py"
CROWDS = "tests/races/test_crowds.py"
JS = "js:"


@dataclass(frozen=True)
class Fault:
    name: str
    file: str
    old: str
    new: str
    tests: str


FAULTS = (
    # order and numbers
    Fault("a counter value is taken outside the transaction", "server/domain/workspace.py",
          "    value = conn.execute(statement).scalar_one_or_none()\n",
          "    with conn.engine.begin() as apart:\n        value = apart.execute(statement).scalar_one_or_none()\n", f"{PULL} {CROWDS}"),
    Fault("the clock is read after the rows", "server/domain/reading.py",
          "        value, floor = _counter(reader, scope.counter)\n",
          "        value, floor = _counter(reader, scope.counter)\n        value += 1\n", PULL),
    Fault("a cursor passes rows that did not fit", "server/domain/reading.py",
          "        reached = (taken[-1][0] if taken else cursor.value) if cut else value\n", "        reached = value\n", PULL),
    Fault("no replay log", "server/domain/syncing.py",
          "        if row[\"result\"]:\n            pushed.results.append", "        if False:\n            pushed.results.append", NUMBERS),
    Fault("an id may be handled twice", "server/domain/syncing.py",
          "    earlier = batch.known.get(mutation[\"id\"])\n", "    earlier = None\n", f"{NUMBERS} {RESTORE}"),
    Fault("a duplicate spends the id again", "server/domain/syncing.py",
          "extra={\"was\": earlier[2]}), spent=False)", "extra={\"was\": earlier[2]}))", NUMBERS),
    Fault("a hole in the numbers is taken", "server/domain/syncing.py",
          "    if [m[\"seq\"] for m in fresh] != list(range(last + 1, last + 1 + len(fresh))):", "    if False:", NUMBERS),
    Fault("a copied phone is not noticed", "server/domain/syncing.py",
          "        if row[\"mutation_id\"] != mutation[\"id\"]:", "        if False:", NUMBERS),
    Fault("the answer comes before the commit", "server/db/session.py",
          "            with conn.begin():\n                yield conn\n                if notes",
          "            with conn.begin() as whole:\n                yield conn\n                whole.rollback()\n                if notes", NUMBERS),
    # merging
    Fault("one's own write counts as a conflict", "sync/merge.py",
          "        if version[2] == shown:\n            return True\n", "        return False\n", MERGING),
    Fault("every write of one's device counts as seen", "sync/merge.py",
          "        if shown is None:\n            return False\n", "        if shown is None:\n            return version[1] == device\n", MERGING),
    Fault("the last write wins", "sync/merge.py",
          "            outcome.held[name] = value\n", "            outcome.apply[name] = value\n", MERGING),
    Fault("the last write wins by the phone's clock", "server/domain/applying.py",
          "    outcome = merge(values, versions, judged, base_of, edit.is_own)\n",
          "    outcome = merge(values, versions, judged, base_of, edit.is_own)\n"
          "    if (edit.device_at or \"\") > doc.row[\"created_at\"][:4]:\n        outcome.apply |= outcome.held\n        outcome.held = {}\n", MERGING),
    Fault("only one value of a conflict is kept", "server/domain/applying.py",
          "            \"mine\": mine,\n", "            \"mine\": None,\n", MERGING),
    Fault("a conflict does not follow a later write", "server/domain/applying.py",
          "        if conflict.row[\"field\"] in written:\n", "        if False:\n", MERGING),
    Fault("an edit of what is not known yet counts as done", "server/domain/applying.py",
          "    if doc is None:\n        return Outcome(\"waiting\", keep=True, waits_for=edit.mutation[\"doc\"])\n    if doc.row",
          "    if doc is None:\n        return Outcome()\n    if doc.row", f"{NUMBERS} tests/api/test_stale.py tests/api/test_simulation.py {COMMANDS}"),
    Fault("a create overwrites", "server/domain/applying.py",
          "        return rejected(\"id.exists\", \"Mã này đã có.\")\n", "        return Outcome()\n", "tests/api"),
    Fault("a second beginning of a dossier overwrites", "server/domain/applying.py",
          "            return update(work, edit, forced_base=0)\n", "            return update(work, edit, forced_base=2**62)\n", "tests/api"),
    # what is kept
    Fault("what cannot be applied is dropped", "server/domain/keeping.py",
          "        if each.outcome.keep:\n            quarantine(batch, each)\n", "", "tests/api"),
    Fault("what waits is never tried again", "server/domain/syncing.py",
          "    waiting.retry(batch, handled)\n    return handled\n", "    return handled\n", "tests/api"),
    Fault("one bad mutation fails the batch", "server/domain/syncing.py",
          "    except Exception:  # one bad mutation must not take the others with it\n",
          "    except ZeroDivisionError:  # one bad mutation must not take the others with it\n", "tests/api"),
    Fault("documents that a request touched do not come back", "server/api/sync.py",
          "\"changes\": pulled.changes + [", "\"changes\": pulled.changes + [][:0] and [", "tests/api"),
    Fault("a staff edit does not move the counter", "server/domain/workspace.py",
          "            doc.row[\"seq\"] = following[doc.row[\"place_id\"]]\n",
          "            doc.row[\"seq\"] = following[doc.row[\"place_id\"]] if doc.is_new else doc.row[\"seq\"]\n", f"{PULL} {COMMANDS}"),
    Fault("a move tells nobody who stays behind", "server/domain/workspace.py",
          "        self.exits.append((doc, doc.row[\"place_id\"], doc.row[\"citizen_id\"]))\n", "        pass\n", f"{COMMANDS} {PULL}"),
    Fault("a move to where they are takes them off the phones", "server/domain/commands.py",
          "    if doc.row[\"place_id\"] == target:\n        return Outcome(\"merged\")\n", "", COMMANDS),
    Fault("old signs of leaving are trimmed without the floor", "server/domain/trimming.py",
          ".values(floor=seq))", ".values(floor=_COUNTER.c.floor))", "tests/domain/test_trimming.py"),
    Fault("new eyes go on from the old cursor", "sync/cursors.py",
          "    if cursor.counter != counter or cursor.eyes != eyes:\n", "    if cursor.counter != counter:\n", PULL),
    Fault("a deletion takes away what its author never saw", "server/domain/commands.py",
          "    if newer:\n        conflict = hold(work, edit, doc, \"delete\"", "    if False:\n        conflict = hold(work, edit, doc, \"delete\"",
          "tests/api"),
    Fault("what was deleted comes back by an edit", "server/domain/applying.py",
          "    if doc.row[\"deleted\"]:\n        return Outcome(\"gone\", keep=True, left=True)\n    if not permissions", "    if not permissions",
          "tests/api"),
    Fault("a step from another state than was seen", "server/domain/commands.py",
          "(expect is not None and expect != state)", "False", COMMANDS),
    Fault("a step over an open conflict", "server/domain/commands.py",
          "    if any(_names(rules.fields, c.row[\"field\"]) for c in work.open_conflicts(doc.id)):\n", "    if False:\n",
          f"{COMMANDS} {MERGING}"),
    Fault("evidence is taken after the decision", "server/domain/applying.py",
          "    return state != \"decided\" and (judged or edit.actor.role == \"staff\")\n", "    return True\n", "tests/api"),
    # restore
    Fault("a restore without a new epoch", "server/domain/restoring.py",
          ".values(epoch=epoch, revision_floor=max(start, known))", ".values(revision_floor=max(start, known))", RESTORE),
    Fault("revisions are given out twice after a restore", "server/domain/workspace.py",
          "max(doc.row[\"rev\"], self.revision_floor) + 1", "doc.row[\"rev\"] + 1", RESTORE),
    # rights
    Fault("a chapter reads and writes every hamlet", "server/domain/permissions.py",
          "    if actor.role in APPRAISERS and actor.place_id == subject.place_id:\n", "    if actor.role in APPRAISERS:\n", f"{RIGHTS} {PULL}"),
    Fault("people appraise themselves", "server/domain/commands.py",
          "    return edit.mutation[\"op\"] in (\"appraise\", \"reopen\") and own\n", "    return False\n", f"{RIGHTS} {COMMANDS}"),
    Fault("a hash opens a photo that its asker's entry never sent", "server/domain/photos_access.py",
          " and _arrived(conn, commune_id, dict(row))", "", RIGHTS),
    # photos
    Fault("uploads of one hash are shared across people", "server/domain/uploads.py",
          "    _UPLOAD.c.commune_id == bindparam(\"commune\"), _UPLOAD.c.person_id == bindparam(\"person\"),\n    _UPLOAD.c.sha256",
          "    _UPLOAD.c.commune_id == bindparam(\"commune\"),\n    _UPLOAD.c.sha256", FILES),
    Fault("receipts are shared across people", "server/domain/receipts.py",
          "_RECEIPT.c.person_id == bindparam(\"person\"),\n    _RECEIPT.c.sha256", "\n    _RECEIPT.c.sha256", f"{FILES} {RIGHTS}"),
    Fault("a chunk at another offset is taken", "server/domain/uploads.py",
          "        if row[\"offset\"] != offset:\n            raise", "        if False:\n            raise", FILES),
    Fault("the whole hash is not checked", "server/domain/uploads.py",
          "    if sha256 != row[\"sha256\"] or kind is None:\n", "    if kind is None:\n", FILES),
    Fault("a damaged chunk is taken", "server/domain/uploads.py",
          "    if hashlib.new(name, chunk).digest() != wanted:\n", "    if False:\n", FILES),
    Fault("two requests write one upload", "server/domain/uploads.py",
          "        or_(_UPLOAD.c.lease.is_(None), _UPLOAD.c.lease_until < bindparam(\"moment\")),\n", "", f"{FILES} {CROWDS}"),
    # the phone
    Fault("phone: the base comes from the snapshot alone", "sync/js/base.js",
          "      const base = fields[name]?.base ?? baseOf(mutation, name);\n", "      const base = doc?.rev ?? 0;\n", JS),
    Fault("phone: new numbers bring new ids", "sync/js/outbox.js",
          "({ ...mutation, seq: from + at }));", "({ ...mutation, id: crypto.randomUUID(), seq: from + at }));", JS),
    Fault("phone: an entry is taken out by an answer that did not carry it", "pwa/js/store/applying.js",
          "Math.min(body.ack, context.sent)", "body.ack", JS),
    Fault("phone: an edit that waits is swept away", "pwa/js/store/applying.js",
          "(pending.has(doc.id) && doc.type !== \"conflict\")", "false", JS),
    Fault("phone: an acknowledged edit vanishes until its document comes", "pwa/js/store/applying.js",
          "{} : { shown: 1 };", "{} : {};", JS),
    Fault("phone: bytes go before their receipt", "pwa/js/store/keeping.js",
          "p.state !== \"received\").map((/** @type {any} */ p) => p.sha256));", "false).map((/** @type {any} */ p) => p.sha256));", JS),
    Fault("phone: sent counts as received", "pwa/js/engine/upload.js",
          "    for (let restarts = 0; !place.receipt; ) {\n", "    for (let restarts = 0; !place.receipt && place.offset < bytes.byteLength; ) {\n"
          "      if (place.offset + 300000 >= bytes.byteLength) place.receipt = photo.sha256;\n", JS),
    Fault("phone: after a restore only what waits is sent", "pwa/js/store/store.js",
          "    return [...done.filter(", "    return [...[].filter(", JS),
    Fault("phone: new numbers drop what is saved meanwhile", "pwa/js/store/store.js",
          "  const all = renumber(change(await tx.objectStore(\"outbox\").getAll()), start);\n",
          "  const all = renumber(change((await tx.objectStore(\"outbox\").getAll()).slice(0, 3)), start);\n", JS),
    Fault("phone: a revoked phone is emptied of what the server never got", "pwa/js/store/keeping.js",
          "if (!kept.has(mutation.id)) return false;", "kept.has(mutation.id);", JS),
    Fault("phone: a lost scope is purged while edits wait", "pwa/js/store/leaving.js",
          " || (await waits(tx))) return", ") return", JS),
)  # fmt: skip
