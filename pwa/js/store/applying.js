// How one sync answer enters the store: acknowledgement, changes, sweeps, lost scopes. All inside one transaction.

import { dropPictures } from "./leaving.js";

const NEVER_SHOWN = ["rejected", "gone", "out_of_scope"];
const parentOf = (/** @type {any} */ data) => data?.dossier ?? data?.citizen ?? data?.on ?? data?.doc ?? "";

/**
 * What this request carried and the server handled is kept 30 days; it stays on the screen until its document comes.
 * A number handled earlier, in a request whose answer was lost, is sent again first: only then its result is told.
 * @param {any} tx @param {any} body @param {{now: string, sent: number}} context `sent`: the highest number in the request
 */
export async function acknowledge(tx, body, context) {
  const outbox = tx.objectStore("outbox");
  const results = [];
  const writes = [];
  const told = new Map(body.results.map((/** @type {any} */ r) => [r.seq, r]));
  for (const mutation of await outbox.getAll()) {
    if (mutation.seq > Math.min(body.ack, context.sent)) break;
    const result = told.get(mutation.seq) ?? null;
    const shown = NEVER_SHOWN.includes(result?.result) || mutation.op === "void" ? {} : { shown: 1 };
    writes.push(tx.objectStore("done").put({ ...mutation, done_at: context.now, result, ...shown }), outbox.delete(mutation.seq));
    if (result) results.push({ mutation, result });
  }
  await Promise.all(writes);
  return results;
}

/** @param {any} tx @param {any} body */
export async function applyChanges(tx, body) {
  const meta = tx.objectStore("meta");
  const cursors = (await meta.get("cursors")) ?? {};
  // also where no cursor was sent: what is still here of a scope that was lost and came back may be gone there
  for (const scope of body.scopes) if (body.resync.includes(scope) || !cursors[scope]) await meta.put([], `sweep:${scope}`);
  const restoring = Boolean(await meta.get("restoring"));
  const docs = tx.objectStore("docs");
  const came = [...new Set(body.changes.map((/** @type {any} */ change) => change.doc))];
  // All asked for at once and all written at once: one by one, 500 documents take a slow phone seconds.
  const now = new Map((await Promise.all(came.map((id) => docs.get(id)))).map((doc, at) => [came[at], doc]));
  const aside = [];
  const pictures = [];
  for (const change of body.changes) {
    const known = now.get(change.doc);
    if (restoring && known && differs(known, change)) aside.push(setAside(tx, known));
    if (change.left && known?.type === "evidence") pictures.push(known.data.sha256);
    now.set(change.doc, changed(known, change, restoring));
  }
  await Promise.all([...aside, ...[...now].map(([id, doc]) => (doc ? docs.put(doc) : docs.delete(id)))]);
  if (pictures.length) await dropPictures(tx, pictures);
  const waited = (await tx.objectStore("done").index("shown").getAll()).filter((/** @type {any} */ mutation) => now.has(mutation.doc));
  await Promise.all(waited.map((/** @type {any} */ { shown: _shown, ...rest }) => tx.objectStore("done").put(rest)));
}

const differs = (/** @type {any} */ known, /** @type {any} */ change) => !change.deleted && !change.left && JSON.stringify(known.data) !== JSON.stringify(change.data);

/**
 * What the phone holds after one change.
 * @param {any} known @param {any} change @param {boolean} restoring an older revision is then the server's truth, ours is set aside
 * @returns {any} undefined where the row goes
 */
function changed(known, change, restoring) {
  if (change.deleted) return undefined;
  if (change.left) return known && change.scope ? without(known, change.scope) : undefined;
  const scopes = [...new Set([...(known?.scopes ?? []), change.scope])];
  if (known && known.rev > change.rev && !restoring) return { ...known, scopes };
  return { id: change.doc, type: change.type, rev: change.rev, data: change.data, scopes, parent: parentOf(change.data) };
}

/** A scope that is paged from the start: what was not seen goes at the end. @param {any} tx @param {any} body */
export async function sweep(tx, body) {
  const meta = tx.objectStore("meta");
  const pending = new Set((await tx.objectStore("outbox").getAll()).map((/** @type {any} */ m) => m.doc));
  const restoring = Boolean(await meta.get("restoring"));
  for (const scope of body.scopes) {
    const marks = await meta.get(`sweep:${scope}`);
    if (!marks) continue;
    const seen = [...marks, ...body.changes.filter((/** @type {any} */ c) => c.scope === scope).map((/** @type {any} */ c) => c.doc)];
    if (body.more) {
      await meta.put(seen, `sweep:${scope}`);
      continue;
    }
    await dropUnseen(tx, scope, new Set(seen), pending, restoring);
    await meta.delete(`sweep:${scope}`);
  }
  if (!body.more) await meta.delete("restoring");
}

/** @param {any} tx @param {string} scope @param {Set<string>} seen @param {Set<string>} pending @param {boolean} restoring */
async function dropUnseen(tx, scope, seen, pending, restoring) {
  for (const doc of await tx.objectStore("docs").getAll()) {
    // a choice that waits keeps no disagreement alive which the server does not know any more
    if (!doc.scopes.includes(scope) || seen.has(doc.id) || (pending.has(doc.id) && doc.type !== "conflict")) continue;
    if (restoring) await setAside(tx, doc);
    await drop(tx, doc, scope);
  }
}

/** After a restore ours may be the last copy: kept 30 days, handed out with the export. @param {any} tx @param {any} doc */
const setAside = (tx, doc) => tx.objectStore("meta").put(doc, `aside:${doc.id}`);

/** The row goes with its last scope. @param {any} doc @param {string} scope */
function without(doc, scope) {
  const scopes = doc.scopes.filter((/** @type {string} */ s) => s !== scope);
  return scopes.length ? { ...doc, scopes } : undefined;
}

/** @param {any} tx @param {any} doc @param {string} scope */
function drop(tx, doc, scope) {
  const rest = without(doc, scope);
  return rest ? tx.objectStore("docs").put(rest) : tx.objectStore("docs").delete(doc.id);
}

/** @param {any} tx @param {string} by @param {string} sha256 @param {string} now */
export async function receive(tx, by, sha256, now) {
  const photo = await tx.objectStore("photos").get([by, sha256]);
  if (photo && photo.state !== "received") await tx.objectStore("photos").put({ ...photo, state: "received", received_at: now });
}
