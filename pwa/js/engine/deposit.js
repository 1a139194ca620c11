// What is unsent as one signed file, for when there is no other way.
import { identity, sign } from "./identity.js";
import { zip } from "./zip.js";

/** @param {{store: any, env: any}} parts */
export function createDeposit({ store, env }) {
  async function exportUnsent() {
    const who = await identity(store);
    const [mutations, photos] = await Promise.all([store.outbox(), store.photos()]);
    const waiting = photos.filter((/** @type {any} */ p) => p.state !== "received");
    const content = { v: 1, device: who.id, at: env.iso(), mutations, photos: waiting.map((/** @type {any} */ p) => ({ sha256: p.sha256, by: p.by, type: p.type })) };
    const outbox = new TextEncoder().encode(JSON.stringify(content));
    const files = [{ name: "outbox.json", bytes: outbox }, { name: "signature", bytes: new TextEncoder().encode(await sign(who, outbox)) }];
    for (const sha256 of new Set(waiting.map((/** @type {any} */ p) => p.sha256))) {
      const bytes = await store.bytes(sha256);
      if (bytes) files.push({ name: `photos/${sha256}`, bytes: new Uint8Array(bytes) });
    }
    return { name: `minh-chung-chua-gui-${env.iso().slice(0, 10)}.zip`, bytes: zip(files) };
  }
  return { exportUnsent };
}
