// The chapter's ten scores for a dossier that was sent in: photos and self-scores beside each, kept as a draft until sent up.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";
import { field } from "../ui/field.js";
import { big, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { scorePicker } from "../ui/score.js";
import { strip } from "../ui/strip.js";
import { tile } from "../ui/tile.js";
import { missingPage } from "./person.js";
import { toPerson } from "./routes.js";
import { openPhoto } from "./viewer.js";

export const appraise = {
  name: "appraise",
  async load(/** @type {any} */ ctx) {
    const dossier = await ctx.app.dossier(ctx.route.parts[0]);
    ctx.ui.mine ??= (await ctx.app.draft(key(ctx))) ?? begun(dossier);
    return { dossier };
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.dossier ? page(ctx, ctx.data.dossier) : missingPage(ctx)),
};

/** @param {any} ctx */
const key = (ctx) => `appraise/${ctx.route.parts[0]}`;

/** What is there already: a dossier that was reopened keeps its scores. @param {any} dossier */
function begun(dossier) {
  const scores = Object.fromEntries((dossier?.indicators ?? []).filter((/** @type {any} */ i) => i.chapter).map((/** @type {any} */ i) => [i.no, i.chapter]));
  return { scores, note: dossier?.chapterNote ?? "", basis: dossier?.basis };
}

/** @param {any} ctx */
const keep = (ctx) => ctx.app.saveDraft(key(ctx), ctx.ui.mine);

/** @param {any} ctx @param {any} d */
function page(ctx, d) {
  const open = d.mayAppraise && d.state === "submitted";
  const scores = ctx.ui.mine.scores;
  const left = d.indicators.filter((/** @type {any} */ i) => !scores[i.no]).length;
  const total = Object.values(scores).reduce((/** @type {number} */ sum, n) => sum + Number(n), 0);
  return frame({
    title: t("appraise.title"),
    under: d.citizen.full_name,
    back: toPerson(d.citizen.id),
    strip: strip(ctx.status),
    body: open ? html`${d.indicators.map((/** @type {any} */ i) => one(ctx, d, i))}
      <section>${field({ id: "chapter-note", label: t("appraise.note"), value: ctx.ui.mine.note, lines: 3, optional: true, input: (v) => { ctx.ui.mine.note = v; keep(ctx); } })}
      <p class="soft small">${t("appraise.kept")}</p></section>` : empty("info", t("appraise.closed")),
    bar: open ? html`<p class="barline">${left ? t("appraise.left", { n: left }) : t("appraise.total", { n: total })}</p>${big("send", t("appraise.send"), () => send(ctx, d), left > 0)}` : nothing,
  });
}

/** @param {any} ctx @param {any} d @param {any} i */
function one(ctx, d, i) {
  const ui = ctx.ui;
  ui.pickers ??= {};
  ui.pickers[i.no] ??= {};
  const value = ui.mine.scores[i.no] ?? null;
  const give = (/** @type {number} */ n) => { ui.mine.scores[i.no] = n; keep(ctx); ctx.redraw(); };
  const live = i.photos.filter((/** @type {any} */ p) => !p.replacedBy);
  return html`<section class="card pad judge"><h2 class="strong"><span class="n">${i.no}</span>${i.title}</h2>
    ${live.length ? html`<ul class="tiles small">${live.map((/** @type {any} */ photo) => tile({ photo, url: ctx.url(photo.sha256, "thumb"), open: () => openPhoto(ctx, d, i, photo.id) }))}</ul>` : html`<p class="soft small">${t("appraise.nophotos")}</p>`}
    ${i.note ? html`<p class="quote">${icon("note")}<span>${i.note}</span></p>` : nothing}
    <p class="otherscore"><span class="grow">${t("appraise.self")}</span><b>${i.self ?? t("appraise.none")}</b></p>
    ${value || ui.pickers[i.no].open ? nothing : i.self ? html`<button type="button" class="alt wide compact" @click=${() => give(i.self)}>${t("appraise.same")}: ${i.self}</button>` : nothing}
    <p class="label">${t("appraise.ours")}</p>
    ${scorePicker({ value, ui: ui.pickers[i.no], guide: i.guide, label: `${t("appraise.ours")} – ${i.title}`, editable: true, redraw: ctx.redraw, save: give })}</section>`;
}

/** @param {any} ctx @param {any} d */
async function send(ctx, d) {
  if (ctx.ui.sending) return; // a second tap
  ctx.ui.sending = true;
  const { ok } = await ctx.attempt(() => ctx.app.appraise(d.citizen.id, ctx.ui.mine, ctx.ui.mine.basis ?? d.basis));
  ctx.ui.sending = false;
  if (!ok) return;
  await ctx.app.clearDraft(key(ctx));
  ctx.toast(t("appraise.done"));
  ctx.go(toPerson(d.citizen.id));
}
