// What a phone may no longer see goes from it, and nothing of its own is lost with it: scopes, people, moved dossiers, revocation.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const THEIRS = "0c0b5a0e-0000-4000-8000-000000000001";
const OWN = "0c0b5a0e-0000-4000-8000-000000000002";
const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });
const problem = (status, body) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } });

/** A phone that sees a hamlet, and one person elsewhere by a scope of its own. */
async function seeing() {
  const server = new FakeServer();
  server.scopes = ["commune:12", "place:4471", `citizen:${OWN}`];
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  server.put(THEIRS, { type: "citizen", data: { place: 4471, full_name: "Vi Văn Páo" } });
  server.put(OWN, { type: "citizen", scope: `citizen:${OWN}`, data: { place: 4471, full_name: "Lý Thị Mẩy" } });
  await p.app.sendNow();
  return { server, p, app: p.app };
}
const lose = (server, scope) => { server.scopes = server.scopes.filter((s) => s !== scope); };
const told = (app, code) => app.status().notices.filter((n) => n.code === code).length;

test("a lost hamlet goes with its people, the other scope's stay, told in one sentence", async () => {
  const { server, p, app } = await seeing();
  lose(server, "place:4471");
  await app.sendNow();
  assert.deepEqual((await p.store.docsOf("citizen")).map((d) => d.data.full_name), ["Lý Thị Mẩy"]);
  assert.equal(told(app, "scope.lost"), 1);
  await app.sendNow();
  assert.equal(told(app, "scope.lost"), 1, "said once");
});

test("what waits goes first: the purge comes only when nothing waits", async () => {
  const { server, p, app } = await seeing();
  await app.setFields(THEIRS, "citizen", { note: "chưa gửi" }, null);
  const apply = server.apply.bind(server);
  server.apply = () => {}; // the server answers, and does not get to this number yet
  lose(server, "place:4471");
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 1);
  assert.ok(await p.store.doc(THEIRS));
  server.apply = (m) => { apply(m); server.results = [{ seq: m.seq, result: "out_of_scope" }]; };
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 0);
  assert.equal(await p.store.doc(THEIRS), undefined);
  assert.equal(told(app, "result.out_of_scope"), 1);
});

test("a draft about it is handed in before the purge, a draft about others stays", async () => {
  const { server, p, app } = await seeing();
  await app.saveDraft(`note/${THEIRS}/3`, "đang viết dở");
  await app.saveDraft(`note/${OWN}/1`, "của người ở lại");
  await app.saveDraft("home.search", "pao");
  server.say = (r) => (r.path === "/api/v1/deposit" ? problem(503, { code: "busy" }) : null);
  lose(server, "place:4471");
  await app.sendNow();
  assert.ok(await p.store.doc(THEIRS), "kept until the draft is safe");
  assert.equal(await app.draft(`note/${THEIRS}/3`), "đang viết dở");
  server.say = () => null;
  await app.sendNow();
  assert.deepEqual(server.deposits.map((d) => d.drafts), [[{ key: `@p1/note/${THEIRS}/3`, value: "đang viết dở" }]]);
  assert.equal(await p.store.doc(THEIRS), undefined);
  assert.equal(await app.draft(`note/${OWN}/1`), "của người ở lại");
  assert.equal(told(app, "scope.lost"), 1);
});

test("a dossier that moved away leaves no draft stranded", async () => {
  const { server, p, app } = await seeing();
  await app.saveDraft(`talk/${THEIRS}`, "lời nhắn viết dở");
  server.put(THEIRS, { type: "citizen", left: true });
  await app.sendNow();
  assert.equal(await p.store.doc(THEIRS), undefined);
  assert.equal(server.deposits[0].drafts[0].value, "lời nhắn viết dở");
  assert.equal((await p.store.drafts()).length, 0);
  assert.equal(told(app, "draft.handed"), 1);
});

test("unreceipted photos of a lost hamlet stay until they are sent; received ones and others' pictures go", async () => {
  const { server, p, app } = await seeing();
  await app.pause();
  const sent = await app.addPhoto({ citizenId: THEIRS, indicator: 1, bytes: jpeg(900, 1) });
  await app.resume();
  const waits = await app.addPhoto({ citizenId: THEIRS, indicator: 2, bytes: jpeg(900, 2) });
  await p.store.cache({ key: "ff:thumb", bytes: jpeg(10), type: "image/jpeg", used_at: 1, size: 10 });
  await app.pause();
  lose(server, "place:4471");
  await app.sendNow();
  assert.equal(await p.store.doc(THEIRS), undefined);
  assert.equal(await p.store.bytes(sent.sha256), undefined);
  assert.ok(await p.store.bytes(waits.sha256), "the only copy");
  assert.equal(await p.store.cached("ff:thumb"), undefined);
  assert.equal(app.status().waiting.photos, 1);
  await app.resume();
  assert.ok(server.stored.has(waits.sha256));
  assert.equal(app.status().waiting.photos, 0);
});

