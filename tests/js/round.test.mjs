// The phone end to end over a fake server: save, send, receive, and the bad days of a round.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { FakeServer } from "./fake-server.mjs";
import { jpeg, person, phone } from "./phone.mjs";

const problem = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json", ...headers } });
const syncs = (server) => server.requests.filter((r) => r.path === "/api/v1/sync");
const open = [];
afterEach(async () => { for (const p of open.splice(0)) await p.app.stop(); });

async function paired() {
  const server = new FakeServer();
  const p = await phone(server);
  open.push(p);
  await p.app.pair({ code: "k7pm-42qd" });
  return { server, p, app: p.app };
}

async function withPerson() {
  const all = await paired();
  const citizen = await all.app.registerCitizen(person);
  return { ...all, citizen };
}
const photo = (citizenId, more = {}) => ({ citizenId, indicator: 5, kind: "vneid", caption: "Cài VNeID", bytes: jpeg(150_000), type: "image/jpeg", width: 10, height: 10, source: "camera", ...more });

test("pairing signs the code and takes people, year and numbering", async () => {
  const { server, app } = await paired();
  assert.equal(server.requests[0].body.code, "K7PM42QD");
  assert.match(server.requests[0].body.signature, /^[\w-]{86}$/);
  assert.equal(app.status().me.name, "Chị Hường");
  assert.equal(app.status().paired, true);
});

test("what is saved without signal is there after the app is opened again", async () => {
  const { server, p, citizen } = await withPerson();
  server.say = () => "cut";
  await p.app.setFields(citizen, "citizen", { note: "ở xa" }, null);
  await p.app.addPhoto(photo(citizen));
  const again = await p.reopen();
  open.push(again);
  const dossier = await again.app.dossier(citizen);
  assert.equal(dossier.citizen.note, "ở xa");
  assert.equal(dossier.indicators.length, 0, "indicators come from the commune");
  assert.equal(again.app.status().waiting.photos, 1);
});

test("text goes in one request, photos after it, and only a receipt makes one received", async () => {
  const { server, p, app, citizen } = await withPerson();
  await app.addPhoto(photo(citizen));
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal(app.status().waiting.photos, 0);
  const [stored] = await p.store.photos();
  assert.equal(stored.state, "received");
  assert.ok(server.stored.has(stored.sha256));
  assert.ok((await p.store.bytes(stored.sha256)).byteLength === 150_000, "bytes stay 30 days");
  const order = server.requests.map((r) => r.path);
  assert.ok(order.lastIndexOf("/api/v1/sync") < order.findIndex((path) => path.startsWith("/api/v1/files")) || order.indexOf("/api/v1/sync") < order.findIndex((path) => path.startsWith("/api/v1/files")));
});

test("an answer lost after commit is replayed and applied once", async () => {
  const { server, app, citizen } = await withPerson();
  server.say = (r) => (r.path === "/api/v1/sync" ? "lost" : null);
  await app.sendNow();
  assert.equal(app.status().signal, "yes");
  assert.ok(app.status().waiting.mutations > 0);
  server.say = () => null;
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal(server.docs.get(citizen).rev, 1);
});

test("no signal is no error, and is said", async () => {
  const { server, app } = await withPerson();
  server.say = () => "cut";
  await app.sendNow();
  assert.equal(app.status().signal, "no");
  assert.equal(app.status().error, null);
});

test("HTML where JSON was due is a captive portal", async () => {
  const { server, app } = await withPerson();
  server.say = () => new Response("<html>Nạp tiền</html>", { status: 200, headers: { "content-type": "text/html" } });
  await app.sendNow();
  assert.equal(app.status().signal, "portal");
  assert.ok(app.status().waiting.mutations > 0);
});

test("a hole in the numbers closes, ids unchanged", async () => {
  const { server, p, app } = await withPerson();
  const ids = (await p.store.outbox()).map((m) => m.id);
  await p.store.renumberOutbox((await p.store.outbox())[0].seq + 40);
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.deepEqual([...server.handled.values()], ids);
});

test("a cookie that ran out is renewed by the key, without a code", async () => {
  const { server, app } = await withPerson();
  let refused = 0;
  server.say = (r) => (r.path === "/api/v1/sync" && refused++ === 0 ? problem(401, { code: "auth.required", challenge: "ch" }) : null);
  await app.sendNow();
  assert.equal(server.renewed.challenge, "ch");
  assert.match(server.renewed.signature, /^[\w-]{86}$/);
  assert.equal(app.status().waiting.mutations, 0);
});

test("a phone that cannot renew keeps all and says so", async () => {
  const { server, app } = await withPerson();
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(401, { code: "auth.required" }) : null);
  await app.sendNow();
  assert.equal(app.status().authNeeded, true);
  assert.ok(app.status().waiting.mutations > 0);
});

