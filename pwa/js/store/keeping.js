// What the phone lets go of, and when: never bytes without a receipt. All inside the caller's transaction.

/** Room for text: pictures of others first, then our receipted bytes. @param {any} tx */
export async function makeRoom(tx) {
  await tx.objectStore("cache").clear();
  await dropBytes(tx, () => true);
}

/** Thousands of entries of text fit into it. */
const RESERVE_BYTES = 2 * 1024 * 1024;

/** Random bytes: a browser that packs what it writes would keep no room for zeros. @param {any} tx @param {string} key */
export async function spare(tx, key) {
  if (await tx.objectStore("meta").count(key)) return;
  const bytes = new Uint8Array(RESERVE_BYTES);
  for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  await tx.objectStore("meta").put(bytes.buffer, key);
}

/** A refused photo that the person took away. @param {any} tx @param {string} sha256 */
export async function release(tx, sha256) {
  for (const key of await tx.objectStore("photos").index("sha256").getAllKeys(sha256)) await tx.objectStore("photos").delete(key);
  await tx.objectStore("bytes").delete(sha256);
}

/** After 30 days: kept mutations, receipted bytes, rows set aside. @param {any} tx @param {string} before */
export async function prune(tx, before) {
  for (const mutation of await tx.objectStore("done").index("at").getAll()) if (mutation.done_at < before && !mutation.shown) await tx.objectStore("done").delete(mutation.id);
  await dropBytes(tx, (photo) => photo.received_at < before);
}

/** Bytes go only when every person's entry of that hash has its receipt. @param {any} tx @param {(photo: any) => boolean} chosen */
async function dropBytes(tx, chosen) {
  const photos = await tx.objectStore("photos").getAll();
  const waiting = new Set(photos.filter((/** @type {any} */ p) => p.state !== "received").map((/** @type {any} */ p) => p.sha256));
  for (const photo of photos) {
    if (waiting.has(photo.sha256) || photo.dropped || !chosen(photo)) continue;
    await tx.objectStore("bytes").delete(photo.sha256);
    await tx.objectStore("photos").put({ ...photo, dropped: true });
  }
}

/**
 * A phone that was revoked, after its deposit: nothing stays, and its next owner gets a new id.
 * @param {any} tx @param {Set<string>} kept what the server keeps @returns {Promise<boolean>} false where something was saved meanwhile
 */
export async function forget(tx, kept) {
  for (const mutation of await tx.objectStore("outbox").getAll()) if (!kept.has(mutation.id)) return false;
  for (const photo of await tx.objectStore("photos").getAll()) if (photo.state !== "received" && !kept.has(photo.sha256) && (await tx.objectStore("bytes").count(photo.sha256))) return false;
  if (((await tx.objectStore("meta").get("parcels")) ?? []).some((/** @type {any} */ p) => p.state === "waiting")) return false;
  for (const name of ["docs", "outbox", "done", "photos", "bytes", "cache", "drafts", "meta"]) await tx.objectStore(name).clear();
  return true;
}
