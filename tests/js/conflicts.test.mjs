// Choosing between two versions without signal: what shows at once, undo, later, and a choice that came too late.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, phone } from "./phone.mjs";

const CITIZEN = "0c0b5a0e-0000-4000-8000-000000000001";
const CARD = "0c0b5a0e-0000-4000-8000-00000000000c";
const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });

/** A phone with one open card on the self-score of indicator 1: 9 in use by another phone, 5 written here. */
async function disagreed(more = {}) {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  server.put(CITIZEN, { type: "citizen", data: { place: 4471, full_name: "Lý Thị Đào" } });
  for (let no = 1; no <= 10; no += 1) server.put(`0c0b5a0e-0000-4000-8000-0000000001${String(no).padStart(2, "0")}`, { scope: "commune:12", type: "indicator", data: { year: 2026, no, title: `Chỉ số ${no}` } });
  await p.app.sendNow();
  const { id } = await p.app.dossier(CITIZEN);
  server.put(id, { type: "dossier", data: { citizen: CITIZEN, year: 2026, state: "draft", "self.1": 9 } });
  server.put(CARD, { type: "conflict", data: { doc: id, type: "dossier", field: "self.1", citizen: CITIZEN, state: "open", to: "person:p1", base: { rev: 1, value: 6 }, theirs: { value: 9, by: "p9", by_name: "Chị Mẩy", device: "x", device_name: "Nokia", at: "2026-11-23T07:00:00.000Z" }, mine: { value: 5, by: "p1", by_name: "Chị Hường", device: p.app.status().device.id, at: "2026-11-24T07:00:00.000Z" }, ...more } });
  await p.app.sendNow();
  return { server, p, app: p.app, dossier: id, score: async () => (await p.app.dossier(CITIZEN)).indicators[0].self };
}
const waiting = async (p) => (await p.store.outbox()).map((m) => [m.op, m.doc, m.set]);

test("both versions are shown with whose, when and from which phone, and counted", async () => {
  const { app } = await disagreed();
  const [card] = await app.conflicts();
  assert.equal(app.status().toChoose, 1);
  assert.deepEqual([card.yours, card.no, card.kind, card.before], [true, 1, "score", 6]);
  assert.deepEqual([card.theirs.value, card.theirs.by, card.theirs.phone, card.theirs.here], [9, "Chị Mẩy", "Nokia", false]);
  assert.deepEqual([card.mine.value, card.mine.here], [5, true]);
  assert.equal((await app.searchPeople(""))[0].toChoose, 1);
  assert.deepEqual((await app.dossier(CITIZEN)).indicators[0].held, { id: CARD, yours: true });
});

for (const [name, choice, value] of [["the one in use", { pick: "theirs" }, 9], ["the other", { pick: "mine" }, 5], ["a third value", { value: 7 }, 7]]) {
  test(`without signal ${name} shows at once, and goes with the card's revision`, async () => {
    const { server, p, app, dossier, score } = await disagreed();
    server.say = () => "cut";
    await app.choose(CARD, choice, 1);
    assert.equal(await score(), value);
    assert.equal(app.status().toChoose, 0);
    assert.deepEqual(await waiting(p), [], "it can still be undone");
    p.clock.at += 20_000;
    await app.finishChoices();
    const [sent] = await p.store.outbox();
    assert.deepEqual([sent.op, sent.doc, sent.base, sent.set], ["resolve", CARD, { rev: 1, "self.1": 1 }, choice]);
    assert.equal(await score(), value);
    assert.equal(dossier, (await p.store.doc(CARD)).data.doc);
  });
}

test("undo leaves both versions as they were and sends nothing", async () => {
  const { p, app, score } = await disagreed();
  await app.choose(CARD, { pick: "mine" }, 1);
  assert.equal(await app.undoChoice(CARD), true);
  assert.equal(await score(), 9);
  assert.equal(app.status().toChoose, 1);
  p.clock.at += 20_000;
  await app.finishChoices();
  assert.deepEqual(await waiting(p), []);
  assert.equal(await app.undoChoice(CARD), false, "nothing is there to undo");
});

