// Starts the face: language, gates, the app, the shell, and what follows the app's status. Wiring only.
import * as camera from "./device/camera.js";
import * as language from "./device/language.js";
import * as place from "./device/place.js";
import * as picking from "./device/picking.js";
import { thisBrowser } from "./device/browser.js";
import { createInstalling } from "./device/installing.js";
import { createPicture } from "./device/picture.js";
import { download, estimate, persist } from "./device/storage.js";
import { registerWorker } from "./device/updates.js";
import { createWake } from "./device/wake.js";
import { capture } from "./screens/capture.js";
import { home } from "./screens/home.js";
import { indicator } from "./screens/indicator.js";
import { later } from "./screens/later.js";
import { pair } from "./screens/pair.js";
import { person } from "./screens/person.js";
import { startShell } from "./screens/shell.js";
import { setLanguage, t } from "./text/text.js";

const screens = { home, person, indicator, capture, pair, register: later("register"), appraise: later("appraise"), queue: later("queue"), settings: later("settings"), who: later("who"), conflicts: later("conflicts"), conflict: later("conflict"), talk: later("talk"), parcels: later("parcels") };
/** A camera that killed the browser this long ago or less gets its sentence. */
const LOST_SHOT_MS = 15 * 60 * 1000;

/** The face's own facts out of the page. @param {string} name */
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";

const readEnglish = () => import(new URL(meta("english"), document.baseURI).href);

/** @type {typeof import("./screens/gates.js").showGate} */
const showGate = async (...all) => (await import("./screens/gates.js")).showGate(...all);

/** @param {string} code */
async function speak(code) {
  await setLanguage(code, readEnglish);
  language.keep(code);
}

/**
 * @param {(browser: any) => Promise<any>} openApp opens the facade; it throws where the browser gives no store
 * @param {boolean} [goOn] an iPhone tab goes on without installing
 */
export async function startFace(openApp, goOn = false) {
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  await setLanguage(language.chosen(), readEnglish);
  const browser = thisBrowser(goOn);
  // Only the page's own first words; what the gate drew is replaced by the one who drew it.
  if (!goOn) root.replaceChildren();
  if (browser.gate) return showGate(browser, root, () => startFace(openApp, true));
  let app;
  try {
    app = await openApp(browser);
    await app.start(true);
  } catch (error) {
    console.error(error);
    return showGate({ ...browser, gate: "storage" }, root, () => {});
  }
  const lost = await comeBack(app);
  return connect(app, browser, root, lost);
}

/** @param {any} app @param {any} browser @param {HTMLElement} root @param {boolean} lost */
function connect(app, browser, root, lost) {
  /** @type {any} */
  let ctx = null;
  const device = {
    browser, camera, picking, place, speak, download,
    picture: createPicture(meta("picture-worker")),
    storage: { estimate, persist },
    installing: createInstalling(() => ctx?.redraw()),
    version: meta("version"),
  };
  ctx = startShell({ app, device, screens, root });
  ctx.drawn.then(() => app.go());
  if (lost) ctx.toast(t("capture.lost"), { name: "retake" });
  followStatus(app, createWake(), () => ctx.toast(t("pair.ready")));
  const address = meta("service-worker");
  if (address) registerWorker(address, (apply) => ctx.offerUpdate(apply));
  return ctx;
}

/** Where the person stood, after the browser was killed. @param {any} app @returns {Promise<boolean>} whether a shot was lost */
async function comeBack(app) {
  const was = await app.returnTo();
  if (!was?.route) return false;
  // A browser may restore the camera's address although its photo was kept a moment before.
  if (/^(#\/?|#\/capture\/.*)?$/.test(location.hash)) history.replaceState(null, "", was.route);
  if (!was.camera) return false;
  await app.setReturnTo({ route: was.route });
  return !was.at || Date.now() - Date.parse(was.at) < LOST_SHOT_MS;
}

/** The screen stays on while photos go up; the moment when no signal is needed any more is told once.
 * @param {any} app @param {{keep: (on: boolean) => unknown}} wake @param {() => void} ready */
function followStatus(app, wake, ready) {
  let was = app.status();
  app.subscribe(() => {
    const now = app.status();
    const sends = now.round === "photos";
    if (sends !== (was.round === "photos")) wake.keep(sends);
    if (now.paired && now.offlineReady && !was.offlineReady) ready();
    was = now;
  });
}
