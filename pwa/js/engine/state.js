// What the app knows of itself at this moment: a cheap snapshot for every screen, and who listens.
import { rests } from "./upload.js";

const BUILD_MS = Date.parse("2026-11-01T00:00:00Z");
const THREE_YEARS_MS = 3 * 365 * 24 * 3600 * 1000;
const LOW_BYTES = 20 * 1024 * 1024;

/** @param {{store: any, env: any}} parts */
export function createState({ store, env }) {
  const listeners = new Set();
  let wakeUp = () => {};
  let queued = false;
  /** What others count for the screens. @type {() => Promise<Record<string, any>>} */
  let counted = async () => ({});
  /** @type {any} */
  let now = {
    ready: false, paired: false, device: null, people: [], me: null, year: new Date(env.now()).getFullYear(), commune: null, offlineReady: false, signal: "unknown", authNeeded: false, revoked: false, tooOld: false, wrongClock: false,
    round: "idle", photosSent: 0, photosTotal: 0, bytesLeft: 0, etaSeconds: null, sending: null, waiting: { mutations: 0, photos: 0, resting: 0, bytes: 0, oldestAt: null }, storage: { freeBytes: null, persisted: null, low: false }, photoPolicy: "now", paused: false, lost: null, error: null, notices: [], toChoose: 0, parcels: 0, locked: false,
  };

  /** @param {Record<string, any>} part */
  function set(part) {
    now = { ...now, ...part };
    for (const listener of listeners) listener();
  }

  async function load() {
    const [who, people, me, year, commune, policy, paused, paired, notices, pins, places] = await Promise.all(["identity", "people", "me", "year", "commune", "photo_policy", "paused", "paired", "notices", "pins"].map((key) => store.meta(key)).concat(store.docsOf("place")));
    const names = new Map(places.map((/** @type {any} */ p) => [p.data.place, p.data.name]));
    const named = (people ?? []).map((/** @type {any} */ p) => ({ ...p, place_id: p.place, place: names.get(p.place) ?? "", pin: Boolean(pins?.[p.id]) }));
    const chosen = named.find((/** @type {any} */ p) => p.id === me) ?? (named.length === 1 ? named[0] : null);
    set({ ready: true, paired: Boolean(paired), device: who ? { id: who.id, name: env.deviceName() } : null, people: named, me: chosen, year: year ?? now.year, commune: commune ?? null, photoPolicy: policy ?? "now", paused: Boolean(paused), notices: notices ?? [], wrongClock: env.now() < BUILD_MS || env.now() > BUILD_MS + THREE_YEARS_MS });
    const lost = await store.lost().catch(() => null);
    set({ lost: lost?.mutations.length + lost?.photos.length ? { mutations: lost.mutations.length, photos: lost.photos.length } : null });
    await refreshCounts();
  }

  async function refreshCounts() {
    const [outbox, photos, room, offlineReady] = await Promise.all([store.outbox(), store.photos(), env.room(), env.offlineReady()]);
    const waiting = photos.filter((/** @type {any} */ p) => p.state !== "received");
    const oldestAt = [...outbox.map((/** @type {any} */ m) => m.at), ...waiting.map((/** @type {any} */ p) => p.at)].sort()[0] ?? null;
    const bytes = waiting.reduce((/** @type {number} */ sum, /** @type {any} */ p) => sum + p.size, 0);
    set({ ...(await counted()), offlineReady, waiting: { mutations: outbox.length, photos: waiting.length, resting: waiting.filter(rests).length, bytes, oldestAt }, storage: { freeBytes: room.freeBytes, persisted: room.persisted, low: room.freeBytes !== null && room.freeBytes < LOW_BYTES } });
  }

  /** Several changes at once redraw once. */
  function refresh() {
    if (queued) return;
    queued = true;
    Promise.resolve().then(() => { queued = false; return refreshCounts(); }).catch((error) => console.error(error));
  }

  /** One after the other: two at once would overwrite each other. @type {Promise<unknown>} */
  let noting = Promise.resolve();

  /** @param {string} code @param {string} about */
  function notice(code, about) {
    const note = async () => {
      const notices = [...((await store.meta("notices")) ?? []), { id: crypto.randomUUID(), code, about, at: env.iso() }].slice(-20);
      await store.setMeta("notices", notices);
      set({ notices });
    };
    noting = noting.catch(() => {}).then(note);
    return noting;
  }

  return {
    set, load, refresh, refreshCounts, notice,
    subscribe: (/** @type {() => void} */ listener) => { listeners.add(listener); return () => listeners.delete(listener); },
    status: () => now,
    me: async () => now.me,
    progress: (/** @type {any} */ part) => set(part),
    sending: () => now.sending,
    reason: () => (now.signal === "no" ? "no_signal" : now.signal === "portal" ? "portal" : now.authNeeded ? "auth" : now.paused ? "paused" : now.error?.server ? "server" : null),
    noticeResult: (/** @type {any} */ mutation, /** @type {any} */ result) => { if (!["merged", "duplicate", "redirected", "waiting"].includes(result.result)) notice(noticeCode(mutation, result), mutation.doc); },
    counting: (/** @type {() => Promise<Record<string, any>>} */ fn) => { counted = fn; },
    skew: (/** @type {string} */ serverNow) => { if (Math.abs(Date.parse(serverNow) - env.now()) > 600_000) set({ wrongClock: true }); else if (now.wrongClock) set({ wrongClock: false }); },
    onWake: (/** @type {() => void} */ fn) => { wakeUp = fn; },
    wake: () => wakeUp(),
  };
}

/** A choice that came too late has sentences of its own. @param {any} mutation @param {any} result */
function noticeCode(mutation, result) {
  const late = mutation.op === "resolve" && { "conflict.moved": "resolve.moved", "state.stale": "resolve.done", "right.missing": "resolve.other" }[/** @type {string} */ (result.code)];
  return late || `result.${result.result}`;
}
