// The one place that vouches for script addresses: our own origin's only, as Trusted Types ask for workers.

/** @type {{createScriptURL: (address: string) => string} | null} */
let policy = null;

/** @param {string} address of a worker's script on our origin */
export function scriptAddress(address) {
  const url = new URL(address, document.baseURI);
  if (url.origin !== location.origin) throw new Error("foreign script");
  const trustedTypes = /** @type {any} */ (window).trustedTypes;
  if (!trustedTypes) return url.href;
  policy ??= trustedTypes.createPolicy("minhchung", { createScriptURL: (/** @type {string} */ one) => one });
  return /** @type {any} */ (policy).createScriptURL(url.href);
}
