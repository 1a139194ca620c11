// A phone in node: the real engine, store and net over a fake IndexedDB, with events and time in the test's hand.
import { createRequire } from "node:module";
import { createApp } from "../../pwa/js/engine/app.js";
import { net } from "../../pwa/js/net/net.js";
import { createStore } from "../../pwa/js/store/store.js";

const require = createRequire(new URL("../../pwa/package.json", import.meta.url));
require("fake-indexeddb/auto");
const { IDBFactory } = require("fake-indexeddb");
globalThis.location ??= /** @type {any} */ ({ origin: "https://xa.example" });

/** @param {import("./fake-server.mjs").FakeServer} server @param {{factory?: any, at?: number}} [more] the same factory is the same phone, opened again */
export async function phone(server, { factory = new IDBFactory(), at = Date.parse("2026-11-24T07:30:00Z") } = {}) {
  globalThis.fetch = server.fetch;
  globalThis.indexedDB = factory;
  const clock = { at };
  const events = {};
  const env = {
    now: () => clock.at, iso: () => new Date(clock.at).toISOString(), random: () => 0.5, wifi: () => true, visible: () => true,
    deviceName: () => "Redmi 9A", platform: () => "Android 11", room: async () => ({ freeBytes: 8e8, persisted: true }), offlineReady: async () => true,
    exclusively: (_name, _lease, work) => work(), on: (what, then) => { events[what] = then; }, every: () => {}, after: () => 0, channel: null,
  };
  const store = createStore();
  await store.meta("probe");
  const app = createApp({ store, net, env });
  await app.start();
  return { app, store, env, clock, events, factory, reopen: async () => { await store.close(); return phone(server, { factory, at: clock.at }); } };
}

export const consent = { version: "2026", how: "oral", by: "p1" };
export const person = { full_name: "Nguyễn Văn Đạt", birth_year: 1980, gender: "male", group: 1, phone: "", consent };
export const jpeg = (size, seed = 1) => Uint8Array.from({ length: size }, (_, n) => (n * 31 + seed) % 251).buffer;
