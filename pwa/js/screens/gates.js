// Pages shown instead of the app where it could not keep its word: inside Zalo, on plain http, in an old browser, in an iPhone tab.
import { html, nothing, render } from "lit-html";
import { addWords, t } from "../text/text.js";
import { gates } from "../text/vi-gates.js";
import { frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";

/**
 * Draws the gate for what the browser is. Nothing is stored here.
 * @param {{gate: string, inApp: string, android: boolean, ios: boolean, outLink: string}} browser
 * @param {HTMLElement} root @param {() => void} goOn continues in an iPhone tab with signal
 */
export function showGate(browser, root, goOn) {
  addWords(gates);
  const bodies = { inapp: () => inApp(browser), old: () => words("old"), insecure: () => words("insecure"), storage: () => words("storage"), ios_tab: () => iosTab(goOn) };
  const key = browser.gate === "ios_tab" ? "ios" : browser.gate;
  const body = bodies[/** @type {keyof typeof bodies} */ (browser.gate)]();
  render(frame({ title: t(`gate.${key}.title`), under: t("app.full"), kind: "welcome", body: html`<div class="hero" aria-hidden="true">${icon("phone")}</div>${body}` }), root);
  document.title = t("app.full");
}

const words = (/** @type {string} */ key) => html`<p class="lead">${t(`gate.${key}.text`)}</p>`;

/** @param {any} browser */
function inApp(browser) {
  const copy = async (/** @type {any} */ event) => {
    const button = event.currentTarget;
    await navigator.clipboard?.writeText(location.href);
    button.querySelector("span").textContent = t("gate.copied");
  };
  return html`<p class="lead">${t("gate.inapp.text", { app: browser.inApp })}</p>
    ${browser.ios ? html`<p class="strip sun">${icon("info")}<span>${t("gate.inapp.ios")}</span></p>` : nothing}
    ${browser.android ? html`<a class="big" href=${browser.outLink}>${icon("next")}<span>${t("gate.inapp.android")}</span></a>` : nothing}
    <button type="button" class="alt wide" @click=${copy}>${icon("note")}<span>${t("gate.copy")}</span></button>
    <p class="address">${location.href}</p>`;
}

/** @param {() => void} goOn */
function iosTab(goOn) {
  return html`<p class="lead">${t("gate.ios.text")}</p>
    <ol class="card steps">${[1, 2, 3].map((n) => html`<li><span class="n">${n}</span><span>${t(`gate.ios.${n}`)}</span></li>`)}</ol>
    <button type="button" class="alt wide" @click=${goOn}><span>${t("gate.ios.anyway")}</span></button>`;
}
