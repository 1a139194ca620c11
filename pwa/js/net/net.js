// The only code that calls fetch. HTML where JSON was due is a captive portal: no signal.
import { MAX_SENT_BYTES } from "../../../sync/js/protocol.js";

const TIMEOUT_MS = 60_000;

/** An answer that is no success, or none at all. */
export class NetError extends Error {
  /** @param {string} code @param {number} status @param {any} body @param {number | null} retryAfterS */
  constructor(code, status = 0, body = null, retryAfterS = null) {
    super(code);
    this.code = code;
    this.status = status;
    this.body = body;
    this.retryAfterS = retryAfterS;
  }
}

/** @param {string} path @param {RequestInit & {timeoutMs?: number}} options */
async function request(path, options = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), options.timeoutMs ?? TIMEOUT_MS);
  try {
    const answer = await fetch(path, { credentials: "same-origin", redirect: "error", cache: "no-store", ...options, signal: stop.signal });
    if (answer.type === "opaqueredirect") throw new NetError("portal");
    const body = [204, 205, 304].includes(answer.status) || options.method === "HEAD" ? null : await answer.arrayBuffer();
    return new Response(body, { status: answer.status, headers: answer.headers });
  } catch (error) {
    throw error instanceof NetError ? error : new NetError("no_signal");
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} response */
async function readJson(response) {
  const type = response.headers.get("content-type") ?? "";
  const retry = Number(response.headers.get("retry-after")) || null;
  if (!/json/.test(type)) {
    if ([413, 429, 503].includes(response.status)) throw new NetError({ 413: "too_large", 429: "too_many", 503: "busy" }[response.status] ?? "busy", response.status, null, retry);
    throw new NetError(response.status >= 500 ? "busy" : "portal", response.status, null, retry);
  }
  let body;
  try {
    body = await response.json();
  } catch {
    throw new NetError("no_signal", response.status);
  }
  if (!response.ok) throw new NetError(body.code ?? "bad_answer", response.status, body, retry);
  return body;
}

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array | null>} null where the browser cannot */
async function gzip(bytes) {
  if (!("CompressionStream" in globalThis) || bytes.length < 1024) return null;
  const packed = new Blob([/** @type {any} */ (bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** @param {string} path @param {any} body */
async function post(path, body) {
  const plain = new TextEncoder().encode(JSON.stringify(body));
  const packed = await gzip(plain);
  const sent = packed ?? plain;
  if (sent.length > MAX_SENT_BYTES) throw new NetError("too_large", 413);
  const headers = { "Content-Type": "application/json", Accept: "application/json", ...(packed ? { "Content-Encoding": "gzip" } : {}) };
  return readJson(await request(path, { method: "POST", headers, body: /** @type {any} */ (sent) }));
}

const TUS = { "Tus-Resumable": "1.0.0" };
const b64 = (/** @type {string} */ text) => btoa(text);

/** @param {{sha256: string, type: string, by: string, size: number}} photo @returns {Promise<{url: string, offset: number, receipt: string | null}>} */
async function createUpload(photo) {
  const metadata = `sha256 ${b64(photo.sha256)},type ${b64(photo.type)},by ${b64(photo.by)}`;
  const response = await request("/api/v1/files", { method: "POST", headers: { ...TUS, "Upload-Length": String(photo.size), "Upload-Metadata": metadata } });
  await refuse(response);
  const url = response.headers.get("location");
  if (!url) throw new NetError("portal", response.status);
  return { url: new URL(url, location.origin).pathname, offset: Number(response.headers.get("upload-offset") ?? 0), receipt: receiptOf(response) };
}

/** @param {string} url */
async function uploadOffset(url) {
  const response = await request(url, { method: "HEAD", headers: TUS });
  if (!response.ok) throw new NetError(response.status === 401 ? "auth.required" : "upload.gone", response.status);
  return { offset: Number(response.headers.get("upload-offset")), receipt: receiptOf(response) };
}

/** @param {string} url @param {number} offset @param {ArrayBuffer} chunk @param {string} checksum base64 of its SHA-256 */
async function sendChunk(url, offset, chunk, checksum) {
  const headers = { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream", "Upload-Checksum": `sha256 ${checksum}` };
  const response = await request(url, { method: "PATCH", headers, body: chunk, timeoutMs: 180_000 });
  await refuse(response);
  if (response.status !== 204) throw new NetError("portal", response.status);
  return { offset: Number(response.headers.get("upload-offset")), receipt: receiptOf(response) };
}

/** @param {Response} response */
const receiptOf = (response) => /^sha256 ([0-9a-f]{64})$/.exec(response.headers.get("upload-receipt") ?? "")?.[1] ?? null;

/** @param {Response} response */
async function refuse(response) {
  if (response.ok) return;
  const codes = /** @type {Record<number, string>} */ ({ 401: "auth.required", 403: "device.revoked", 404: "upload.gone", 409: "upload.offset", 410: "upload.gone", 413: "too_large", 429: "too_many", 460: "upload.checksum", 503: "busy" });
  const body = /json/.test(response.headers.get("content-type") ?? "") ? await response.json().catch(() => null) : null;
  const lost = response.status === 404 || response.status === 410;
  throw new NetError((lost ? "upload.gone" : body?.code) ?? codes[response.status] ?? "bad_answer", response.status, body, Number(response.headers.get("retry-after")) || null);
}

/** @param {string} sha256 @param {string} size @returns {Promise<ArrayBuffer>} */
async function photo(sha256, size) {
  const response = await request(`/api/v1/photos/${sha256}?size=${size}`);
  if (response.ok && /^image\//.test(response.headers.get("content-type") ?? "")) return response.arrayBuffer();
  const told = /json/.test(response.headers.get("content-type") ?? "") ? (await response.json().catch(() => null))?.code : null;
  throw new NetError(told === "not_found" ? "photo.absent" : (told ?? "portal"), response.status);
}

/** The real test of signal. @returns {Promise<"yes" | "no" | "portal">} */
async function health() {
  try {
    const response = await request("/api/v1/health", { timeoutMs: 15_000, redirect: "manual" });
    return response.status === 204 ? "yes" : "portal";
  } catch (error) {
    return /** @type {any} */ (error).code === "portal" ? "portal" : "no";
  }
}

/** A deposit is one request: on a slow line it may take hours. */
const SLOWEST_BYTES_PER_MS = 2;

/** @param {Blob} file a ZIP of what is unsent */
const deposit = async (file) => readJson(await request("/api/v1/deposit", { method: "POST", headers: { "Content-Type": "application/zip" }, body: file, timeoutMs: Math.max(600_000, file.size / SLOWEST_BYTES_PER_MS) }));

export const net = {
  deposit,
  health, photo, createUpload, uploadOffset, sendChunk,
  pair: (/** @type {any} */ body) => post("/api/v1/pair", body),
  renew: (/** @type {any} */ body) => post("/api/v1/pair/renew", body),
  sync: (/** @type {any} */ body) => post("/api/v1/sync", body),
};
