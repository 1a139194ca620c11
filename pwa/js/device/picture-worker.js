// The worker's side of making photos small. A classic worker: bundled to one file, floor browsers know no module workers.
import { shrinkWith } from "./picture-core.js";

const scope = /** @type {any} */ (self);

scope.onmessage = async (/** @type {MessageEvent} */ event) => {
  const { id, source } = event.data;
  try {
    const photo = await shrinkWith(source, (width, height) => new OffscreenCanvas(width, height));
    scope.postMessage({ id, photo }, [photo.bytes, photo.thumb].filter(Boolean));
  } catch (error) {
    scope.postMessage({ id, code: /** @type {any} */ (error).code ?? "worker" });
  }
};
