// What is unsent as one signed file, for when there is no other way; only what the server lists counts as sent.
import { identity, sign } from "./identity.js";
import { zip } from "./zip.js";

/** The server takes 200 MB: what is heavier goes in several files. */
const MOST_BYTES = 150 * 1024 * 1024;

/** @param {{store: any, net: any, env: any, parcels: any, flush: () => Promise<void>}} parts `flush` brings what can still be undone into the outbox */
export function createDeposit({ store, net, env, parcels, flush }) {
  /** @param {{mutations: any[], photos?: any[], drafts?: any[], aside?: any[]}} what
   * @param {(sha256: string) => Promise<ArrayBuffer | undefined>} [readBytes] @returns {Promise<Blob>} */
  async function pack({ mutations, photos = [], drafts = [], aside = [] }, readBytes = store.bytes) {
    const who = await identity(store);
    const content = { v: 1, device: who.id, at: env.iso(), mutations, photos: photos.map(({ sha256, by, type }) => ({ sha256, by, type })), drafts, aside };
    const outbox = new TextEncoder().encode(JSON.stringify(content));
    const signature = new TextEncoder().encode(await sign(who, outbox));
    const bytesOf = async (/** @type {string} */ sha256) => { const bytes = await readBytes(sha256); return bytes ? new Uint8Array(bytes) : null; };
    const hashes = [...new Set(photos.map((photo) => photo.sha256))];
    return zip([{ name: "outbox.json", read: async () => outbox }, { name: "signature", read: async () => signature }, ...hashes.map((sha256) => ({ name: `photos/${sha256}`, read: () => bytesOf(sha256) }))]);
  }

  async function unsent() {
    await flush();
    const [outbox, photos, oversize, drafts, aside] = await Promise.all([store.outbox(), store.photos(), store.meta("oversize"), store.drafts(), store.aside()]);
    return { mutations: [...(oversize ?? []), ...outbox], photos: photos.filter((/** @type {any} */ p) => p.state !== "received"), drafts, aside };
  }

  /** Text and the first photos, then the photos that one file cannot hold. @param {{mutations: any[], photos: any[], drafts: any[], aside: any[]}} what */
  function loads(what) {
    const all = [{ ...what, photos: /** @type {any[]} */ ([]) }];
    let bytes = 0;
    for (const photo of what.photos) {
      if (bytes && bytes + photo.size > MOST_BYTES) {
        all.push({ mutations: [], drafts: [], aside: [], photos: [] });
        bytes = 0;
      }
      all[all.length - 1].photos.push(photo);
      bytes += photo.size;
    }
    return all;
  }

  /** @returns {Promise<{name: string, file: Blob}[]>} */
  async function exportUnsent() {
    const all = loads(await unsent());
    const files = [];
    for (const [n, load] of all.entries()) files.push({ name: `minh-chung-chua-gui-${env.iso().slice(0, 10)}${n ? `-${n + 1}` : ""}.zip`, file: await pack(load) });
    return files;
  }

  /** What an emptied database left in its second copy: for staff to hand in. @returns {Promise<{name: string, file: Blob}[]>} */
  async function exportLost() {
    const { mutations, photos } = await store.lost();
    const all = loads({ mutations, photos, drafts: [], aside: [] });
    const files = [];
    for (const [n, load] of all.entries()) files.push({ name: `minh-chung-ban-sao-${env.iso().slice(0, 10)}${n ? `-${n + 1}` : ""}.zip`, file: await pack(load, store.copyOf) });
    return files;
  }

  /** All that is unsent. @returns {Promise<Set<string> | null>} what the server says that it keeps; null where a piece is missing */
  async function handOver() {
    await parcels.sendParcels();
    const what = await unsent();
    const kept = new Set();
    if (!what.mutations.length && !what.photos.length && !what.drafts.length) return kept;
    for (const load of loads(what)) {
      const answer = await net.deposit(await pack(load));
      for (const id of [...(answer.mutations ?? []), ...(answer.photos ?? [])]) kept.add(id);
    }
    const here = [];
    for (const photo of what.photos) if (await store.bytes(photo.sha256)) here.push(photo.sha256);
    return [...what.mutations.map((m) => m.id), ...here].every((id) => kept.has(id)) ? kept : null;
  }

  /** Drafts of what this phone sees no more. @param {string[]} keys @returns {Promise<boolean>} */
  async function handOverDrafts(keys) {
    const drafts = (await store.drafts()).filter((/** @type {any} */ d) => keys.includes(d.key));
    try {
      if (drafts.length) await net.deposit(await pack({ mutations: [], drafts }));
      await store.removeDrafts(keys);
      return true;
    } catch {
      return false;
    }
  }

  /** The content of mutations too large to sync. */
  async function handOverRest() {
    const oversize = (await store.meta("oversize")) ?? [];
    if (!oversize.length) return;
    const answer = await net.deposit(await pack({ mutations: oversize })).catch(() => null);
    const kept = new Set(answer?.mutations ?? []);
    await store.setMeta("oversize", oversize.filter((/** @type {any} */ m) => !kept.has(m.id)));
  }

  return { exportUnsent, exportLost, handOver, handOverDrafts, handOverRest };
}
