// What is unsent as one signed file, for when there is no other way; only what the server lists counts as sent.
import { identity, sign } from "./identity.js";
import { zip } from "./zip.js";

/** @param {{store: any, net: any, env: any}} parts */
export function createDeposit({ store, net, env }) {
  /** @param {{mutations: any[], photos?: any[], drafts?: any[], aside?: any[]}} what */
  async function pack({ mutations, photos = [], drafts = [], aside = [] }) {
    const who = await identity(store);
    const content = { v: 1, device: who.id, at: env.iso(), mutations, photos: photos.map(({ sha256, by, type }) => ({ sha256, by, type })), drafts, aside };
    const outbox = new TextEncoder().encode(JSON.stringify(content));
    const files = [{ name: "outbox.json", bytes: outbox }, { name: "signature", bytes: new TextEncoder().encode(await sign(who, outbox)) }];
    for (const sha256 of new Set(photos.map((photo) => photo.sha256))) {
      const bytes = await store.bytes(sha256);
      if (bytes) files.push({ name: `photos/${sha256}`, bytes: new Uint8Array(bytes) });
    }
    return zip(files);
  }

  async function unsent() {
    const [outbox, photos, oversize, drafts, aside] = await Promise.all([store.outbox(), store.photos(), store.meta("oversize"), store.drafts(), store.aside()]);
    return { mutations: [...(oversize ?? []), ...outbox], photos: photos.filter((/** @type {any} */ p) => p.state !== "received"), drafts, aside };
  }

  async function exportUnsent() {
    return { name: `minh-chung-chua-gui-${env.iso().slice(0, 10)}.zip`, bytes: await pack(await unsent()) };
  }

  /** All that is unsent. @returns {Promise<boolean>} whether the server says that it keeps every piece */
  async function handOver() {
    const what = await unsent();
    if (!what.mutations.length && !what.photos.length && !what.drafts.length) return true;
    const answer = await net.deposit(await pack(what));
    const kept = new Set([...(answer.mutations ?? []), ...(answer.photos ?? [])]);
    return [...what.mutations.map((m) => m.id), ...what.photos.map((/** @type {any} */ p) => p.sha256)].every((id) => kept.has(id));
  }

  /** Open drafts of a place that is no longer ours. */
  async function handOverDrafts() {
    try {
      await net.deposit(await pack({ mutations: [], drafts: await store.drafts() }));
      await store.clearDrafts();
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

  return { exportUnsent, handOver, handOverDrafts, handOverRest };
}
