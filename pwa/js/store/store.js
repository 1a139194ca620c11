// The phone's store: documents, outbox, photos, drafts. A save is one strict transaction.
import { acknowledge, applyChanges, receive, sweep } from "./applying.js";
import { renumber } from "../../../sync/js/outbox.js";
import { createAsking } from "./asking.js";
import { createCopies } from "./copies.js";
import { purgeLost } from "./leaving.js";
import { openDatabase } from "./db.js";
import { forget, makeRoom, prune, release, spare } from "./keeping.js";

const RESERVE = "reserve";
const ALL = ["docs", "outbox", "done", "photos", "bytes", "cache", "drafts", "meta"];

export function createStore() {
  const { run, close } = openDatabase();
  const copies = createCopies();
  const ask = createAsking(run);
  const get = (/** @type {string} */ store, /** @type {any} */ key) => ask(`${store} ${key}`, [store], (tx) => tx.objectStore(store).get(key));
  const all = (/** @type {string} */ store) => ask(store, [store], (tx) => tx.objectStore(store).getAll());
  const indexed = (/** @type {string} */ index, /** @type {any} */ key) => ask(`docs ${index} ${key}`, ["docs"], (tx) => tx.objectStore("docs").index(index).getAll(key));
  const waiting = () => ask("pending", ["done", "outbox"], pending);
  const put = (/** @type {string} */ store, /** @type {any} */ value, /** @type {any} */ key) => run([store], "readwrite", async (tx) => { await (key === undefined ? tx.objectStore(store).put(value) : tx.objectStore(store).put(value, key)); });
  const remove = (/** @type {string} */ store, /** @type {any} */ key) => run([store], "readwrite", (tx) => tx.objectStore(store).delete(key));

  /**
   * Appends mutations with their photo and draft changes: all on disk, or nothing.
   * @param {any[]} mutations without `seq` @param {{photo?: any, bytes?: ArrayBuffer, thumb?: any, draft?: string, meta?: Record<string, any>, release?: string[]}} [more] release: hashes whose photo rests and was taken away
   */
  async function save(mutations, more = {}) {
    await surely(() => append(mutations, more), !more.bytes);
    copies.keep(mutations, more.photo, more.bytes);
    if (more.release?.length) copies.drop((id) => more.release?.includes(id) ?? false);
  }

  /** Drops copies of what was handled; one of which the store knows nothing is of a store that the browser lost.
   * @returns {Promise<boolean>} whether there is such a one */
  async function settleCopies() {
    const held = await copies.held();
    if (!held.length) return false;
    const keys = run(["done"], "readonly", (tx) => tx.objectStore("done").getAllKeys());
    const [outbox, photos, done] = await Promise.all([all("outbox"), all("photos"), keys]);
    /** @type {Map<string, boolean>} whether it is over */
    const known = new Map();
    for (const id of done) known.set(id, true);
    for (const m of outbox) known.set(m.id, false);
    for (const p of photos) known.set(p.sha256, p.state === "received" && known.get(p.sha256) !== false);
    await copies.drop((id) => known.get(id) === true);
    const strange = held.filter((id) => !known.has(id));
    if (strange.length) await put("meta", strange, "lost");
    return strange.length > 0;
  }

  /** What only the second copy has. @returns {Promise<{mutations: any[], photos: any[]}>} */
  async function lost() {
    const ids = new Set((await get("meta", "lost")) ?? []);
    if (!ids.size) return { mutations: [], photos: [] };
    const { mutations, photos } = await copies.all();
    return { mutations: mutations.filter((m) => ids.has(m.id)), photos: photos.filter((p) => ids.has(p.sha256)) };
  }

  /** Staff have the file. */
  async function forgetLost() {
    const ids = new Set(await get("meta", "lost"));
    await copies.drop((id) => ids.has(id));
    await put("meta", [], "lost");
  }

  /**
   * Writes, on a full phone too: pictures of others go first, then receipted bytes; text has a reserve that no photo may take.
   * @template T @param {() => Promise<T>} write @param {boolean} [text] @returns {Promise<T>} throws {code: storage.full}
   */
  async function surely(write, text = true) {
    const rooms = [() => run(["cache", "photos", "bytes"], "readwrite", makeRoom), ...(text ? [() => remove("meta", RESERVE)] : [])];
    for (const room of rooms) {
      try {
        return await write();
      } catch (error) {
        if (/** @type {any} */ (error)?.name !== "QuotaExceededError") throw error;
        await room().catch(() => {});
      }
    }
    try {
      return await write();
    } catch (error) {
      throw /** @type {any} */ (error)?.name === "QuotaExceededError" ? Object.assign(new Error("storage.full"), { code: "storage.full" }) : error;
    }
  }

  /** @param {any[]} mutations @param {any} more */
  function append(mutations, more) {
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
      for (const sha256 of more.release ?? []) await release(tx, sha256);
      if (more.draft) await tx.objectStore("drafts").delete(more.draft);
      for (const [key, value] of Object.entries(more.meta ?? {})) await meta.put(value, key);
    });
  }

  /**
   * One sync answer, applied whole: changes, acknowledged entries, results, cursors, receipts.
   * @param {any} body @param {{now: string, sent: number}} context @returns {Promise<{lost: string[], results: any[]}>}
   */
  async function applyAnswer(body, context) {
    const acked = new Set((await all("outbox")).filter((/** @type {any} */ m) => m.seq <= Math.min(body.ack, context.sent)).map((/** @type {any} */ m) => m.id));
    const applied = parted(await surely(() => apply(body, context)));
    if (acked.size) copies.drop((id) => acked.has(id));
    return applied;
  }

  /** The second copies of what was purged go too: they are no sign of a lost store. @template {{over: string[]}} T @param {T} told @returns {T} */
  function parted(told) {
    const over = new Set(told.over);
    if (over.size) copies.drop((id) => over.has(id));
    return told;
  }

  /** @param {any} body @param {{now: string, sent: number}} context */
  function apply(body, context) {
    return run(ALL, "readwrite", async (tx) => {
      const results = await acknowledge(tx, body, context);
      await applyChanges(tx, body);
      await sweep(tx, body);
      const cursors = (await tx.objectStore("meta").get("cursors")) ?? {};
      // a lost scope that comes back is paged from the start: documents of it may have been taken off meanwhile
      const lost = Object.fromEntries(Object.keys(cursors).filter((scope) => !body.scopes.includes(scope)).map((scope) => [scope, ""]));
      await tx.objectStore("meta").put({ ...cursors, ...lost, ...body.cursors }, "cursors");
      for (const name of ["scopes", "people", "year"]) if (body[name]) await tx.objectStore("meta").put(body[name], name);
      if (!(await tx.objectStore("meta").get("epoch"))) await tx.objectStore("meta").put(body.epoch, "epoch");
      for (const photo of body.photos ?? []) if (photo.state === "stored") await receive(tx, photo.by, photo.sha256, context.now);
      return { results, ...(await purgeLost(tx, body.scopes, !body.more)) };
    });
  }

  /** Marks a photo's receipt. @param {string} by @param {string} sha256 @param {string} now */
  const received = (by, sha256, now) => run(["photos"], "readwrite", (tx) => receive(tx, by, sha256, now));

  /**
   * New numbers for what waits, and perhaps other entries, in one transaction: what is saved meanwhile is not lost.
   * @param {number} start @param {Record<string, any>} [meta] @param {(all: any[]) => any[]} [change]
   */
  const renumberOutbox = (start, meta = {}, change = (all) => all) => run(["outbox", "meta"], "readwrite", (tx) => rewrite(tx, start, meta, change));

  return {
    run, close, save, settleCopies, lost, forgetLost, copyOf: copies.bytes,
    /** An old app's text, taken without a pull: it stays on the screen. */
    acknowledged: (/** @type {any} */ body, /** @type {any} */ context) => run(ALL, "readwrite", (tx) => acknowledge(tx, { changes: [], ...body }, context)),
    pending: waiting,
    purge: async (/** @type {string[]} */ scopes) => parted(await run(ALL, "readwrite", (tx) => purgeLost(tx, scopes))),
    removeDrafts: (/** @type {string[]} */ keys) => run(["drafts"], "readwrite", async (tx) => { for (const key of keys) await tx.objectStore("drafts").delete(key); }),
    forget: async (/** @type {Set<string>} */ kept) => {
      const emptied = await run(ALL, "readwrite", (tx) => forget(tx, kept));
      if (emptied) await copies.drop(() => true);
      return emptied;
    },
    /** Room that only text may use once the phone is full. */
    reserve: () => run(["meta"], "readwrite", (tx) => spare(tx, RESERVE)),
    prune: (/** @type {string} */ before) => run(["done", "photos", "bytes", "meta"], "readwrite", (tx) => prune(tx, before)),
    applyAnswer, received, renumberOutbox,
    sendAgain: (/** @type {any} */ body, /** @type {string} */ since) => run(ALL, "readwrite", (tx) => sendAgain(tx, body, since)),
    outbox: () => all("outbox"), done: () => all("done"), photos: () => all("photos"), drafts: () => run(["drafts"], "readonly", drafts),
    doc: (/** @type {string} */ id) => get("docs", id),
    pendingOf: async (/** @type {string} */ id) => (await waiting()).filter((/** @type {any} */ m) => m.doc === id),
    docsOf: (/** @type {string} */ type) => indexed("type", type),
    under: (/** @type {string} */ parent) => indexed("parent", parent),
    bytes: (/** @type {string} */ sha) => run(["bytes"], "readonly", (tx) => tx.objectStore("bytes").get(sha)),
    photo: (/** @type {string} */ by, /** @type {string} */ sha) => get("photos", [by, sha]),
    cached: (/** @type {string} */ key) => get("cache", key),
    cachedKeys: () => ask("cached keys", ["cache"], (tx) => tx.objectStore("cache").getAllKeys()),
    cache: (/** @type {any} */ entry) => put("cache", entry, undefined),
    meta: (/** @type {string} */ key) => get("meta", key), setMeta: (/** @type {string} */ key, /** @type {any} */ value) => surely(() => put("meta", value, key)),
    draft: (/** @type {string} */ key) => get("drafts", key), setDraft: (/** @type {string} */ key, /** @type {any} */ value) => surely(() => put("drafts", value, key)),
    aside: () => run(["meta"], "readonly", (tx) => tx.objectStore("meta").getAll(IDBKeyRange.bound("aside:", "aside;"))),
    removeDraft: (/** @type {string} */ key) => remove("drafts", key),
  };
}