test("a choice is not lost when the browser is killed at once", async () => {
  const { server, p, app } = await disagreed();
  server.say = () => "cut";
  await app.choose(CARD, { value: 7 }, 1);
  const again = await p.reopen();
  open.push(again);
  assert.equal((await again.app.dossier(CITIZEN)).indicators[0].self, 7);
  assert.deepEqual((await waiting(again)).map(([op]) => op), ["resolve"]);
});

test("out of sight the choice goes into the outbox, and into the export", async () => {
  const { server, p, app } = await disagreed();
  server.say = () => "cut";
  await app.choose(CARD, { pick: "mine" }, 1);
  await p.events.hidden();
  assert.equal((await waiting(p)).length, 1);
});

test("a card that moved on before the tap is shown again, not chosen", async () => {
  const { server, app, p } = await disagreed();
  const before = await p.store.doc(CARD);
  server.put(CARD, { type: "conflict", data: { ...before.data, theirs: { ...before.data.theirs, value: 10 } } });
  await app.sendNow();
  await assert.rejects(app.choose(CARD, { pick: "mine" }, 1), { code: "resolve.moved" });
  assert.equal((await app.conflict(CARD)).theirs.value, 10);
});

test("a choice that met a newer version is told in its own words, and asked again with what was chosen", async () => {
  const { server, app, p, dossier, score } = await disagreed();
  await app.choose(CARD, { value: 7 }, 1);
  p.clock.at += 20_000;
  await app.finishChoices();
  server.apply = (m) => {
    server.ack = m.seq; server.handled.set(m.seq, m.id);
    server.results = [{ seq: m.seq, result: "rejected", code: "conflict.moved", rev: 2 }];
    const card = server.docs.get(CARD);
    server.put(CARD, { ...card, data: { ...card.data, theirs: { ...card.data.theirs, value: 10 } } });
    server.put(dossier, { ...server.docs.get(dossier), data: { ...server.docs.get(dossier).data, "self.1": 10 } });
  };
  await app.sendNow();
  assert.equal(await score(), 10);
  const card = await app.conflict(CARD);
  assert.deepEqual([card.yours, card.rev, card.last], [true, 2, { value: 7 }]);
  assert.ok(app.status().notices.some((n) => n.code === "resolve.moved"));
});

test("an edit after the choice names it, with the base fixed at the choice", async () => {
  const { server, app, p, dossier } = await disagreed();
  server.say = () => "cut";
  await app.choose(CARD, { pick: "mine" }, 1);
  await app.finishChoices(true);
  await app.setFields(dossier, "dossier", { "self.1": 8 }, (await app.dossier(CITIZEN)).basis);
  const [choice, edit] = await p.store.outbox();
  assert.deepEqual([edit.base, edit.after], [1, { "self.1": choice.id }]);
  assert.equal((await app.dossier(CITIZEN)).indicators[0].self, 8);
});

test("who is not named sees that it waits, and cannot choose", async () => {
  const { app } = await disagreed({ to: "person:p9" });
  const [card] = await app.conflicts();
  assert.equal(card.yours, false);
  assert.equal(app.status().toChoose, 0);
  assert.equal((await app.dossier(CITIZEN)).waitingReview, true);
  await assert.rejects(app.choose(CARD, { pick: "mine" }, 1), { code: "resolve.other" });
});

test("a third value that the field cannot take is refused on the phone", async () => {
  const { app } = await disagreed();
  for (const value of [0, 11, "chín"]) await assert.rejects(app.choose(CARD, { value }, 1), { code: "value.invalid" });
});

test("a caption's two versions come with their photo", async () => {
  const { server, app, dossier } = await disagreed();
  const { sha256 } = await app.addPhoto({ citizenId: CITIZEN, indicator: 3, bytes: jpeg(2000) });
  await app.sendNow();
  const entry = [...server.docs.values()].find((d) => d.type === "evidence");
  const card = server.docs.get(CARD);
  server.put(CARD, { ...card, data: { ...card.data, doc: entry.doc, type: "evidence", field: "caption", theirs: { value: "Lớp đêm" }, mine: { value: "Lớp tối" } } });
  await app.sendNow();
  const [shown] = await app.conflicts();
  assert.deepEqual([shown.kind, shown.no, shown.photos.map((x) => x.sha256)], ["text", 3, [sha256]]);
  assert.notEqual(entry.doc, dossier);
});
