// How a photo travels: chunk sizes toward 8 seconds each, and what is left to say about time.

export const MIN_CHUNK = 32 * 1024;
export const MAX_CHUNK = 256 * 1024;

/** @param {number} bytesPerMs measured so far, 0 for unknown */
export function chunkSize(bytesPerMs) {
  if (!bytesPerMs) return 64 * 1024;
  const step = 16 * 1024;
  const wanted = Math.round((bytesPerMs * 8000) / step) * step;
  return Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, wanted));
}

/** A moving measure of the line. @param {number} before @param {number} bytes @param {number} ms */
export const measured = (before, bytes, ms) => (before ? before * 0.7 + (bytes / Math.max(ms, 1)) * 0.3 : bytes / Math.max(ms, 1));

/** Whole seconds that this many bytes take; null where the line was never measured. @param {number} bytes @param {number} bytesPerMs */
export const secondsFor = (bytes, bytesPerMs) => (bytesPerMs ? Math.max(1, Math.ceil(bytes / bytesPerMs / 1000)) : null);
