// The phone's id and signing key: made once, kept in the store, the private half never readable.
import { hex } from "../../../sync/js/protocol.js";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const SIGN = { name: "ECDSA", hash: "SHA-256" };

const base64 = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes));
export const base64url = (/** @type {Uint8Array} */ bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** @param {BufferSource} bytes */
export const sha256Hex = async (bytes) => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
/** @param {BufferSource} bytes */
export const sha256Base64 = async (bytes) => base64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
/** @param {BufferSource} bytes */
export const sha1 = (bytes) => crypto.subtle.digest("SHA-1", bytes);

export async function makeIdentity() {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { id: crypto.randomUUID(), privateKey: pair.privateKey, key: { kty, crv, x, y } };
}

/** @param {any} store */
export async function identity(store) {
  const known = await store.meta("identity");
  if (known) return known;
  const made = await makeIdentity();
  await store.setMeta("identity", made);
  return made;
}

/** @param {any} who @param {string | Uint8Array} content */
export async function sign(who, content) {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return base64url(new Uint8Array(await crypto.subtle.sign(SIGN, who.privateKey, /** @type {any} */ (bytes))));
}

/** RFC 7638. @param {any} key */
export async function thumbprint(key) {
  const text = JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x, y: key.y });
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