/** With their keys, which say what they are about; a search is none. @param {any} tx @returns {Promise<{key: string, value: any}[]>} */
async function drafts(tx) {
  const [keys, values] = await Promise.all([tx.objectStore("drafts").getAllKeys(), tx.objectStore("drafts").getAll()]);
  return keys.map((/** @type {string} */ key, /** @type {number} */ n) => ({ key, value: values[n] })).filter((/** @type {any} */ d) => !d.key.endsWith("home.search"));
}

/** What the screen adds to the server's copies: acknowledged without its document yet, then what waits. @param {any} tx */
async function pending(tx) {
  const shown = await tx.objectStore("done").index("shown").getAll();
  shown.sort((/** @type {any} */ a, /** @type {any} */ b) => (a.done_at < b.done_at ? -1 : a.done_at > b.done_at ? 1 : a.seq - b.seq));
  return [...shown, ...(await tx.objectStore("outbox").getAll())];
}

/** @param {any} tx @param {number} start @param {Record<string, any>} meta @param {(all: any[]) => any[]} change */
async function rewrite(tx, start, meta, change) {
  const all = renumber(change(await tx.objectStore("outbox").getAll()), start);
  await tx.objectStore("outbox").clear();
  for (const mutation of all) await tx.objectStore("outbox").put(mutation);
  for (const [key, value] of Object.entries({ ...meta, next: start + all.length })) await tx.objectStore("meta").put(value, key);
}

