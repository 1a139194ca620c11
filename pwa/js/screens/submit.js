// Sending a dossier in, with a clear list of what is missing; and opening it again.
import { html } from "lit-html";
import { t } from "../text/text.js";
import { field } from "../ui/field.js";
import { alt, big } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { toIndicator } from "./routes.js";

/** @param {any} ctx @param {any} d */
export function askSubmit(ctx, d) {
  const missing = d.missing ?? [];
  ctx.sheet(t("submit.title"), () => (missing.length ? lacking(ctx, d, missing) : html`<p>${t("submit.ready")}</p><div class="buttons">${big("send", t("submit.do"), () => send(ctx, d))}</div>`));
}

/** @param {any} ctx @param {any} d @param {any[]} missing */
function lacking(ctx, d, missing) {
  return html`<h3>${t("submit.missing")}</h3>
    <ul class="rows plainlist">${missing.map((m) => html`<li>${m.indicator
      ? html`<button type="button" class="row" @click=${() => ctx.go(toIndicator(d.citizen.id, m.indicator))}>${icon("incomplete", "warnicon")}<span class="grow">${missingWords(m, d)}</span>${icon("next")}</button>`
      : html`<p class="row">${icon("incomplete", "warnicon")}<span class="grow">${missingWords(m, d)}</span></p>`}</li>`)}</ul>
    <p class="soft small">${t("submit.missing.hint")}</p>
    <div class="buttons">${alt("send", t("submit.anyway"), () => send(ctx, d))}${big("edit", t("submit.later"), ctx.closeSheet)}</div>`;
}

/** @param {any} m @param {any} d */
export function missingWords(m, d) {
  const values = { n: m.indicator ?? "", each: d.rule.min_each, total: d.rule.min_total };
  const words = t(`missing.${m.code}`, values);
  return words === `missing.${m.code}` ? t("missing.other", values) : words;
}

/** @param {any} ctx @param {any} d */
async function send(ctx, d) {
  const { ok } = await ctx.attempt(() => ctx.app.submit(d.citizen.id));
  if (!ok) return;
  ctx.closeSheet();
  ctx.toast(t("submit.done"));
}

/** @param {any} ctx @param {any} d */
export function askReopen(ctx, d) {
  let reason = "";
  const act = async () => {
    const { ok } = await ctx.attempt(() => ctx.app.reopen(d.citizen.id, reason));
    if (!ok) return;
    ctx.closeSheet();
    ctx.toast(t("reopen.done"));
  };
  ctx.sheet(t("person.reopen"), () => html`${field({ id: "reopen-why", label: t("person.reopen.why"), value: reason, lines: 2, input: (v) => { reason = v; } })}
    <div class="buttons">${big("retake", t("person.reopen"), act)}</div>`);
}
