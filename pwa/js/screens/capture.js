// Taking a photo in the page: camera, look at the shot, use it or take it again; the phone's own camera and gallery beside it.
import { html, nothing } from "lit-html";
import { problemText, size, t } from "../text/text.js";
import { chip } from "../ui/chip.js";
import { field } from "../ui/field.js";
import { icon } from "../ui/icon.js";
import { photoFields, pickPhotos } from "./picking.js";
import { missingPage } from "./person.js";
import { toIndicator } from "./routes.js";

/** Two taps closer than this are one. */
const DOUBLE_TAP_MS = 500;
const KINDS = ["vneid", "public_service", "payment", "video_call", "online_selling", "digital_class", "helping"];

export const capture = {
  name: "capture",
  async load(/** @type {any} */ ctx) {
    const [citizen, no] = ctx.route.parts;
    const dossier = await ctx.app.dossier(citizen);
    const one = dossier?.indicators.find((/** @type {any} */ i) => i.no === Number(no));
    return one ? { dossier, one } : null;
  },
  view: (/** @type {any} */ ctx) => (ctx.data?.one ? (ctx.ui.shot ? review(ctx) : finder(ctx)) : missingPage(ctx)),
  enter: (/** @type {any} */ ctx) => start(ctx),
  leave: (/** @type {any} */ ctx) => stop(ctx),
  hide: (/** @type {any} */ ctx) => stop(ctx),
};

/** @param {any} ctx */
const target = (ctx) => ({ citizenId: ctx.data.dossier.citizen.id, indicator: ctx.data.one.no, replaces: ctx.route.query.get("replaces") ?? undefined, place: home(ctx) });
const home = (/** @type {any} */ ctx) => toIndicator(ctx.data.dossier.citizen.id, ctx.data.one.no);

/** @param {any} ctx */
async function start(ctx) {
  const ui = ctx.ui;
  if (!ctx.data?.one || ui.shot || ui.camera || ui.opening) return;
  ui.opening = true;
  ui.trouble = null;
  try {
    const camera = await ctx.device.camera.open(ui.facing ?? "environment");
    if (ui !== ctx.ui || document.hidden) return camera.stop();
    ui.camera = camera;
  } catch (error) {
    ui.trouble = /** @type {any} */ (error).code ?? "absent";
  } finally {
    ui.opening = false;
  }
  ctx.redraw();
  const video = /** @type {HTMLVideoElement | null} */ (document.querySelector("video.finder"));
  if (video && ui.camera) ui.camera.show(video);
}

/** @param {any} ctx */
function stop(ctx) {
  ctx.ui.camera?.stop();
  ctx.ui.camera = null;
  document.addEventListener("visibilitychange", () => !document.hidden && ctx.page === capture && !ctx.ui.camera && start(ctx), { once: true });
}

/** @param {any} ctx */
function finder(ctx) {
  const { one, dossier } = ctx.data;
  const { camera, trouble, working } = ctx.ui;
  return html`<div class="page capture">
    <header><a class="round" href=${home(ctx)} aria-label=${t("back")}>${icon("back")}</a><div class="grow"><h1 tabindex="-1">${one.no}. ${one.title}</h1><p>${dossier.citizen.full_name}</p></div></header>
    <main id="main" tabindex="-1">
      ${target(ctx).replaces ? html`<p class="strip sun">${icon("retake")}<span>${t("capture.replaces")}</span></p>` : nothing}
      <div class="stage">${camera ? html`<video class="finder" playsinline muted autoplay aria-label=${t("capture.title")}></video>` : html`<div class="nocamera" role="status">${icon("camera", "large")}<p>${trouble ? t(`capture.${trouble}`) : t("capture.starting")}</p>
        ${trouble ? html`<button type="button" class="big" @click=${() => pick(ctx, true)}>${icon("phone")}<span>${t("capture.phone")}</span></button>` : nothing}
        ${trouble && trouble !== "absent" ? html`<button type="button" class="alt compact" @click=${() => start(ctx)}>${t("capture.retry")}</button>` : nothing}</div>`}</div>
    </main>
    <footer class="shutterbar">
      <div class="pair">${tool(ctx, "gallery", t("capture.pick"), () => pick(ctx, false))}${tool(ctx, "phone", t("capture.phone"), () => pick(ctx, true))}</div>
      <button type="button" class="shutter" aria-label=${t("capture.shutter")} ?disabled=${!camera || working} @click=${() => shoot(ctx)}><span></span></button>
      <div class="pair">${tool(ctx, "torch", t("capture.torch"), () => light(ctx), !camera?.hasTorch, ctx.ui.light)}${tool(ctx, "flip", t("capture.flip"), () => flip(ctx), !camera)}</div>
    </footer></div>`;
}

/** @param {any} ctx @param {string} name @param {string} words @param {() => void} act @param {boolean} [off] @param {boolean} [on] */
const tool = (ctx, name, words, act, off = false, on = false) => html`<button type="button" class="tool ${on ? "on" : ""}" ?disabled=${off || ctx.ui.working} @click=${act}>${icon(name)}<small>${words}</small></button>`;

