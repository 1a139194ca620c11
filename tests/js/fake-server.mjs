// A small server of the contract in memory, with bad days on request: what the phone's engine is proved against.
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";

const json = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers: { "content-type": status < 400 ? "application/json" : "application/problem+json", ...headers } });
const sha256 = (bytes, as) => createHash("sha256").update(bytes).digest(as);

/** `say` is asked before each request: an answer of its own, "cut" (nothing arrives), "lost" (handled, the answer lost), or nothing. */
export class FakeServer {
  epoch = "e1";
  ack = 0;
  people = [{ id: "p1", name: "Chị Hường", role: "chapter", place: 4471, citizen: null }];
  scopes = ["commune:12", "place:4471"];
  handled = new Map();
  docs = new Map();
  results = [];
  resync = [];
  uploads = new Map();
  stored = new Set();
  images = new Map();
  deposits = [];
  requests = [];
  counter = 0;
  say = () => null;

  fetch = async (path, options = {}) => {
    const method = options.method ?? "GET";
    const body = await this.read(options);
    const request = { method, path, body, headers: options.headers ?? {} };
    this.requests.push(request);
    const said = this.say(request);
    if (said === "cut") throw new TypeError("network");
    if (said instanceof Response) return said;
    const answer = this.answer(request);
    if (said === "lost") throw new TypeError("network");
    return answer;
  };

  async read({ body, headers = {} }) {
    if (body === undefined) return null;
    const bytes = Buffer.from(body instanceof Blob ? await body.arrayBuffer() : body instanceof ArrayBuffer ? new Uint8Array(body) : body);
    if (!/json/.test(headers["Content-Type"] ?? "")) return bytes;
    return JSON.parse(headers["Content-Encoding"] === "gzip" ? gunzipSync(bytes) : bytes);
  }

  answer({ method, path, body, headers }) {
    if (path === "/api/v1/health") return new Response(null, { status: 204 });
    if (path === "/api/v1/pair") return json(201, { device: body.device.id, person: this.people[0], people: this.people, scopes: this.scopes, next: this.ack + 1, epoch: this.epoch, year: 2026 });
    if (path === "/api/v1/pair/renew") return this.renew(body);
    if (path === "/api/v1/sync") return this.sync(body);
    if (path === "/api/v1/deposit") return this.deposit(body);
    if (path.startsWith("/api/v1/photos/")) return this.photo(path);
    return method === "POST" ? this.create(body, headers) : this.upload(method, path, body, headers);
  }

  /** The ZIP only stores, so its JSON can be read as it stands. */
  deposit(body) {
    const text = body.toString("latin1");
    const content = JSON.parse(Buffer.from(text.slice(text.indexOf('{"v"'), text.indexOf("PK", text.indexOf('{"v"'))), "latin1"));
    this.deposits.push(content);
    return json(201, { mutations: content.mutations.map((m) => m.id), photos: content.photos.map((p) => p.sha256) });
  }

  renew(body) {
    this.renewed = body;
    if (body.clone && body.clone.id !== this.cloned) Object.assign(this, { ack: 0, handled: new Map(), cloned: body.clone.id });
    return json(200, { device: body.clone?.id ?? body.device, next: this.ack + 1 });
  }

  sync(body) {
    if (body.epoch && body.epoch !== this.epoch) return json(409, { code: "epoch", epoch: this.epoch, expected: this.ack + 1 });
    const touched = new Set();
    for (const mutation of body.mutations) {
      const known = this.handled.get(mutation.seq);
      if (known && known !== mutation.id) return json(409, { code: "device.cloned", challenge: "ch" });
      if (!known && mutation.seq !== this.ack + 1) return json(409, { code: "seq.gap", expected: this.ack + 1 });
      if (!known) this.apply(mutation);
      touched.add(mutation.doc);
    }
    const changes = [...this.docs.values()].filter((d) => touched.has(d.doc) || d.at > Number(body.cursors[d.scope] ?? 0)).map(({ at: _at, ...d }) => d);
    const cursors = Object.fromEntries(this.scopes.map((scope) => [scope, String(this.counter)]));
    const photos = body.photos.map((p) => ({ ...p, ...(this.stored.has(p.sha256) ? { state: "stored" } : { state: "needed", ...this.standing(p.sha256) }) }));
    return json(200, { v: 1, now: new Date().toISOString(), epoch: this.epoch, year: 2026, ack: this.ack, results: this.results, people: this.people, scopes: this.scopes, changes, cursors, more: false, resync: this.resync.splice(0), photos });
  }

  standing(sha) {
    const found = [...this.uploads].find(([, u]) => u.sha256 === sha);
    return found ? { upload: found[0], offset: found[1].bytes.length } : {};
  }

  apply(mutation) {
    this.ack = mutation.seq;
    this.handled.set(mutation.seq, mutation.id);
    if (mutation.op === "void") return;
    const known = this.docs.get(mutation.doc);
    if (mutation.op === "delete") this.put(mutation.doc, { ...known, deleted: true });
    else this.put(mutation.doc, { type: mutation.type, data: { ...known?.data, ...mutation.set, author: known?.data.author ?? mutation.by, ...(mutation.op === "submit" ? { state: "submitted" } : {}) } });
  }

  /** A change as the server makes it. */
  put(doc, change) {
    this.counter += 1;
    this.docs.set(doc, { scope: "place:4471", ...change, doc, rev: (this.docs.get(doc)?.rev ?? 0) + 1, at: this.counter });
  }

  create(_body, headers) {
    const named = Object.fromEntries(headers["Upload-Metadata"].split(",").map((pair) => pair.split(" ")).map(([key, value]) => [key, atob(value)]));
    const url = `/api/v1/files/u${this.uploads.size + 1}`;
    const found = this.standing(named.sha256);
    if (!found.upload) this.uploads.set(url, { ...named, length: Number(headers["Upload-Length"]), bytes: Buffer.alloc(0) });
    return new Response(null, { status: 201, headers: { location: found.upload ?? url, "upload-offset": String(found.offset ?? 0) } });
  }

  upload(method, path, body, headers) {
    const upload = this.uploads.get(path);
    if (!upload) return json(404, { code: "upload.unknown" });
    if (method === "PATCH") {
      if (Number(headers["Upload-Offset"]) !== upload.bytes.length) return json(409, { code: "upload.offset" });
      if (headers["Upload-Checksum"] !== `sha256 ${sha256(body, "base64")}`) return json(460, { code: "upload.checksum" });
      upload.bytes = Buffer.concat([upload.bytes, body]);
    }
    const done = upload.bytes.length === upload.length && sha256(upload.bytes, "hex") === upload.sha256;
    if (done) this.stored.add(upload.sha256);
    return new Response(null, { status: method === "PATCH" ? 204 : 200, headers: { "upload-offset": String(upload.bytes.length), ...(done ? { "upload-receipt": `sha256 ${upload.sha256}` } : {}) } });
  }

  photo(path) {
    const bytes = this.images.get(path.split("/").pop().split("?")[0]);
    return bytes ? new Response(bytes, { status: 200, headers: { "content-type": "image/jpeg" } }) : json(404, { code: "not_found" });
  }
}
