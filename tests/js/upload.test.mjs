// Photos on bad lines: cut, damaged, lost, shared by two people, paused.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";
import { unzip } from "./reading.mjs";

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

const problem = (status, code) => new Response(JSON.stringify({ code }), { status, headers: { "content-type": "application/problem+json" } });

test("a photo that the commune cannot take rests, says so, and is not sent at every round", async () => {
  const { server, p, app, citizen } = await withPhoto(1000);
  server.say = (r) => (r.method === "PATCH" ? problem(415, "upload.type") : null);
  await app.sendNow();
  await app.addPhoto({ citizenId: citizen, indicator: 2, bytes: jpeg(1000, 9), type: "image/jpeg", source: "camera" });
  server.say = () => null;
  await app.sendNow();
  await app.sendNow();
  assert.equal(patches(server).length, 2, "the refused one once, the other one once");
  assert.equal(server.stored.size, 1);
  const row = (await app.queue()).flatMap((one) => one.items).find((i) => i.rests);
  assert.deepEqual([row.reason, row.state], ["upload.type", "waiting"]);
  assert.equal(app.status().waiting.resting, 1);
  assert.equal((await p.store.bytes(row.sha256)).byteLength, 1000);
  const [{ file }] = await app.exportUnsent();
  assert.ok((await unzip(file)).has(`photos/${row.sha256}`), "it goes out with the export");
});

test("a refused photo that was taken away leaves the queue with its entry, and can come back until then", async () => {
  const { server, p, app } = await withPhoto(1000);
  server.say = (r) => (r.method === "PATCH" ? problem(415, "upload.type") : null);
  await app.sendNow();
  const { remove } = (await app.queue()).flatMap((one) => one.items).find((i) => i.rests);
  await app.undo(await app.removePhoto(remove));
  assert.equal(app.status().waiting.photos, 1);
  await app.removePhoto(remove);
  p.clock.at += 10_000;
  const again = await p.reopen();
  open.push(again);
  await again.app.sendNow();
  assert.deepEqual(await again.store.photos(), []);
  assert.equal(again.app.status().waiting.photos, 0);
  assert.equal(server.docs.get(remove).deleted, true);
});

test("a server with a full disk stops no text, and gets the photo when it has room again", async () => {
  const { server, p, app } = await withPhoto();
  let chunk = 0;
  server.say = (r) => (r.method === "PATCH" && ++chunk > 1 ? problem(503, "server.full") : null);
  await app.sendNow();
  assert.deepEqual([app.status().waiting.mutations, app.status().waiting.photos, app.status().error.code], [0, 1, "server.full"]);
  assert.equal((await app.queue()).flatMap((one) => one.items).find((i) => i.kind === "photo").reason, "server");
  assert.ok(await p.store.bytes((await p.store.photos())[0].sha256));
  server.say = () => null;
  await app.sendNow();
  assert.equal(app.status().waiting.photos, 0);
  assert.equal(patches(server).filter((r) => Number(r.headers["Upload-Offset"]) === 0).length, 1, "what was taken is not sent again");
});

test("photos of others stay within the space limit, the oldest go first", async () => {
  const { server, p, app } = await withPhoto(1000);
  await app.sendNow();
  const shas = [];
  for (let n = 0; n < 70; n += 1) {
    const sha256 = n.toString(16).padStart(64, "0");
    server.images.set(sha256, new Uint8Array(1024 * 1024));
    shas.push(sha256);
  }
  for (const sha256 of shas) {
    p.clock.at += 1000;
    app.releaseUrl(await app.photoUrl(sha256, "screen"));
  }
  const keys = new Set(await p.store.cachedKeys());
  assert.ok(keys.size <= 60 && keys.size >= 50, `${keys.size}`);
  assert.ok(keys.has(`${shas.at(-1)}:screen`));
  assert.ok(!keys.has(`${shas[0]}:screen`));
});
