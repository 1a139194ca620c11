// Photos to look at: our own bytes, thumbnails of what was sent in, larger ones on Wi-Fi or by a tap.

const SPACE_LIMIT_BYTES = 60 * 1024 * 1024;
/** After dropping, so that it is not done at every photo. */
const SPARED = 0.9;
const THUMB_BYTES = 8000;
const SENT_IN = ["submitted", "appraised", "returned", "eligible", "not_eligible", "decided"];

/** @param {{store: any, net: any, env: any, view: any, state: any}} parts */
export function createGallery({ store, net, env, view, state }) {
  /** Promised by another phone, not with the commune yet. */
  const missed = new Set();
  /** What the cache weighs; below zero until something is fetched. */
  let weight = -1;

  /** @param {string} sha256 @param {"thumb" | "screen"} size @returns {Promise<string | null>} */
  async function photoUrl(sha256, size) {
    const own = size === "screen" ? await store.bytes(sha256) : null;
    const cached = own ? null : ((await store.cached(`${sha256}:${size}`)) ?? (size === "screen" ? await fetched(sha256, "screen") : null));
    const bytes = own ?? cached?.bytes ?? (await store.bytes(sha256)) ?? (await store.cached(`${sha256}:thumb`))?.bytes ?? (await fetched(sha256, size))?.bytes;
    return bytes ? URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })) : null;
  }

  /** From the server, when there is signal; kept for next time. @param {string} sha256 @param {string} size */
  async function fetched(sha256, size) {
    if (state.status().signal === "no" || !state.status().paired) return null;
    try {
      const bytes = await net.photo(sha256, size);
      const entry = { key: `${sha256}:${size}`, bytes, type: "image/jpeg", used_at: env.now(), size: bytes.byteLength };
      await store.cache(entry);
      weight = weight < 0 ? await weigh() : weight + entry.size;
      if (weight > SPACE_LIMIT_BYTES) weight = await makeRoom();
      return entry;
    } catch (error) {
      if (/** @type {any} */ (error).code === "photo.absent") missed.add(sha256);
      return null;
    }
  }

  /** The photos of dossiers sent in that are not here. @param {string} size */
  async function absent(size) {
    const [evidence, dossiers, keys] = await Promise.all([view.all("evidence"), view.all("dossier"), store.cachedKeys()]);
    const sent = new Set(dossiers.filter((/** @type {any} */ d) => SENT_IN.includes(d.data.state)).map((/** @type {any} */ d) => d.id));
    const here = new Set(keys);
    const mine = new Set((await store.photos()).map((/** @type {any} */ p) => p.sha256));
    return evidence.filter((/** @type {any} */ e) => sent.has(e.data.dossier) && !here.has(`${e.data.sha256}:${size}`) && !(mine.has(e.data.sha256) && size === "screen"));
  }

  async function fetchThumbs() {
    if (!["chapter", "head", "contact"].includes(state.status().me?.role)) return;
    missed.clear();
    for (const one of await absent("thumb")) if (!(await fetched(one.data.sha256, "thumb")) && state.status().signal !== "yes") return;
    await store.setMeta("on_its_way", [...missed]);
  }

  async function plan() {
    const wanted = await absent("screen");
    return { count: wanted.length, bytes: wanted.reduce((/** @type {number} */ sum, /** @type {any} */ e) => sum + Math.min(e.data.bytes || THUMB_BYTES, 120_000), 0) };
  }

  /** Resumes where it stopped: what is here is not fetched again. */
  async function download() {
    for (const one of await absent("screen")) await fetched(one.data.sha256, "screen");
    state.refresh();
  }

  /** One entry in memory at a time: together they would be tens of megabytes. @param {any} tx @param {(cursor: any) => boolean} act goes on while true */
  async function walk(tx, act) {
    for (let cursor = await tx.objectStore("cache").index("used_at").openCursor(); cursor && act(cursor); ) cursor = await cursor.continue();
  }

  async function weigh() {
    let sum = 0;
    await store.run(["cache"], "readonly", (/** @type {any} */ tx) => walk(tx, (cursor) => { sum += cursor.value.size; return true; }));
    return sum;
  }

  /** Oldest first, with some to spare; our own unreceipted photos are never in the cache, so never dropped. */
  async function makeRoom() {
    let sum = await weigh();
    if (sum <= SPACE_LIMIT_BYTES) return sum;
    await store.run(["cache"], "readwrite", (/** @type {any} */ tx) => walk(tx, (cursor) => {
      if (sum <= SPACE_LIMIT_BYTES * SPARED) return false;
      sum -= cursor.value.size;
      cursor.delete();
      return true;
    }));
    return sum;
  }

  return { photoUrl, releaseUrl: (/** @type {string} */ url) => URL.revokeObjectURL(url), fetchThumbs, plan, download };
}
