// Pairing by a code, typed or in the address; a hamlet's shared code also asks who holds the phone.
import { html, nothing } from "lit-html";
import { problemText, t } from "../text/text.js";
import { choices, field } from "../ui/field.js";
import { big, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { lostCard } from "./lost.js";
import { CONSENT_VERSION, formErrors } from "./consent.js";

export const pair = {
  name: "pair",
  load: async (/** @type {any} */ ctx) => { ctx.ui.code ??= ctx.route.code ?? ""; },
  view,
  enter: (/** @type {any} */ ctx) => { if (ctx.route.code?.length === 8 && !ctx.status.paired) join(ctx); },
};

/** @param {any} ctx */
function view(ctx) {
  const ui = ctx.ui;
  return frame({
    title: ctx.status.paired ? t("settings.pair") : t("pair.title"),
    under: t("app.full"),
    back: ctx.status.paired ? "#/settings" : null,
    kind: "welcome",
    body: html`<div class="hero">${hero()}</div>
      ${lostCard(ctx)}${ui.needsCitizen ? citizenForm(ctx) : html`<p class="lead">${t("pair.lead")}</p>`}
      <form id="pair-form" @submit=${(/** @type {Event} */ e) => { e.preventDefault(); join(ctx); }}>
        <div class="codefield">${field({ id: "code", label: t("pair.code"), value: ui.code, max: 9, error: ui.error, input: (v) => { ui.code = clean(v); ui.error = ""; ctx.redraw(); } })}</div></form>
      ${ui.doing ? html`<p class="strip go" role="status">${icon("waiting")}<span>${t("pair.doing")}</span></p>` : nothing}`,
    bar: big("phone", ui.needsCitizen ? t("pair.agree") : t("pair.do"), () => join(ctx), ui.doing),
  });
}

const clean = (/** @type {string} */ v) => v.toUpperCase().replace(/[^A-Z0-9]/g, "").slice(0, 8);
const hero = () => ["camera", "star", "send"].map((name, n) => html`<span>${icon(name)}${t(`hero.${n + 1}`)}</span>`);

/** @param {any} ctx */
function citizenForm(ctx) {
  const ui = ctx.ui;
  ui.form ??= { full_name: "", birth_year: "", group: "1", how: "self" };
  const f = ui.form;
  const errors = ui.errors ?? {};
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => { f[name] = value; ctx.redraw(); };
  return html`<p class="lead">${t("pair.citizen")}</p>
    ${field({ id: "full_name", label: t("register.name"), value: f.full_name, input: set("full_name"), error: errors.full_name, max: 80, autocomplete: "name" })}
    ${field({ id: "birth_year", label: t("register.year"), value: f.birth_year, input: set("birth_year"), mode: "numeric", max: 4, error: errors.birth_year })}
    ${choices({ name: "group", label: t("register.group"), value: f.group, wide: true, options: ["1", "2", "3"].map((g) => [g, t(`group.${g}`)]), pick: set("group") })}
    <p class="small card pad">${t("register.consent.text")}</p>`;
}

/** @param {any} ctx */
async function join(ctx) {
  const ui = ctx.ui;
  if (ui.doing) return;
  ui.error = ui.code.length === 8 ? "" : t("pair.short");
  ui.errors = ui.needsCitizen ? formErrors(ui.form, ctx.status.year || new Date().getFullYear()) : {};
  ctx.redraw();
  if (ui.error || Object.keys(ui.errors).length) return /** @type {HTMLElement | null} */ (document.querySelector(".wrong input"))?.focus();
  ui.doing = true;
  ctx.redraw();
  try {
    await ctx.app.pair({ code: ui.code, citizen: ui.needsCitizen ? citizenOf(ui.form) : undefined });
    ctx.toast(t("pair.done"));
    ctx.go("#/");
  } catch (error) {
    const code = /** @type {any} */ (error)?.code;
    if (code === "pair.citizen_needed") ui.needsCitizen = true;
    else ui.error = problemText(code);
  }
  ui.doing = false;
  ctx.redraw();
}

/** @param {any} f */
const citizenOf = (f) => ({ full_name: f.full_name.trim().replace(/\s+/g, " "), birth_year: Number(f.birth_year), group: Number(f.group), consent: CONSENT_VERSION });
