// When to sync: at the start, after a save, when signal or the person comes back, by a tap; one round at a time.
import { waitMs } from "../../../sync/js/retry.js";

const AFTER_SAVE_MS = 3000;
const EVERY_MS = 5 * 60 * 1000;
const LEASE_MS = 60_000;

/** @param {{net: any, env: any, state: any, round: any, uploader: any, gallery: any, deposit: any, store: any}} parts */
export function createTriggers({ net, env, state, round, uploader, gallery, deposit, store }) {
  let running = /** @type {Promise<void> | null} */ (null);
  let again = /** @type {Promise<void> | null} */ (null);
  let stopped = false;
  /** @type {any} */
  let beat = null;
  let tapped = false;
  let tries = 0;
  /** @type {any} */
  let timer = null;

  function start() {
    state.onWake(() => later(AFTER_SAVE_MS));
    env.on("online", () => now());
    env.on("visible", () => now());
    beat = setInterval(() => { if (env.visible() && state.status().waiting.mutations + state.status().waiting.photos + state.status().parcels > 0) now(); }, EVERY_MS);
    now();
  }

  /** @param {number} ms */
  function later(ms) {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => now(), ms);
  }

  /** For tests: no round begins any more. @returns {Promise<void>} after the running one */
  async function stop() {
    stopped = true;
    clearTimeout(timer);
    clearInterval(beat);
    await running;
  }

  /** Runs a round, or one more after that which runs. @param {boolean} [byTap] @returns {Promise<void>} */
  function now(byTap = false) {
    tapped = tapped || byTap;
    if (stopped) return Promise.resolve();
    if (running) {
      again ??= running.then(() => { again = null; return now(); });
      return again;
    }
    running = env.exclusively("sync", LEASE_MS, all).catch(failed).finally(() => { running = null; });
    return /** @type {Promise<void>} */ (running);
  }

  async function all() {
    if (!state.status().paired) return;
    const byTap = tapped;
    tapped = false;
    state.set({ round: "text", error: null });
    const told = await round.run();
    tries = 0;
    state.set({ signal: "yes", authNeeded: false, revoked: false, tooOld: false });
    await state.load();
    const policy = state.status().photoPolicy;
    const may = policy === "now" || byTap || (policy === "wifi" && env.wifi());
    if (may && !state.status().paused && state.status().waiting.photos) {
      state.set({ round: "photos" });
      await uploader.run(told, () => state.status().paused);
    }
    state.set({ round: state.status().paused ? "paused" : state.status().waiting.photos && !may ? "waiting" : "idle" });
    await state.refreshCounts();
    if (may && !state.status().paused) await deposit.sendParcels().catch((/** @type {any} */ error) => { if (!error.code) console.error(error); });
    await store.settleCopies().catch(() => {});
    await gallery.fetchThumbs().catch(() => {});
    await state.refreshCounts();
  }

  /** @param {any} error */
  async function failed(error) {
    const code = error.code ?? "internal";
    if (code === "internal") console.error(error);
    const signal = code === "no_signal" ? await net.health() : code === "portal" ? "portal" : "yes";
    state.set({ round: "idle", sending: null, signal, authNeeded: code === "auth.required", revoked: code === "device.revoked", tooOld: code === "app.too_old", error: ["no_signal", "portal"].includes(code) ? null : { code, message: error.message, server: error.status === 429 || error.status >= 500 } });
    await state.refreshCounts().catch(() => {});
    if (code === "auth.required" || code === "app.too_old") await deposit.sendParcels().catch(() => {});
    const retired = code === "device.revoked" && (await retire(error.body?.epoch).catch((why) => { if (!why.code) console.error(why); return false; }));
    tries += 1;
    if (!retired) later(waitMs(tries, error.retryAfterS ?? null, env.random()));
  }

  /**
   * Revoked: what is unsent goes by deposit, and what a server restored meanwhile may lack; only then is the phone emptied.
   * @param {string | undefined} epoch the server's @returns {Promise<boolean>}
   */
  async function retire(epoch) {
    if (epoch) await round.forRestored(epoch);
    const kept = await deposit.handOver();
    if (!kept || !(await round.forget(kept))) return false;
    await state.load();
    await state.notice("device.retired", "");
    return true;
  }

  return { start, now, stop };
}
