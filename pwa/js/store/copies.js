// A second copy of what is unsent, outside IndexedDB: where a disk is full to the last byte, Chromium may begin an empty database.
// Best effort, never waited for: what counts as saved is the store's own transaction.

const CACHE = "unsent";
const AT = "/app/unsent/";

export function createCopies() {
  const open = async () => (globalThis.caches ? caches.open(CACHE) : null);
  let turn = Promise.resolve();
  /** One after another; a failure costs nothing. @param {(cache: Cache) => Promise<unknown>} work */
  const later = (work) => {
    turn = turn.then(open).then((cache) => cache && work(cache)).then(() => {}, () => {});
    return turn;
  };

  /** @param {any[]} mutations @param {any} [photo] @param {ArrayBuffer} [bytes] */
  const keep = (mutations, photo, bytes) => later(async (cache) => {
    for (const mutation of mutations) await cache.put(`${AT}m/${mutation.id}`, new Response(JSON.stringify(mutation)));
    if (photo && bytes) await cache.put(`${AT}p/${photo.sha256}`, new Response(bytes, { headers: { "X-Photo": JSON.stringify({ by: photo.by, type: photo.type, size: photo.size }) } }));
  });

  const names = async (/** @type {Cache} */ cache) => (await cache.keys()).map(({ url }) => new URL(url).pathname.slice(AT.length));

  /** @param {(id: string) => boolean} over of a mutation's id or a photo's hash: is it needed no more? */
  const drop = (over) => later(async (cache) => {
    for (const name of await names(cache)) if (over(name.slice(2))) await cache.delete(AT + name);
  });

  /** Ids and hashes, without reading what they name. @returns {Promise<string[]>} */
  async function held() {
    await turn;
    const cache = await open();
    return cache ? (await names(cache)).map((name) => name.slice(2)) : [];
  }

  /** @returns {Promise<{mutations: any[], photos: {sha256: string, by: string, type: string, size: number}[]}>} */
  async function all() {
    await turn;
    const cache = await open();
    const found = { mutations: /** @type {any[]} */ ([]), photos: /** @type {any[]} */ ([]) };
    for (const name of cache ? await names(cache) : []) {
      const copy = await /** @type {Cache} */ (cache).match(AT + name);
      if (name.startsWith("m/")) found.mutations.push(await copy?.json());
      else found.photos.push({ sha256: name.slice(2), ...JSON.parse(copy?.headers.get("X-Photo") ?? "{}") });
    }
    return found;
  }

  /** @param {string} sha256 @returns {Promise<ArrayBuffer | undefined>} */
  const bytes = async (sha256) => (await (await open())?.match(`${AT}p/${sha256}`))?.arrayBuffer();

  return { keep, drop, held, all, bytes };
}
