// What waits, what goes up, what the commune has: by person, each with its reason.
import { html, nothing } from "lit-html";
import { moment, problemText, size, t } from "../text/text.js";
import { chip, photoChip } from "../ui/chip.js";
import { alt, big, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { sendingRest, strip } from "../ui/strip.js";
import { picture } from "../ui/tile.js";
import { toPerson } from "./routes.js";
import { exportUnsent } from "./settings.js";
import { removePhoto } from "./viewer.js";

export const queue = {
  name: "queue",
  load: (/** @type {any} */ ctx) => ctx.app.queue(),
  view,
};

/** @param {any} ctx */
function view(ctx) {
  const s = ctx.status;
  const { mutations, photos, bytes } = s.waiting;
  const waits = mutations + photos > 0;
  return frame({
    title: t("queue.title"),
    under: waits ? t("queue.summary", { texts: mutations, photos, size: size(bytes) }) : undefined,
    back: "#/",
    strip: s.round === "photos" ? progress(s) : strip(s, true),
    body: html`${photos || s.parcels ? html`<p class="strip quiet">${icon("info")}<span>${t("queue.warn")}</span></p>` : nothing}
      ${waits && s.waiting.oldestAt ? html`<p class="soft small">${t("queue.since", { time: moment(s.waiting.oldestAt) })}</p>` : nothing}
      ${s.parcels ? html`<a class="strip sun" href="#/parcels">${icon("people")}<span class="grow"><b>${t("parcels.count", { n: s.parcels })}</b></span>${icon("next")}</a>` : nothing}
      ${waits ? nothing : empty("received", t("queue.empty"), t("queue.empty.text"))}
      ${noticeLines(s)}
      ${(ctx.data ?? []).map((/** @type {any} */ group) => person(ctx, group))}`,
    bar: waits ? html`${s.paused ? alt("play", t("queue.resume"), () => ctx.attempt(() => ctx.app.resume())) : alt("pause", t("queue.pause"), () => ctx.attempt(() => ctx.app.pause()))}
      ${big("send", t("queue.send"), () => ctx.attempt(() => ctx.app.sendNow()))}` : nothing,
  });
}

/** What the commune answered that a person should know, newest first. @param {any} s */
const noticeLines = (s) => [...(s.notices ?? [])].reverse().slice(0, 8).map((/** @type {any} */ n) => html`<p class="strip quiet">${icon("info")}<span>${problemText(n.code, n.text)}<small class="soft"> ${moment(n.at)}</small></span></p>`);

/** @param {any} s */
function progress(s) {
  return html`<section class="card pad progress"><p><b>${t("strip.sending", { done: s.photosSent, total: s.photosTotal })}</b></p>
    <progress max=${s.photosTotal || 1} value=${s.photosSent} aria-label=${t("queue.sending")}></progress>
    <p class="soft small">${sendingRest(s)}</p></section>`;
}

/** @param {any} ctx @param {any} group */
function person(ctx, group) {
  if (group.others !== undefined) return group.others ? html`<p class="strip quiet">${icon("people")}<span>${t("queue.others", { n: group.others })}</span></p>` : nothing;
  return html`<section><h2><a href=${toPerson(group.citizenId)}>${group.personName}</a></h2><ul class="card rows">${gathered(group.items).map((/** @type {any} */ item) => itemRow(ctx, item))}</ul></section>`;
}

/** A person's text in one row: how many entries, how heavy, since when. @param {any[]} items */
export function gathered(items) {
  const texts = items.filter((item) => item.kind === "text");
  const others = items.filter((item) => item.kind !== "text");
  if (!texts.length) return others;
  const bytes = texts.reduce((sum, item) => sum + item.bytes, 0);
  return [{ ...texts[0], bytes, count: texts.length }, ...others];
}

/** @param {any} ctx @param {any} item */
function itemRow(ctx, item) {
  const words = item.reason && t(`reason.${item.reason}`);
  const under = [item.bytes ? size(item.bytes) : "", moment(item.at), words && words !== `reason.${item.reason}` ? words : ""].filter(Boolean).join(" · ");
  return html`<li><div class="row">${item.sha256 ? html`<span class="mini">${picture(ctx.url(item.sha256, "thumb"), "")}</span>` : html`<span class="n">${icon("note")}</span>`}
    <span class="grow"><strong>${item.indicator ? t("indicator.no", { n: item.indicator }) : t(`queue.${item.kind}`)}${item.count > 1 ? ` (${item.count})` : nothing}</strong><small>${under}</small>${item.rests ? chip(t("queue.refused"), "incomplete", "bad") : photoChip({ status: item.state })}</span></div>
    ${item.rests ? html`<div class="pad"><p class="soft small">${t("queue.refused.text")}</p><div class="buttons">${alt("save", t("settings.export"), () => exportUnsent(ctx))}${item.remove ? alt("remove", t("viewer.remove"), () => removePhoto(ctx, item.remove)) : nothing}</div></div>` : nothing}</li>`;
}
