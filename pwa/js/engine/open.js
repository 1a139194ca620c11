// Opens the facade over the real store, network and browser.
import { net } from "../net/net.js";
import { createStore } from "../store/store.js";
import { createApp } from "./app.js";

/** @param {any} _browser what the device files know of this browser */
export async function openApp(_browser) {
  const store = createStore();
  await store.meta("probe");
  return createApp({ store, net, env: environment() });
}

/** Clock, room, locks and events, as the engine may use them. */
function environment() {
  return {
    now: () => Date.now(),
    iso: () => new Date().toISOString(),
    random: () => Math.random(),
    wifi: () => /** @type {any} */ (navigator).connection?.type === "wifi",
    visible: () => !document.hidden,
    deviceName: () => /** @type {any} */ (navigator).userAgentData?.platform ?? navigator.platform ?? "",
    platform: () => /\(([^)]*)\)/.exec(navigator.userAgent)?.[1]?.slice(0, 80) ?? "",
    room, offlineReady, exclusively, on,
    channel: "BroadcastChannel" in globalThis ? new BroadcastChannel("minhchung") : null,
  };
}

async function room() {
  const [estimate, persisted] = await Promise.all([navigator.storage?.estimate?.().catch(() => null), navigator.storage?.persisted?.().catch(() => null)]);
  return { freeBytes: estimate?.quota === undefined ? null : Math.max(0, estimate.quota - (estimate.usage ?? 0)), persisted: persisted ?? null };
}

async function offlineReady() {
  const registration = await navigator.serviceWorker?.getRegistration("/app/").catch(() => null);
  return Boolean(registration?.active);
}

/** One tab at a time; a lock held too long by a frozen page is passed by, the server is idempotent. @param {string} name @param {number} leaseMs @param {() => Promise<void>} work */
async function exclusively(name, leaseMs, work) {
  if (!navigator.locks) return work();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), leaseMs);
  try {
    return await navigator.locks.request(name, { signal: stop.signal }, () => { clearTimeout(timer); return work(); });
  } catch (error) {
    if (/** @type {any} */ (error).name === "AbortError") return work();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** @param {"online" | "visible" | "hidden"} what @param {() => void} then */
function on(what, then) {
  if (what === "online") globalThis.addEventListener("online", then);
  else document.addEventListener("visibilitychange", () => { if (document.hidden === (what === "hidden")) then(); });
}
