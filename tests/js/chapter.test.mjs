// What a chapter member does besides photos: confirm a person, see what is on its way, hand out what is unsent.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";
import { sha256, unzip } from "./reading.mjs";

const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });

async function paired() {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  return { server, p, app: p.app };
}
const CITIZEN = "0c0b5a0e-0000-4000-8000-000000000001";

test("a person who registered by the poster is confirmed without signal, and the command waits", async () => {
  const { server, p, app } = await paired();
  server.put(CITIZEN, { type: "citizen", data: { place: 4471, full_name: "Lý Thị Đào", state: "unconfirmed" } });
  await app.sendNow();
  assert.equal((await app.dossier(CITIZEN)).mayConfirm, true);
  server.say = () => "cut";
  await app.confirm(CITIZEN);
  assert.equal((await app.dossier(CITIZEN)).mayConfirm, false);
  assert.equal((await app.searchPeople("dao"))[0].unconfirmed, false);
  const [sent] = await p.store.outbox();
  assert.deepEqual([sent.op, sent.type, sent.doc, sent.expect], ["confirm", "citizen", CITIZEN, "unconfirmed"]);
});

test("another phone's photo is on its way until the commune has it, then not yet here, then shown", async () => {
  const { server, app } = await paired();
  const bytes = jpeg(500);
  const hash = sha256(Buffer.from(bytes));
  server.put(CITIZEN, { type: "citizen", data: { place: 4471, full_name: "Lý Thị Đào" } });
  await app.sendNow();
  const { id } = await app.dossier(CITIZEN);
  server.put(id, { type: "dossier", data: { citizen: CITIZEN, year: 2026, state: "submitted" } });
  server.put("0c0b5a0e-0000-4000-8000-0000000000e1", { type: "evidence", data: { dossier: id, indicator: 1, sha256: hash, author: "p9" } });
  for (let no = 1; no <= 10; no += 1) server.put(`0c0b5a0e-0000-4000-8000-00000000010${no % 10}`, { scope: "commune:12", type: "indicator", data: { year: 2026, no, title: `${no}` } });
  const status = async () => (await app.dossier(CITIZEN)).indicators[0].photos[0].status;
  await app.sendNow();
  assert.equal(await status(), "on_its_way");
  server.say = (r) => (r.path.startsWith("/api/v1/photos/") ? new Response('{"code":"photo.not_ready"}', { status: 404, headers: { "content-type": "application/problem+json" } }) : null);
  await app.sendNow();
  assert.equal(await status(), "not_here");
  server.say = () => null;
  server.images.set(hash, bytes);
  await app.sendNow();
  assert.equal(await status(), "received");
});

test("what is unsent comes out as one file with each photo whole", async () => {
  const { server, app } = await paired();
  server.say = () => "cut";
  const citizen = await app.registerCitizen(person);
  const shots = [await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(70_000, 1) }), await app.addPhoto({ citizenId: citizen, indicator: 2, bytes: jpeg(90_000, 2) })];
  const [{ name, file }, ...more] = await app.exportUnsent();
  assert.match(name, /^minh-chung-chua-gui-2026-11-24\.zip$/);
  assert.equal(more.length, 0);
  const files = await unzip(file);
  const content = JSON.parse(files.get("outbox.json"));
  assert.deepEqual(content.photos.map((p) => p.sha256).sort(), shots.map((s) => s.sha256).sort());
  for (const { sha256: hash } of shots) assert.equal(sha256(files.get(`photos/${hash}`)), hash);
  assert.equal(files.get("signature").length, 86);
});

test("more than one file can hold goes out in several, nothing twice", async () => {
  const { server, p, app } = await paired();
  server.say = () => "cut";
  const citizen = await app.registerCitizen(person);
  for (let n = 1; n <= 3; n += 1) await app.addPhoto({ citizenId: citizen, indicator: n, bytes: jpeg(900, n) });
  const heavy = (await p.store.photos()).map((photo) => ({ ...photo, size: 80 * 1024 * 1024 }));
  await p.store.run(["photos"], "readwrite", async (tx) => { for (const photo of heavy) await tx.objectStore("photos").put(photo); });
  const files = await Promise.all((await app.exportUnsent()).map(({ file }) => unzip(file)));
  assert.equal(files.length, 3);
  assert.deepEqual(files.map((f) => JSON.parse(f.get("outbox.json")).mutations.length > 0), [true, false, false]);
  assert.equal(new Set(files.flatMap((f) => [...f.keys()].filter((name) => name.startsWith("photos/")))).size, 3);
});
