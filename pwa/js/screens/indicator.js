// One indicator of one person: what it asks, photos, score, declaration in words.
import { html, nothing } from "lit-html";
import { SENTENCES } from "../text/sentences.js";
import { t } from "../text/text.js";
import { chip } from "../ui/chip.js";
import { alt, big, frame } from "../ui/frame.js";
import { field } from "../ui/field.js";
import { icon } from "../ui/icon.js";
import { BANDS, scorePicker } from "../ui/score.js";
import { strip } from "../ui/strip.js";
import { tile } from "../ui/tile.js";
import { sheet } from "./later.js";
import { pickPhotos } from "./picking.js";
import { missingPage } from "./person.js";
import { toCapture, toConflict, toIndicator, toPerson } from "./routes.js";

const openPhoto = sheet("openPhoto");

export const indicator = {
  name: "indicator",
  async load(/** @type {any} */ ctx) {
    const [citizen, no] = ctx.route.parts;
    const dossier = await ctx.app.dossier(citizen);
    const one = dossier?.indicators.find((/** @type {any} */ i) => i.no === Number(no));
    if (!one) return null;
    if (ctx.ui.note === undefined) await takeUp(ctx, dossier, one);
    if (!ctx.ui.dirty && ctx.ui.note === (ctx.data?.one?.note ?? "")) ctx.ui.note = one.note ?? "";
    return { dossier, one };
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.one ? page(ctx, ctx.data.dossier, ctx.data.one) : missingPage(ctx)),
  hide: saveNote,
  leave: saveNote,
};

/** What was typed before the browser was killed, with what the person saw then. @param {any} ctx @param {any} d @param {any} one */
async function takeUp(ctx, d, one) {
  const kept = await ctx.app.draft(noteKey(ctx));
  const { text = kept, basis } = kept?.text === undefined ? {} : kept;
  ctx.ui.note = text ?? one.note ?? "";
  ctx.ui.dirty = d.editable && ctx.ui.note !== (one.note ?? "");
  ctx.ui.basis = ctx.ui.dirty ? basis : undefined;
}

/** From the first letter on the form stands on what the person saw, whatever another tab or the commune writes meanwhile. @param {any} ctx */
function begin(ctx) {
  ctx.ui.basis ??= ctx.data.dossier.basis;
  ctx.ui.dirty = true;
}

/** @param {any} ctx */
const noteKey = (ctx) => `note/${ctx.route.parts.join("/")}`;

/** @param {any} ctx @param {any} d @param {any} i */
function page(ctx, d, i) {
  const id = d.citizen.id;
  return frame({
    title: `${i.no}. ${i.title}`,
    under: d.citizen.full_name,
    back: toPerson(id),
    strip: strip(ctx.status),
    body: html`${i.digital ? html`<p class="statline">${chip(t("indicator.digital"), "phone", "go")}</p>` : nothing}
      <p class="lead">${i.asks}</p>
      ${i.verdict === "incomplete" ? html`<p class="strip bad">${icon("incomplete")}<span><b>${t("verdict.incomplete")}</b>: ${i.verdictReason}</span></p>` : nothing}
      ${i.held ? html`<a class="strip sun" href=${toConflict((i.yours ?? i.held).id)}>${icon(i.yours ? "two" : "waiting")}<span class="grow">${i.yours ? html`<b>${t("conflict.two")}</b> – ${t("conflict.ask")}` : t("person.held")}</span>${icon("next")}</a>` : nothing}
      ${guide(i.guide, i.sample)}
      ${photos(ctx, d, i)}
      ${scores(ctx, d, i)}
      ${note(ctx, d, i)}
      ${neighbours(d, i)}`,
    bar: d.editable ? html`${alt("gallery", t("indicator.pick"), () => pickPhotos(ctx, { citizenId: id, indicator: i.no }))}${big("camera", t("indicator.shoot"), () => ctx.go(toCapture(id, i.no)))}` : nothing,
  });
}

/** @param {any} g @param {boolean} [sample] not yet the commune's own words */
function guide(g, sample) {
  if (!g) return nothing;
  return html`<details class="card guide"><summary>${icon("info")}<span class="grow">${t("indicator.guide")}${sample ? html` <small class="soft">(${t("indicator.sample")})</small>` : nothing}</span>${icon("next")}</summary>
    <dl>${BANDS.map(([band]) => g[band] ? html`<dt>${band.replace("-", "–")}</dt><dd>${g[band]}</dd>` : nothing)}</dl>
    ${g.photos ? html`<p class="guidephotos">${icon("camera")}<span><b>${t("indicator.guide.photos")}:</b> ${g.photos}</span></p>` : nothing}</details>`;
}

