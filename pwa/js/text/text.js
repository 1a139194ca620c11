// The words of the interface: Vietnamese first, English by choice. Numbers and dates the Vietnamese way.
import { vi } from "./vi.js";

/** @type {Record<string, string>} */
let words = vi;
/** @type {Record<string, string>} */
let vietnamese = vi;
/** @type {Record<string, string> | null} */
let other = null;
let language = "vi";

/** English is a file of its own, so that the first load stays small; where it cannot be read, Vietnamese stays.
 * @param {string} code vi or en @param {() => Promise<{en: Record<string, string>}>} readEnglish */
export async function setLanguage(code, readEnglish) {
  const english = code === "en" ? await readEnglish().catch(() => null) : null;
  language = english ? "en" : "vi";
  other = english?.en ?? null;
  words = { ...vietnamese, ...other };
  document.documentElement.lang = language;
}

/** Words that come with a later file. @param {Record<string, string>} more */
export function addWords(more) {
  vietnamese = { ...vietnamese, ...more };
  words = { ...vietnamese, ...other };
}

export const currentLanguage = () => language;

/** The text of a key with {names} filled in. @param {string} key @param {Record<string, unknown>} [values] */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The text of a problem's code, or the general sentence. @param {string} code @param {string} [fallback] */
export const problemText = (code, fallback) => words[`problem.${code}`] ?? fallback ?? words["problem.general"];

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0).replace(".", language === "vi" ? "," : ".")} MB`;
}

const two = (/** @type {number} */ n) => String(n).padStart(2, "0");

/** 24/11/2026 14:32 @param {string | null | undefined} iso */
export function moment(iso) {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return "";
  return `${two(at.getHours())}:${two(at.getMinutes())} ${two(at.getDate())}/${two(at.getMonth() + 1)}/${at.getFullYear()}`;
}

/** "40 giây" or "3 phút" @param {number | null | undefined} seconds */
export function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return t("time.seconds", { n: Math.max(5, Math.round(seconds / 5) * 5) });
  return t("time.minutes", { n: Math.round(seconds / 60) });
}
