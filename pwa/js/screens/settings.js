// Settings: when photos go, language, room on the phone, export of what is unsent, installing, who uses it.
import { html, nothing } from "lit-html";
import { currentLanguage, size, t } from "../text/text.js";
import { choices } from "../ui/field.js";
import { alt, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";
import { lostCard } from "./lost.js";

export const settings = {
  name: "settings",
  async load(/** @type {any} */ ctx) {
    const plan = ctx.status.me?.role === "citizen" ? null : await ctx.app.hamletPhotosPlan?.();
    return { plan, room: await ctx.device.storage.estimate() };
  },
  view,
};

/** @param {any} ctx */
function view(ctx) {
  const s = ctx.status;
  return frame({
    title: t("settings.title"),
    under: s.me ? `${s.me.name} · ${t(`role.${s.me.role}`)}` : undefined,
    back: "#/",
    body: html`
      <section class="card pad">${choices({ name: "policy", label: t("settings.policy"), value: s.photoPolicy, wide: true, options: ["now", "wifi", "tap"].map((p) => [p, t(`settings.policy.${p}`)]), pick: (p) => ctx.attempt(() => ctx.app.setPhotoPolicy(p)) })}
        <p class="soft small">${t("settings.policy.hint")}</p></section>
      ${hamlet(ctx)}
      <section class="card pad">${choices({ name: "place", label: t("settings.place"), value: ctx.device.place.agreed() ? "yes" : "no", options: [["no", t("settings.place.no")], ["yes", t("settings.place.yes")]], pick: (v) => { ctx.device.place.agree(v === "yes"); ctx.redraw(); } })}
        <p class="soft small">${t("settings.place.why")}</p></section>
      <section class="card pad">${choices({ name: "language", label: t("settings.language"), value: currentLanguage(), options: [["vi", "Tiếng Việt"], ["en", "English"]], pick: (code) => speak(ctx, code) })}</section>
      ${storage(ctx)}${install(ctx)}
      ${lostCard(ctx)}
      <section class="card pad"><h2 class="strong">${t("settings.export")}</h2><p class="soft small">${t("settings.export.why")}</p>${alt("save", t("settings.export"), () => exportUnsent(ctx))}</section>
      <section class="card rows">${link("#/parcels", "people", t("parcels.title"))}${link("#/who", "people", t("settings.who"))}${link("#/pair", "add", t("settings.pair"))}</section>
      <p class="soft small center">${s.offlineReady ? html`${icon("received")} ${t("strip.offline")} · ` : nothing}${s.device?.name ?? ""} ${t("settings.version", { version: ctx.device.version })}</p>`,
  });
}

const link = (/** @type {string} */ href, /** @type {string} */ name, /** @type {string} */ words) => html`<a class="row" href=${href}><span class="n">${icon(name)}</span><span class="grow"><strong>${words}</strong></span>${icon("next", "faint")}</a>`;

/** @param {any} ctx @param {string} code */
async function speak(ctx, code) {
  await ctx.device.speak(code);
  ctx.redraw();
}

/** @param {any} ctx */
function hamlet(ctx) {
  const plan = ctx.data?.plan;
  if (!plan) return nothing;
  const act = async () => {
    const { ok } = await ctx.attempt(() => ctx.app.downloadHamletPhotos());
    if (ok) ctx.toast(t("settings.hamlet.done"));
  };
  return html`<section class="card pad"><h2 class="strong">${t("settings.photos")}</h2>${plan.count
    ? alt("save", t("settings.hamlet", { size: size(plan.bytes) }), act)
    : html`<p class="soft small">${t("settings.hamlet.none")}</p>`}</section>`;
}

/** @param {any} ctx */
function storage(ctx) {
  const free = ctx.data?.room?.freeBytes ?? ctx.status.storage.freeBytes;
  const persisted = ctx.data?.room?.persisted ?? ctx.status.storage.persisted;
  const ask = async () => {
    const given = await ctx.device.storage.persist();
    ctx.toast(given ? t("settings.persisted") : t("settings.persist.no"), { name: given ? "received" : "info" });
    ctx.reload();
  };
  return html`<section class="card pad"><h2 class="strong">${t("settings.storage")}</h2>
    <p>${free === null || free === undefined ? t("settings.free.unknown") : t("settings.free", { size: size(free) })}</p>
    ${persisted ? html`<p class="soft small">${icon("received")} ${t("settings.persisted")}</p>` : html`<p class="soft small">${t("settings.persist.why")}</p>${alt("save", t("settings.persist"), ask)}`}</section>`;
}

/** @param {any} ctx */
function install(ctx) {
  const { browser, installing } = ctx.device;
  if (browser.standalone) return nothing;
  if (browser.ios) return html`<section class="card pad"><h2 class="strong">${t("settings.install")}</h2><p>${t("settings.install.ios")}</p></section>`;
  if (!installing.ready()) return nothing;
  return html`<section class="card pad"><p class="soft small">${t("settings.install.why")}</p>${alt("install", t("settings.install"), async () => { await installing.ask(); ctx.redraw(); })}</section>`;
}

/** @param {any} ctx */
export async function exportUnsent(ctx) {
  const { ok, value } = await ctx.attempt(() => ctx.app.exportUnsent());
  if (!ok) return;
  for (const { name, file } of value) ctx.device.download(name, file);
  ctx.toast(t("settings.export.done", { name: value.map((/** @type {any} */ one) => one.name).join(", ") }));
}