test("a copied phone becomes another one, and sends what waits from 1", async () => {
  const { server, p, app } = await withPerson();
  server.handled.set(1, "somebody else's");
  server.ack = 1;
  await p.store.renumberOutbox(1);
  const before = app.status().device.id;
  const renewing = server.renew.bind(server);
  server.renew = (body) => { server.handled.clear(); return renewing(body); };
  await app.sendNow();
  assert.notEqual(server.renewed.clone.id, before);
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal(syncs(server).at(-1).body.device, server.renewed.clone.id);
});

test("after a restore what was acknowledged goes again, ids unchanged", async () => {
  const { server, app, citizen } = await withPerson();
  await app.sendNow();
  const ids = [...server.handled.values()];
  Object.assign(server, { epoch: "e2", ack: 0, handled: new Map(), docs: new Map(), counter: 5 });
  await app.sendNow();
  assert.deepEqual([...server.handled.values()], ids);
  assert.ok(server.docs.has(citizen));
  assert.equal(syncs(server).at(-1).body.epoch, "e2");
});

test("413 halves the batch until it goes", async () => {
  const { server, app, citizen } = await withPerson();
  for (let n = 1; n <= 8; n += 1) await app.setFields(citizen, "citizen", { note: `${n}` }, null);
  server.say = (r) => (r.path === "/api/v1/sync" && r.body.mutations.length > 3 ? new Response("too large", { status: 413 }) : null);
  await app.sendNow();
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
});

test("one that is too large alone spends its number, and its content is kept for deposit", async () => {
  const { server, app } = await withPerson();
  server.say = (r) => (r.path === "/api/v1/sync" && r.body.mutations.some((m) => m.op !== "void") ? new Response("too large", { status: 413 }) : null);
  for (let n = 0; n < 4; n += 1) await app.sendNow();
  server.say = () => null;
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.ok(app.status().notices.some((n) => n.code === "mutation.too_large"));
  assert.ok(server.deposits.some((d) => d.mutations.some((m) => m.set?.full_name === person.full_name)), "its content went by deposit");
});

test("a resync from the start drops what was not seen, save what waits", async () => {
  const { server, p, app, citizen } = await withPerson();
  server.put("gone", { type: "citizen", data: { full_name: "Đã xoá", place: 4471 } });
  server.put("edited", { type: "citizen", data: { full_name: "Đang sửa", place: 4471 } });
  await app.sendNow();
  assert.equal((await app.searchPeople("")).length, 3);
  server.say = () => "cut";
  await app.setFields("edited", "citizen", { note: "chờ" }, null).catch(() => {});
  await p.store.save([{ id: crypto.randomUUID(), by: "p1", op: "update", type: "citizen", doc: "edited", base: 1, after: {}, set: { note: "x" }, at: "2026-11-24T07:30:00.000Z" }]);
  server.docs.delete("gone");
  server.docs.delete("edited");
  for (const doc of server.docs.values()) doc.at = 99;
  server.resync = ["place:4471"];
  server.say = (r) => { if (r.path === "/api/v1/sync") server.apply = (m) => { server.ack = m.seq; server.handled.set(m.seq, m.id); }; return null; };
  await app.sendNow();
  const names = (await app.searchPeople("")).map((c) => c.full_name);
  assert.ok(!names.includes("Đã xoá"));
  assert.ok(names.includes(person.full_name));
  assert.ok(citizen);
});

test("a lost scope is purged once nothing waits, with its cursor", async () => {
  const { server, p, app } = await withPerson();
  await app.sendNow();
  server.scopes = ["commune:12"];
  await app.sendNow();
  assert.equal((await app.searchPeople("")).length, 0);
  assert.equal((await p.store.meta("cursors"))["place:4471"], undefined);
  assert.ok(app.status().notices.some((n) => n.code === "scope.lost"));
});

test("a held field is told, and the server's value shows", async () => {
  const { server, app, citizen } = await withPerson();
  await app.sendNow();
  await app.setFields(citizen, "citizen", { full_name: "Nguyễn Văn Đát" }, (await app.dossier(citizen)).basis);
  server.apply = (m) => { server.ack = m.seq; server.handled.set(m.seq, m.id); server.results = [{ seq: m.seq, result: "held", conflicts: { full_name: "c1" } }]; };
  await app.sendNow();
  assert.ok(app.status().notices.some((n) => n.code === "result.held"));
  assert.equal((await app.dossier(citizen)).citizen.full_name, person.full_name);
});

