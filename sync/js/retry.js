// When to try again: full jitter from 2 seconds to 5 minutes, or what the server says.

const FIRST_MS = 2000;
const MOST_MS = 300_000;

/** @param {number} tries so far @param {number | null} retryAfterS @param {number} random 0 to 1 */
export function waitMs(tries, retryAfterS, random) {
  if (retryAfterS) return retryAfterS * 1000 + random * 1000;
  return Math.max(FIRST_MS / 2, random * Math.min(MOST_MS, FIRST_MS * 2 ** tries));
}
