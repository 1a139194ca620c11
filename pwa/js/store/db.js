// Opens IndexedDB, and opens it again when the browser closed it under us. The only door to it.
import { openDB } from "idb";

const NAME = "minhchung";
const SCHEMA = 2;

/** Each step makes its own version and is never edited: phones in the field stand on every one of them.
 * @param {any} db @param {number} from @param {number | null} _to @param {any} tx */
function upgrade(db, from, _to, tx) {
  if (from < 1) {
    const docs = db.createObjectStore("docs", { keyPath: "id" });
    docs.createIndex("type", "type");
    docs.createIndex("parent", "parent");
    const outbox = db.createObjectStore("outbox", { keyPath: "seq" });
    outbox.createIndex("doc", "doc");
    db.createObjectStore("done", { keyPath: "id" }).createIndex("at", "done_at");
    db.createObjectStore("photos", { keyPath: ["by", "sha256"] }).createIndex("sha256", "sha256");
    db.createObjectStore("bytes");
    db.createObjectStore("cache", { keyPath: "key" }).createIndex("used_at", "used_at");
    db.createObjectStore("drafts");
    db.createObjectStore("meta");
    db.createObjectStore("log", { autoIncrement: true });
  }
  if (from < 2) {
    const done = tx.objectStore("done");
    if (!done.indexNames.contains("shown")) done.createIndex("shown", "shown");
  }
}

/** One connection that comes back: iOS closes it in the background. */
export function openDatabase() {
  /** @type {Promise<any> | null} */
  let opening = null;
  const open = () => {
    opening ??= openDB(NAME, SCHEMA, {
      upgrade,
      blocking: (_from, _to, event) => /** @type {any} */ (event.target).close(),
      terminated: () => { opening = null; },
    }).catch((error) => {
      opening = null;
      // Another tab runs a newer version already: this one must be opened again.
      throw error?.name === "VersionError" ? Object.assign(new Error("storage"), { code: "storage" }) : error;
    });
    return opening;
  };

  /**
   * Runs one transaction; resolves when it is complete, that is on disk.
   * @template T @param {string[]} stores @param {"readonly" | "readwrite"} mode
   * @param {(tx: any) => Promise<T> | T} work must await nothing but this transaction
   * @returns {Promise<T>}
   */
  async function run(stores, mode, work) {
    try {
      return await once(await open(), stores, mode, work);
    } catch (error) {
      const name = /** @type {any} */ (error)?.name;
      if (name !== "InvalidStateError" && !/closing|closed|lost/i.test(String(/** @type {any} */ (error)?.message))) throw error;
      opening = null;
      return once(await open(), stores, mode, work);
    }
  }

  return { run, close: async () => { (await opening)?.close(); opening = null; } };
}

/** @param {any} db @param {string[]} stores @param {"readonly" | "readwrite"} mode @param {(tx: any) => any} work */
async function once(db, stores, mode, work) {
  const tx = db.transaction(stores, mode, mode === "readwrite" ? { durability: "strict" } : {});
  let result;
  try {
    result = await work(tx);
  } catch (error) {
    try { tx.abort(); } catch { /* it aborted itself */ }
    await tx.done.catch(() => {});
    throw tx.error ?? error;
  }
  await tx.done;
  return result;
}
