// The shell: routes, one page at a time, toast, sheet, focus. It knows the facade and no screen's content.
import { html, nothing, render } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { problemText, t } from "../text/text.js";
import { icon } from "../ui/icon.js";
import { parseRoute } from "./routes.js";

const TOAST_MS = 3500;
const UNDO_MS = 6000;
const LOOK_MS = 15_000;
const AFTER_PAINT_MS = 50;
const FIRST_PAGE_MS = 5000;
const CLOCK_FLOOR = Date.UTC(2026, 0, 1);

/**
 * Draws `screens` for the app into `root` and keeps them in step with it.
 * @param {{app: any, device: any, screens: Record<string, any>, root: HTMLElement}} parts
 */
export function startShell({ app, device, screens, root }) {
  /** @type {any} */
  const ctx = { app, device, ui: {}, data: null, status: app.status(), route: parseRoute(location.hash), urls: new Map() };
  const scrolls = new Map();
  /** @type {any} */
  let toast = null;
  /** @type {any} */
  let sheet = null;
  // Loads begun; the first of this route, and the latest that was drawn. A refresh never keeps an earlier load from being drawn.
  let begun = 0;
  let first = 0;
  let drawn = 0;
  let arriving = false;
  /** @type {(() => void) | null} */
  let update = null;
  /** @type {any} */
  let queued = null;
  /** @type {() => void} */
  let stands = () => {};

  /** The first page was on the screen, or did not come in time. @type {Promise<void>} */
  ctx.drawn = new Promise((tell) => { stands = () => setTimeout(tell, AFTER_PAINT_MS); setTimeout(tell, FIRST_PAGE_MS); });
  ctx.redraw = () => draw();
  ctx.reload = () => load(false);
  ctx.restart = () => onRoute();
  ctx.go = (/** @type {string} */ hash) => leaveTo(hash);
  ctx.sheet = (/** @type {string} */ title, /** @type {() => unknown} */ body) => openSheet(title, body);
  ctx.closeSheet = () => closeSheet();
  ctx.url = (/** @type {string} */ sha, /** @type {string} */ size) => photoAddress(sha, size);
  ctx.toast = (/** @type {string} */ words, /** @type {{name?: string, undo?: () => unknown, act?: string, ms?: number}} */ more = {}) => showToast(words, more);
  ctx.attempt = attempt;
  ctx.offerUpdate = (/** @type {() => void} */ apply) => offerUpdate(apply);

  /** Runs an action; its problem becomes a plain sentence. @param {() => Promise<any>} act */
  async function attempt(act) {
    try {
      return { ok: true, value: await act() };
    } catch (error) {
      const problem = /** @type {any} */ (error);
      const code = problem?.name === "QuotaExceededError" ? "storage.full" : problem?.code;
      showToast(problemText(code), { name: "incomplete" });
      if (!code) console.error(error);
      return { ok: false, code };
    }
  }

  /** A clock before this software's own year is wrong, whatever the server may say later. */
  function statusNow() {
    const status = app.status();
    return { ...status, wrongClock: status.wrongClock || Date.now() < CLOCK_FLOOR };
  }

  function screenNow() {
    const name = ctx.status.paired ? ctx.route.name : "pair";
    if (ctx.status.paired && (!ctx.status.me || (ctx.status.locked && name !== "pair"))) return { name: "who", screen: screens.who };
    return { name, screen: screens[name] ?? screens.home };
  }

  /** @param {boolean} entering a new page, not a refresh */
  async function load(entering) {
    const mine = ++begun;
    if (entering) {
      first = mine;
      arriving = true;
    }
    const before = ctx.status;
    ctx.status = statusNow();
    if (ctx.status.locked && !before.locked) leaveForLock();
    const { screen } = screenNow();
    // A copy: a load that is overtaken by another route writes nothing into that one's memory.
    const { ok, value } = await attempt(async () => screen.load?.({ ...ctx }));
    if (mine < first || mine < drawn) return;
    drawn = mine;
    if (ok) ctx.data = value;
    for (const [key, url] of ctx.urls) if (!url) ctx.urls.delete(key);
    ctx.page = screen;
    draw();
    if (!arriving) return;
    arriving = false;
    arrive(screen);
    stands();
  }

  /** What was typed is kept; nothing of it stays in sight. */
  function leaveForLock() {
    ctx.page?.hide?.(ctx);
    sheet = null;
    toast = null;
    arriving = true;
  }

  /** A shot that is not saved yet is never locked away. */
  const lockIfIdle = () => ctx.page?.name !== "capture" && app.lockIfIdle?.();
  const touched = () => app.touch?.();

  /** @param {any} screen */
  function arrive(screen) {
    window.scrollTo(0, scrolls.get(location.hash) ?? 0);
    const heading = /** @type {HTMLElement | null} */ (root.querySelector("h1"));
    document.title = `${heading?.textContent?.trim() ?? ""} – ${t("app.name")}`;
    heading?.focus({ preventScroll: true });
    screen.enter?.(ctx);
    if (update && !toast) offerUpdate(update);
  }

  function draw() {
    if (!ctx.page) return;
    render(html`${keyed(ctx.route.key + ctx.page.name, ctx.page.view(ctx))}${sheetView()}${toastView()}`, root);
    const dialog = /** @type {HTMLDialogElement | null} */ (root.querySelector("dialog"));
    if (dialog && sheet && !dialog.open) dialog.showModal();
  }

  /** Before the page is drawn: who is killed while it loads was on the way there. */
  const remember = () => app.status().paired && app.setReturnTo({ route: location.hash });

  function onRoute() {
    ctx.page?.leave?.(ctx);
    remember();
    // Nothing is drawn until the next page has its data: the last frame stays.
    ctx.page = null;
    sheet = null;
    for (const url of ctx.urls.values()) if (url) app.releaseUrl?.(url);
    ctx.urls.clear();
    ctx.route = parseRoute(location.hash);
    ctx.ui = {};
    ctx.data = null;
    load(true);
  }

  /** @param {string} hash */
  function leaveTo(hash) {
    if (!sheet) {
      scrolls.set(location.hash, window.scrollY);
      location.hash = hash;
      return;
    }
    history.replaceState(null, "", hash);
    onRoute();
  }

  /** @param {string} title @param {() => unknown} body */
  function openSheet(title, body) {
    if (!sheet) history.pushState({ sheet: true }, "");
    sheet = { title, body, from: sheet?.from ?? document.activeElement };
    draw();
  }

  function closeSheet() {
    if (!sheet) return;
    history.back();
  }

  function onPop() {
    if (!sheet) return;
    const { from } = sheet;
    sheet = null;
    draw();
    if (from?.isConnected) from.focus({ preventScroll: true });
  }

  const cancel = (/** @type {Event} */ event) => {
    event.preventDefault();
    closeSheet();
  };
  const outside = (/** @type {any} */ event) => event.target.tagName === "DIALOG" && closeSheet();

  function sheetView() {
    if (!sheet) return nothing;
    return html`<dialog class="sheet" aria-labelledby="sheet-title" @cancel=${cancel} @click=${outside}><div class="sheetbody">
      <div class="sheethead"><h2 id="sheet-title">${sheet.title}</h2><button type="button" class="round" aria-label=${t("close")} @click=${closeSheet}>${icon("close")}</button></div>
      ${sheet.body()}</div></dialog>`;
  }

  /** @param {string} words @param {{name?: string, undo?: () => unknown, act?: string, stay?: boolean, ms?: number}} more */
  function showToast(words, more) {
    clearTimeout(toast?.timer);
    const timer = more.stay ? 0 : setTimeout(() => { toast = null; draw(); }, more.ms ?? (more.undo ? UNDO_MS : TOAST_MS));
    toast = { words, ...more, timer };
    draw();
  }

  /** A new version waits for consent, and never interrupts a shot. @param {() => void} apply */
  function offerUpdate(apply) {
    update = apply;
    if (ctx.page?.name !== "capture") showToast(t("update.ready"), { name: "info", undo: async () => { await ctx.page?.hide?.(ctx); apply(); }, act: t("update.do"), stay: true });
  }

  function toastView() {
    const press = () => {
      const act = toast.undo;
      clearTimeout(toast.timer);
      toast = null;
      draw();
      act();
    };
    return html`<div class="toasts" role="status" aria-live="polite">${toast ? html`<div class="toast">${icon(toast.name ?? "received")}<span class="grow">${toast.words}</span>
      ${toast.undo ? html`<button type="button" @click=${press}>${toast.act ?? t("undo")}</button>` : nothing}</div>` : nothing}</div>`;
  }

  /** @param {string} sha @param {string} size */
  function photoAddress(sha, size) {
    const key = `${sha}/${size}`;
    if (ctx.urls.has(key)) return ctx.urls.get(key);
    ctx.urls.set(key, undefined);
    const into = ctx.urls;
    Promise.resolve(app.photoUrl(sha, size)).then((url) => { into.set(key, url); draw(); }, () => into.set(key, null));
    return undefined;
  }

  function onChange() {
    if (queued) return;
    queued = setTimeout(() => { queued = null; load(false); }, 60);
  }

  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touched, { capture: true, passive: true });
  document.addEventListener("visibilitychange", () => document.hidden || lockIfIdle());
  setInterval(lockIfIdle, LOOK_MS);
  window.addEventListener("popstate", onPop);
  window.addEventListener("hashchange", onRoute);
  window.addEventListener("pagehide", () => ctx.page?.hide?.(ctx));
  document.addEventListener("visibilitychange", () => document.hidden && ctx.page?.hide?.(ctx));
  app.subscribe(onChange);
  remember();
  load(true);
  return ctx;
}
