// What this phone may no longer see goes, and nothing of its own with it. All inside the caller's transaction.

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What no granted scope gives any more goes, once nothing waits and no draft about it is left.
 * @param {any} tx @param {string[]} scopes granted @param {boolean} [whole] all pages are here
 * @returns {Promise<{lost: string[], stranded: string[], over: string[]}>} the scopes purged, with ids and hashes that went; else the keys of drafts to hand in first
 */
export async function purgeLost(tx, scopes, whole = true) {
  if (!whole) return { lost: [], stranded: [], over: [] };
  const meta = tx.objectStore("meta");
  const granted = new Set(scopes);
  const cursors = (await meta.get("cursors")) ?? {};
  const lost = Object.keys(cursors).filter((scope) => !granted.has(scope));
  const docs = lost.length ? await tx.objectStore("docs").getAll() : [];
  const kept = (/** @type {any} */ doc) => doc.scopes.filter((/** @type {string} */ s) => granted.has(s));
  const gone = new Set(docs.filter((/** @type {any} */ doc) => !kept(doc).length).map((/** @type {any} */ doc) => doc.id));
  const stranded = await strandedDrafts(tx, gone);
  if (!lost.length || stranded.length || (await waits(tx))) return { lost: [], stranded, over: [] };
  for (const doc of docs) {
    if (gone.has(doc.id)) await tx.objectStore("docs").delete(doc.id);
    else if (kept(doc).length < doc.scopes.length) await tx.objectStore("docs").put({ ...doc, scopes: kept(doc) });
  }
  await meta.put(Object.fromEntries(Object.entries(cursors).filter(([scope]) => granted.has(scope))), "cursors");
  return { lost, stranded: [], over: await purgeTraces(tx, gone) };
}

/** Text in the outbox, or an act that can still be undone. @param {any} tx */
async function waits(tx) {
  const acts = await Promise.all(["choices", "removals"].map((key) => tx.objectStore("meta").get(key)));
  return (await tx.objectStore("outbox").count()) > 0 || acts.some((all) => Object.keys(all ?? {}).length > 0);
}

/** Drafts about documents that are not here (any more), or of a person who was taken off this phone. @param {any} tx @param {Set<string>} gone */
async function strandedDrafts(tx, gone) {
  const keys = await tx.objectStore("drafts").getAllKeys();
  if (!keys.length) return [];
  const people = new Set(((await tx.objectStore("meta").get("people")) ?? []).map((/** @type {any} */ p) => p.id));
  const known = new Set(await tx.objectStore("docs").getAllKeys());
  for (const mutation of [...(await tx.objectStore("outbox").getAll()), ...(await tx.objectStore("done").index("shown").getAll())]) known.add(mutation.doc);
  for (const id of gone) known.delete(id);
  return keys.filter((/** @type {string} */ key) => {
    const [owner, ...rest] = key.startsWith("@") ? key.slice(1).split("/") : ["", ...key.split("/")];
    return (owner && people.size > 0 && !people.has(owner)) || rest.some((part) => UUID.test(part) && !known.has(part));
  });
}

/** Kept mutations, rows aside, receipted photos and pictures of what went. @param {any} tx @param {Set<string>} gone @returns {Promise<string[]>} ids and hashes */
async function purgeTraces(tx, gone) {
  const over = (await tx.objectStore("done").getAll()).filter((/** @type {any} */ m) => gone.has(m.doc)).map((/** @type {any} */ m) => m.id);
  for (const id of over) await tx.objectStore("done").delete(id);
  for (const id of gone) await tx.objectStore("meta").delete(`aside:${id}`);
  const named = await namedHashes(tx);
  const photos = await tx.objectStore("photos").getAll();
  const waiting = new Set(photos.filter((/** @type {any} */ p) => p.state !== "received").map((/** @type {any} */ p) => p.sha256));
  for (const photo of photos) {
    if (waiting.has(photo.sha256) || named.has(photo.sha256)) continue;
    await tx.objectStore("photos").delete([photo.by, photo.sha256]);
    await tx.objectStore("bytes").delete(photo.sha256);
    over.push(photo.sha256);
  }
  await dropPictures(tx, (await tx.objectStore("cache").getAllKeys()).map((/** @type {string} */ key) => key.split(":")[0]).filter((/** @type {string} */ sha) => !waiting.has(sha)));
  return over;
}

/** Fetched pictures that no document here names. @param {any} tx @param {string[]} hashes */
export async function dropPictures(tx, hashes) {
  const named = await namedHashes(tx);
  for (const sha256 of hashes) if (!named.has(sha256)) for (const size of ["thumb", "screen", "full"]) await tx.objectStore("cache").delete(`${sha256}:${size}`);
}

/** Hashes of the entries that are here, or will be when the server has them. @param {any} tx @returns {Promise<Set<string>>} */
async function namedHashes(tx) {
  const entries = (await tx.objectStore("docs").index("type").getAll("evidence")).map((/** @type {any} */ e) => e.data.sha256);
  const coming = [...(await tx.objectStore("outbox").getAll()), ...(await tx.objectStore("done").index("shown").getAll())].map((m) => m.set?.sha256);
  return new Set([...entries, ...coming]);
}
