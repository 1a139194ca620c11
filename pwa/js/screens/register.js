// A new person in the place, with consent recorded: which text, how it was given, by whom.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";
import { choices, field } from "../ui/field.js";
import { big, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { CONSENT_VERSION, formErrors, GROUPS } from "./consent.js";
import { toPerson } from "./routes.js";

const KEY = "register";

export const register = {
  name: "register",
  async load(/** @type {any} */ ctx) {
    ctx.ui.form ??= (await ctx.app.draft(KEY)) ?? { full_name: "", birth_year: "", gender: "", group: "1", phone: "", how: "" };
    const name = ctx.ui.form.full_name.trim();
    const consent = (await ctx.app.consent?.()) ?? null;
    return { consent, similar: name.length > 4 ? await ctx.app.searchPeople(name) : [] };
  },
  view,
};

/** @param {any} ctx */
function view(ctx) {
  return frame({ title: t("register.title"), under: ctx.status.me.place, back: "#/", body: form(ctx), bar: big("save", t("register.do"), () => save(ctx)) });
}

/** @param {any} ctx */
function form(ctx) {
  const { form: f, errors = {} } = ctx.ui;
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => {
    f[name] = value;
    ctx.app.saveDraft(KEY, f);
    if (name === "full_name") ctx.reload();
    else ctx.redraw();
  };
  const similar = ctx.data?.similar ?? [];
  return html`${field({ id: "full_name", label: t("register.name"), value: f.full_name, input: set("full_name"), error: errors.full_name, max: 80 })}
    ${similar.length ? html`<p class="strip sun">${icon("info")}<span>${t("register.similar")}: ${similar.slice(0, 3).map((/** @type {any} */ p, /** @type {number} */ n) => html`${n ? ", " : ""}<a href=${toPerson(p.id)}>${p.full_name} (${p.birth_year})</a>`)}</span></p>` : nothing}
    ${field({ id: "birth_year", label: t("register.year"), value: f.birth_year, input: set("birth_year"), mode: "numeric", max: 4, error: errors.birth_year })}
    ${choices({ name: "gender", label: t("register.gender"), value: f.gender, options: ["female", "male", "other"].map((g) => [g, t(`gender.${g}`)]), pick: set("gender") })}
    ${choices({ name: "group", label: t("register.group"), value: f.group, wide: true, options: GROUPS.map((g) => [g, t(`group.${g}`)]), pick: set("group"), error: errors.group })}
    ${field({ id: "phone", label: t("register.phone"), value: f.phone, input: set("phone"), mode: "tel", optional: true, max: 20 })}
    <section class="card pad"><h2 class="strong">${t("register.consent")}</h2><p class="small">${ctx.data?.consent?.text ?? t("register.consent.text")}</p>
    ${choices({ name: "how", label: t("register.consent.how"), value: f.how, options: ["spoken", "signed"].map((h) => [h, t(`consent.${h}`)]), pick: set("how"), error: errors.how })}</section>`;
}

/** @param {any} ctx */
async function save(ctx) {
  const f = ctx.ui.form;
  ctx.ui.errors = formErrors(f, ctx.status.year);
  ctx.redraw();
  const first = /** @type {HTMLElement | null} */ (document.querySelector(".wrong input"));
  if (first || ctx.ui.saving) return first?.focus();
  ctx.ui.saving = true;
  const citizen = { full_name: f.full_name.trim().replace(/\s+/g, " "), birth_year: Number(f.birth_year), gender: f.gender || null, group: Number(f.group), phone: f.phone.trim() || null, consent: { version: ctx.data?.consent?.version ?? CONSENT_VERSION, how: f.how, by: ctx.status.me.id } };
  const { ok, value } = await ctx.attempt(() => ctx.app.registerCitizen(citizen));
  ctx.ui.saving = false;
  if (!ok) return;
  await ctx.app.clearDraft(KEY);
  ctx.toast(t("saved"));
  ctx.go(toPerson(value));
}