/** @param {any} ctx */
async function light(ctx) {
  ctx.ui.light = await ctx.ui.camera.torch(!ctx.ui.light);
  ctx.redraw();
}

/** @param {any} ctx */
async function flip(ctx) {
  ctx.ui.facing = ctx.ui.facing === "user" ? "environment" : "user";
  ctx.ui.camera?.stop();
  ctx.ui.camera = null;
  await start(ctx);
}

/** @param {any} ctx */
async function shoot(ctx) {
  const ui = ctx.ui;
  if (ui.working) return;
  ui.working = true;
  ctx.redraw();
  try {
    const taken = new Date().toISOString();
    const photo = await ctx.device.picture.shrink(await ui.camera.grab());
    ui.shot = { photo, taken, place: ctx.device.place.now(), url: URL.createObjectURL(new Blob([photo.bytes], { type: photo.type })), caption: "", kind: "", fresh: true };
    setTimeout(calm, DOUBLE_TAP_MS, ctx, ui.shot);
    ui.camera?.stop();
    ui.camera = null;
    // Until it is kept, a killed browser loses this shot: the next start says so.
    ctx.app.setReturnTo({ route: location.hash, camera: true });
  } catch (error) {
    const code = /** @type {any} */ (error).code;
    ctx.toast(t(`capture.${code}`) === `capture.${code}` ? problemText(code) : t(`capture.${code}`), { name: "incomplete" });
  }
  ui.working = false;
  ctx.redraw();
}

/** The second tap of two on the shutter must not choose. @param {any} ctx @param {any} shot */
function calm(ctx, shot) {
  shot.fresh = false;
  if (ctx.ui.shot === shot) ctx.redraw();
}

/** @param {any} ctx */
function review(ctx) {
  const { one } = ctx.data;
  const { shot, working } = ctx.ui;
  const off = working || shot.fresh;
  return html`<div class="page capture">
    <header><div class="grow"><h1 tabindex="-1">${one.no}. ${one.title}</h1><p>${ctx.data.dossier.citizen.full_name}</p></div></header>
    <main id="main" tabindex="-1"><figure class="stage shot"><img src=${shot.url} alt=${t("capture.alt")} /></figure>
      <div class="pad"><p class="statline">${shot.photo.dark ? chip(t("capture.dark"), "info", "sun") : chip(t("capture.clear"), "received", "go")}<span class="soft small">${t("capture.weight", { size: size(shot.photo.bytes.byteLength) })}</span></p>
      ${one.digital ? kinds(ctx, one, shot) : nothing}
      ${field({ id: "caption", label: t("capture.caption"), value: shot.caption, optional: true, max: 300, hint: t("capture.caption.hint"), input: (v) => { shot.caption = v; } })}</div></main>
    <footer class="bar"><button type="button" class="alt" ?disabled=${off} @click=${() => again(ctx)}>${icon("retake")}<span>${t("capture.again")}</span></button>
      <button type="button" class="big" ?disabled=${off} @click=${() => use(ctx)}>${icon("received")}<span>${working ? t("capture.saving") : t("capture.use")}</span></button></footer></div>`;
}

/** @param {any} ctx @param {any} one @param {any} shot */
function kinds(ctx, one, shot) {
  const codes = one.kinds?.length ? one.kinds.map((/** @type {any} */ k) => k.code ?? k) : KINDS;
  const pick = (/** @type {string} */ code) => {
    if (!shot.caption || shot.caption === t(`kind.${shot.kind}`)) shot.caption = shot.kind === code ? "" : t(`kind.${code}`);
    shot.kind = shot.kind === code ? "" : code;
    ctx.redraw();
  };
  return html`<div class="kinds" role="group" aria-label=${t("kind.title")}><p class="label">${t("kind.title")}</p>${codes.map((/** @type {string} */ code) => html`<button type="button" class="filter" aria-pressed=${shot.kind === code} @click=${() => pick(code)}>${t(`kind.${code}`)}</button>`)}</div>`;
}

/** @param {any} ctx */
function again(ctx) {
  URL.revokeObjectURL(ctx.ui.shot.url);
  ctx.ui.shot = null;
  ctx.app.setReturnTo({ route: location.hash });
  ctx.redraw();
  start(ctx);
}

/** Saves the shot; "Đã lưu trên máy" comes only after the store's transaction. @param {any} ctx */
async function use(ctx) {
  const { shot } = ctx.ui;
  if (ctx.ui.working) return;
  ctx.ui.working = true;
  ctx.redraw();
  const position = (await shot.place) ?? undefined;
  const { ok } = await ctx.attempt(() => ctx.app.addPhoto({ ...target(ctx), position, ...photoFields(shot.photo), kind: shot.kind || undefined, caption: shot.caption, captured_at: shot.taken, source: "camera" }));
  ctx.ui.working = false;
  if (!ok) return ctx.redraw();
  URL.revokeObjectURL(shot.url);
  ctx.toast(t("saved"));
  ctx.device.storage.persist();
  ctx.go(home(ctx));
}

/** @param {any} ctx @param {boolean} camera */
async function pick(ctx, camera) {
  const saved = await pickPhotos(ctx, target(ctx), camera);
  if (saved) ctx.go(home(ctx));
}
