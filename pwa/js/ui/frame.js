// The frame of every page: skip link, header with way back, main, action bar at the thumb.
import { html, nothing } from "lit-html";
import { icon } from "./icon.js";
import { t } from "../text/text.js";

/**
 * @param {{title: string, under?: unknown, back?: string | null, tools?: unknown, strip?: unknown, body: unknown, bar?: unknown, kind?: string}} o
 */
export function frame(o) {
  return html`<div class="page ${o.kind ?? ""}">
    <a class="skip" href="#main" @click=${toMain}>${t("app.skip")}</a>
    <header>
      ${o.back ? html`<a class="round" href=${o.back} aria-label=${t("back")}>${icon("back")}</a>` : nothing}
      <div class="grow"><h1 tabindex="-1">${o.title}</h1>${o.under ? html`<p>${o.under}</p>` : nothing}</div>
      ${o.tools ?? nothing}
    </header>
    <div class="weave" aria-hidden="true"></div>
    <main id="main" tabindex="-1">${o.strip ?? nothing}${o.body}</main>
    ${o.bar ? html`<footer class="bar">${o.bar}</footer>` : nothing}
  </div>`;
}

/** @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** A calm empty place. @param {string} name icon @param {string} title @param {string} [text] */
export const empty = (name, title, text) => html`<div class="empty">${icon(name, "large")}<strong>${title}</strong>${text ? html`<p>${text}</p>` : nothing}</div>`;

/** The main button. @param {string} name icon @param {string} words @param {() => void} act @param {boolean} [disabled] */
export const big = (name, words, act, disabled = false) => html`<button type="button" class="big" ?disabled=${disabled} @click=${act}>${icon(name)}<span>${words}</span></button>`;

/** The quieter button. @param {string} name icon @param {string} words @param {() => void} act */
export const alt = (name, words, act) => html`<button type="button" class="alt" @click=${act}>${icon(name)}<span>${words}</span></button>`;
