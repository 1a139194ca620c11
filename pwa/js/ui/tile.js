// One photo in a grid: picture, status in words, opens on tap.
import { html, nothing } from "lit-html";
import { until } from "lit-html/directives/until.js";
import { icon } from "./icon.js";
import { photoChip } from "./chip.js";
import { t } from "../text/text.js";

/** An image whose address is still to be fetched from the store; words where the bytes are not here.
 * @param {Promise<string | null> | string | null} url @param {string} alt @param {string} [extra] */
export const picture = (url, alt, extra = "") => html`${until(Promise.resolve(url).then((src) => src
  ? html`<img class=${extra} src=${src} alt=${alt} decoding="async" />`
  : html`<span class="noimage ${extra}" role="img" aria-label="${alt}: ${t("photo.not_here")}">${icon("gallery")}<small>${t("photo.not_here")}</small></span>`), html`<span class="noimage ${extra}"></span>`)}`;

/** @param {{photo: any, url: any, open: () => void}} o */
export function tile({ photo, url, open }) {
  const caption = photo.caption || t("tile.nocaption");
  const status = photo.verdict ? t(`verdict.${photo.verdict}`) : t(`photo.${photo.status}`);
  return html`<li><button type="button" class="tile ${photo.verdict ?? ""} ${photo.replacedBy ? "old" : ""}" aria-label=${t("tile.open", { caption, status })} @click=${open}>
    ${picture(url, "")}
    <span class="tilestate">${photoChip(photo)}</span>
    ${photo.caption ? html`<span class="tilecaption">${photo.caption}</span>` : nothing}
  </button></li>`;
}
