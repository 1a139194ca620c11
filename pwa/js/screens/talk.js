// Comments on a dossier, or on one photo of it. Others' words are text, never markup.
import { html, nothing } from "lit-html";
import { moment, t } from "../text/text.js";
import { chip } from "../ui/chip.js";
import { field } from "../ui/field.js";
import { big, empty, frame } from "../ui/frame.js";
import { strip } from "../ui/strip.js";
import { picture } from "../ui/tile.js";
import { isCitizen } from "./home.js";
import { missingPage } from "./person.js";
import { toIndicator, toPerson } from "./routes.js";

export const talk = {
  name: "talk",
  async load(/** @type {any} */ ctx) {
    const [citizen, photo] = ctx.route.parts;
    const [dossier, said] = await Promise.all([ctx.app.dossier(citizen), ctx.app.talk(citizen, photo)]);
    ctx.ui.text ??= (await ctx.app.draft(key(ctx))) ?? "";
    return { dossier, said, photo: dossier?.indicators.flatMap((/** @type {any} */ i) => i.photos).find((/** @type {any} */ p) => p.id === photo) ?? null };
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.dossier ? page(ctx, ctx.data) : missingPage(ctx)),
  enter: (/** @type {any} */ ctx) => ctx.app.talkSeen(...ctx.route.parts),
};

/** @param {any} ctx */
const key = (ctx) => `talk/${ctx.route.parts.join("/")}`;

/** @param {any} ctx @param {any} data */
function page(ctx, { dossier, said, photo }) {
  const { id, full_name: name } = dossier.citizen;
  const typed = (/** @type {string} */ v) => { ctx.ui.text = v; ctx.app.saveDraft(key(ctx), v); ctx.redraw(); };
  return frame({
    title: t(photo ? "talk.photo" : "talk.title"),
    under: isCitizen(ctx) ? undefined : name,
    back: photo ? toIndicator(id, photo.indicator) : isCitizen(ctx) ? "#/" : toPerson(id),
    strip: strip(ctx.status, true),
    body: html`${photo ? html`<figure class="photolarge">${picture(ctx.url(photo.sha256, "screen"), photo.caption || t("viewer.title"), photo.status)}</figure>` : nothing}
      ${said.length ? html`<ol class="said">${said.map(one)}</ol>` : empty("talk", t("talk.none"), t("talk.none.text"))}
      ${field({ id: "say", label: t("talk.label"), value: ctx.ui.text, lines: 3, max: 4000, input: typed })}`,
    bar: big("send", t("talk.do"), () => say(ctx), !ctx.ui.text.trim()),
  });
}

/** @param {any} c */
const one = (c) => html`<li class="card pad ${c.mine ? "mine" : ""}"><p class="small"><b>${c.mine ? t("talk.me") : c.by || t("talk.nobody")}</b> <span class="soft">${moment(c.at)}</span></p>
  <p class="words">${c.text}</p>${c.waits ? chip(t("photo.waiting"), "waiting", "sun") : nothing}</li>`;

/** @param {any} ctx */
async function say(ctx) {
  const [citizen, photo] = ctx.route.parts;
  if (ctx.ui.saying) return;
  ctx.ui.saying = true;
  const { ok } = await ctx.attempt(() => ctx.app.say(citizen, ctx.ui.text, photo));
  ctx.ui.saying = false;
  if (!ok) return;
  ctx.ui.text = "";
  await ctx.app.clearDraft(key(ctx));
  ctx.toast(t("talk.kept"));
}
