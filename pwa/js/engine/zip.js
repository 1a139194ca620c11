// A ZIP that only stores: what a phone hands out when it cannot send.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * Every file becomes a Blob before the next is read, so that one photo at a time is in memory.
 * @param {{name: string, read: () => Promise<Uint8Array<any> | null>}[]} files null for one that is not there @returns {Promise<Blob>}
 */
export async function zip(files) {
  const parts = [];
  const central = [];
  let offset = 0;
  for (const { name, read } of files) {
    const bytes = await read();
    if (!bytes) continue;
    const title = new TextEncoder().encode(name);
    const common = [20, 0, 0, 0, 0x21, crc32(bytes), bytes.length, bytes.length, title.length, 0];
    const entry = header(0x02014b50, [20, ...common], 46);
    new DataView(entry.buffer).setUint32(42, offset, true);
    parts.push(new Blob([header(0x04034b50, common, 30), title, bytes]));
    central.push(entry, title);
    offset += 30 + title.length + bytes.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  for (const at of [8, 10]) view.setUint16(at, parts.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return new Blob([...parts, ...central, end], { type: "application/zip" });
}

/** @param {number} signature @param {number[]} fields version(s), flags, method, time, date, crc, two sizes, name and extra lengths @param {number} length */
function header(signature, fields, length) {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, signature, true);
  let at = 4;
  const wide = fields.length - 5;
  fields.forEach((value, n) => {
    if (n >= wide && n < wide + 3) { view.setUint32(at, value, true); at += 4; } else { view.setUint16(at, value, true); at += 2; }
  });
  return bytes;
}
