// The phone's store: documents, outbox, photos, drafts. A save is one strict transaction.
import { openDatabase } from "./db.js";

const ALL = ["docs", "outbox", "done", "photos", "bytes", "cache", "drafts", "meta"];
const parentOf = (/** @type {any} */ doc) => doc.data?.dossier ?? doc.data?.citizen ?? doc.data?.on ?? doc.data?.doc ?? "";

export function createStore() {
  const { run, close } = openDatabase();
  const get = (/** @type {string} */ store, /** @type {any} */ key) => run([store], "readonly", (tx) => tx.objectStore(store).get(key));
  const all = (/** @type {string} */ store) => run([store], "readonly", (tx) => tx.objectStore(store).getAll());
  const put = (/** @type {string} */ store, /** @type {any} */ value, /** @type {any} */ key) => run([store], "readwrite", async (tx) => { await (key === undefined ? tx.objectStore(store).put(value) : tx.objectStore(store).put(value, key)); });
  const remove = (/** @type {string} */ store, /** @type {any} */ key) => run([store], "readwrite", (tx) => tx.objectStore(store).delete(key));

  /**
   * Appends mutations with their photo and draft changes: all on disk, or nothing.
   * @param {any[]} mutations without `seq` @param {{photo?: any, bytes?: ArrayBuffer, thumb?: any, draft?: string, meta?: Record<string, any>}} [more]
   */
  function save(mutations, more = {}) {
    return run(["outbox", "photos", "bytes", "cache", "drafts", "meta"], "readwrite", async (tx) => {
      const meta = tx.objectStore("meta");
      let seq = (await meta.get("next")) ?? 1;
      for (const mutation of mutations) await tx.objectStore("outbox").put({ ...mutation, seq: seq++ });
      await meta.put(seq, "next");
      if (more.photo) {
        const known = await tx.objectStore("photos").get([more.photo.by, more.photo.sha256]);
        if (!known) await tx.objectStore("photos").put(more.photo);
        if (more.bytes) await tx.objectStore("bytes").put(more.bytes, more.photo.sha256);
      }
      if (more.thumb) await tx.objectStore("cache").put(more.thumb);
      if (more.draft) await tx.objectStore("drafts").delete(more.draft);
      for (const [key, value] of Object.entries(more.meta ?? {})) await meta.put(value, key);
    });
  }

  /**
   * One sync answer, applied whole: changes, acknowledged entries, results, cursors, receipts.
   * @param {any} body @param {{now: string}} context @returns {Promise<{lost: string[], results: any[]}>}
   */
  function applyAnswer(body, context) {
    return run(ALL, "readwrite", async (tx) => {
      const results = await acknowledge(tx, body, context);
      await sweepMarks(tx, body);
      for (const change of body.changes) await applyChange(tx, change);
      const cursors = (await tx.objectStore("meta").get("cursors")) ?? {};
      await tx.objectStore("meta").put({ ...cursors, ...body.cursors }, "cursors");
      for (const name of ["scopes", "people", "year"]) if (body[name]) await tx.objectStore("meta").put(body[name], name);
      if (!(await tx.objectStore("meta").get("epoch"))) await tx.objectStore("meta").put(body.epoch, "epoch");
      for (const photo of body.photos ?? []) if (photo.state === "stored") await receive(tx, photo.by, photo.sha256, context.now);
      const lost = await purgeLost(tx, body);
      return { lost, results };
    });
  }

  /** Marks a photo's receipt. @param {string} by @param {string} sha256 @param {string} now */
  const received = (by, sha256, now) => run(["photos"], "readwrite", (tx) => receive(tx, by, sha256, now));

  /** Replaces the whole outbox with new numbers. @param {any[]} mutations @param {number} next @param {Record<string, any>} [meta] */
  const replaceOutbox = (mutations, next, meta = {}) => run(["outbox", "meta"], "readwrite", async (tx) => {
    await tx.objectStore("outbox").clear();
    for (const mutation of mutations) await tx.objectStore("outbox").put(mutation);
    await tx.objectStore("meta").put(next, "next");
    for (const [key, value] of Object.entries(meta)) await tx.objectStore("meta").put(value, key);
  });

  return {
    run, close, save, applyAnswer, received, replaceOutbox,
    outbox: () => all("outbox"), done: () => all("done"), photos: () => all("photos"), drafts: () => all("drafts"),
    doc: (/** @type {string} */ id) => get("docs", id),
    pendingOf: (/** @type {string} */ id) => run(["outbox"], "readonly", (tx) => tx.objectStore("outbox").index("doc").getAll(id)),
    docsOf: (/** @type {string} */ type) => run(["docs"], "readonly", (tx) => tx.objectStore("docs").index("type").getAll(type)),
    under: (/** @type {string} */ parent) => run(["docs"], "readonly", (tx) => tx.objectStore("docs").index("parent").getAll(parent)),
    bytes: (/** @type {string} */ sha) => get("bytes", sha),
    photo: (/** @type {string} */ by, /** @type {string} */ sha) => get("photos", [by, sha]),
    cached: (/** @type {string} */ key) => get("cache", key),
    cachedKeys: () => run(["cache"], "readonly", (tx) => tx.objectStore("cache").getAllKeys()),
    cache: (/** @type {any} */ entry) => put("cache", entry, undefined),
    meta: (/** @type {string} */ key) => get("meta", key), setMeta: (/** @type {string} */ key, /** @type {any} */ value) => put("meta", value, key),
    draft: (/** @type {string} */ key) => get("drafts", key), setDraft: (/** @type {string} */ key, /** @type {any} */ value) => put("drafts", value, key),
    removeDraft: (/** @type {string} */ key) => remove("drafts", key),
  };
}

