// One phone, several people: each one's own name, drafts and documents; a PIN against mix-ups; asked again after five minutes.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, phone } from "./phone.mjs";

const OWN = "0c0b5a0e-0000-4000-8000-000000000001";
const OTHER = "0c0b5a0e-0000-4000-8000-000000000002";
const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });

/** A chapter member and a citizen of the hamlet on one phone. */
async function shared() {
  const server = new FakeServer();
  server.people = [{ id: "p1", name: "Chị Hường", role: "chapter", place: 4471, citizen: null }, { id: "p2", name: "Bà Mẩy", role: "citizen", place: 4471, citizen: OWN }];
  server.scopes = ["commune:12", "place:4471", `citizen:${OWN}`];
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  for (const [id, name] of [[OWN, "Lý Thị Mẩy"], [OTHER, "Vi Văn Páo"]]) server.put(id, { type: "citizen", data: { place: 4471, full_name: name } });
  for (let no = 1; no <= 10; no += 1) server.put(`0c0b5a0e-0000-4000-8000-0000000001${String(no).padStart(2, "0")}`, { scope: "commune:12", type: "indicator", data: { year: 2026, no, title: `Chỉ số ${no}` } });
  await p.app.sendNow();
  return { server, p, app: p.app };
}

test("people switch without signal, each entry carries the name of who made it, and all of it is sent", async () => {
  const { server, p, app } = await shared();
  server.say = () => "cut";
  await app.addPhoto({ citizenId: OTHER, indicator: 1, bytes: jpeg(800, 1) });
  await app.choosePerson("p2");
  await app.addPhoto({ citizenId: OWN, indicator: 1, bytes: jpeg(800, 2) });
  assert.deepEqual([...new Set((await p.store.outbox()).map((m) => m.by))], ["p1", "p2"]);
  server.say = () => null;
  await app.sendNow();
  assert.deepEqual([app.status().waiting.mutations, app.status().waiting.photos], [0, 0], "who holds the phone sends everyone's");
  assert.deepEqual([...server.docs.values()].filter((d) => d.type === "evidence").map((d) => d.data.author), ["p1", "p2"]);
});

test("a citizen sees the own dossier alone, and of the others' queue only that it waits", async () => {
  const { server, app } = await shared();
  server.say = () => "cut";
  await app.addPhoto({ citizenId: OTHER, indicator: 1, bytes: jpeg(800, 1) });
  await app.choosePerson("p2");
  assert.deepEqual((await app.searchPeople("")).map((x) => x.full_name), ["Lý Thị Mẩy"]);
  assert.equal(await app.dossier(OTHER), null);
  assert.equal((await app.dossier(OWN)).citizen.full_name, "Lý Thị Mẩy");
  const queue = await app.queue();
  assert.deepEqual(queue.map((g) => [g.personName, g.others]), [["", 3]]);
  await app.choosePerson("p1");
  assert.deepEqual((await app.queue()).map((g) => g.personName), ["Vi Văn Páo"]);
});

test("the chapter's scores stay unseen by the citizen until they are shown, also on a shared phone", async () => {
  const { server, app } = await shared();
  const { id } = await app.dossier(OWN);
  const put = (state) => server.put(id, { type: "dossier", data: { citizen: OWN, year: 2026, state, "self.1": 7, "chapter.1": 4, chapter_note: "ít ảnh" } });
  put("appraised");
  await app.sendNow();
  assert.equal((await app.dossier(OWN)).indicators[0].chapter, 4);
  await app.choosePerson("p2");
  const seen = await app.dossier(OWN);
  assert.deepEqual([seen.indicators[0].self, seen.indicators[0].chapter, seen.chapterNote], [7, null, ""]);
  put("returned");
  await app.sendNow();
  assert.equal((await app.dossier(OWN)).indicators[0].chapter, 4);
});

test("drafts are each one's own, and those of an app that knew one person become that person's", async () => {
  const { p, app } = await shared();
  await app.saveDraft("register", { full_name: "đang ghi" });
  await app.choosePerson("p2");
  assert.equal(await app.draft("register"), undefined);
  await app.saveDraft("register", { full_name: "của bà" });
  await app.choosePerson("p1");
  assert.equal((await app.draft("register")).full_name, "đang ghi");
  await p.store.setDraft("note/x/1", "từ bản cũ");
  const again = await p.reopen();
  open.push(again);
  assert.equal(await again.app.draft("note/x/1"), "từ bản cũ");
  assert.equal(await again.store.draft("note/x/1"), undefined);
});

test("the phone asks who uses it after five minutes unused, and goes on where it was for the same person", async () => {
  const { p, app } = await shared();
  app.touch();
  p.clock.at += 4 * 60_000;
  app.lockIfIdle();
  assert.equal(app.status().locked, false);
  app.touch();
  p.clock.at += 5 * 60_000;
  app.lockIfIdle();
  assert.equal(app.status().locked, true);
  app.touch();
  assert.equal(app.status().locked, true, "a touch does not unlock");
  await app.choosePerson("p1");
  assert.deepEqual([app.status().locked, app.status().me.id], [false, "p1"]);
});

test("killed and reopened within five minutes it goes on; later it asks", async () => {
  const { p } = await shared();
  p.app.touch();
  const soon = await p.reopen();
  open.push(soon);
  assert.equal(soon.app.status().locked, false);
  soon.clock.at += 6 * 60_000;
  const late = await soon.reopen();
  open.push(late);
  assert.equal(late.app.status().locked, true);
});

test("a phone of one person without a PIN never asks", async () => {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  p.clock.at += 3_600_000;
  p.app.lockIfIdle();
  assert.equal(p.app.status().locked, false);
});

test("a PIN is asked of its person only, waits after five wrong tries, and is kept as a hash", async () => {
  const { p, app } = await shared();
  await assert.rejects(app.setPin("12"), { code: "pin.short" });
  await app.setPin("2468");
  assert.deepEqual(app.status().people.map((x) => x.pin), [true, false]);
  assert.ok(!JSON.stringify(await p.store.meta("pins")).includes("2468"));
  await app.choosePerson("p2");
  await assert.rejects(app.choosePerson("p1"), { code: "pin.needed" });
  for (let n = 0; n < 4; n += 1) await assert.rejects(app.choosePerson("p1", "1111"), { code: "pin.wrong" });
  await assert.rejects(app.choosePerson("p1", "1111"), { code: "pin.wait" });
  await assert.rejects(app.choosePerson("p1", "2468"), { code: "pin.wait" });
  assert.equal(app.status().me.id, "p2");
  p.clock.at += 61_000;
  await app.choosePerson("p1", "2468");
  assert.equal(app.status().me.id, "p1");
  await app.setPin("");
  assert.equal(app.status().people[0].pin, false);
});

test("a forgotten PIN goes with a new pairing code for that person", async () => {
  const { app } = await shared();
  await app.setPin("2468");
  await app.choosePerson("p2");
  await app.pair({ code: "AAAA2222" });
  assert.deepEqual([app.status().me.id, app.status().people[0].pin], ["p1", false]);
});
