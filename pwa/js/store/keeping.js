// What the phone lets go of, and when: never bytes without a receipt. All inside the caller's transaction.

/** Room for text: pictures of others first, then our receipted bytes. @param {any} tx */
export async function makeRoom(tx) {
  await tx.objectStore("cache").clear();
  await dropBytes(tx, () => true);
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

/** A phone that was revoked, after its deposit: nothing stays, and its next owner gets a new id. @param {any} tx */
export async function forget(tx) {
  for (const name of ["docs", "outbox", "done", "photos", "bytes", "cache", "drafts", "meta"]) await tx.objectStore(name).clear();
}