/** @param {any} tx @param {any} body @param {{now: string}} context */
async function acknowledge(tx, body, context) {
  const outbox = tx.objectStore("outbox");
  const results = [];
  const told = new Map(body.results.map((/** @type {any} */ r) => [r.seq, r]));
  for (const mutation of await outbox.getAll()) {
    if (mutation.seq > body.ack) break;
    const result = told.get(mutation.seq) ?? null;
    await tx.objectStore("done").put({ ...mutation, done_at: context.now, result });
    await outbox.delete(mutation.seq);
    if (result) results.push({ mutation, result });
  }
  return results;
}

/** @param {any} tx @param {any} change */
async function applyChange(tx, change) {
  const docs = tx.objectStore("docs");
  const known = await docs.get(change.doc);
  if (change.deleted) return docs.delete(change.doc);
  if (change.left) {
    if (!known) return undefined;
    const scopes = change.scope ? known.scopes.filter((/** @type {string} */ s) => s !== change.scope) : [];
    return scopes.length ? docs.put({ ...known, scopes }) : docs.delete(change.doc);
  }
  if (known && known.rev > change.rev) return undefined;
  const scopes = [...new Set([...(known?.scopes ?? []), change.scope])];
  const doc = { id: change.doc, type: change.type, rev: change.rev, data: change.data, scopes, parent: "" };
  doc.parent = parentOf(doc);
  const seen = await tx.objectStore("meta").get(`sweep:${change.scope}`);
  if (seen) await tx.objectStore("meta").put([...seen, change.doc], `sweep:${change.scope}`);
  return docs.put(doc);
}

/** A scope that is paged from the start: what was not seen goes at the end. @param {any} tx @param {any} body */
async function sweepMarks(tx, body) {
  const meta = tx.objectStore("meta");
  for (const scope of body.resync) await meta.put([], `sweep:${scope}`);
  if (body.more) return;
  const pending = new Set((await tx.objectStore("outbox").getAll()).map((/** @type {any} */ m) => m.doc));
  for (const scope of body.scopes) {
    const seen = await meta.get(`sweep:${scope}`);
    if (!seen) continue;
    const all = new Set([...seen, ...body.changes.filter((/** @type {any} */ c) => c.scope === scope).map((/** @type {any} */ c) => c.doc)]);
    for (const doc of await tx.objectStore("docs").getAll()) {
      if (doc.scopes.includes(scope) && !all.has(doc.id) && !pending.has(doc.id)) await drop(tx, doc, scope);
    }
    await meta.delete(`sweep:${scope}`);
  }
}

/** @param {any} tx @param {any} doc @param {string} scope */
function drop(tx, doc, scope) {
  const scopes = doc.scopes.filter((/** @type {string} */ s) => s !== scope);
  return scopes.length ? tx.objectStore("docs").put({ ...doc, scopes }) : tx.objectStore("docs").delete(doc.id);
}

/** What no granted scope gives any more goes, once nothing waits to be sent. @param {any} tx @param {any} body */
async function purgeLost(tx, body) {
  if ((await tx.objectStore("outbox").count()) || (await tx.objectStore("drafts").count()) > 0) return [];
  const granted = new Set(body.scopes);
  const lost = new Set();
  for (const doc of await tx.objectStore("docs").getAll()) {
    const kept = doc.scopes.filter((/** @type {string} */ s) => granted.has(s));
    if (kept.length === doc.scopes.length) continue;
    for (const scope of doc.scopes) if (!granted.has(scope)) lost.add(scope);
    if (kept.length) await tx.objectStore("docs").put({ ...doc, scopes: kept });
    else await tx.objectStore("docs").delete(doc.id);
  }
  return [...lost];
}

/** @param {any} tx @param {string} by @param {string} sha256 @param {string} now */
async function receive(tx, by, sha256, now) {
  const photo = await tx.objectStore("photos").get([by, sha256]);
  if (photo && photo.state !== "received") await tx.objectStore("photos").put({ ...photo, state: "received", received_at: now });
}