test("what waits on the server for its parent stays on the screen", async () => {
  const { server, app, citizen } = await withPerson();
  server.apply = (m) => { server.ack = m.seq; server.handled.set(m.seq, m.id); server.results = [{ seq: m.seq, result: "waiting" }]; };
  await app.sendNow();
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal((await app.dossier(citizen))?.citizen.full_name, person.full_name);
});

test("an app that is too old still hands over its text, and keeps it on the screen", async () => {
  const { server, app, citizen } = await withPerson();
  server.say = (r) => { if (r.path !== "/api/v1/sync") return null; const ack = r.body.mutations.at(-1)?.seq ?? server.ack; server.ack = ack; return problem(426, { code: "app.too_old", ack, results: [] }); };
  await app.sendNow();
  assert.equal(app.status().tooOld, true);
  assert.equal(app.status().waiting.mutations, 0);
  assert.equal((await app.dossier(citizen))?.citizen.full_name, person.full_name);
});

test("a value out of bounds is refused at saving", async () => {
  const { app, citizen } = await withPerson();
  const { id, basis } = await app.dossier(citizen);
  for (const score of [0, 11]) await assert.rejects(app.setFields(id, "dossier", { "self.1": score }, basis), { code: "value.invalid" });
});

test("two saves from one form follow each other", async () => {
  const { p, app, citizen } = await withPerson();
  const { id, basis } = await app.dossier(citizen);
  await app.setFields(id, "dossier", { "self.1": 5 }, basis);
  await app.setFields(id, "dossier", { "self.1": 6 }, basis);
  const [first, second] = (await p.store.outbox()).filter((m) => m.type === "dossier" && m.op === "update");
  assert.equal(second.after["self.1"], first.id);
  assert.equal(second.base, first.base);
});

test("a revoked phone hands its unsent work to deposit, then forgets the commune's people", async () => {
  const { server, p, app, citizen } = await withPerson();
  await app.sendNow();
  await app.setFields(citizen, "citizen", { note: "chưa gửi" }, null);
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked" }) : null);
  const before = app.status().device.id;
  await app.sendNow();
  assert.equal(app.status().revoked, true);
  assert.equal(server.deposits.length, 1);
  assert.equal((await p.store.docsOf("citizen")).length, 0);
  assert.notEqual(app.status().device?.id, before);
});

test("a revoked phone that missed a restore hands in what it had sent as well", async () => {
  const { server, app, citizen } = await withPerson();
  await app.addPhoto(photo(citizen));
  await app.sendNow();
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked", epoch: "e2" }) : null);
  await app.sendNow();
  assert.deepEqual(server.deposits.flatMap((d) => d.mutations.map((m) => m.op)), ["create", "create", "create"]);
  assert.equal(server.deposits.flatMap((d) => d.photos).length, 1);
});

test("a caption edited after the photo was received stands on the entry's own revision", async () => {
  const { server, app, citizen } = await withPerson();
  const { id } = await app.addPhoto(photo(citizen));
  await app.sendNow();
  for (let n = 1; n <= 3; n += 1) await app.setFields((await app.dossier(citizen)).id, "dossier", { [`self.${n}`]: 5 }, null);
  await app.sendNow();
  await app.setCaption(id, "Cài VNeID cho mẹ", await app.basisOf(id));
  await app.sendNow();
  const edit = syncs(server).flatMap((r) => r.body.mutations).find((m) => m.type === "evidence" && m.op === "update");
  assert.equal(edit.base, 1);
});

test("a number handled in a request whose answer was lost is sent again, and only then its result is told", async () => {
  const { server, p, app, citizen } = await withPerson();
  await app.sendNow();
  for (const note of ["một", "hai", "ba"]) await app.setFields(citizen, "citizen", { note }, null);
  const [, second] = await p.store.outbox();
  const whole = server.sync.bind(server);
  server.sync = (body) => {
    server.results = body.mutations.some((m) => m.id === second.id) ? [{ seq: second.seq, result: "rejected", code: "right.missing" }] : [];
    return whole(body);
  };
  server.say = (request) => (request.path === "/api/v1/sync" ? "lost" : undefined);
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 3, "the answer was lost");
  server.say = (request) => (request.path === "/api/v1/sync" && request.body.mutations.length > 1 ? new Response("<html>413", { status: 413 }) : undefined);
  await app.sendNow();
  await app.sendNow();
  assert.equal((await p.store.outbox()).length, 0);
  const told = (await p.store.done()).find((m) => m.id === second.id);
  assert.equal(told.result?.code, "right.missing");
  assert.ok(app.status().notices.some((n) => n.code === "result.rejected"));
});

