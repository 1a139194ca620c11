// Two versions of one thing: the list of them, and the page on which one is chosen. Everything by others is text, never markup.
import { html, nothing } from "lit-html";
import { moment, t } from "../text/text.js";
import { chip } from "../ui/chip.js";
import { field } from "../ui/field.js";
import { alt, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { scorePicker } from "../ui/score.js";
import { strip } from "../ui/strip.js";
import { tile } from "../ui/tile.js";
import { isCitizen } from "./home.js";
import { toConflict, toIndicator, toPerson } from "./routes.js";
import { openPhoto } from "./viewer.js";

const UNDO_MS = 15_000;

export const conflicts = {
  name: "conflicts",
  load: (/** @type {any} */ ctx) => ctx.app.conflicts(),
  view: listView,
};

/** @param {any} ctx */
function listView(ctx) {
  const all = ctx.data ?? [];
  const yours = all.filter((/** @type {any} */ c) => c.yours && !c.chosen);
  const chosen = all.filter((/** @type {any} */ c) => c.chosen);
  const others = all.filter((/** @type {any} */ c) => !c.yours && !c.chosen);
  return frame({
    title: t("conflicts.title"),
    under: ctx.status.me?.name,
    back: "#/",
    strip: strip(ctx.status, true),
    body: html`${all.length ? nothing : empty("received", t("conflicts.none"), t("conflicts.none.text"))}
      ${part(ctx, t("conflicts.yours"), yours)}${part(ctx, t("conflicts.chosen"), chosen)}${part(ctx, t("conflicts.others"), others)}`,
  });
}

/** @param {any} ctx @param {string} heading @param {any[]} cards */
function part(ctx, heading, cards) {
  if (!cards.length) return nothing;
  return html`<section><h2>${heading}</h2><ul class="card rows">${cards.map((c) => html`<li><a class="row" href=${toConflict(c.id)}>
    <span class="n">${icon(c.yours ? "two" : "waiting")}</span><span class="grow"><strong>${isCitizen(ctx) ? about(c) : c.personName}</strong><small>${isCitizen(ctx) ? "" : html`${about(c)}<br>`}${between(c)}</small></span>${icon("next", "faint")}</a></li>`)}</ul></section>`;
}

/** "Tự chấm điểm – 3. Tham gia hoạt động cộng đồng" @param {any} c */
function about(c) {
  const key = `conflict.field.${c.name}`;
  const words = t(key) === key ? t("conflict.field.other") : t(key);
  return c.no ? `${words} – ${c.no}. ${c.title}` : words;
}

/** Both values in a line, for scores. @param {any} c */
const between = (c) => (c.kind === "score" ? t("conflict.between", { one: said(c, c.theirs.value), other: said(c, c.mine.value) }) : t("conflict.two"));

/** @param {any} c @param {any} value */
function said(c, value) {
  if (value === null || value === undefined || value === "") return t("conflict.empty");
  if (c.kind === "score") return t("score.value", { n: value });
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const conflict = {
  name: "conflict",
  async load(/** @type {any} */ ctx) {
    const [id] = ctx.route.parts;
    const c = await ctx.app.conflict(id);
    if (ctx.ui.text === undefined) {
      ctx.ui.text = (await ctx.app.draft(draftKey(id))) ?? c?.last?.value ?? "";
      ctx.ui.typing = Boolean(ctx.ui.text) && c?.kind === "text";
    }
    const dossier = c ? await ctx.app.dossier(c.citizenId) : null;
    return { c, dossier };
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.c ? page(ctx, ctx.data.c) : settled(ctx)),
};

const draftKey = (/** @type {string} */ id) => `conflict/${id}`;

/** Chosen here, or by somebody else. @param {any} ctx */
function settled(ctx) {
  return frame({
    title: t("conflict.title"), back: "#/conflicts", strip: strip(ctx.status),
    body: empty("received", t("conflict.settled"), t("conflict.settled.text")),
    bar: alt("back", t("conflict.home"), () => ctx.go(ctx.ui.home ?? "#/conflicts")),
  });
}

/** @param {any} ctx @param {any} c */
function page(ctx, c) {
  const home = isCitizen(ctx) ? "#/" : toPerson(c.citizenId);
  ctx.ui.home = home; // the way back also when it is settled and not here any more
  return frame({
    title: t("conflict.title"),
    under: isCitizen(ctx) ? undefined : c.personName,
    back: c.no ? toIndicator(c.citizenId, c.no) : home,
    strip: strip(ctx.status, true),
    body: html`<p class="lead"><b>${about(c)}</b></p>
      ${c.chosen ? chosenLine(ctx, c) : c.yours ? ask(c) : waits(c)}
      <div class="versions ${c.kind}">${side(ctx, c, "theirs")}${side(ctx, c, "mine")}</div>
      ${c.yours && !c.chosen ? html`${third(ctx, c)}${promises(c)}` : nothing}
      ${photos(ctx, c)}`,
    bar: html`${alt("back", t(c.yours && !c.chosen ? "conflict.later" : "conflict.home"), () => ctx.go(home))}`,
  });
}

/** What a tap will do, before it is made. @param {any} c */
const ask = (c) => html`<p>${t("conflict.lead")} <b>${t("conflict.promise")}</b></p>
  ${c.last ? html`<p class="strip sun">${icon("info")}<span>${t("conflict.last", { value: "value" in c.last ? said(c, c.last.value) : t(`conflict.last.${c.last.pick}`) })}</span></p>` : nothing}`;

/** @param {any} c */
const promises = (c) => html`<ul class="promises">${[t("conflict.promise.undo"), t("conflict.promise.later"), ...(c.before === null ? [] : [t("conflict.before", { value: said(c, c.before) })])].map((words) => html`<li>${icon("info")}<span>${words}</span></li>`)}</ul>`;

/** @param {any} c */
const waits = (c) => html`<p class="strip sun">${icon("waiting")}<span><b>${t("person.held")}</b> – ${t(c.to === "role:staff" ? "conflict.by.staff" : c.to === "role:chapter" ? "conflict.by.chapter" : "conflict.by.other")}</span></p>`;

/** @param {any} ctx @param {any} c */
function chosenLine(ctx, c) {
  const value = said(c, "value" in c.chosen ? c.chosen.value : c[c.chosen.pick].value);
  return html`<section class="card pad" role="status"><p>${icon("received")} <b>${t("conflict.chosen", { value })}</b></p><p class="soft small">${t("conflict.chosen.text")}</p>
    ${alt("retake", t("undo"), () => undo(ctx, c))}</section>`;
}

/** One version: what it says, whose, when, from which phone. @param {any} ctx @param {any} c @param {"theirs" | "mine"} which */
function side(ctx, c, which) {
  const one = c[which];
  const picked = c.chosen?.pick === which;
  const phone = one.office ? t("conflict.office") : one.here ? t("conflict.here") : t("conflict.phone", { name: one.phone || "?" });
  return html`<section class="card pad version grow ${picked ? "picked" : ""}">
    <h2 class="strong">${t(`conflict.${which}`)}</h2>${picked ? chip(t("conflict.picked"), "received", "go") : nothing}
    ${c.kind === "score" ? html`<p class="points"><b class="number">${one.value ?? "–"}</b> ${one.value ? t("conflict.points") : t("conflict.empty")}</p>` : html`<p class="said">${said(c, one.value)}</p>`}
    <p class="small from"><span>${icon("people")} ${one.by || t("conflict.nobody")}</span><span>${icon("waiting")} ${moment(one.at)}</span><span>${icon("phone")} ${phone}</span></p>
    ${c.yours && !c.chosen ? html`<button type="button" class="big" aria-label="${pickWords(c, one.value)} – ${one.by}" @click=${() => choose(ctx, c, { pick: which })}>${icon("accepted")}<span>${pickWords(c, one.value)}</span></button>` : nothing}</section>`;
}

/** @param {any} c @param {any} value */
const pickWords = (c, value) => (c.kind === "score" && value ? t("conflict.take.score", { n: value }) : t("conflict.take"));

/** Neither: another value. @param {any} ctx @param {any} c */
function third(ctx, c) {
  const { ui } = ctx;
  if (!ui.typing) return html`<button type="button" class="alt wide" @click=${() => { ui.typing = true; ui.pick = { open: true }; ctx.redraw(); }}>${icon("edit")}<span>${t(c.kind === "score" ? "conflict.other.score" : "conflict.other")}</span></button>`;
  const close = () => { ui.typing = false; ctx.redraw(); };
  if (c.kind === "score") {
    ui.pick ??= { open: true };
    return html`<section class="card pad"><h2 class="strong">${t("conflict.other.score")}</h2>${scorePicker({ value: null, ui: ui.pick, guide: c.guide, label: about(c), editable: true, redraw: ctx.redraw, save: (n) => choose(ctx, c, { value: n }) })}
      <button type="button" class="plain" @click=${close}>${t("cancel")}</button></section>`;
  }
  const typed = (/** @type {string} */ v) => { ui.text = v; ctx.app.saveDraft(draftKey(c.id), v); ctx.redraw(); };
  const from = (/** @type {"theirs" | "mine"} */ which) => html`<button type="button" class="alt compact" @click=${() => typed(String(c[which].value ?? ""))}>${t(`conflict.copy.${which}`)}</button>`;
  return html`<section class="card pad"><h2 class="strong">${t("conflict.other")}</h2><div class="buttons">${from("theirs")}${from("mine")}</div>
    ${field({ id: "other", label: t("conflict.other.label"), value: ui.text, lines: 4, input: typed })}
    <button type="button" class="big" ?disabled=${!ui.text.trim()} @click=${() => choose(ctx, c, { value: ui.text.trim() })}>${icon("save")}<span>${t("conflict.other.save")}</span></button>
    <button type="button" class="plain" @click=${close}>${t("cancel")}</button></section>`;
}

/** @param {any} ctx @param {any} c */
function photos(ctx, c) {
  const i = ctx.data.dossier?.indicators.find((/** @type {any} */ one) => one.no === c.no);
  if (!c.photos.length || !i) return nothing;
  return html`<section><h2>${t("conflict.photos", { n: c.photos.length })}</h2><ul class="tiles">${c.photos.map((/** @type {any} */ photo) => tile({ photo, url: ctx.url(photo.sha256, "thumb"), open: () => openPhoto(ctx, ctx.data.dossier, i, photo.id) }))}</ul></section>`;
}

/** @param {any} ctx @param {any} c @param {any} choice */
async function choose(ctx, c, choice) {
  if (ctx.ui.choosing) return;
  ctx.ui.choosing = true;
  const { ok, value } = await ctx.attempt(() => ctx.app.choose(c.id, choice, c.rev));
  ctx.ui.choosing = false;
  if (!ok) return ctx.reload();
  if ("value" in choice) await ctx.app.clearDraft(draftKey(c.id));
  window.scrollTo(0, 0);
  ctx.toast(t("conflict.chosen", { value: short(said(c, value.value)) }), { undo: () => undo(ctx, c), ms: UNDO_MS });
}

const short = (/** @type {string} */ text) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** @param {any} ctx @param {any} c */
async function undo(ctx, c) {
  const { ok, value } = await ctx.attempt(() => ctx.app.undoChoice(c.id));
  if (ok) ctx.toast(t(value ? "conflict.undone" : "conflict.late"), { name: value ? "received" : "info" });
}
