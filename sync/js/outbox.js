// Numbers of the durable outbox: what goes in one request, and new numbers with ids unchanged.

/**
 * The next request's mutations: in order, few enough and small enough.
 * @param {import("./overlay.js").Mutation[]} all by number @param {number} most @param {number} maxBytes
 */
export function batch(all, most, maxBytes = 700_000) {
  const taken = [];
  let bytes = 0;
  for (const mutation of all) {
    bytes += JSON.stringify(mutation).length * 2;
    if (taken.length && (taken.length >= most || bytes > maxBytes)) break;
    taken.push(mutation);
  }
  return taken;
}

/** @param {import("./overlay.js").Mutation[]} all in order @param {number} from */
export const renumber = (all, from) => all.map((mutation, at) => ({ ...mutation, seq: from + at }));

/** The next batch's size: toward 6 s a round. @param {number} most @param {number} tookMs @param {boolean} tooLarge */
export function nextSize(most, tookMs, tooLarge) {
  if (tooLarge || tookMs > 6000) return Math.max(1, Math.floor(most / 2));
  return tookMs < 2000 ? 500 : Math.min(500, most * 2);
}

/** The next page's bytes of JSON: toward 6 s a page, eight times as much at most, half at least. @param {number} bytes @param {number} tookMs */
export function nextPage(bytes, tookMs) {
  const times = Math.min(8, Math.max(0.5, 6000 / Math.max(tookMs, 1)));
  return Math.min(1_000_000, Math.max(16_384, bytes * times));
}
