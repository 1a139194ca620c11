// Addresses of screens: the part behind # says where one stands, so that a killed page comes back there.

/** @param {string} hash */
export function parseRoute(hash) {
  const pair = /^#\/?pair(?:=([A-Za-z0-9]+))?$/.exec(hash);
  if (pair) return { name: "pair", parts: [], query: new URLSearchParams(), code: pair[1] ?? "", key: "pair" };
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?");
  const [first, ...parts] = path.split("/").map(decodeURIComponent);
  const name = first === "person" && parts.length > 1 ? "indicator" : first || "home";
  return { name, parts, query: new URLSearchParams(search), code: "", key: hash };
}

export const toPerson = (/** @type {string} */ citizen) => `#/person/${citizen}`;
export const toIndicator = (/** @type {string} */ citizen, /** @type {number} */ no) => `#/person/${citizen}/${no}`;
export const toCapture = (/** @type {string} */ citizen, /** @type {number} */ no, /** @type {string} */ replaces = "") => `#/capture/${citizen}/${no}${replaces ? `?replaces=${replaces}` : ""}`;
export const toAppraise = (/** @type {string} */ citizen) => `#/appraise/${citizen}`;
export const toConflict = (/** @type {string} */ id) => `#/conflict/${id}`;
/** @param {string} citizen @param {string} [photo] */
export const toTalk = (citizen, photo) => `#/talk/${citizen}${photo ? `/${photo}` : ""}`;
