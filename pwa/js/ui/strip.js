// One line on what happens to the work on this phone: no signal, sending, waiting. In words, with an icon.
import { html, nothing } from "lit-html";
import { icon } from "./icon.js";
import { lasting, problemText, size, t } from "../text/text.js";

const DAY_MS = 24 * 3600 * 1000;

/** @param {any} s the app's status @param {boolean} [here] on the page that the line would lead to */
export function strip(s, here = false) {
  const trouble = troubleOf(s);
  const flow = flowOf(s);
  if (flow && here) delete flow.href;
  const fresh = here ? null : (s.notices ?? []).filter((/** @type {any} */ n) => !(s.toChoose && n.code === "result.held") && Date.now() - Date.parse(n.at) < DAY_MS).pop();
  return html`${trouble ? line(trouble) : nothing}${fresh ? line({ tone: "quiet", name: "info", strong: problemText(fresh.code, fresh.text), href: /held|resolve/.test(fresh.code) ? "#/conflicts" : "#/queue" }) : nothing}${flow ? line(flow) : nothing}`;
}

/** @param {{tone: string, name: string, strong: string, rest?: string, href?: string}} o */
function line(o) {
  const words = html`<span class="grow"><b>${o.strong}</b>${o.rest ? ` – ${o.rest}` : nothing}</span>`;
  return o.href
    ? html`<a class="strip ${o.tone}" href=${o.href}>${icon(o.name)}${words}${icon("next")}</a>`
    : html`<p class="strip ${o.tone}">${icon(o.name)}${words}</p>`;
}

/** @param {any} s */
function troubleOf(s) {
  if (s.revoked) return { tone: "bad", name: "incomplete", strong: t("strip.revoked") };
  if (s.authNeeded) return { tone: "bad", name: "incomplete", strong: t("strip.auth"), href: "#/pair" };
  if (s.wrongClock) return { tone: "bad", name: "waiting", strong: t("strip.clock") };
  if (s.storage?.low) return { tone: "bad", name: "phone", strong: t("strip.low"), href: "#/settings" };
  if (s.tooOld) return { tone: "sun", name: "info", strong: t("strip.tooold") };
  return null;
}

/** @param {any} s */
function flowOf(s) {
  const { photos, mutations, resting } = s.waiting;
  if (s.signal === "no") return { tone: "sun", name: "nosignal", strong: t("strip.nosignal"), rest: photos ? t("strip.kept.n", { n: photos }) : t("strip.kept"), href: photos || mutations ? "#/queue" : undefined };
  if (s.signal === "portal") return { tone: "sun", name: "nosignal", strong: t("strip.portal"), href: "#/queue" };
  if (s.round === "photos") return { tone: "go", name: "sending", strong: t("strip.sending", { done: s.photosSent, total: s.photosTotal }), rest: sendingRest(s), href: "#/queue" };
  if (!photos && !mutations) return null;
  if (s.error?.server) return { tone: "sun", name: "waiting", strong: problemText(s.error.code), href: "#/queue" };
  if (resting && resting === photos && !mutations) return { tone: "bad", name: "incomplete", strong: t("queue.refused"), href: "#/queue" };
  if (s.paused) return { tone: "sun", name: "pause", strong: t("strip.paused"), rest: t("strip.waiting", { n: photos }), href: "#/queue" };
  if (s.round === "text") return { tone: "go", name: "sending", strong: t("strip.text"), href: "#/queue" };
  return { tone: "sun", name: "waiting", strong: photos ? t("strip.waiting", { n: photos }) : t("strip.waiting.text"), href: "#/queue" };
}

/** @param {any} s */
export function sendingRest(s) {
  const time = lasting(s.etaSeconds);
  return [time && t("strip.left", { time }), s.bytesLeft && size(s.bytesLeft), t("strip.keepopen")].filter(Boolean).join(", ");
}
