// Makes photos small off the main thread where the browser can, one at a time; in the page itself where it cannot.
import { shrinkWith } from "./picture-core.js";
import { scriptAddress } from "./trusted.js";

const WAIT_MS = 30_000;
/** A worker's leavings stay in memory until the browser cleans up, which on a phone with little may be too late: it ends after so many, or when idle. */
const PHOTOS_EACH = 3;
const IDLE_MS = 5000;

/** @param {string} workerAddress of the bundled picture-worker.js; empty for none */
export function createPicture(workerAddress) {
  /** @type {Worker | null} */
  let worker = null;
  let usable = Boolean(workerAddress) && "OffscreenCanvas" in window && "Worker" in window;
  let turn = Promise.resolve();
  let next = 0;
  let made = 0;
  /** @type {any} */
  let idle = null;

  function end() {
    clearTimeout(idle);
    worker?.terminate();
    worker = null;
    made = 0;
  }

  /** After a photo. */
  function tidy() {
    made += 1;
    if (made >= PHOTOS_EACH) return end();
    idle = setTimeout(end, IDLE_MS);
  }

  /** @param {Blob | ImageBitmap} source */
  async function shrinkNow(source) {
    if (usable) {
      try {
        const photo = await inWorker(source).finally(tidy);
        if (!(source instanceof Blob)) source.close();
        return photo;
      } catch (error) {
        if (/** @type {any} */ (error).code !== "worker") throw error;
        usable = false;
      }
    }
    return shrinkWith(source, pageCanvas);
  }

  /** @param {Blob | ImageBitmap} source @returns {Promise<any>} */
  function inWorker(source) {
    clearTimeout(idle);
    worker ??= new Worker(/** @type {any} */ (scriptAddress(workerAddress)));
    const running = worker;
    const id = ++next;
    return new Promise((resolve, reject) => {
      const fail = () => { end(); reject(Object.assign(new Error("worker"), { code: "worker" })); };
      const timer = setTimeout(fail, WAIT_MS);
      running.onerror = () => { clearTimeout(timer); fail(); };
      running.onmessage = ({ data }) => {
        if (data.id !== id) return;
        clearTimeout(timer);
        if (data.photo) resolve(data.photo);
        else reject(Object.assign(new Error(data.code), { code: data.code }));
      };
      // A copy, not a transfer: should the worker fail, the page still has the picture.
      running.postMessage({ id, source });
    });
  }

  /** Queued: two photos are never in memory at once. @param {Blob | ImageBitmap} source @returns {Promise<any>} */
  function shrink(source) {
    const result = turn.then(() => shrinkNow(source));
    turn = result.then(() => {}, () => {});
    return result;
  }

  return { shrink };
}

/** @param {number} width @param {number} height */
function pageCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}
