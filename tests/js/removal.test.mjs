// Taking a photo away: the time to undo survives a killed browser, and two removals never forget each other.
import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const open = [];
afterEach(async () => {
  mock.timers.reset();
  for (const p of open.splice(0)) await p.app.stop();
});

/** A phone with photos that the commune has. @param {number} count */
async function withPhotos(count) {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "K7PM42QD" });
  const citizen = await p.app.registerCitizen(person);
  const ids = [];
  for (let n = 0; n < count; n += 1) ids.push((await p.app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(1000, n), type: "image/jpeg", source: "camera" })).id);
  await p.app.sendNow();
  return { server, p, citizen, ids };
}

/** @param {any} p */
async function eventually(p, what) {
  for (let n = 0; n < 200 && !(await what()); n += 1) await new Promise((done) => setImmediate(done));
  assert.ok(await what());
  await p.app.sendNow();
}

test("a photo taken away just before the browser was killed is deleted without another start", async () => {
  const { server, p, ids } = await withPhotos(1);
  await p.app.removePhoto(ids[0]);
  p.clock.at += 1000;
  mock.timers.enable({ apis: ["setTimeout"] });
  const again = await p.reopen();
  open.push(again);
  assert.ok((await again.store.meta("removals"))[ids[0]], "there is still time to undo");
  again.clock.at += 6000;
  mock.timers.tick(6500);
  await eventually(again, async () => (await again.store.outbox()).length === 1);
  assert.equal(server.docs.get(ids[0]).deleted, true);
});

test("two photos taken away, one of them brought back, at the same moment", async () => {
  const { server, p, ids } = await withPhotos(3);
  await Promise.all([p.app.removePhoto(ids[0]), p.app.removePhoto(ids[1]), p.app.removePhoto(ids[2]), p.app.undo({ id: ids[1] })]);
  p.clock.at += 10_000;
  const again = await p.reopen();
  open.push(again);
  await again.app.sendNow();
  assert.deepEqual(ids.map((id) => Boolean(server.docs.get(id).deleted)), [true, false, true]);
});

test("a clock that is set back keeps no photo hidden for years", async () => {
  const { server, p, ids } = await withPhotos(1);
  await p.app.removePhoto(ids[0]);
  p.clock.at -= 10 * 365 * 24 * 3600 * 1000;
  const again = await p.reopen();
  open.push(again);
  await again.app.sendNow();
  assert.equal(server.docs.get(ids[0]).deleted, true);
});

test("a photo taken away a moment before the dossier is sent in is not sent in with it", async () => {
  const { server, p, citizen, ids } = await withPhotos(1);
  await p.app.removePhoto(ids[0]);
  server.say = () => "cut";
  await p.app.submit(citizen);
  assert.deepEqual((await p.store.outbox()).map((m) => m.op), ["delete", "submit"]);
  assert.deepEqual(await p.store.meta("removals"), {});
  assert.equal((await p.app.dossier(citizen)).state, "submitted");
});
