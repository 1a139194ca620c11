// Photos go up one by one, in chunks, from where the server says it stands; only a receipt ends one.
import { APP_VERSION } from "../../../sync/js/protocol.js";
import { chunkSize, measured, secondsFor } from "../../../sync/js/photos.js";
import { sha256Base64, sha256Hex } from "./identity.js";

const MOST_RESTARTS = 4;
/** Sending the same bytes again cannot help: such a photo rests until the app is a newer one. */
const FOR_GOOD = ["upload.type", "upload.empty", "too_large", "photo.bytes_missing", "photo.bytes_changed"];
/** The line, the server or this phone as a whole: no other photo would fare better now. */
const FOR_ALL = ["no_signal", "portal", "busy", "upload.busy", "too_many", "auth.required", "device.revoked"];

/** @param {any} photo a row of the store */
export const rests = (photo) => photo.state !== "received" && photo.rests === APP_VERSION;

/** @param {{store: any, net: any, env: any, state: any, mended: (step: () => Promise<any>, tries: number) => Promise<any>}} parts */
export function createUploader({ store, net, env, state, mended }) {
  let bytesPerMs = 0;

  /**
   * Sends what the server needs, oldest first. A failing photo steps aside; the others go on.
   * @param {any[]} told the server's `photos` @param {() => boolean} stop
   */
  async function run(told, stop) {
    const where = new Map(told.map((photo) => [`${photo.by} ${photo.sha256}`, photo]));
    const waiting = (await store.photos()).filter((/** @type {any} */ p) => p.state !== "received" && !rests(p)).sort((/** @type {any} */ a, /** @type {any} */ b) => (a.at < b.at ? -1 : 1));
    let left = waiting.reduce((/** @type {number} */ sum, /** @type {any} */ p) => sum + p.size, 0);
    state.progress({ photosSent: 0, photosTotal: waiting.length, bytesLeft: left, etaSeconds: secondsFor(left, bytesPerMs) });
    let sent = 0;
    for (const photo of waiting) {
      if (stop()) return;
      const before = left;
      const moved = (/** @type {number} */ offset) => { left = before - offset; state.progress({ photosSent: sent, photosTotal: waiting.length, bytesLeft: left, etaSeconds: secondsFor(left, bytesPerMs), sending: photo.sha256 }); };
      const done = await sendAside(photo, where.get(`${photo.by} ${photo.sha256}`), stop, moved);
      if (done) sent += 1;
      left = before - photo.size;
    }
    state.progress({ photosSent: sent, photosTotal: waiting.length, bytesLeft: 0, etaSeconds: null, sending: null });
  }

  /** @param {any} photo @param {any} told @param {() => boolean} stop @param {(offset: number) => void} moved */
  async function sendAside(photo, told, stop, moved) {
    try {
      return await mended(() => send(photo, told, stop, moved), 2);
    } catch (error) {
      const { code = "internal", status } = /** @type {any} */ (error);
      if (FOR_ALL.includes(code) || [429, 503, 507].includes(status)) throw error;
      await store.run(["photos"], "readwrite", async (/** @type {any} */ tx) => {
        const known = await tx.objectStore("photos").get([photo.by, photo.sha256]);
        if (known) await tx.objectStore("photos").put({ ...known, reason: code, ...(FOR_GOOD.includes(code) ? { rests: APP_VERSION } : {}) });
      });
      return false;
    }
  }

  /** @param {any} photo @param {any} told @param {() => boolean} stop @param {(offset: number) => void} moved */
  async function send(photo, told, stop, moved) {
    const bytes = await store.bytes(photo.sha256);
    if (!bytes) throw Object.assign(new Error("photo.bytes_missing"), { code: "photo.bytes_missing" });
    if ((await sha256Hex(bytes)) !== photo.sha256) throw Object.assign(new Error("photo.bytes_changed"), { code: "photo.bytes_changed" });
    let place = told?.upload ? { url: told.upload, offset: told.offset ?? 0, receipt: null } : await net.createUpload({ ...photo, size: bytes.byteLength });
    for (let restarts = 0; !place.receipt; ) {
      if (stop()) return false;
      moved(place.offset);
      const chunk = bytes.slice(place.offset, place.offset + chunkSize(bytesPerMs));
      try {
        const began = env.now();
        const after = await net.sendChunk(place.url, place.offset, chunk, await sha256Base64(chunk));
        bytesPerMs = measured(bytesPerMs, chunk.byteLength, env.now() - began);
        if (after.offset === place.offset && !after.receipt) restarts += 1;
        if (restarts > MOST_RESTARTS) throw Object.assign(new Error("upload.stuck"), { code: "upload.stuck" });
        place = { ...place, ...after };
      } catch (error) {
        restarts += 1;
        if (restarts > MOST_RESTARTS) throw error;
        place = await resumed(place, photo, bytes, error);
      }
    }
    if (place.receipt !== photo.sha256) throw Object.assign(new Error("upload.hash"), { code: "upload.hash" });
    await store.received(photo.by, photo.sha256, env.iso());
    return true;
  }

  /** Never into another hash: a lost upload begins anew. @param {any} place @param {any} photo @param {ArrayBuffer} bytes @param {any} error */
  async function resumed(place, photo, bytes, error) {
    if (error.code === "upload.gone" || error.code === "upload.hash") return net.createUpload({ ...photo, size: bytes.byteLength });
    if (error.code !== "upload.offset" && error.code !== "upload.checksum") throw error;
    return { ...place, ...(await net.uploadOffset(place.url)) };
  }

  return { run };
}
