// The pure rules of the phone against the shared cases.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { basis, commandBase, splitByBase } from "../../sync/js/base.js";
import { maySettle, withChoices } from "../../sync/js/conflicts.js";
import { fault } from "../../sync/js/fields.js";
import { missing } from "../../sync/js/missing.js";
import { batch, nextPage, nextSize, renumber } from "../../sync/js/outbox.js";
import { overlay } from "../../sync/js/overlay.js";
import { chunkSize, measured, secondsFor } from "../../sync/js/photos.js";
import { dossierId, fold, wellFormed } from "../../sync/js/protocol.js";
import { waitMs } from "../../sync/js/retry.js";

const vectors = (name) => JSON.parse(readFileSync(new URL(`../../sync/vectors/${name}.json`, import.meta.url), "utf8"));
const numbered = (pending) => pending.map((m, n) => ({ seq: n + 1, id: `m${n + 1}`, type: "dossier", doc: "d", at: "", ...m }));

for (const c of vectors("overlay").cases) {
  test(`overlay: ${c.name}`, () => {
    const doc = c.doc ? { id: "d", type: "dossier", ...c.doc } : undefined;
    const before = JSON.stringify(doc);
    assert.deepEqual(overlay(doc, numbered(c.pending))?.data ?? null, c.view);
    assert.equal(JSON.stringify(doc), before, "the server's copy is left alone");
  });
}

for (const c of vectors("base").basis) test(`basis: ${c.name}`, () => assert.deepEqual(basis(c.doc ?? undefined, numbered(c.pending)), c.shown));
for (const c of vectors("base").split) test(`split: ${c.name}`, () => assert.deepEqual(splitByBase(c.set, c.shown), c.parts));
for (const c of vectors("base").command) test(`command: ${c.name}`, () => assert.deepEqual(commandBase(c.set, c.shown), c.given));

for (const c of vectors("conflicts").may_settle) test(`may choose: ${c.name}`, () => assert.equal(maySettle(c.data, c.me), c.want));
for (const c of vectors("conflicts").with_choices) {
  test(`choice: ${c.name}`, () => {
    const resolve = { seq: 1, id: "r1", op: "resolve", type: "conflict", doc: "k", base: c.base, set: c.set, at: "" };
    const [kept, patch, ...more] = withChoices([resolve], new Map([["k", { type: "dossier", doc: "d", ...c.data }]]));
    assert.equal(kept, resolve);
    assert.equal(more.length, 0);
    assert.deepEqual(patch ? [patch.op, patch.id, patch.doc, patch.base, patch.set] : null, c.patch && ["update", "r1", "d", c.patch_base, c.patch]);
  });
}

for (const c of vectors("missing").cases) {
  test(`missing: ${c.name}`, () => {
    const data = Object.fromEntries([...c.self.map((score, n) => [`self.${n + 1}`, score]), ...c.notes.map((no) => [`note.${no}`, "có"])]);
    const photos = Object.fromEntries(c.photos.map((no) => [no, 1]));
    const found = missing(data, photos, { min_total: c.rule[0], min_each: c.rule[1] });
    assert.deepEqual(found.map((m) => `${m.code} ${m.indicator ?? m.short}`), c.missing);
  });
}

for (const c of vectors("outbox").batch) {
  test(`batch: ${c.name}`, () => assert.equal(batch(numbered(c.sizes.map((size) => ({ op: "x".repeat(size) }))), c.most, c.max_bytes).length, c.taken));
}
for (const c of vectors("outbox").renumber) {
  test(`renumber: ${c.name}`, () => assert.deepEqual(renumber(c.before.map(([seq, id]) => ({ seq, id })), c.from).map((m) => [m.seq, m.id]), c.after));
}
for (const c of vectors("outbox").next_size) test(`next size: ${c.name}`, () => assert.equal(nextSize(c.most, c.took_ms, c.too_large), c.next));

const sha1 = async (bytes) => createHash("sha1").update(bytes).digest();
const ours = (c) => c.sides.includes("js");
for (const c of vectors("dossier_ids").cases.filter(ours)) test(`dossier id: ${c.name}`, async () => assert.equal(await dossierId(c.given.citizen, c.given.year, sha1), c.want));
for (const c of vectors("fields").cases.filter(ours)) test(`fields: ${c.name}`, () => assert.equal(fault(c.given, c.size_bytes), c.want));

test("names are found without diacritics, and đ is d", () => assert.equal(fold("  Đặng  Thị Hường "), "dang thi huong"));
test("text loses NUL and lone surrogates, and keeps its letters", () => assert.equal(wellFormed("a\0b\ud800 Nguyễn"), "ab\ufffd Nguyễn".normalize("NFC")));
test("an emoji is no lone surrogate", () => assert.equal(wellFormed("tốt 👍"), "tốt 👍"));

test("chunks go from 64 KB toward eight seconds each, 32 to 256 KB", () => {
  assert.equal(chunkSize(0), 64 * 1024);
  assert.equal(chunkSize(1), 32 * 1024);
  assert.equal(chunkSize(15), 7 * 16 * 1024);
  assert.equal(chunkSize(1000), 256 * 1024);
});
test("pages go toward six seconds each, by eight at once at most, 16 KB to 1 MB", () => {
  assert.equal(nextPage(65_536, 3000), 131_072);
  assert.equal(nextPage(65_536, 400), 524_288);
  assert.equal(nextPage(65_536, 60_000), 32_768);
  assert.equal(nextPage(20_000, 12_000), 16_384);
  assert.equal(nextPage(900_000, 100), 1_000_000);
});
test("the line's measure moves slowly", () => {
  assert.equal(measured(0, 1000, 100), 10);
  assert.equal(measured(10, 2000, 100), 13);
  assert.equal(secondsFor(10_000, 0), null);
  assert.equal(secondsFor(10_000, 2), 5);
});
test("waiting grows with each try, has jitter, and obeys Retry-After", () => {
  assert.equal(waitMs(0, 30, 0), 30_000);
  assert.ok(waitMs(20, null, 1) <= 300_000);
  assert.ok(waitMs(3, null, 0.5) > waitMs(1, null, 0.5));
});
