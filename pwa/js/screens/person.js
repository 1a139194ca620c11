// A person's dossier: points so far, the ten indicators, and the next thing to do.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";
import { chip, stateChip } from "../ui/chip.js";
import { alt, big, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { ring } from "../ui/ring.js";
import { strip } from "../ui/strip.js";
import { homeTools, isCitizen, toChoose } from "./home.js";
import { sheet } from "./later.js";
import { toAppraise, toCapture, toIndicator, toTalk } from "./routes.js";

const askSubmit = sheet("askSubmit");
const askReopen = sheet("askReopen");
const GROUPS = [[1, 4], [5, 8], [9, 10]];

export const person = {
  name: "person",
  async load(/** @type {any} */ ctx) {
    return { dossier: await ctx.app.dossier(citizenOf(ctx)) };
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.dossier ? page(ctx, ctx.data.dossier) : missingPage(ctx)),
};

/** @param {any} ctx */
export const citizenOf = (ctx) => ctx.route.parts[0] ?? ctx.status.me.citizen;

/** @param {any} ctx */
export const missingPage = (ctx) => frame({
  title: t("person.notfound"),
  back: isCitizen(ctx) ? null : "#/",
  tools: homeTools(ctx),
  strip: strip(ctx.status),
  body: empty("search", t("person.notfound"), t("person.gone.text")),
});

/** @param {any} ctx @param {any} d */
function page(ctx, d) {
  const own = isCitizen(ctx) && ctx.route.name === "home";
  const under = [d.citizen.placeName ?? ctx.status.me.place, t(own ? "person.year.short" : "person.year", { year: d.year ?? ctx.status.year })].filter(Boolean).join(" · ");
  return frame({
    title: d.citizen.full_name,
    under,
    back: own ? null : "#/",
    tools: own ? homeTools(ctx) : nothing,
    strip: strip(ctx.status),
    body: html`<p class="statline">${stateChip(d.state, d.reason)}${d.waitingReview ? chip(t("person.waitingreview"), "waiting", "sun") : nothing}</p>
      ${toChoose(d.conflicts)}
      ${d.mayConfirm ? confirming(ctx, d) : nothing}
      ${summary(d)}
      ${d.chapterNote ? html`<section class="card pad"><h2>${t("person.chapternote")}</h2><p>${d.chapterNote}</p></section>` : nothing}
      ${d.indicators.length ? nothing : empty("waiting", t("person.noindicators"), t("person.noindicators.text"))}
      <section class="card rows">${talkLink(d)}</section>
      ${GROUPS.map(([from, to]) => group(d, d.indicators.filter((/** @type {any} */ i) => i.no >= from && i.no <= to)))}`,
    bar: actions(ctx, d),
  });
}

/** @param {any} d */
const talkLink = (d) => html`<a class="row" href=${toTalk(d.citizen.id)}><span class="n">${icon("talk")}</span><span class="grow"><strong>${t("talk.title")}${d.talk ? ` (${d.talk.all})` : nothing}</strong>${d.talk?.fresh ? chip(t("talk.fresh"), "talk", "sun") : nothing}</span>${icon("next", "faint")}</a>`;

/** @param {any} ctx @param {any} d */
function confirming(ctx, d) {
  const act = async () => {
    const { ok } = await ctx.attempt(() => ctx.app.confirm(d.citizen.id));
    if (ok) ctx.toast(t("person.confirmed"));
  };
  return html`<section class="card pad"><p>${t("person.confirm.text")}</p>${alt("accepted", t("person.confirm"), act)}</section>`;
}

/** The points that count now: the commune's, else the chapter's once it has scored, else one's own. @param {any} d */
function counted(d) {
  const who = d.finalTotal ? "final" : d.chapterTotal && !["none", "draft", "submitted"].includes(d.state) ? "chapter" : "self";
  const scored = d.indicators.filter((/** @type {any} */ i) => i[who]);
  return { who, scored, total: scored.reduce((/** @type {number} */ sum, /** @type {any} */ i) => sum + i[who], 0) };
}

/** @param {any} d */
function summary(d) {
  const { who, scored, total } = counted(d);
  const low = scored.filter((/** @type {any} */ i) => i[who] < d.rule.min_each).map((/** @type {any} */ i) => i.no);
  const short = d.rule.min_total - total;
  const left = d.indicators.length - scored.length;
  return html`<section class="card sum" aria-label=${t(`person.${who}`)}>${ring(total, d.rule.min_total)}
    <div><strong>${short > 0 ? t("person.short", { n: short }) : t("person.enough")}</strong>
      ${who === "self" ? nothing : html`<p>${t("person.counted", { who: t(`person.${who}`) })}</p>`}
      <p>${t("person.rule", { total: d.rule.min_total, each: d.rule.min_each })}</p>
      ${low.length ? html`<p class="warn">${t("person.low", { list: low.join(", ") })}</p>` : left ? html`<p>${t("person.unscored", { n: left })}</p>` : nothing}</div></section>`;
}

/** @param {any} d @param {any[]} indicators */
function group(d, indicators) {
  if (!indicators.length) return nothing;
  return html`<section><h2>${indicators[0].competence}</h2><ul class="card rows">${indicators.map((i) => indicatorRow(d, i))}</ul></section>`;
}

/** @param {any} d @param {any} i */
function indicatorRow(d, i) {
  const shown = shownScore(d, i);
  return html`<li><a class="row" href=${toIndicator(d.citizen.id, i.no)}>
    <span class="n" aria-hidden="true">${i.no}</span>
    <span class="grow"><strong>${i.title}</strong>${underline(i)}${i.digital ? chip(t("indicator.digital"), "phone", "go") : nothing}</span>
    ${shown.value ? html`<span class="s">${shown.value}<small>${shown.who}</small></span>` : html`<span class="s none">${t("person.unscored.short")}</span>`}</a></li>`;
}

/** The strongest score there is, and whose it is. @param {any} d @param {any} i */
function shownScore(d, i) {
  if (i.final) return { value: i.final, who: t("person.final") };
  if (i.chapter && d.state !== "draft") return { value: i.chapter, who: t("person.chapter") };
  return { value: i.self, who: t("person.self") };
}

/** What stands behind an indicator, the most urgent first. @param {any} i */
function underline(i) {
  const live = i.photos.filter((/** @type {any} */ p) => !p.replacedBy);
  const asked = live.find((/** @type {any} */ p) => p.verdict === "retake" || p.verdict === "incomplete");
  if (i.verdict === "incomplete") return html`<small class="bad">${icon("incomplete")}${t("verdict.incomplete")}: ${i.verdictReason}</small>`;
  if (asked) return html`<small class="bad">${icon("retake")}${t(`verdict.${asked.verdict}`)}: ${asked.reason}</small>`;
  if (i.held) return html`<small class="sun">${icon(i.yours ? "two" : "waiting")}${t(i.yours ? "conflict.two" : "person.held")}</small>`;
  const words = live.length ? [t("home.photos", { n: live.length }), t(`photo.${worst(live)}`)] : [i.note ? t("person.note") : t("home.nophotos")];
  return html`<small>${words.join(" · ")}</small>`;
}

/** @param {any[]} photos */
const worst = (photos) => ["sending", "waiting", "on_its_way"].find((s) => photos.some((p) => p.status === s)) ?? "received";

/** @param {any} ctx @param {any} d */
function actions(ctx, d) {
  const id = d.citizen.id;
  if (d.mayAppraise && d.state === "submitted") return html`${withdrawing(ctx, d)}${big("star", t("person.score"), () => ctx.go(toAppraise(id)))}`;
  if (d.editable) return html`${alt("send", t("person.submit"), () => askSubmit(ctx, d))}${big("camera", t("person.shoot"), () => pickIndicator(ctx, d))}`;
  if (d.mayReopen) return alt("retake", t("person.reopen"), () => askReopen(ctx, d));
  return d.state === "submitted" ? withdrawing(ctx, d) : nothing;
}

/** @param {any} ctx @param {any} d */
function withdrawing(ctx, d) {
  return alt("back", t("person.withdraw"), async () => {
    const { ok } = await ctx.attempt(() => ctx.app.withdraw(d.citizen.id));
    if (ok) ctx.toast(t("withdraw.done"));
  });
}

/** @param {any} ctx @param {any} d */
function pickIndicator(ctx, d) {
  ctx.sheet(t("person.pick"), () => html`<ul class="rows plainlist">${d.indicators.map((/** @type {any} */ i) => html`<li><button type="button" class="row" @click=${() => ctx.go(toCapture(d.citizen.id, i.no))}>
    <span class="n" aria-hidden="true">${i.no}</span><span class="grow"><strong>${i.title}</strong><small>${i.photos.length ? t("home.photos", { n: i.photos.length }) : t("home.nophotos")}</small></span>${icon("camera")}</button></li>`)}</ul>`);
}
