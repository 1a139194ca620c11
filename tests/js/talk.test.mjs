// Comments without signal: what is said shows at once, goes once, and what others say is marked as new until read.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });

async function withPerson() {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  for (let no = 1; no <= 10; no += 1) server.put(`0c0b5a0e-0000-4000-8000-0000000001${String(no).padStart(2, "0")}`, { scope: "commune:12", type: "indicator", data: { year: 2026, no, title: `Chỉ số ${no}` } });
  const citizen = await p.app.registerCitizen(person);
  return { server, p, app: p.app, citizen };
}

test("a comment on a dossier that nobody began begins it, shows at once and goes once", async () => {
  const { server, p, app, citizen } = await withPerson();
  server.say = () => "cut";
  await app.say(citizen, "  Mai tôi lên chụp thêm. ");
  const [said] = await app.talk(citizen);
  assert.deepEqual([said.text, said.mine, said.waits, said.at], ["Mai tôi lên chụp thêm.", true, true, p.env.iso()]);
  assert.equal((await app.queue()).find((g) => g.citizenId === citizen).items.length, 3, "person, dossier and comment wait under the person");
  server.say = () => null;
  await app.sendNow();
  assert.deepEqual([...server.docs.values()].filter((d) => d.type === "comment").map((d) => d.data.text), ["Mai tôi lên chụp thêm."]);
  assert.equal((await app.talk(citizen))[0].waits, false);
});

test("a comment on a photo hangs on the photo, not on the dossier", async () => {
  const { server, app, citizen } = await withPerson();
  const { id } = await app.addPhoto({ citizenId: citizen, indicator: 4, bytes: jpeg(900) });
  await app.say(citizen, "Ảnh lớp đêm", id);
  await app.sendNow();
  assert.equal((await app.talk(citizen)).length, 0);
  assert.equal((await app.talk(citizen, id)).length, 1);
  assert.deepEqual((await app.dossier(citizen)).indicators[3].photos[0].talk, { all: 1, fresh: 0 });
  assert.equal([...server.docs.values()].find((d) => d.type === "comment").data.on, id);
});

test("what another says is new until it is read, for this person alone", async () => {
  const { server, app, citizen } = await withPerson();
  await app.say(citizen, "Chào xã");
  await app.sendNow();
  const { id } = await app.dossier(citizen);
  server.put("0c0b5a0e-0000-4000-8000-0000000000aa", { type: "comment", data: { on: id, text: "Xã đã xem", author: "p9", author_name: "Cán bộ xã", updated_at: "2026-11-24T08:00:00.000Z" } });
  await app.sendNow();
  assert.deepEqual((await app.dossier(citizen)).talk, { all: 2, fresh: 1 });
  assert.equal((await app.searchPeople(""))[0].fresh, true);
  await app.talkSeen(citizen);
  assert.deepEqual((await app.dossier(citizen)).talk, { all: 2, fresh: 0 });
  assert.equal((await app.searchPeople(""))[0].fresh, false);
});

test("an empty comment is refused on the phone", async () => {
  const { app, citizen } = await withPerson();
  await assert.rejects(app.say(citizen, "   "), { code: "value.missing" });
});
