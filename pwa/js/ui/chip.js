// Statuses in words with an icon: never by colour alone.
import { html } from "lit-html";
import { icon } from "./icon.js";
import { t } from "../text/text.js";

const DOSSIER = {
  none: ["edit", "quiet"],
  draft: ["edit", "quiet"],
  submitted: ["sending", "go"],
  appraised: ["received", "go"],
  returned: ["incomplete", "bad"],
  eligible: ["accepted", "go"],
  not_eligible: ["incomplete", "bad"],
  decided: ["star", "sun"],
};
const PHOTO = {
  waiting: ["waiting", "sun"],
  sending: ["sending", "sun"],
  received: ["received", "go"],
  on_its_way: ["waiting", "quiet"],
  not_here: ["info", "quiet"],
};
const VERDICT = { accepted: ["accepted", "go"], retake: ["retake", "bad"], incomplete: ["incomplete", "bad"] };

/** @param {string} words @param {string} name icon @param {string} tone go, sun, bad or quiet */
export const chip = (words, name, tone) => html`<span class="chip ${tone}">${icon(name)}<span>${words}</span></span>`;

/** @param {string} state @param {string} [reason] */
export function stateChip(state, reason) {
  const [name, tone] = DOSSIER[/** @type {keyof typeof DOSSIER} */ (state || "none")] ?? DOSSIER.none;
  return chip(stateWords(state, reason), name, tone);
}

/** The dossier's state in the programme's words, its reason included. @param {string} state @param {string} [reason] */
export function stateWords(state, reason) {
  const words = t(`state.${state || "none"}`);
  return reason && (state === "returned" || state === "not_eligible") ? `${words}: ${reason}` : words;
}

/** @param {{status: string, verdict?: string, reason?: string}} photo @param {boolean} [long] with the reason */
export function photoChip(photo, long = false) {
  const verdict = photo.verdict && VERDICT[/** @type {keyof typeof VERDICT} */ (photo.verdict)];
  if (verdict) {
    const words = t(`verdict.${photo.verdict}`);
    return chip(long && photo.reason ? `${words}: ${photo.reason}` : words, verdict[0], verdict[1]);
  }
  const [name, tone] = PHOTO[/** @type {keyof typeof PHOTO} */ (photo.status)] ?? PHOTO.waiting;
  return chip(t(`photo.${photo.status}`), name, tone);
}
