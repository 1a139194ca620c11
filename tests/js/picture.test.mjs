// Making photos small: what the decoder is asked for, and what goes up as it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shrinkWith } from "../../pwa/js/device/picture-core.js";

const segment = (marker, content) => [0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255, ...content];
const sof = (width, height) => segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]);

/** A JPEG's beginning with `before` bytes of a camera's own notes before its size. */
function camera(width, height, before) {
  const notes = [];
  for (let left = before; left > 0; left -= 60_000) notes.push(...segment(0xe2, new Array(Math.min(left, 60_000)).fill(7)));
  return new Blob([Uint8Array.from([0xff, 0xd8, ...notes, ...sof(width, height), 0xff, 0xd9])]);
}

const pixels = { data: [10, 200, 90, 255] };
let flip = 0;
const pen = { fillRect() {}, drawImage() {}, getImageData: () => (flip++ % 2 ? pixels : { data: [240, 240, 240, 255] }) };
const canvas = (width, height) => ({ width, height, getContext: () => pen, convertToBlob: async () => new Blob([Uint8Array.from([0xff, 0xd8])]) });

/** Runs with a decoder that answers what it was asked for; the calls are returned. */
async function shrink(blob, decoder) {
  const asked = [];
  globalThis.createImageBitmap = async (source, options) => { asked.push({ source, options }); return decoder(options); };
  return { asked, photo: await shrinkWith(blob, canvas) };
}
const decodes = (options) => ({ width: options?.resizeWidth ?? 800, height: 600, close() {} });
const fails = () => { throw new DOMException("cannot", "InvalidStateError"); };

test("a large photo is decoded straight to a small bitmap, by its type and not its name", async () => {
  const { asked, photo } = await shrink(new Blob([camera(8000, 6000, 20_000)], { type: "image/png" }), decodes);
  assert.equal(asked[0].options.resizeWidth, 1600);
  assert.equal(asked[0].source.type, "image/jpeg");
  assert.equal(photo.width, 1600);
});

test("also where the camera wrote much before the photo's size", async () => {
  const { asked } = await shrink(camera(8000, 6000, 400_000), decodes);
  assert.equal(asked[0].options.resizeWidth, 1600);
});

test("of a file that can be decoded only the beginning is read into memory", async () => {
  const blob = new Blob([camera(4000, 3000, 1000), new Uint8Array(3_000_000)]);
  blob.arrayBuffer = () => assert.fail("the whole file was read");
  assert.ok((await shrink(blob, decodes)).photo.decoded);
});

test("what cannot be decoded goes up byte for byte, unless it is too big", async () => {
  const heic = Uint8Array.from([0, 0, 0, 24, ...new TextEncoder().encode("ftypheic"), ...new Array(500).fill(9)]);
  const { photo } = await shrink(new Blob([heic]), fails);
  assert.deepEqual(new Uint8Array(photo.bytes), heic);
  assert.deepEqual([photo.type, photo.decoded], ["image/heic", false]);
  await assert.rejects(shrink(new Blob([heic, new Uint8Array(8_000_001)]), fails), { code: "toobig" });
});

test("an empty file and one that is no photo say so", async () => {
  await assert.rejects(shrink(new Blob([]), decodes), { code: "empty" });
  await assert.rejects(shrink(new Blob(["<html>Not a photo at all</html>"]), decodes), { code: "notphoto" });
});
