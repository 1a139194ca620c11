// One sync answer enters the store whole: documents through one or two scopes, acknowledged entries, what leaves.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { beforeEach, test } from "node:test";
import { createStore } from "../../pwa/js/store/store.js";

const require = createRequire(new URL("../../pwa/package.json", import.meta.url));
require("fake-indexeddb/auto");
const { IDBFactory } = require("fake-indexeddb");
beforeEach(() => { globalThis.indexedDB = new IDBFactory(); });

const change = (doc, rev, more = {}) => ({ scope: "place:1", type: "citizen", doc, rev, data: { full_name: `${doc} ${rev}` }, ...more });
const answer = (changes, more = {}) => ({ v: 1, epoch: "e1", ack: 0, results: [], resync: [], scopes: ["place:1", "place:2"], changes, cursors: { "place:1": "a", "place:2": "b" }, more: false, photos: [], ...more });
const context = { now: "2026-11-24T07:30:00.000Z", sent: Number.MAX_SAFE_INTEGER };

test("a large answer takes its entries out of the outbox and shows every document once", async () => {
  const store = createStore();
  const names = Array.from({ length: 600 }, (_, n) => `d${n}`);
  await store.save(names.map((doc) => ({ id: `m-${doc}`, op: "create", type: "citizen", doc, base: 0, set: {}, at: context.now })));
  const { results } = await store.applyAnswer(answer(names.map((doc) => change(doc, 1)), { ack: 600, results: [{ seq: 7, result: "merged" }] }), context);
  assert.deepEqual(results.map(({ mutation, result }) => [mutation.doc, result.result]), [["d6", "merged"]]);
  assert.deepEqual(await store.outbox(), []);
  assert.deepEqual(await store.pending(), []);
  assert.equal((await store.done()).length, 600);
  assert.equal((await store.docsOf("citizen")).length, 600);
  await store.close();
});

test("what is acknowledged without its document stays in sight until that comes", async () => {
  const store = createStore();
  await store.save([{ id: "m1", op: "create", type: "citizen", doc: "d1", base: 0, set: {}, at: context.now }]);
  await store.applyAnswer(answer([], { ack: 1 }), context);
  assert.deepEqual((await store.pending()).map((m) => m.id), ["m1"]);
  await store.applyAnswer(answer([change("d1", 1)], { ack: 1 }), context);
  assert.deepEqual(await store.pending(), []);
  await store.close();
});

test("a document through two scopes in one answer has both, and goes with the last", async () => {
  const store = createStore();
  await store.applyAnswer(answer([change("d", 1), change("d", 1, { scope: "place:2" })]), context);
  assert.deepEqual((await store.doc("d")).scopes, ["place:1", "place:2"]);
  await store.applyAnswer(answer([{ scope: "place:1", type: "citizen", doc: "d", rev: 2, left: true }]), context);
  assert.deepEqual((await store.doc("d")).scopes, ["place:2"]);
  await store.applyAnswer(answer([{ scope: "place:2", type: "citizen", doc: "d", rev: 2, left: true }]), context);
  assert.equal(await store.doc("d"), undefined);
  await store.close();
});

test("within one answer the last word on a document holds, and an older revision changes nothing", async () => {
  const store = createStore();
  await store.applyAnswer(answer([change("a", 1), { scope: "place:1", type: "citizen", doc: "a", rev: 2, deleted: true }, change("b", 3), change("b", 2)]), context);
  assert.equal(await store.doc("a"), undefined);
  assert.equal((await store.doc("b")).rev, 3);
  await store.close();
});
