// The score picker: the band first, in words, then the number in it. A score that is set opens only by a deliberate tap.
import { html, nothing } from "lit-html";
import { icon } from "./icon.js";
import { t } from "../text/text.js";

/** @type {[string, number[]][]} */
export const BANDS = [["1-4", [1, 2, 3, 4]], ["5-6", [5, 6]], ["7-8", [7, 8]], ["9-10", [9, 10]]];

/** The band of a score. @param {number} score */
export const bandOf = (score) => BANDS.find(([, numbers]) => numbers.includes(score))?.[0] ?? "";

/**
 * `ui` is this picker's own memory: {open, band}. `save(n)` is called with the number.
 * @param {{value: number | null, ui: {open?: boolean, band?: string}, guide?: Record<string, string>, label: string,
 *   editable: boolean, redraw: () => void, save: (n: number) => void}} o
 */
export function scorePicker(o) {
  if (o.value && !o.ui.open) return shown(o);
  if (!o.editable) return html`<p class="soft">${t("score.none")}</p>`;
  return html`<div class="picker" role="group" aria-label=${o.label}>
    <p class="soft small">${t("score.pick")}</p>
    ${BANDS.map((band) => bandChoice(o, band))}
    ${o.value ? html`<button type="button" class="plain" @click=${() => set(o, { open: false })}>${t("score.keep")}: ${o.value}</button>` : nothing}
  </div>`;
}

/** @param {Parameters<typeof scorePicker>[0]} o */
function shown(o) {
  const band = bandOf(/** @type {number} */ (o.value));
  return html`<div class="scored">
    <b class="number">${o.value}</b>
    <p><strong>${t(`band.${band}`)}</strong><span class="soft small">${o.guide?.[band] ?? ""}</span></p>
    ${o.editable ? html`<button type="button" class="alt compact" aria-label="${t("score.change")} – ${o.label}" @click=${() => set(o, { open: true, band })}>${t("score.change")}</button>` : nothing}
  </div>`;
}

/** @param {Parameters<typeof scorePicker>[0]} o @param {[string, number[]]} band */
function bandChoice(o, [band, numbers]) {
  const open = o.ui.band === band;
  return html`<div class="band ${open ? "open" : ""}">
    <button type="button" class="bandhead" aria-expanded=${open} @click=${() => set(o, { band: open ? "" : band })}>
      <span class="range">${band.replace("-", "–")}</span>
      <span class="grow"><strong>${t(`band.${band}`)}</strong>${o.guide?.[band] ? html`<span class="soft small">${o.guide[band]}</span>` : nothing}</span>
      ${icon("next", open ? "down" : "")}
    </button>
    ${open ? html`<div class="numbers" role="group" aria-label=${t("score.number")}>${numbers.map((n) => html`
      <button type="button" class="num ${n === o.value ? "on" : ""}" aria-pressed=${n === o.value} aria-label=${t("score.value", { n })} @click=${() => choose(o, n)}>${n}</button>`)}</div>` : nothing}
  </div>`;
}

/** @param {Parameters<typeof scorePicker>[0]} o @param {object} change */
function set(o, change) {
  Object.assign(o.ui, change);
  o.redraw();
}

/** @param {Parameters<typeof scorePicker>[0]} o @param {number} n */
function choose(o, n) {
  Object.assign(o.ui, { open: false, band: "" });
  if (n !== o.value) o.save(n);
  o.redraw();
}
