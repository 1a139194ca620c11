// Reads a ZIP that only stores, by its directory: what the phone hands out.
import { createHash } from "node:crypto";

/** @param {Blob} blob @returns {Promise<Map<string, Buffer>>} by name */
export async function unzip(blob) {
  const all = Buffer.from(await blob.arrayBuffer());
  const count = all.readUInt16LE(all.length - 12);
  let at = all.readUInt32LE(all.length - 6);
  const files = new Map();
  for (let n = 0; n < count; n += 1) {
    const [size, length, start] = [all.readUInt32LE(at + 24), all.readUInt16LE(at + 28), all.readUInt32LE(at + 42)];
    const name = all.toString("utf8", at + 46, at + 46 + length);
    files.set(name, all.subarray(start + 30 + length, start + 30 + length + size));
    at += 46 + length;
  }
  return files;
}

export const sha256 = (/** @type {Buffer} */ bytes) => createHash("sha256").update(bytes).digest("hex");
