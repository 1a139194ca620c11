// A neighbour's exported file, carried for them: kept sealed, handed in when there is signal, and what the commune says it took.
import { sha256Hex } from "./identity.js";

const PIECE_BYTES = 4 * 1024 * 1024;
const MOST_BYTES = 200 * 1024 * 1024;
/** Handing the same file in again cannot help. */
const REFUSED = ["deposit.invalid", "device.unknown", "signature.invalid", "too_large", "empty_body"];
const fail = (/** @type {string} */ code) => { throw Object.assign(new Error(code), { code }); };
const pieceKey = (/** @type {string} */ id, /** @type {number} */ n) => `parcel:${id}:${n}`;

/** @param {{store: any, net: any, env: any, state: any}} parts */
export function createParcels({ store, net, env, state }) {
  const list = async () => (await store.meta("parcels")) ?? [];

  /** @param {string} id @param {Record<string, any>} part */
  async function note(id, part) {
    await store.setMeta("parcels", (await list()).map((/** @type {any} */ p) => (p.id === id ? { ...p, ...part } : p)));
    state.refresh();
  }

  /** Takes a file in, a piece at a time. @param {{name: string, file: Blob}} given @returns {Promise<{known: boolean, parcel: any}>} */
  async function takeParcel({ name, file }) {
    if (file.size > MOST_BYTES) return fail("parcel.too_large");
    const holds = await looksRight(file);
    const id = crypto.randomUUID();
    await sweep();
    const pieces = Math.ceil(file.size / PIECE_BYTES);
    let digests = "";
    try {
      for (let n = 0; n < pieces; n += 1) {
        const bytes = await file.slice(n * PIECE_BYTES, (n + 1) * PIECE_BYTES).arrayBuffer();
        digests += await sha256Hex(bytes);
        await store.run(["bytes"], "readwrite", (/** @type {any} */ tx) => tx.objectStore("bytes").put(bytes, pieceKey(id, n)));
      }
    } catch (error) {
      await sweep();
      throw /** @type {any} */ (error)?.name === "QuotaExceededError" ? Object.assign(new Error("storage.full"), { code: "storage.full" }) : error;
    }
    const digest = await sha256Hex(new TextEncoder().encode(digests));
    const known = (await list()).find((/** @type {any} */ p) => p.digest === digest);
    if (known) {
      await sweep();
      return { known: true, parcel: known };
    }
    const parcel = { id, digest, name: name.slice(0, 120), size: file.size, pieces, holds, at: env.iso(), by: (await state.me())?.id ?? null, state: "waiting" };
    await store.setMeta("parcels", [...(await list()), parcel]);
    state.refresh();
    state.wake();
    return { known: false, parcel };
  }

  /** Pieces that no parcel names: a taking-in that was cut off. */
  async function sweep() {
    const kept = new Set((await list()).map((/** @type {any} */ p) => p.id));
    await store.run(["bytes"], "readwrite", async (/** @type {any} */ tx) => {
      for (const key of await tx.objectStore("bytes").getAllKeys(IDBKeyRange.bound("parcel:", "parcel;"))) if (!kept.has(key.split(":")[1])) await tx.objectStore("bytes").delete(key);
    });
  }

  /** Hands in what waits. Throws where the line or the server is the trouble: it is tried again. */
  async function sendParcels() {
    for (const parcel of (await list()).filter((/** @type {any} */ p) => p.state === "waiting")) {
      const parts = [];
      for (let n = 0; n < parcel.pieces; n += 1) parts.push(new Blob([await store.bytes(pieceKey(parcel.id, n))]));
      try {
        const answer = await net.deposit(new Blob(parts, { type: "application/zip" }));
        const told = { mutations: answer.mutations?.length ?? 0, photos: answer.photos?.length ?? 0 };
        const whole = told.photos >= parcel.holds.photos && told.mutations >= (parcel.holds.mutations ?? 0);
        await note(parcel.id, { state: whole ? "delivered" : "partly", told, delivered_at: env.iso() });
        if (whole) await sweepOf(parcel);
      } catch (error) {
        const { code } = /** @type {any} */ (error);
        if (!REFUSED.includes(code)) throw error;
        await note(parcel.id, { state: "refused", code });
      }
    }
  }

  /** @param {any} parcel */
  const sweepOf = (parcel) => store.run(["bytes"], "readwrite", async (/** @type {any} */ tx) => { for (let n = 0; n < parcel.pieces; n += 1) await tx.objectStore("bytes").delete(pieceKey(parcel.id, n)); });

  /** By a person's tap alone; one that waits is never dropped. @param {string} id */
  async function dropParcel(id) {
    const parcel = (await list()).find((/** @type {any} */ p) => p.id === id);
    if (!parcel || parcel.state === "waiting") return;
    await store.setMeta("parcels", (await list()).filter((/** @type {any} */ p) => p.id !== id));
    await sweepOf(parcel);
    state.refresh();
  }

  return { takeParcel, sendParcels, dropParcel, parcels: list };
}

/**
 * What an export holds, by its directory and count alone: nothing of it is shown.
 * @param {Blob} file @returns {Promise<{mutations: number | null, photos: number}>} Throws `parcel.invalid`
 */
async function looksRight(file) {
  const end = new DataView(await file.slice(-22).arrayBuffer());
  if (end.byteLength < 22 || end.getUint32(0, true) !== 0x06054b50) return fail("parcel.invalid");
  const entries = directory(new DataView(await file.slice(end.getUint32(16, true), end.getUint32(16, true) + end.getUint32(12, true)).arrayBuffer()));
  const outbox = entries.find(({ name }) => name === "outbox.json");
  if (!outbox || !entries.some(({ name }) => name === "signature")) return fail("parcel.invalid");
  return { photos: entries.filter(({ name }) => name.startsWith("photos/")).length, mutations: outbox.method ? null : await countOf(file, outbox) };
}

/** @param {DataView} view */
function directory(view) {
  const entries = [];
  for (let at = 0; at + 46 <= view.byteLength && view.getUint32(at, true) === 0x02014b50; ) {
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, Math.min(length, view.byteLength - at - 46)));
    entries.push({ name, method: view.getUint16(at + 10, true), size: view.getUint32(at + 20, true), start: view.getUint32(at + 42, true) });
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** @param {Blob} file @param {{start: number, size: number}} entry */
async function countOf(file, entry) {
  const head = new DataView(await file.slice(entry.start, entry.start + 30).arrayBuffer());
  if (head.byteLength < 30) return fail("parcel.invalid");
  const from = entry.start + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  try {
    const { mutations } = JSON.parse(await file.slice(from, from + entry.size).text());
    return Array.isArray(mutations) ? mutations.length : fail("parcel.invalid");
  } catch {
    return fail("parcel.invalid");
  }
}
