// One photo in a grid: picture, status in words, opens on tap.
import { html, nothing } from "lit-html";
import { icon } from "./icon.js";
import { photoChip } from "./chip.js";
import { t } from "../text/text.js";

/** An image by its address: undefined while it is being fetched, null where the bytes are not on this phone.
 * @param {string | null | undefined} url @param {string} alt @param {string} [extra] */
export function picture(url, alt, extra = "") {
  if (url) return html`<img class=${extra} src=${url} alt=${alt} decoding="async" />`;
  if (url === undefined) return html`<span class="noimage ${extra}"></span>`;
  return html`<span class="noimage ${extra}">${icon("gallery")}<small>${t("photo.not_here")}</small></span>`;
}

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