/** @param {any} ctx @param {any} d @param {any} i */
function photos(ctx, d, i) {
  return html`<section><h2>${t("indicator.photos")}</h2>
    ${i.photos.length
      ? html`<ul class="tiles">${i.photos.map((/** @type {any} */ photo) => tile({ photo, url: ctx.url(photo.sha256, "thumb"), open: () => openPhoto(ctx, d, i, photo.id) }))}</ul>`
      : html`<p class="soft card pad nophotos">${icon("camera")}<span>${t("indicator.nophotos")}</span></p>`}</section>`;
}

/** @param {any} ctx @param {any} d @param {any} i */
function scores(ctx, d, i) {
  ctx.ui.score ??= {};
  const others = [[t("person.chapter"), i.chapter], [t("person.final"), i.final]].filter(([, value]) => value);
  return html`<section><h2>${t("indicator.self")}</h2>
    ${scorePicker({ value: i.self, ui: ctx.ui.score, guide: i.guide, label: t("indicator.self"), editable: d.editable, redraw: ctx.redraw, save: (n) => save(ctx, d, { [`self.${i.no}`]: n }) })}
    ${others.map(([who, value]) => html`<p class="otherscore"><span class="grow">${who}</span><b>${value}</b></p>`)}
    ${d.editable ? nothing : html`<p class="soft small">${t("indicator.locked")}</p>`}</section>`;
}

/** @param {any} ctx @param {any} d @param {Record<string, unknown>} fields */
async function save(ctx, d, fields) {
  const { ok } = await ctx.attempt(() => ctx.app.setFields(d.id, "dossier", fields, d.basis));
  if (ok) ctx.toast(t("saved"));
  return ok;
}

/** @param {any} ctx @param {any} d @param {any} i */
function note(ctx, d, i) {
  if (!d.editable) return i.note ? html`<section><h2>${t("indicator.note")}</h2><p class="card pad">${i.note}</p></section>` : nothing;
  return html`<section><h2>${t("indicator.note")}</h2><p class="soft small">${t("indicator.note.hint")}</p>
    <div class="sentences">${(SENTENCES[i.no] ?? []).map((sentence) => html`<button type="button" class="sentence" aria-pressed=${ctx.ui.note.includes(sentence)} @click=${() => tap(ctx, sentence)}>${icon(ctx.ui.note.includes(sentence) ? "received" : "note")}<span>${sentence}</span></button>`)}</div>
    ${field({ id: "note", label: t("indicator.note.label"), value: ctx.ui.note, lines: 3, optional: true, input: (v) => typed(ctx, v) })}
    ${ctx.ui.note !== (i.note ?? "") ? html`<button type="button" class="big" @click=${() => saveNote(ctx)}>${icon("save")}<span>${t("indicator.note.save")}</span></button>` : i.note ? chip(t("saved"), "received", "go") : nothing}</section>`;
}

/** A tapped sentence is added, or taken out again, and saved at once. @param {any} ctx @param {string} sentence */
function tap(ctx, sentence) {
  const now = ctx.ui.note;
  ctx.ui.note = now.includes(sentence) ? now.replace(sentence, "").replace(/\s{2,}/g, " ").trim() : `${now.trim()} ${sentence}`.trim();
  begin(ctx);
  saveNote(ctx);
}

/** @param {any} ctx @param {string} value */
function typed(ctx, value) {
  ctx.ui.note = value;
  begin(ctx);
  clearTimeout(ctx.ui.timer);
  ctx.ui.timer = setTimeout(ctx.app.saveDraft, 400, noteKey(ctx), { text: value, basis: ctx.ui.basis });
  ctx.redraw();
}

/** Writes the declaration; leaving the page or hiding it does the same. @param {any} ctx */
async function saveNote(ctx) {
  const { data, ui } = ctx;
  if (!ui.dirty || !data?.one || ui.note === (data.one.note ?? "")) return;
  clearTimeout(ui.timer);
  ui.dirty = false;
  const key = noteKey(ctx);
  const ok = await save(ctx, { ...data.dossier, basis: ui.basis ?? data.dossier.basis }, { [`note.${data.one.no}`]: ui.note });
  if (!ok) { ui.dirty = true; return; }
  ui.basis = undefined;
  await ctx.app.clearDraft(key);
}

/** @param {any} d @param {any} i */
function neighbours(d, i) {
  const link = (/** @type {number} */ no, /** @type {string} */ words, /** @type {string} */ name) => no < 1 || no > d.indicators.length ? html`<span></span>` : html`<a class="neighbour" href=${toIndicator(d.citizen.id, no)}>${name === "back" ? icon("back") : nothing}<span>${words}</span>${name === "next" ? icon("next") : nothing}</a>`;
  return html`<nav class="neighbours" aria-label=${t("indicator.next")}>${link(i.no - 1, t("indicator.prev"), "back")}${link(i.no + 1, t("indicator.next"), "next")}</nav>`;
}
