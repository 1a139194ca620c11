// The store through its versions, and on a full phone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";
import { unzip } from "./reading.mjs";

const require = createRequire(new URL("../../pwa/package.json", import.meta.url));
const { IDBDatabase, IDBFactory, IDBObjectStore } = require("fake-indexeddb");
const open = [];
const put = IDBObjectStore.prototype.put;
afterEach(async () => {
  IDBObjectStore.prototype.put = put;
  for (const p of open.splice(0)) await p.app.stop();
});

/** A phone as version `schema` left it. @param {any} fixture */
async function asItWas({ version, stores }) {
  const factory = new IDBFactory();
  const db = await new Promise((resolve, reject) => {
    const request = factory.open("minhchung", version);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => resolve(request.result);
    request.onupgradeneeded = () => {
      for (const [name, store] of Object.entries(stores)) {
        const made = request.result.createObjectStore(name, store.options);
        for (const [index, path] of Object.entries(store.indexes)) made.createIndex(index, path);
        for (const [key, value] of store.rows) made.put(value.base64 ? Uint8Array.from(Buffer.from(value.base64, "base64")).buffer : value, key ?? undefined);
      }
    };
  });
  db.close();
  return factory;
}

test("a phone of schema 1 opens in today's app with all that it held, and sends it", async () => {
  const fixture = JSON.parse(readFileSync(new URL("./fixtures/schema-1.json", import.meta.url), "utf8"));
  const server = new FakeServer();
  server.ack = 2;
  const p = await phone(server, { factory: await asItWas(fixture) });
  open.push(p);
  const before = await p.app.dossier("6b1f3f1e-8a51-4a2e-9b51-0d2f3c9f3a01");
  assert.equal(before.citizen.full_name, "Nông Thị Đào");
  assert.equal(before.citizen.note, "nhà cuối bản");
  await p.app.sendNow();
  assert.deepEqual([p.app.status().waiting.mutations, p.app.status().waiting.photos], [0, 0]);
  assert.deepEqual([...server.handled.values()], ["6b1f3f1e-8a51-4a2e-9b51-0d2f3c9f3a11", "6b1f3f1e-8a51-4a2e-9b51-0d2f3c9f3a12"]);
  assert.equal(server.stored.size, 1);
  await p.app.setFields("6b1f3f1e-8a51-4a2e-9b51-0d2f3c9f3a01", "citizen", { note: "đã chuyển" }, null);
  assert.equal((await p.app.dossier("6b1f3f1e-8a51-4a2e-9b51-0d2f3c9f3a01")).citizen.note, "đã chuyển");
});

/** A disk with `room` bytes left, as a browser reports it: the put fails and its transaction with it. */
function fill(room) {
  const weigh = (value) => (value instanceof ArrayBuffer ? value.byteLength : JSON.stringify(value)?.length ?? 0);
  const disk = { room };
  IDBObjectStore.prototype.put = function full(value, ...key) {
    if (weigh(value) > disk.room) throw new DOMException("full", "QuotaExceededError");
    disk.room -= weigh(value);
    return put.call(this, value, ...key);
  };
  return disk;
}

async function withPerson() {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "K7PM42QD" });
  const citizen = await p.app.registerCitizen(person);
  server.say = () => "cut";
  await p.store.reserve();
  return { server, p, app: p.app, citizen };
}

test("on a full phone a photo is refused whole and plainly, and nothing that was saved goes", async () => {
  const { p, app, citizen } = await withPerson();
  await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(5000), type: "image/jpeg", source: "camera" });
  const before = { outbox: await p.store.outbox(), photos: await p.store.photos() };
  fill(10_000);
  await assert.rejects(app.addPhoto({ citizenId: citizen, indicator: 2, bytes: jpeg(50_000, 3), type: "image/jpeg", source: "camera" }), { code: "storage.full" });
  assert.deepEqual({ outbox: await p.store.outbox(), photos: await p.store.photos() }, before);
  assert.equal((await p.store.bytes(before.photos[0].sha256)).byteLength, 5000);
});

test("on a phone where not a byte is left text is still saved, out of its reserve", async () => {
  const { p, app, citizen } = await withPerson();
  const disk = fill(0);
  const remove = IDBObjectStore.prototype.delete;
  IDBObjectStore.prototype.delete = function freeing(key) {
    if (key === "reserve") disk.room += 2 * 1024 * 1024;
    return remove.call(this, key);
  };
  await app.setFields(citizen, "citizen", { note: "máy đầy vẫn ghi được" }, null);
  IDBObjectStore.prototype.delete = remove;
  assert.equal((await app.dossier(citizen)).citizen.note, "máy đầy vẫn ghi được");
  assert.equal(await p.store.meta("reserve"), undefined);
});

