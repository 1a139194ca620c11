// Uploads small files with tus-js-client over a line that is cut once at every `step` bytes; prints what arrived.
// The one argument is JSON: port, path, cookie, direction ("up" or "down"), step, chunk, chunks.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import net from "node:net";

const tus = createRequire(`${process.cwd()}/`)("tus-js-client");
const given = JSON.parse(process.argv[2]);
let cut = null; // bytes that may still pass
const passed = { up: 0, down: 0 };

function pump(source, target, direction) {
  source.on("data", (data) => {
    passed[direction] += data.length;
    if (cut === null || direction !== given.direction) return target.write(data);
    if (data.length <= cut) {
      cut -= data.length;
      return target.write(data);
    }
    const rest = data.subarray(0, cut);
    cut = null;
    target.write(rest, () => {
      source.resetAndDestroy();
      target.resetAndDestroy();
    });
  });
  source.on("end", () => target.end());
  source.on("error", () => target.destroy());
  source.on("close", () => target.destroy());
}

const line = net.createServer((client) => {
  const server = net.connect(given.port, "127.0.0.1");
  pump(client, server, "up");
  pump(server, client, "down");
});

function send(content, endpoint) {
  return new Promise((done, failed) => {
    const upload = new tus.Upload(content, {
      endpoint,
      chunkSize: given.chunk,
      retryDelays: [0, 0, 0, 0],
      headers: { Cookie: given.cookie },
      metadata: { sha256: createHash("sha256").update(content).digest("hex"), type: "image/jpeg" },
      onError: failed,
      onSuccess: () => done(upload.url),
    });
    upload.start();
  });
}

function contentOf(name) {
  const size = given.chunk * given.chunks;
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(`${name}`.padEnd(size, "."))]).subarray(0, size);
}

line.listen(0, "127.0.0.1", async () => {
  const endpoint = `http://127.0.0.1:${line.address().port}${given.path}`;
  const uploads = [];
  await send(contentOf(`js ${given.direction} whole`), endpoint);
  const total = passed[given.direction];
  for (let at = 0; at < total; at += given.step) {
    const content = contentOf(`js ${given.direction} ${at}`);
    cut = at;
    const url = await send(content, endpoint);
    if (cut !== null) throw new Error(`the line was not cut at ${at}`);
    uploads.push({ url, content: content.toString("hex") });
  }
  process.stdout.write(JSON.stringify({ total, uploads }), () => process.exit(0));
});
