// The face's pure parts: what browser this is, what a picked file is, addresses, and that every word exists in both languages.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { describeBrowser } from "../../pwa/js/device/browser.js";
import { headerSize, sniff } from "../../pwa/js/device/picture-core.js";
import { formErrors } from "../../pwa/js/screens/consent.js";
import { gathered } from "../../pwa/js/screens/queue.js";
import { parseRoute } from "../../pwa/js/screens/routes.js";
import { en } from "../../pwa/js/text/en.js";
import { SENTENCES } from "../../pwa/js/text/sentences.js";
import { lasting, size } from "../../pwa/js/text/text.js";
import { vi as first } from "../../pwa/js/text/vi.js";
import { gates } from "../../pwa/js/text/vi-gates.js";
import { more } from "../../pwa/js/text/vi-more.js";
import { BANDS, bandOf } from "../../pwa/js/ui/score.js";

const vi = { ...first, ...gates, ...more };
const CHROME = "Mozilla/5.0 (Linux; Android 11; M2006C3LG) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36";
const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_4 like Mac OS X) AppleWebKit/605.1.15 Version/16.4 Mobile Safari/604.1";
const seen = (more) => describeBrowser({ userAgent: CHROME, secure: true, href: "https://xa.vn/app/#pair=K7PM42QD", standalone: false, touch: 5, has: () => true, goOn: false, ...more });

test("Chrome on Android goes straight in", () => assert.equal(seen({}).gate, ""));
test("a link opened inside Zalo leads out, with the pairing code kept", () => {
  const browser = seen({ userAgent: `${CHROME} Zalo android/12` });
  assert.equal(browser.gate, "inapp");
  assert.equal(browser.inApp, "Zalo");
  assert.match(browser.outLink, /^intent:\/\/xa\.vn\/app\/.*pair=K7PM42QD.*package=com\.android\.chrome/);
});
test("a bare Android web view leads out too", () => assert.equal(seen({ userAgent: CHROME.replace("M2006C3LG", "M2006C3LG; wv") }).gate, "inapp"));
test("plain http is told so", () => assert.equal(seen({ secure: false }).gate, "insecure"));
test("a browser without dialogs is too old", () => assert.equal(seen({ has: (name) => name !== "dialog" }).gate, "old"));
test("an iPhone tab is asked to install first, unless the person goes on", () => {
  assert.equal(seen({ userAgent: IPHONE }).gate, "ios_tab");
  assert.equal(seen({ userAgent: IPHONE, goOn: true }).gate, "");
  assert.equal(seen({ userAgent: IPHONE, standalone: true }).gate, "");
});

test("a file is what its bytes say", () => {
  assert.equal(sniff(Uint8Array.of(0xff, 0xd8, 0xff)), "image/jpeg");
  assert.equal(sniff(new TextEncoder().encode("\0\0\0\x18ftypheic0000")), "image/heic");
  assert.equal(sniff(new TextEncoder().encode("<html>not a photo")), "");
});
test("a JPEG's size is read from its header without decoding", () => {
  const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0x0b, 0xb8, 0x0f, 0xa0, 3, 0, 0, 0, 0, 0, 0);
  assert.deepEqual(headerSize(jpeg), { width: 4000, height: 3000 });
});
test("a JPEG cut off in its header has no size and ends", () => assert.equal(headerSize(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0)), null));

test("addresses say which screen, whose and which indicator", () => {
  assert.equal(parseRoute("").name, "home");
  assert.equal(parseRoute("#pair=K7PM42QD").code, "K7PM42QD");
  assert.deepEqual([parseRoute("#/person/c1").name, parseRoute("#/person/c1/5").name], ["person", "indicator"]);
  assert.equal(parseRoute("#/capture/c1/5?replaces=e9").query.get("replaces"), "e9");
});

test("every score from 1 to 10 lies in exactly one band", () => {
  assert.deepEqual(BANDS.flatMap(([, numbers]) => numbers), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(bandOf(6), "5-6");
});
test("every indicator offers sentences to tap", () => {
  for (let no = 1; no <= 10; no += 1) assert.ok(SENTENCES[no].length >= 3, `indicator ${no}`);
});
test("sizes and times are short and Vietnamese", () => {
  assert.equal(size(182_400), "182 KB");
  assert.equal(size(1_840_000), "1,8 MB");
  assert.equal(lasting(41), "40 giây");
  assert.equal(lasting(170), "3 phút");
});
test("a registration without consent is held back, with its reason", () => {
  const errors = formErrors({ full_name: "Vi Văn Páo", birth_year: "1979", group: "1", how: "" }, 2026);
  assert.deepEqual(Object.keys(errors), ["how"]);
});

test("what waits as text stands in one row, photos each in their own", () => {
  const items = [{ kind: "text", bytes: 200, at: "a" }, { kind: "photo", bytes: 9 }, { kind: "text", bytes: 300, at: "b" }];
  assert.deepEqual(gathered(items), [{ kind: "text", bytes: 500, at: "a", count: 2 }, { kind: "photo", bytes: 9 }]);
});

test("English has exactly the keys of Vietnamese", () => assert.deepEqual(Object.keys(en).sort(), Object.keys(vi).sort()));
test("every text that the screens name exists", () => {
  const root = new URL("../../pwa/js/", import.meta.url);
  const files = ["screens", "ui", "device"].flatMap((folder) => readdirSync(new URL(`${folder}/`, root)).map((name) => new URL(`${folder}/${name}`, root)));
  const named = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/\bt\("([\w.]+)"/g)].map((match) => match[1]));
  assert.deepEqual([...new Set(named)].filter((key) => !(key in vi)), []);
});
test("words that the programme forbids on screens are absent", () => {
  const all = Object.values(vi).join("\n");
  for (const word of ["bằng chứng", "đồng bộ", "lỗi mạng", "xung đột", "xã chốt"]) assert.ok(!all.toLowerCase().includes(word), word);
});