test("the connection that a browser closed under the app is opened again by the same save", async () => {
  const { app, citizen } = await withPerson();
  const transaction = IDBDatabase.prototype.transaction;
  let closed = 0;
  IDBDatabase.prototype.transaction = function once(...args) {
    IDBDatabase.prototype.transaction = transaction;
    closed += 1;
    this.close();
    return transaction.apply(this, args);
  };
  await app.setFields(citizen, "citizen", { note: "sau khi mở lại" }, null);
  assert.equal(closed, 1);
  assert.equal((await app.dossier(citizen)).citizen.note, "sau khi mở lại");
});

test("a tab older than the store is told to open the app again", async () => {
  const { p, app, citizen } = await withPerson();
  await p.store.close();
  await new Promise((resolve, reject) => {
    const request = p.factory.open("minhchung", 99);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => { request.result.close(); resolve(null); };
  });
  await assert.rejects(app.setFields(citizen, "citizen", { note: "thẻ cũ" }, { rev: 0, fields: {} }), { code: "storage" });
});

/** The browser's Cache storage in memory; it outlives a database. */
function cacheStorage() {
  const kept = new Map();
  const at = (path) => new URL(path, "https://xa.example").href;
  const cache = {
    put: async (path, response) => { kept.set(at(path), response); },
    match: async (path) => kept.get(at(path))?.clone(),
    delete: async (path) => kept.delete(at(path)),
    keys: async () => [...kept.keys()].map((url) => ({ url })),
  };
  globalThis.caches = { open: async () => cache };
  return kept;
}
afterEach(() => { delete globalThis.caches; });

test("what was sent and purged with its hamlet is no sign of a lost store", async () => {
  const kept = cacheStorage();
  const { server, app, p, citizen } = await withPerson();
  await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(5000), type: "image/jpeg", source: "camera" });
  await p.store.settleCopies();
  server.say = () => null;
  await app.sendNow();
  await app.setFields(citizen, "citizen", { note: "trước khi mất" }, null);
  await p.store.settleCopies();
  assert.ok(kept.size > 0);
  server.scopes = ["commune:12"];
  await app.sendNow();
  await p.store.settleCopies();
  assert.deepEqual([await p.store.doc(citizen), kept.size, app.status().lost], [undefined, 0, null]);
});

test("what is unsent has a second copy, which goes when the commune has it", async () => {
  const kept = cacheStorage();
  const { server, p, app, citizen } = await withPerson();
  await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(5000), type: "image/jpeg", source: "camera" });
  await p.store.settleCopies();
  const [photo] = await p.store.photos();
  assert.deepEqual([...kept.keys()].map((url) => url.split("/").pop()).sort(), [...(await p.store.outbox()).map((m) => m.id), photo.sha256].sort());
  assert.equal(app.status().lost, null);
  server.say = () => null;
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  await p.store.settleCopies();
  assert.equal(kept.size, 0);
});

test("a database that the browser began anew is told, and its unsent work comes out as a file", async () => {
  cacheStorage();
  const { server, app, citizen } = await withPerson();
  await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(5000), type: "image/jpeg", source: "camera" });
  await app.stop();
  server.say = () => null;
  const fresh = await phone(server);
  open.push(fresh);
  for (let n = 0; n < 100 && !fresh.app.status().lost; n += 1) await new Promise((done) => setTimeout(done, 10));
  assert.deepEqual(fresh.app.status().lost, { mutations: 3, photos: 1 });
  await fresh.app.pair({ code: "K7PM42QD" });
  await fresh.app.sendNow();
  assert.deepEqual(fresh.app.status().lost, { mutations: 3, photos: 1 }, "a round of the new database lets nothing of it go");
  const [{ file }] = await fresh.app.exportLost();
  const files = await unzip(file);
  const [name] = [...files.keys()].filter((one) => one.startsWith("photos/"));
  assert.equal(files.get(name).length, 5000);
  assert.deepEqual(JSON.parse(files.get("outbox.json")).mutations.map((m) => m.op).sort(), ["create", "create", "create"]);
  await fresh.app.forgetLost();
  assert.equal(fresh.app.status().lost, null);
});