test("two people's entries of one photo: its bytes stay while one of them has no receipt", async () => {
  const { server, p, app } = await seeing();
  await app.pause();
  const { sha256 } = await app.addPhoto({ citizenId: THEIRS, indicator: 1, bytes: jpeg(900, 1) });
  await p.store.run(["photos"], "readwrite", (tx) => tx.objectStore("photos").put({ by: "p2", sha256, type: "image/jpeg", size: 900, state: "received", at: p.env.iso(), received_at: p.env.iso() }));
  lose(server, "place:4471");
  await app.sendNow();
  assert.equal(await p.store.doc(THEIRS), undefined);
  assert.ok(await p.store.bytes(sha256));
});

test("a choice that can still be undone is no reason to forget it", async () => {
  const { server, p, app } = await seeing();
  server.put("0c0b5a0e-0000-4000-8000-00000000000c", { type: "conflict", data: { doc: THEIRS, type: "citizen", field: "note", citizen: THEIRS, state: "open", to: "person:p1", theirs: { value: "a" }, mine: { value: "b" } } });
  await app.sendNow();
  await app.choose("0c0b5a0e-0000-4000-8000-00000000000c", { pick: "mine" }, 1);
  lose(server, "place:4471");
  await app.sendNow();
  assert.ok(await p.store.doc(THEIRS));
  await app.finishChoices(true);
  await app.sendNow();
  assert.equal([...server.handled.values()].length, 1);
  assert.equal(await p.store.doc(THEIRS), undefined);
});

test("a person taken off the phone: the drafts are handed in, the entries go under the old name", async () => {
  const { server, p, app } = await seeing();
  server.people = [server.people[0], { id: "p2", name: "Bà Mẩy", role: "citizen", place: 4471, citizen: OWN }];
  await app.sendNow();
  await app.choosePerson("p2");
  await app.saveDraft(`note/${OWN}/1`, "bà đang viết");
  await app.setFields(OWN, "citizen", { note: "trước khi gỡ" }, null);
  server.people = [server.people[0]];
  await app.sendNow();
  assert.deepEqual(server.requests.filter((r) => r.path === "/api/v1/sync").flatMap((r) => r.body.mutations.map((m) => m.by)), ["p2"]);
  assert.equal(server.deposits[0].drafts[0].value, "bà đang viết");
  assert.equal(app.status().me.id, "p1");
  assert.equal((await p.store.drafts()).length, 0);
});

test("revoked: nothing is emptied before the commune keeps every piece, then the phone starts anew", async () => {
  const { server, p, app } = await seeing();
  const citizen = await app.registerCitizen(person);
  const { sha256 } = await app.addPhoto({ citizenId: citizen, indicator: 1, bytes: jpeg(900, 1) });
  await app.saveDraft("register", { full_name: "ghi dở" });
  const revoked = (more) => (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked" }) : more(r));
  server.say = revoked((r) => (r.path === "/api/v1/deposit" ? "cut" : null));
  const before = app.status().device.id;
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 3);
  const take = server.deposit.bind(server);
  server.deposit = (body) => { take(body); return new Response(JSON.stringify({ mutations: [], photos: [] }), { status: 201, headers: { "content-type": "application/json" } }); };
  server.say = revoked(() => null);
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 3, "the answer names nothing, so nothing counts as sent");
  server.deposit = take;
  await app.sendNow();
  const last = server.deposits.at(-1);
  assert.deepEqual([last.mutations.length, last.photos.map((x) => x.sha256), last.drafts.map((d) => d.key)], [3, [sha256], ["@p1/register"]]);
  assert.equal(last.device, before);
  assert.equal((await p.store.docsOf("citizen")).length, 0);
  assert.equal(await p.store.bytes(sha256), undefined);
  assert.equal(app.status().paired, false);
  assert.notEqual(app.status().device.id, before);
  assert.equal(told(app, "device.retired"), 1);
});
