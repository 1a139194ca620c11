// Reads of one moment share a transaction and a view of the store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAsking } from "../../pwa/js/store/asking.js";

/** A store that counts its transactions and answers what the work asks. */
function counted() {
  const ran = [];
  const tx = { read: async (name) => [name] };
  return { ran, run: async (stores, mode, work) => { ran.push([stores.join(), mode]); return work(tx); } };
}

test("what is asked at one moment goes in one transaction over all it needs", async () => {
  const { ran, run } = counted();
  const ask = createAsking(run);
  const answers = await Promise.all([ask("a", ["docs"], (tx) => tx.read("a")), ask("b", ["meta", "docs"], (tx) => tx.read("b"))]);
  assert.deepEqual(answers, [["a"], ["b"]]);
  assert.deepEqual(ran, [["docs,meta", "readonly"]]);
});

test("the same question is asked once, and each asker may change its own list", async () => {
  const ask = createAsking(counted().run);
  let times = 0;
  const work = async (tx) => { times += 1; return tx.read("a"); };
  const [one, other] = await Promise.all([ask("a", ["docs"], work), ask("a", ["docs"], work)]);
  one.push("mine");
  assert.deepEqual([times, other], [1, ["a"]]);
});

test("a later question is read anew", async () => {
  const { ran, run } = counted();
  const ask = createAsking(run);
  await ask("a", ["docs"], (tx) => tx.read("a"));
  await ask("a", ["docs"], (tx) => tx.read("a"));
  assert.equal(ran.length, 2);
});

test("a store that fails tells every asker, and the next one is answered", async () => {
  const { run } = counted();
  let broken = true;
  const ask = createAsking((...all) => (broken ? Promise.reject(new Error("closed")) : run(...all)));
  const results = await Promise.allSettled([ask("a", ["docs"], (tx) => tx.read("a")), ask("b", ["docs"], (tx) => tx.read("b"))]);
  assert.deepEqual(results.map((r) => r.reason?.message), ["closed", "closed"]);
  broken = false;
  assert.deepEqual(await ask("a", ["docs"], (tx) => tx.read("a")), ["a"]);
});
