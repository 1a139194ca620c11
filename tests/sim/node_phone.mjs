// One phone of the simulation: the app's own engine and store over a fake IndexedDB, told what to do by lines on stdin.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { createApp } from "../../pwa/js/engine/app.js";
import { createView } from "../../pwa/js/engine/view.js";
import { net } from "../../pwa/js/net/net.js";
import { createStore } from "../../pwa/js/store/store.js";

const require = createRequire(new URL("../../pwa/package.json", import.meta.url));
require("fake-indexeddb/auto");
const { IDBFactory } = require("fake-indexeddb");
globalThis.location = /** @type {any} */ ({ origin: "http://localhost" });

// time is the simulation's: what would wait a second or more waits for `tick`
const soon = globalThis.setTimeout;
const sleepers = new Set();
globalThis.setTimeout = /** @type {any} */ ((work, ms = 0, ...args) => {
  if (ms < 1000) return soon(work, ms, ...args);
  const sleeper = { due: clock.at + ms, work: () => work(...args) };
  sleepers.add(sleeper);
  return sleeper;
});
const forget = globalThis.clearTimeout;
globalThis.clearTimeout = /** @type {any} */ ((sleeper) => (sleepers.delete(sleeper) ? undefined : forget(sleeper)));
globalThis.setInterval = /** @type {any} */ (() => 0);

const clock = { at: 0 };
const say = (/** @type {any} */ what) => process.stdout.write(`${JSON.stringify(what)}\n`);
let asked = 0;
const answers = new Map();
/** @type {any} */
let crash = null;

globalThis.fetch = /** @type {any} */ (async (path, { method = "GET", headers = {}, body } = {}) => {
  const n = ++asked;
  const whole = body instanceof Blob ? await body.arrayBuffer() : body;
  const bytes = whole === undefined ? "" : Buffer.from(whole instanceof ArrayBuffer ? new Uint8Array(whole) : whole).toString("base64");
  say({ fetch: n, method, path, headers, body: bytes });
  const told = await new Promise((resolve) => answers.set(n, resolve));
  if (told.crash) { crash(); return new Promise(() => {}); }
  if (told.lost) throw new TypeError("network");
  const status = told.status;
  return new Response([204, 304].includes(status) || method === "HEAD" ? null : Buffer.from(told.body, "base64"), { status, headers: told.headers });
});

let factory = new IDBFactory();
/** @type {any} */
let app, store, view;

async function open() {
  globalThis.indexedDB = factory;
  const env = {
    now: () => clock.at, iso: () => new Date(clock.at).toISOString(), random: () => 0.5, wifi: () => true, visible: () => true,
    deviceName: () => "Redmi 9A", platform: () => "Android 11", room: async () => ({ freeBytes: 8e8, persisted: true }), offlineReady: async () => true,
    exclusively: (/** @type {any} */ _n, /** @type {any} */ _l, /** @type {any} */ work) => work(), on: () => {}, every: () => {}, after: () => 0, channel: null,
  };
  store = createStore();
  app = createApp({ store, net, env });
  await app.start();
  view = createView({ store, state: { me: async () => app.status().me, status: app.status } });
}

const commands = /** @type {Record<string, (args: any) => any>} */ ({
  fresh: async ({ at }) => { sleepers.clear(); factory = new IDBFactory(); clock.at = at; await open(); },
  reopen: async () => { sleepers.clear(); await open(); },
  tick: async ({ ms }) => {
    clock.at += ms;
    for (const sleeper of [...sleepers]) if (sleeper.due <= clock.at) { sleepers.delete(sleeper); await sleeper.work(); }
    await app.status();
  },
  pair: ({ code }) => app.pair({ code }),
  send: () => app.sendNow(),
  all: ({ type }) => view.all(type),
  basis: ({ doc }) => app.basisOf(doc),
  fields: ({ type, doc, set, basis, citizen }) => app.setFields(doc, type, set, basis, citizen),
  shoot: ({ bytes, ...photo }) => app.addPhoto({ ...photo, bytes: new Uint8Array(Buffer.from(bytes, "base64")).buffer }),
  remove: ({ id }) => app.removePhoto(id),
  move: ({ id, to }) => app.movePhoto(id, to),
  register: ({ person }) => app.registerCitizen(person),
  say: ({ citizen, text, on }) => app.say(citizen, text, on),
  step: ({ op, citizen, scores, basis }) => (op === "appraise" ? app.appraise(citizen, { scores }, basis) : app[op](citizen)),
  settle: ({ id, pick, rev }) => app.choose(id, { pick }, rev),
  state: async () => {
    const [outbox, photos, done, who, docs] = await Promise.all([store.outbox(), store.photos(), store.done(), store.meta("identity"), store.run(["docs"], "readonly", (/** @type {any} */ tx) => tx.objectStore("docs").getAll())]);
    const { people, paired, revoked, error, signal } = app.status();
    const held = [];
    for (const p of photos) held.push({ by: p.by, sha256: p.sha256, state: p.state, has: Boolean(await store.bytes(p.sha256)) });
    return { outbox, done: done.map((/** @type {any} */ m) => m.id), photos: held, docs, id: who?.id, people, paired, revoked, error, signal, me: app.status().me };
  },
  choose: ({ id }) => app.choosePerson(id),
});

async function obey({ n, act, args }) {
  const crashed = new Promise((_resolve, reject) => { crash = () => reject(Object.assign(new Error("crash"), { code: "crash" })); });
  crashed.catch(() => {});
  try {
    const value = await Promise.race([commands[act](args ?? {}), crashed]);
    say({ done: n, value: value ?? null });
  } catch (error) {
    const { code, message, stack } = /** @type {any} */ (error);
    say({ done: n, error: code ?? "bug", message, stack: code ? undefined : stack });
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const told = JSON.parse(line);
  if (told.answer) { answers.get(told.answer)?.(told); answers.delete(told.answer); }
  else obey(told);
});
process.on("unhandledRejection", (error) => { console.error("unhandled", error); process.exit(1); });
say({ ready: true });
