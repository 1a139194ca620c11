// Makes a photo small: longest side 1600 px, JPEG of about 200 KB, a thumbnail; one photo in memory. Runs in a worker or in the page.

const LONGEST = [1600, 1280, 1024];
const THUMB = 320;
/** Tried in turn until a photo is light enough; leaves and gravel need the last. */
const QUALITIES = [0.72, 0.58, 0.45];
const HEAVY = 280_000;
/** Enough for all that cameras write before the size. */
const HEAD = 256 * 1024;
/** What goes up as it is must still fit what the commune takes. */
const AS_IS_MAX = 8_000_000;

const problem = (/** @type {string} */ code) => Object.assign(new Error(code), { code });

/** The kind of image by its first bytes, never by its name. @param {Uint8Array} b */
export function sniff(b) {
  if (b[0] === 0xff && b[1] === 0xd8) return "image/jpeg";
  if (b[0] === 0x89 && b[1] === 0x50 && b[2] === 0x4e) return "image/png";
  const word = String.fromCharCode(...b.slice(4, 12));
  if (/^ftyp(heic|heix|hevc|heim|mif1|msf1)/.test(word)) return "image/heic";
  if (String.fromCharCode(...b.slice(0, 4)) === "RIFF" && String.fromCharCode(...b.slice(8, 12)) === "WEBP") return "image/webp";
  return "";
}

/** Width and height out of the header, without decoding. @param {Uint8Array} b @returns {{width: number, height: number} | null} */
export function headerSize(b) {
  const view = new DataView(b.buffer, b.byteOffset, b.byteLength);
  if (sniff(b) === "image/png") return b.length < 24 ? null : { width: view.getUint32(16), height: view.getUint32(20) };
  if (sniff(b) !== "image/jpeg") return null;
  for (let at = 2; at + 9 < b.length; at += 2 + view.getUint16(at + 2)) {
    const marker = b[at + 1];
    if (b[at] !== 0xff) return null;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
  }
  return null;
}

/**
 * @param {Blob | ImageBitmap} source @param {(width: number, height: number) => any} makeCanvas
 * @returns {Promise<{bytes: ArrayBuffer, type: string, width: number, height: number, thumb?: ArrayBuffer, decoded: boolean, dark: boolean}>}
 *   throws {code: empty | notphoto | toobig | blank}
 */
export async function shrinkWith(source, makeCanvas) {
  if (!(source instanceof Blob)) return encode(source, makeCanvas);
  const head = new Uint8Array(await source.slice(0, HEAD).arrayBuffer());
  if (!head.length) throw problem("empty");
  const type = sniff(head);
  if (!type) throw problem("notphoto");
  // The browser decodes from the file itself: a copy of it here would stay until the next clean-up, photo after photo.
  const size = headerSize(head) ?? (source.size > HEAD ? headerSize(new Uint8Array(await source.arrayBuffer())) : null);
  const bitmap = await decode(source.slice(0, source.size, type), size);
  if (bitmap) return encode(bitmap, makeCanvas);
  const bytes = await source.arrayBuffer();
  if (bytes.byteLength > AS_IS_MAX) throw problem("toobig");
  return { bytes, type, width: 0, height: 0, decoded: false, dark: false };
}

/** Decodes straight to a small bitmap: a 48 megapixel photo whole would take 190 MB. @param {Blob} blob @param {{width: number, height: number} | null} size */
async function decode(blob, size) {
  const large = size && Math.max(size.width, size.height) > LONGEST[0];
  try {
    return await createImageBitmap(blob, large ? { resizeWidth: Math.min(LONGEST[0], size.width), resizeQuality: "medium" } : undefined);
  } catch {
    return null;
  }
}

/** @param {ImageBitmap} bitmap @param {(width: number, height: number) => any} makeCanvas */
async function encode(bitmap, makeCanvas) {
  try {
    for (const longest of LONGEST) {
      const drawn = draw(bitmap, longest, makeCanvas);
      const light = lightOf(drawn);
      // Safari past its canvas limit answers an even black or white picture without an error: try smaller.
      if (light.even && longest !== LONGEST[LONGEST.length - 1]) { release(drawn); continue; }
      if (light.even) throw problem("blank");
      return await packed(drawn, bitmap, makeCanvas, light.dark);
    }
    throw problem("blank");
  } finally {
    bitmap.close();
  }
}

/** @param {ImageBitmap} bitmap @param {number} longest @param {(width: number, height: number) => any} makeCanvas */
function draw(bitmap, longest, makeCanvas) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = makeCanvas(Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Samples a grid of points: all alike means blank, all low means dark. @param {any} canvas */
function lightOf(canvas) {
  const pen = canvas.getContext("2d");
  let low = 255;
  let high = 0;
  for (let n = 0; n < 64; n += 1) {
    const x = Math.floor((((n % 8) + 0.5) * canvas.width) / 8);
    const y = Math.floor(((Math.floor(n / 8) + 0.5) * canvas.height) / 8);
    const [r, g, b] = pen.getImageData(x, y, 1, 1).data;
    const light = (r * 3 + g * 6 + b) / 10;
    low = Math.min(low, light);
    high = Math.max(high, light);
  }
  return { even: high - low < 3 && (high < 12 || low > 250), dark: high < 70 };
}

/** @param {any} canvas @param {ImageBitmap} bitmap @param {(width: number, height: number) => any} makeCanvas @param {boolean} dark */
async function packed(canvas, bitmap, makeCanvas, dark) {
  const { width, height } = canvas;
  let bytes = new ArrayBuffer(0);
  for (const quality of QUALITIES) {
    bytes = await jpeg(canvas, quality);
    if (bytes.byteLength <= HEAVY) break;
  }
  release(canvas);
  const small = draw(bitmap, THUMB, makeCanvas);
  const thumb = await jpeg(small, 0.6);
  release(small);
  return { bytes, type: "image/jpeg", width, height, thumb, decoded: true, dark };
}

/** @param {any} canvas @param {number} quality @returns {Promise<ArrayBuffer>} */
async function jpeg(canvas, quality) {
  const blob = canvas.convertToBlob
    ? await canvas.convertToBlob({ type: "image/jpeg", quality })
    : await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob?.size) throw problem("blank");
  return blob.arrayBuffer();
}

/** iOS keeps a canvas's memory until it is made empty. @param {any} canvas */
function release(canvas) {
  canvas.width = 0;
  canvas.height = 0;
}
