// The ring of points: total out of 100, with the mark that recognition asks for. Attributes only: the CSP allows no style attribute.
import { html, nothing, svg } from "lit-html";
import { t } from "../text/text.js";

const AROUND = 2 * Math.PI * 37;

/** @param {number} total @param {number} aim points needed */
export function ring(total, aim) {
  const at = ((aim / 100) * 360 * Math.PI) / 180 - Math.PI / 2;
  return html`<svg class="ring ${total >= aim ? "full" : ""}" viewBox="0 0 88 88" role="img" aria-label=${t("person.total", { n: total })}>
    <circle class="track" cx="44" cy="44" r="37"></circle>
    ${total ? arc(total) : nothing}
    ${mark(at)}
    ${figure(total)}
  </svg>`;
}

const arc = (/** @type {number} */ total) => svg`<circle class="arc" cx="44" cy="44" r="37" transform="rotate(-90 44 44)" stroke-dasharray="${(AROUND * Math.min(total, 100)) / 100} ${AROUND}"></circle>`;
const mark = (/** @type {number} */ at) => svg`<circle class="aim" cx=${44 + 37 * Math.cos(at)} cy=${44 + 37 * Math.sin(at)} r="3"></circle>`;
const figure = (/** @type {number} */ total) => svg`<text x="44" y="52" text-anchor="middle">${total}</text>`;
