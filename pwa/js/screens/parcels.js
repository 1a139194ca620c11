// Files of unsent work that this phone carries for neighbours: taken in without signal, handed in later.
import { html, nothing } from "lit-html";
import { moment, size, t } from "../text/text.js";
import { chip } from "../ui/chip.js";
import { big, empty, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { strip } from "../ui/strip.js";

const LOOKS = { waiting: ["waiting", "sun"], delivered: ["received", "go"], partly: ["incomplete", "bad"], refused: ["incomplete", "bad"] };

export const parcels = {
  name: "parcels",
  load: (/** @type {any} */ ctx) => ctx.app.parcels(),
  view,
};

/** @param {any} ctx */
function view(ctx) {
  const all = [...(ctx.data ?? [])].reverse();
  return frame({
    title: t("parcels.title"),
    back: "#/settings",
    strip: strip(ctx.status, true),
    body: html`<p class="lead">${t("parcels.lead")}</p>
      <ul class="promises">${["parcels.how", "parcels.keep"].map((key) => html`<li>${icon("info")}<span>${t(key)}</span></li>`)}</ul>
      ${ctx.ui.taking ? html`<p class="strip go" role="status">${icon("waiting")}<span>${t("parcels.taking")}</span></p>` : nothing}
      ${all.length ? html`<ul class="card rows">${all.map((p) => row(ctx, p))}</ul>` : empty("people", t("parcels.none"))}`,
    bar: big("save", t("parcels.take"), () => take(ctx), ctx.ui.taking),
  });
}

/** @param {any} ctx @param {any} p */
function row(ctx, p) {
  const [name, tone] = LOOKS[/** @type {keyof typeof LOOKS} */ (p.state)];
  return html`<li class="row"><span class="n">${icon("people")}</span><span class="grow"><strong>${p.name}</strong>
    <small>${t("parcels.holds", { photos: p.holds.photos, size: size(p.size) })} · ${p.delivered_at ? t("parcels.told", { time: moment(p.delivered_at) }) : t("parcels.at", { time: moment(p.at) })}</small>${chip(t(`parcels.${p.state}`, p.told ?? {}), name, tone)}
    ${p.state === "waiting" ? nothing : html`<button type="button" class="plain" @click=${() => drop(ctx, p)}>${t("parcels.drop")}</button>`}</span></li>`;
}

/** @param {any} ctx */
async function take(ctx) {
  const given = await ctx.device.picking.chooseFile(".zip,application/zip");
  if (!given) return;
  ctx.ui.taking = true;
  ctx.redraw();
  const { ok, value } = await ctx.attempt(() => ctx.app.takeParcel(given));
  ctx.ui.taking = false;
  if (ok) ctx.toast(t(value.known ? "parcels.known" : "parcels.taken"), { name: value.known ? "info" : "received" });
  ctx.reload();
}

/** @param {any} ctx @param {any} p */
async function drop(ctx, p) {
  const { ok } = await ctx.attempt(() => ctx.app.dropParcel(p.id));
  if (ok) ctx.toast(t("parcels.dropped"), { name: "remove" });
  ctx.reload();
}