test("a copy that a restored server does not know asks its first identity's key for its own id again", async () => {
  const { server, p, app, citizen } = await withPerson();
  await app.sendNow();
  await app.setFields(citizen, "citizen", { note: "ở xa" }, null);
  const first = (await p.store.meta("identity")).id;
  let refusals = [problem(409, { code: "device.cloned", challenge: "c1" })];
  server.say = (request) => (request.path === "/api/v1/sync" ? refusals.shift() : undefined);
  await app.sendNow();
  const own = (await p.store.meta("identity")).id;
  assert.notEqual(own, first);
  refusals = [problem(401, { code: "auth.required", challenge: "c2" })];
  let unknown = 1;
  server.say = (request) => {
    if (request.path === "/api/v1/pair/renew" && !request.body.clone && unknown-- > 0) return problem(401, { code: "device.unknown", challenge: "c3" });
    return request.path === "/api/v1/sync" ? refusals.shift() : undefined;
  };
  await app.setFields(citizen, "citizen", { note: "ở gần" }, null);
  await app.sendNow();
  const asked = server.requests.filter((r) => r.path === "/api/v1/pair/renew" && r.body.clone).at(-1);
  assert.deepEqual([asked.body.device, asked.body.clone.id], [first, own]);
  assert.equal((await p.store.outbox()).length, 0);
});

test("what is saved while the outbox gets new numbers is not lost", async () => {
  const { p, app, citizen } = await withPerson();
  const before = (await p.store.outbox()).length;
  let saving = true;
  const saves = (async () => {
    for (let n = 0; n < 8; n += 1) await app.setFields(citizen, "citizen", { note: `chữ ${n}` }, null);
    saving = false;
  })();
  for (let start = 40; saving; start += 20) await p.store.renumberOutbox(start);
  await saves;
  await p.store.sendAgain({ epoch: "e2", expected: 9000 }, "");
  const outbox = await p.store.outbox();
  assert.equal(outbox.length, before + 8);
  assert.deepEqual(outbox.map((m) => m.seq), outbox.map((_, n) => 9000 + n));
  assert.equal(await p.store.meta("next"), 9000 + outbox.length);
});

test("a revoked phone is not emptied of what was saved while it handed over", async () => {
  const { server, p, app, citizen } = await withPerson();
  await app.sendNow();
  await app.setFields(citizen, "citizen", { note: "chưa gửi" }, null);
  server.say = (r) => (r.path === "/api/v1/sync" ? problem(403, { code: "device.revoked" }) : null);
  const taking = server.deposit.bind(server);
  let late = app.setFields;
  server.deposit = async (body) => { const answer = await taking(body); await late?.(citizen, "citizen", { phone: "0912" }, null); late = null; return answer; };
  await app.sendNow();
  assert.equal((await p.store.outbox()).at(-1).set.phone, "0912");
  await app.sendNow();
  assert.ok(server.deposits.flatMap((d) => d.mutations).some((m) => m.set?.phone === "0912"));
  assert.equal((await p.store.outbox()).length, 0);
});

test("a scope that is paged from the start keeps what an edit still waits for, and drops the rest it did not see", async () => {
  const { server, p, app, citizen } = await withPerson();
  const other = await app.registerCitizen({ ...person, full_name: "Lò Thị Bua" });
  await app.sendNow();
  const whole = server.sync.bind(server);
  server.sync = (body) => {
    server.docs.delete(citizen);
    server.docs.delete(other);
    server.resync = ["place:4471"];
    const answer = whole({ ...body, cursors: {}, mutations: [] });
    return answer;
  };
  const saving = app.setFields(citizen, "citizen", { note: "ở xa" }, null);
  await saving;
  await app.sendNow();
  const held = (await p.store.docsOf("citizen")).map((c) => c.id);
  assert.ok((await p.store.outbox()).length > 0, "the edit still waits");
  assert.deepEqual(held, [citizen]);
});

test("a scope that was lost and comes back is paged from the start, and what is gone there goes here", async () => {
  const { server, p, app, citizen } = await withPerson();
  const other = await app.registerCitizen({ ...person, full_name: "Lò Thị Bua" });
  await app.sendNow();
  server.scopes = ["commune:12"];
  await app.setFields(citizen, "citizen", { note: "giữ hàng đợi" }, null);
  const whole = server.sync.bind(server);
  server.sync = (body) => whole({ ...body, mutations: [] });
  await app.sendNow();
  server.scopes = ["commune:12", "place:4471"];
  server.docs.delete(other);
  let sent;
  server.sync = (body) => { sent ??= body.cursors; return whole(body); };
  await app.sendNow();
  assert.ok(!sent["place:4471"]);
  assert.deepEqual((await p.store.docsOf("citizen")).map((c) => c.id), [citizen]);
});
