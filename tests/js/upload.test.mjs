// Photos on bad lines: cut, damaged, lost, shared by two people, paused.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });
const patches = (server) => server.requests.filter((r) => r.method === "PATCH");

async function withPhoto(size = 200_000) {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "K7PM42QD" });
  const citizen = await p.app.registerCitizen(person);
  await p.app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(size), type: "image/jpeg", source: "camera" });
  return { server, p, app: p.app, citizen };
}

test("after a cut at most one chunk is sent again", async () => {
  const { server, app } = await withPhoto();
  let chunk = 0;
  server.say = (r) => (r.method === "PATCH" && ++chunk === 2 ? "cut" : null);
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 1);
  server.say = () => null;
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  const sent = patches(server).reduce((sum, r) => sum + r.body.length, 0);
  assert.ok(sent <= 200_000 + 256 * 1024, `${sent}`);
  assert.deepEqual([...server.uploads.values()].map((u) => u.bytes.length), [200_000]);
});

test("a chunk whose answer was lost is not sent twice", async () => {
  const { server, app } = await withPhoto();
  let chunk = 0;
  server.say = (r) => (r.method === "PATCH" && ++chunk === 1 ? "lost" : null);
  await app.sendNow();
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  assert.equal(patches(server).reduce((sum, r) => sum + r.body.length, 0), 200_000);
});

test("a damaged chunk is sent again from the server's offset", async () => {
  const { server, app } = await withPhoto();
  let chunk = 0;
  server.say = (r) => (r.method === "PATCH" && ++chunk === 1 ? new Response(null, { status: 460 }) : null);
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  assert.ok(server.requests.some((r) => r.method === "HEAD"));
});

test("an upload that expired begins anew", async () => {
  const { server, app } = await withPhoto();
  let chunk = 0;
  server.say = (r) => { if (r.method === "PATCH" && ++chunk === 2) server.uploads.clear(); return null; };
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  assert.equal(server.stored.size, 1);
});

test("no answer but a receipt that names the hash counts as received", async () => {
  const { server, app } = await withPhoto(1000);
  server.say = (r) => (r.method === "PATCH" ? new Response(null, { status: 204, headers: { "upload-offset": "1000", "upload-receipt": `sha256 ${"0".repeat(64)}` } }) : null);
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 1);
});

test("bytes that changed on the phone are never sent", async () => {
  const { server, p, app } = await withPhoto(1000);
  const [photo] = await p.store.photos();
  await p.store.run(["bytes"], "readwrite", (tx) => tx.objectStore("bytes").put(jpeg(1000, 7), photo.sha256));
  await app.sendNow();
  assert.equal(patches(server).length, 0);
  assert.equal((await app.queue()).flatMap((one) => one.items).find((i) => i.kind === "photo").reason, "photo.bytes_changed");
});

test("text goes while photos are paused", async () => {
  const { server, app } = await withPhoto();
  await app.pause();
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal(app.status().waiting.photos, 1);
  assert.equal(app.status().round, "paused");
  await app.resume();
  assert.equal(app.status().waiting.photos, 0);
  assert.ok(server.stored.size);
});

test("a photo moved to another indicator is not sent again", async () => {
  const { server, app, citizen } = await withPhoto();
  await app.sendNow();
  const before = patches(server).length;
  const { id } = [...server.docs.values()].map((d) => ({ ...d, id: d.doc })).find((d) => d.type === "evidence");
  await app.movePhoto(id, { citizenId: citizen, indicator: 2 });
  await app.sendNow();
  assert.equal(patches(server).length, before);
  const moved = [...server.docs.values()].find((d) => d.data?.moved_from === id);
  assert.equal(moved.data.indicator, 2);
  assert.equal(server.docs.get(id).deleted, true);
});

test("receipted bytes go after 30 days, waiting ones never", async () => {
  const { p, app, citizen } = await withPhoto();
  await app.sendNow();
  await app.addPhoto({ citizenId: citizen, indicator: 2, bytes: jpeg(1000, 9), type: "image/jpeg", source: "camera" });
  p.clock.at += 31 * 24 * 3600 * 1000;
  await p.store.prune(new Date(p.clock.at - 30 * 24 * 3600 * 1000).toISOString());
  const photos = await p.store.photos();
  for (const photo of photos) assert.equal(Boolean(await p.store.bytes(photo.sha256)), photo.state !== "received");
});
