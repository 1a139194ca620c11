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

/** @param {{name: string, bytes: Uint8Array}[]} files @returns {Uint8Array} */
export function zip(files) {
  const parts = [];
  const central = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const title = new TextEncoder().encode(name);
    const common = [20, 0, 0, 0, 0x21, crc32(bytes), bytes.length, bytes.length, title.length, 0];
    const local = header(0x04034b50, common, 30);
    const entry = header(0x02014b50, [20, ...common], 46);
    new DataView(entry.buffer).setUint32(42, offset, true);
    parts.push(local, title, bytes);
    central.push(entry, title);
    offset += local.length + title.length + bytes.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, files.length, true);
  view.setUint16(10, files.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, offset, true);
  return join([...parts, ...central, end]);
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

/** @param {Uint8Array[]} parts */
function join(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
