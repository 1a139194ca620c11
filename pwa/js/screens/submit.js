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

/** One row an indicator, all that it lacks in one line. @param {any} ctx @param {any} d @param {any[]} missing */
function lacking(ctx, d, missing) {
  const numbers = [...new Set(missing.filter((m) => m.indicator).map((m) => m.indicator))];
  const whole = missing.filter((m) => !m.indicator);
  return html`<h3>${t("submit.missing")}</h3>
    <ul class="rows plainlist">${whole.map((m) => html`<li><p class="row">${icon("incomplete", "warnicon")}<span class="grow">${missingWords(m, d)}</span></p></li>`)}
    ${numbers.map((no) => html`<li><button type="button" class="row" @click=${() => ctx.go(toIndicator(d.citizen.id, no))}>
      <span class="n">${no}</span><span class="grow"><strong>${d.indicators[no - 1]?.title}</strong><small>${missing.filter((m) => m.indicator === no).map((m) => missingWords(m, d)).join(" · ")}</small></span>${icon("next", "faint")}</button></li>`)}</ul>
    <p class="soft small">${t("submit.missing.hint")}</p>
    <div class="buttons">${alt("send", t("submit.anyway"), () => send(ctx, d))}${big("edit", t("submit.later"), ctx.closeSheet)}</div>`;
}

/** @param {any} m @param {any} d */
export function missingWords(m, d) {
  const words = t(`missing.${m.code}`, { each: d.rule.min_each, total: d.rule.min_total });
  return words === `missing.${m.code}` ? t("missing.other") : words;
}

/** @param {any} ctx @param {any} d */
async function send(ctx, d) {
  if (ctx.ui.sending) return; // a second tap
  ctx.ui.sending = true;
  const { ok } = await ctx.attempt(() => ctx.app.submit(d.citizen.id));
  ctx.ui.sending = false;
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
