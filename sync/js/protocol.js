// The contract's names, limits and ids. Pure: hashing comes in as an argument.

export const VERSION = 1;
export const APP_VERSION = "2026.11.1";
export const DOSSIER_NAMESPACE = "6f0d9c1e-3b57-4d5a-9d0c-3a2f5e8b7c41";
export const MAX_SENT_BYTES = 256 * 1024;
export const MAX_BATCH = 500;
export const KEEP_MS = 30 * 24 * 3600 * 1000;

const hex = (/** @type {Uint8Array} */ bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * UUIDv5 of `<citizen id>/<year>`: two phones that begin it offline mean the same dossier.
 * @param {string} citizenId @param {number} year @param {(bytes: any) => Promise<ArrayBuffer>} sha1
 */
export async function dossierId(citizenId, year, sha1) {
  const space = Uint8Array.from(DOSSIER_NAMESPACE.replaceAll("-", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const name = new TextEncoder().encode(`${citizenId.toLowerCase()}/${year}`);
  const all = new Uint8Array(space.length + name.length);
  all.set(space);
  all.set(name, space.length);
  const hash = new Uint8Array(await sha1(all)).slice(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const text = hex(hash);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

/** Search without diacritics; `đ` is `d`. @param {string} text */
export const fold = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "").replace(/\s+/g, " ").trim();

/** Text that both ends can keep: no NUL, no lone surrogate. @param {string} text */
export const wellFormed = (text) => text.replaceAll("\0", "").replace(/\p{Cs}/gu, "\ufffd").normalize("NFC");

export { hex };
