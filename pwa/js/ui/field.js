// Form parts: a labelled text field, and a row of choices made of real radio buttons.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";

/** @param {{id: string, label: string, value: string, input: (value: string) => void, hint?: string, optional?: boolean, type?: string,
 *   mode?: string, lines?: number, max?: number, error?: string, autocomplete?: string}} o */
export function field(o) {
  const note = o.error ? `${o.id}-error` : nothing;
  const change = (/** @type {any} */ event) => o.input(event.target.value);
  return html`<div class="field ${o.error ? "wrong" : ""}">
    <label for=${o.id}>${o.label}${o.optional ? html` <span class="soft">(${t("optional")})</span>` : nothing}</label>
    ${o.lines
      ? html`<textarea id=${o.id} rows=${o.lines} maxlength=${o.max ?? 2000} placeholder=${o.hint ?? ""} .value=${o.value} @input=${change} aria-describedby=${note}></textarea>`
      : html`<input id=${o.id} type=${o.type ?? "text"} inputmode=${o.mode ?? "text"} maxlength=${o.max ?? 200} placeholder=${o.hint ?? ""} autocomplete=${o.autocomplete ?? "off"} .value=${o.value} @input=${change} aria-describedby=${note} aria-invalid=${o.error ? "true" : "false"} />`}
    ${o.error ? html`<p class="error" id="${o.id}-error">${o.error}</p>` : nothing}
  </div>`;
}

/** @param {{name: string, label: string, value: string, options: [string, string][], pick: (value: string) => void, error?: string, wide?: boolean}} o */
export function choices(o) {
  return html`<fieldset class="choices ${o.wide ? "wide" : ""} ${o.error ? "wrong" : ""}">
    <legend>${o.label}</legend>
    ${o.options.map(([value, words]) => html`<label class="choice">
      <input type="radio" name=${o.name} value=${value} .checked=${value === o.value} @change=${() => o.pick(value)} /><span>${words}</span></label>`)}
    ${o.error ? html`<p class="error">${o.error}</p>` : nothing}
  </fieldset>`;
}
