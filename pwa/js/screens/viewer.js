// One photo large: its status and reason, caption, and what may be done with it (take again, move, remove with undo).
import { html, nothing } from "lit-html";
import { moment, t } from "../text/text.js";
import { photoChip } from "../ui/chip.js";
import { field } from "../ui/field.js";
import { alt, big } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { picture } from "../ui/tile.js";
import { toCapture, toTalk } from "./routes.js";

/** @param {any} ctx @param {any} d @param {any} i @param {string} photoId */
export function openPhoto(ctx, d, i, photoId) {
  const memory = { caption: /** @type {string | null} */ (null), basis: /** @type {any} */ (null) };
  ctx.sheet(t("viewer.title"), () => {
    const now = ctx.data?.dossier ?? d;
    const photo = now.indicators.flatMap((/** @type {any} */ one) => one.photos).find((/** @type {any} */ p) => p.id === photoId);
    return photo ? photoView(ctx, now, i, photo, memory) : html`<p>${t("viewer.removed")}</p>`;
  });
}

/** @param {any} ctx @param {any} d @param {any} i @param {any} photo @param {{caption: string | null, basis: any}} memory */
function photoView(ctx, d, i, photo, memory) {
  const again = (photo.verdict === "retake" || photo.verdict === "incomplete") && !photo.replacedBy && d.state !== "decided";
  return html`<figure class="photolarge">${picture(ctx.url(photo.sha256, "screen"), photo.caption || t("viewer.title"), photo.status)}</figure>
    <p class="statline">${photoChip(photo, true)}${photo.verdict ? html`<span class="soft small">${t(`photo.${photo.status}`)}</span>` : nothing}</p>
    ${photo.replacedBy ? html`<p class="strip go">${icon("received")}<span>${t("viewer.replaced")}</span></p>` : nothing}
    <p class="soft small">${t("viewer.at", { time: moment(photo.captured_at) })} · ${t(`viewer.${photo.source === "library" ? "library" : "camera"}`)}</p>
    ${again ? big("camera", t("viewer.retake"), () => ctx.go(toCapture(d.citizen.id, i.no, photo.id))) : nothing}
    ${photo.mine && d.editable ? captionField(ctx, photo, memory) : photo.caption ? html`<p>${photo.caption}</p>` : nothing}
    ${alt("talk", `${t("talk.photo")}${photo.talk ? ` (${photo.talk.all})` : ""}`, () => ctx.go(toTalk(d.citizen.id, photo.id)))}
    ${photo.canRemove ? html`<div class="buttons">${alt("move", t("viewer.move"), () => askMove(ctx, d, i, photo))}${alt("remove", t("viewer.remove"), () => removePhoto(ctx, photo.id))}</div>` : nothing}`;
}

/** @param {any} ctx @param {any} photo @param {{caption: string | null, basis: any}} memory basis: of the entry as it was when typing began */
function captionField(ctx, photo, memory) {
  const value = memory.caption ?? photo.caption ?? "";
  const save = async () => {
    const { ok } = await ctx.attempt(async () => ctx.app.setCaption(photo.id, value, await memory.basis));
    if (ok) memory.basis = null;
    if (ok) ctx.toast(t("saved"));
  };
  return html`${field({ id: "caption", label: t("capture.caption"), value, optional: true, max: 300, input: (v) => { memory.basis ??= ctx.app.basisOf(photo.id); memory.caption = v; ctx.redraw(); } })}
    ${value !== (photo.caption ?? "") ? html`<button type="button" class="alt wide" @click=${save}>${t("viewer.caption.save")}</button>` : nothing}`;
}

/** Takes a photo away, with time to undo. @param {any} ctx @param {string} id */
export async function removePhoto(ctx, id) {
  const { ok, value } = await ctx.attempt(() => ctx.app.removePhoto(id));
  if (!ok) return;
  ctx.closeSheet();
  ctx.toast(t("viewer.removed"), { name: "remove", undo: () => ctx.attempt(() => ctx.app.undo(value)).then((/** @type {any} */ done) => done.ok && ctx.toast(t("viewer.restored"))) });
}

/** @param {any} ctx @param {any} d @param {any} i @param {any} photo */
async function askMove(ctx, d, i, photo) {
  const people = ctx.status.me.role === "citizen" ? [] : await ctx.app.searchPeople("");
  const to = { citizenId: d.citizen.id, indicator: i.no };
  const act = async () => {
    const { ok } = await ctx.attempt(() => ctx.app.movePhoto(photo.id, to));
    if (!ok) return;
    ctx.closeSheet();
    ctx.toast(t("viewer.moved", { n: to.indicator }));
  };
  const option = (/** @type {string | number} */ value, /** @type {string} */ words, /** @type {boolean} */ on) => html`<option value=${value} ?selected=${on}>${words}</option>`;
  ctx.sheet(t("move.title"), () => html`
    ${people.length > 1 ? html`<div class="field"><label for="move-person">${t("move.person")}</label><select id="move-person" @change=${(/** @type {any} */ e) => { to.citizenId = e.target.value; ctx.redraw(); }}>
      ${people.map((/** @type {any} */ p) => option(p.id, `${p.full_name} (${p.birth_year})`, p.id === to.citizenId))}</select></div>` : nothing}
    <div class="field"><label for="move-indicator">${t("move.indicator")}</label><select id="move-indicator" @change=${(/** @type {any} */ e) => { to.indicator = Number(e.target.value); ctx.redraw(); }}>
      ${d.indicators.map((/** @type {any} */ one) => option(one.no, `${one.no}. ${one.title}`, one.no === to.indicator))}</select></div>
    <button type="button" class="big" ?disabled=${to.citizenId === d.citizen.id && to.indicator === i.no} @click=${act}>${icon("move")}<span>${t("move.do")}</span></button>`);
}
