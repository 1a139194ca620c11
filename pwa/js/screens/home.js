// Home: the people of the place for those who collect and appraise; a citizen's own dossier for a citizen.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";
import { chip, stateChip } from "../ui/chip.js";
import { big, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { strip } from "../ui/strip.js";
import { person } from "./person.js";
import { toConflict, toPerson } from "./routes.js";

const PAGE = 60;
/** @type {[string, string[] | null][]} */
const FILTERS = [["all", null], ["todo", ["none", "draft"]], ["fix", ["returned"]], ["toscore", ["submitted"]], ["done", ["appraised", "eligible", "not_eligible", "decided"]]];

export const home = {
  name: "home",
  async load(/** @type {any} */ ctx) {
    if (isCitizen(ctx)) return person.load(ctx);
    ctx.ui.text ??= (await ctx.app.draft("home.search")) ?? "";
    return { people: await ctx.app.searchPeople(ctx.ui.text) };
  },
  view: (/** @type {any} */ ctx) => (isCitizen(ctx) ? person.view(ctx) : list(ctx)),
};

/** @param {any} ctx */
export const isCitizen = (ctx) => ctx.status.me?.role === "citizen";

/** Buttons at the top right of home pages. @param {any} ctx */
export function homeTools(ctx) {
  const n = ctx.status.waiting.photos + ctx.status.waiting.mutations;
  return html`<nav class="tools" aria-label=${t("app.name")}>
    <a class="round" href="#/queue">${icon("sending")}${n ? html`<span class="badge">${n > 99 ? "99+" : n}</span>` : nothing}<small>${t("photo.waiting")}</small></a>
    <a class="round" href="#/settings">${icon("settings")}<small>${t("home.settings")}</small></a></nav>`;
}

/** Leads to the one, or to the list. @param {string[] | number} which ids, or how many */
export function toChoose(which) {
  const n = typeof which === "number" ? which : which.length;
  if (!n) return nothing;
  const href = typeof which === "number" || n > 1 ? "#/conflicts" : toConflict(which[0]);
  return html`<a class="strip sun" href=${href}>${icon("two")}<span class="grow"><b>${t("conflict.count", { n })}</b> – ${t("conflict.ask")}</span>${icon("next")}</a>`;
}

/** @param {any} ctx */
function list(ctx) {
  const all = ctx.data?.people ?? [];
  const me = ctx.status.me;
  return frame({
    title: me.place || t("home.title"),
    under: me.name,
    tools: homeTools(ctx),
    strip: strip(ctx.status),
    body: html`${toChoose(ctx.status.toChoose)}${searchBox(ctx)}${all.length || ctx.ui.text ? rows(ctx, all) : empty("people", t("home.none.title"), t("home.none.text"))}`,
    bar: big("add", t("home.register"), () => ctx.go("#/register")),
  });
}

/** @param {any} ctx */
function searchBox(ctx) {
  const input = (/** @type {any} */ event) => {
    ctx.ui.text = event.target.value;
    ctx.ui.shown = PAGE;
    ctx.app.saveDraft("home.search", ctx.ui.text);
    ctx.reload();
  };
  return html`<div role="search"><label class="search">${icon("search")}<span class="unseen">${t("home.search")}</span>
    <input type="search" placeholder=${t("home.search")} .value=${ctx.ui.text ?? ""} @input=${input} autocomplete="off" enterkeyhint="search" /></label></div>`;
}

/** @param {any} ctx @param {any[]} all */
function rows(ctx, all) {
  const { filter = "all", shown = PAGE } = ctx.ui;
  const states = FILTERS.find(([name]) => name === filter)?.[1];
  const people = states ? all.filter((p) => states.includes(p.dossierState || "none")) : all;
  return html`${filters(ctx, all, filter)}
    ${people.length ? html`<ul class="card rows people">${people.slice(0, shown).map(row)}</ul>` : empty("search", t("home.nofind"), t("home.nofind.text"))}
    ${people.length > shown ? html`<button type="button" class="alt wide" @click=${() => { ctx.ui.shown = shown + PAGE; ctx.redraw(); }}>${t("more")} (${people.length - shown})</button>` : nothing}`;
}

/** @param {any} ctx @param {any[]} all @param {string} filter */
function filters(ctx, all, filter) {
  const counted = FILTERS.map(([name, states]) => [name, states ? all.filter((p) => states.includes(p.dossierState || "none")).length : all.length]);
  return html`<div class="filters" role="group" aria-label=${t("home.title")}>${counted.filter(([name, n]) => n || name === "all" || name === filter).map(([name, n]) => html`
    <button type="button" class="filter" aria-pressed=${name === filter} @click=${() => { ctx.ui.filter = name; ctx.redraw(); }}>${t(`home.${name}`)} <b>${n}</b></button>`)}</div>`;
}

/** @param {any} p */
function row(p) {
  const photos = p.photoCount ? t("home.photos", { n: p.photoCount }) : t("home.nophotos");
  return html`<li><a class="row" href=${toPerson(p.id)}>
    <span class="face" aria-hidden="true">${p.full_name.trim().split(/\s+/).pop()?.[0] ?? ""}</span>
    <span class="grow"><strong>${p.full_name}</strong><small>${t("home.born", { year: p.birth_year })} · ${photos}</small>${stateChip(p.dossierState)}${p.unconfirmed ? chip(t("home.unconfirmed"), "info", "sun") : nothing}${p.fresh ? chip(t("talk.fresh"), "talk", "sun") : nothing}${p.toChoose ? chip(t("conflict.two"), "two", "sun") : nothing}</span>
    ${p.waiting ? html`<span class="waitmark">${icon("waiting")}<small>${t("photo.waiting")}</small></span>` : icon("next", "faint")}</a></li>`;
}