/**
 * The server came back from a backup: what was acknowledged since `since` waits again before what waits, ids unchanged.
 * @param {any} tx @param {{epoch: string, expected: number}} body @param {string} since
 */
async function sendAgain(tx, body, since) {
  const done = (await tx.objectStore("done").getAll()).filter((/** @type {any} */ m) => m.done_at >= since);
  done.sort((/** @type {any} */ a, /** @type {any} */ b) => (a.done_at < b.done_at ? -1 : a.done_at > b.done_at ? 1 : a.seq - b.seq));
  const scopes = (await tx.objectStore("meta").get("scopes")) ?? [];
  const sweeps = Object.fromEntries(scopes.map((/** @type {string} */ scope) => [`sweep:${scope}`, []]));
  // from the start, but not forgotten: what the restored server grants no more must go from here
  const cursors = Object.fromEntries([...scopes, ...Object.keys((await tx.objectStore("meta").get("cursors")) ?? {})].map((scope) => [scope, ""]));
  await rewrite(tx, body.expected, { ...sweeps, restoring: true, cursors, epoch: body.epoch }, (waiting) => {
    const still = new Set(waiting.map((m) => m.id));
    return [...done.filter((/** @type {any} */ m) => !still.has(m.id)).map((/** @type {any} */ { done_at: _at, result: _result, shown: _shown, ...mutation }) => mutation), ...waiting];
  });
  for (const photo of await tx.objectStore("photos").getAll()) if (photo.state === "received" && !photo.dropped) await tx.objectStore("photos").put({ ...photo, state: "waiting" });
}
