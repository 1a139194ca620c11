// Builds pwa/dist: the script in two parts, one style sheet, the image worker, the shell and its service worker; and the staff site's htmx.
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const TARGET = ["chrome92", "safari15.4", "firefox115"];
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));

const digest = (content) => createHash("sha256").update(content).digest("hex").slice(0, 10);

async function bundle(entry, name, format) {
  const result = await build({ entryPoints: [join(here, entry)], bundle: true, minify: true, format, target: TARGET, write: false, legalComments: "none", charset: "utf8" });
  const content = result.outputFiles[0].contents;
  const file = `${name}-${digest(content)}.${entry.endsWith(".css") ? "css" : "js"}`;
  writeFileSync(join(dist, file), content);
  return file;
}

/** The app and the part that is read when first opened; what both use stands in files of its own. */
async function split(entry) {
  const result = await build({ entryPoints: { app: join(here, entry) }, bundle: true, minify: true, splitting: true, format: "esm", target: TARGET, write: false, metafile: true, outdir: dist, absWorkingDir: here, entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", legalComments: "none", charset: "utf8" });
  for (const { path, contents } of result.outputFiles) writeFileSync(path, contents);
  const [[main, { imports }]] = Object.entries(result.metafile.outputs).filter(([, output]) => output.entryPoint === entry);
  const needed = [main, ...imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path)].map((path) => basename(path));
  return { needed, parts: result.outputFiles.map(({ path }) => basename(path)) };
}

function files(folder, prefix = "") {
  return readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name), `${prefix}${name}/`) : [`${prefix}${name}`]));
}

/** A phone in mid-update, or one that has not looked for weeks, still asks for the files of the builds before. */
const KEPT_BUILDS = 5;
const history = join(dist, "builds.json");
const earlier = existsSync(history) ? JSON.parse(readFileSync(history, "utf8")) : [];
mkdirSync(dist, { recursive: true });
rmSync(join(dist, "icons"), { recursive: true, force: true });
const { needed: [js, ...shared], parts } = await split("js/main.js");
const css = await bundle("css/app.css", "app", undefined);
const english = await bundle("js/text/en.js", "en", "esm");
const worker = await bundle("js/device/picture-worker.js", "picture", "iife");
cpSync(join(here, "icons"), join(dist, "icons"), { recursive: true, filter: (path) => !path.endsWith(".py") });
copyFileSync(join(here, "manifest.webmanifest"), join(dist, "manifest.webmanifest"));
const shell = readFileSync(join(here, "index.html"), "utf8").replaceAll("{{css}}", `/app/${css}`).replaceAll("{{js}}", `/app/${js}`).replaceAll("{{shared}}", shared.map((name) => `<link rel="modulepreload" href="/app/${name}">`).join("\n")).replaceAll("{{worker}}", `/app/${worker}`).replaceAll("{{english}}", `/app/${english}`).replaceAll("{{version}}", version);
// The worker keeps the shell under its hashed name, so that no deployment can mix one build's shell with another's worker.
const page = `index-${digest(shell)}.html`;
writeFileSync(join(dist, page), shell);
writeFileSync(join(dist, "index.html"), shell);

const hashed = [page, ...parts, css, english, worker];
const all = [...hashed, "manifest.webmanifest", ...files(join(dist, "icons"), "icons/")].sort();
const whole = digest(all.map((name) => `${name} ${digest(readFileSync(join(dist, name)))}`).join("\n"));
const list = all.map((name) => `/app/${name}`);
writeFileSync(join(dist, "sw.js"), readFileSync(join(here, "sw.js"), "utf8").replace(/^\/\* global.*\n/m, "").replaceAll("__BUILD__", JSON.stringify(whole)).replaceAll("__FILES__", JSON.stringify(list)).replaceAll("__SHELL__", JSON.stringify(`/app/${page}`)));

const builds = [{ build: whole, files: hashed }, ...earlier.filter((one) => one.build !== whole)].slice(0, KEPT_BUILDS);
writeFileSync(history, JSON.stringify(builds, null, 1));
const kept = new Set([...builds.flatMap((one) => one.files), ...all, "index.html", "sw.js", "builds.json"]);
for (const name of files(dist)) if (!kept.has(name)) rmSync(join(dist, name));

const vendor = join(here, "..", "server", "web", "static", "vendor");
mkdirSync(vendor, { recursive: true });
copyFileSync(join(here, "node_modules", "htmx.org", "dist", "htmx.min.js"), join(vendor, "htmx.min.js"));

const size = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length, 0);
console.log(`built ${whole}: ${size(["index.html", js, ...shared, css, worker])} bytes gzipped to a capture screen, ${size([...all, "sw.js"])} with icons and worker`);
