// A neighbour's exported file carried by a volunteer's phone: sealed, handed in once, and nothing dropped before the commune has it.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });
const problem = (status, body) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } });

async function paired() {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  return { server, p, app: p.app };
}

/** What a phone without signal hands out: one person, one dossier, two photos. */
async function exported() {
  const neighbour = await paired();
  neighbour.server.say = () => "cut";
  const citizen = await neighbour.app.registerCitizen(person);
  for (const n of [1, 2]) await neighbour.app.addPhoto({ citizenId: citizen, indicator: n, bytes: jpeg(5_000_000, n) });
  const [given] = await neighbour.app.exportUnsent();
  return { neighbour, given, mutations: (await neighbour.p.store.outbox()).map((m) => m.id) };
}
const pieces = async (p) => (await p.store.run(["bytes"], "readonly", (tx) => tx.objectStore("bytes").getAllKeys())).filter((key) => key.startsWith("parcel:"));

test("taken without signal, handed in when there is, with what the commune took", async () => {
  const { neighbour, given, mutations } = await exported();
  const { server, p, app } = await paired();
  server.say = () => "cut";
  const { known, parcel } = await app.takeParcel(given);
  assert.equal(known, false);
  assert.deepEqual(parcel.holds, { photos: 2, mutations: 4 });
  assert.ok((await pieces(p)).length >= 3, "kept in pieces, never one block");
  const again = await p.reopen();
  open.push(again);
  assert.equal(again.app.status().parcels, 1);
  server.say = () => null;
  await again.app.sendNow();
  assert.deepEqual(server.deposits.map((d) => d.mutations.map((m) => m.id)), [mutations]);
  const [done] = await again.app.parcels();
  assert.deepEqual([done.state, done.told], ["delivered", { mutations: 4, photos: 2 }]);
  assert.equal(again.app.status().parcels, 0);
  assert.deepEqual(await pieces(again), []);
  assert.equal((await neighbour.p.store.outbox()).length, 4, "the neighbour's phone keeps its own until receipts reach it");
  assert.equal(neighbour.app.status().waiting.photos, 2);
});

test("the same file twice is one parcel", async () => {
  const { given } = await exported();
  const { server, p, app } = await paired();
  server.say = () => "cut";
  await app.takeParcel(given);
  const before = (await pieces(p)).length;
  assert.equal((await app.takeParcel({ name: "chép.zip", file: new Blob([await given.file.arrayBuffer()]) })).known, true);
  assert.equal((await pieces(p)).length, before);
  assert.equal((await app.parcels()).length, 1);
});

test("what is no export of this app is refused at once, and leaves nothing behind", async () => {
  const { p, app } = await paired();
  for (const bytes of [new Uint8Array(0), new TextEncoder().encode("<html>"), new Uint8Array(jpeg(5000))]) await assert.rejects(app.takeParcel({ name: "x.zip", file: new Blob([bytes]) }), { code: "parcel.invalid" });
  const { given } = await exported();
  await assert.rejects(app.takeParcel({ name: "cut.zip", file: given.file.slice(0, 9_000_000) }), { code: "parcel.invalid" });
  assert.deepEqual(await pieces(p), []);
});

test("a parcel that is taken only in part stays, and says so", async () => {
  const { given } = await exported();
  const { server, p, app } = await paired();
  const whole = server.deposit.bind(server);
  server.deposit = (body) => { whole(body); return new Response(JSON.stringify({ mutations: ["a", "b", "c", "d"], photos: ["one"] }), { status: 201, headers: { "content-type": "application/json" } }); };
  await app.takeParcel(given);
  await app.sendNow();
  const [done] = await app.parcels();
  assert.deepEqual([done.state, done.told.photos], ["partly", 1]);
  assert.ok((await pieces(p)).length > 0);
});

test("a busy server is tried again; a refusal stays until a person takes it off the list", async () => {
  const { given } = await exported();
  const { server, p, app } = await paired();
  server.say = (r) => (r.path === "/api/v1/deposit" ? problem(503, { code: "busy" }) : null);
  await app.takeParcel(given);
  await app.sendNow();
  assert.equal((await app.parcels())[0].state, "waiting");
  await app.dropParcel((await app.parcels())[0].id);
  assert.equal((await app.parcels()).length, 1, "one that waits is never dropped");
  server.say = (r) => (r.path === "/api/v1/deposit" ? problem(401, { code: "device.unknown" }) : null);
  await app.sendNow();
  assert.equal((await app.parcels())[0].state, "refused");
  assert.ok((await pieces(p)).length > 0);
  await app.dropParcel((await app.parcels())[0].id);
  assert.deepEqual([await app.parcels(), await pieces(p)], [[], []]);
});

test("a revoked volunteer's phone hands in what it carries before it is emptied", async () => {
  const { given, mutations } = await exported();
  const { server, p, app } = await paired();
  await app.takeParcel(given);
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked" }) : "cut");
  await app.sendNow();
  assert.equal((await app.parcels()).length, 1, "nothing is emptied while the parcel waits");
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked" }) : null);
  await app.sendNow();
  assert.deepEqual(server.deposits[0].mutations.map((m) => m.id), mutations);
  assert.deepEqual([await app.parcels(), await pieces(p)], [[], []]);
  assert.equal(app.status().paired, false);
});

test("a phone that cannot sign in any more still hands in what it carries", async () => {
  const { given } = await exported();
  const { server, app } = await paired();
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(401, { code: "auth.required" }) : null);
  await app.takeParcel(given);
  await app.sendNow();
  assert.equal((await app.parcels())[0].state, "delivered");
});
