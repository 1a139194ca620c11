// One photo in a grid: picture, status in words, opens on tap.
import { html, nothing } from "lit-html";
import { icon } from "./icon.js";
import { chip, photoChip } from "./chip.js";
import { t } from "../text/text.js";

/** An image by its address: undefined while it is being fetched, null where the bytes are not on this phone.
 * @param {string | null | undefined} url @param {string} alt @param {string} [status] why it is not here */
export function picture(url, alt, status = "not_here") {
  if (url) return html`<img src=${url} alt=${alt} @error=${mark} @load=${mark} />`;
  if (url === undefined) return html`<span class="noimage"></span>`;
  return html`<span class="noimage">${icon("gallery")}<small>${t(status === "on_its_way" ? "photo.on_its_way" : "photo.not_here")}</small></span>`;
}

/** A kind of image that this browser cannot show keeps its calm place. @param {Event} event */
function mark(event) {
  /** @type {HTMLElement} */ (event.target).classList.toggle("unshown", event.type === "error");
}

/** @param {{photo: any, url: any, open: () => void}} o */
export function tile({ photo, url, open }) {
  return html`<li><button type="button" class="tile ${photo.verdict ?? ""} ${photo.replacedBy ? "old" : ""}" @click=${open}>
    <span class="unseen">${t("tile.open")}</span>${picture(url, "", photo.status)}
    <span class="tilestate">${photoChip(photo)}</span>${photo.talk ? html`<span class="tilestate">${chip(photo.talk.fresh ? t("talk.fresh") : `${t("talk.title")} (${photo.talk.all})`, "talk", photo.talk.fresh ? "sun" : "quiet")}</span>` : nothing}
    ${photo.caption ? html`<span class="tilecaption">${photo.caption}</span>` : nothing}
  </button></li>`;
}
