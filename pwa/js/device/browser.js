// What kind of browser this is, and whether the app can keep its word in it. Decides nothing else.

const IN_APP = /(Zalo|FBAN|FBAV|FB_IAB|Instagram|Line\/)/i;
const APP_NAMES = /** @type {Record<string, string>} */ ({ zalo: "Zalo", fban: "Facebook", fbav: "Facebook", fb_iab: "Facebook", instagram: "Instagram", "line/": "Line" });

/**
 * @param {{userAgent: string, secure: boolean, href: string, standalone: boolean, touch: number, has: (name: string) => boolean, goOn: boolean}} seen
 * @returns {{gate: string, inApp: string, android: boolean, ios: boolean, standalone: boolean, outLink: string}} gate is "" where all is well
 */
export function describeBrowser(seen) {
  const found = IN_APP.exec(seen.userAgent)?.[1]?.toLowerCase();
  const android = /Android/i.test(seen.userAgent);
  const ios = /iPhone|iPad|iPod/.test(seen.userAgent) || (/Macintosh/.test(seen.userAgent) && seen.touch > 1);
  const inApp = found ? APP_NAMES[found] : android && /; wv\)/.test(seen.userAgent) ? "ứng dụng khác" : "";
  const browser = { gate: "", inApp, android, ios, standalone: seen.standalone, outLink: outLink(seen.href) };
  if (inApp) browser.gate = "inapp";
  else if (!seen.secure) browser.gate = "insecure";
  else if (!["indexedDB", "crypto.subtle", "createImageBitmap", "serviceWorker", "dialog"].every(seen.has)) browser.gate = "old";
  else if (ios && !seen.standalone && !seen.goOn) browser.gate = "ios_tab";
  return browser;
}

/** Android's way out of another app's window into Chrome. @param {string} href */
function outLink(href) {
  const url = new URL(href);
  const hash = url.hash ? url.hash.replace("#", "%23") : "";
  return `intent://${url.host}${url.pathname}${url.search}${hash}#Intent;scheme=${url.protocol.replace(":", "")};package=com.android.chrome;S.browser_fallback_url=${encodeURIComponent(href)};end`;
}

/** The real browser's description. @param {boolean} [goOn] the person chose to go on in an iPhone tab */
export function thisBrowser(goOn = false) {
  const standalone = matchMedia("(display-mode: standalone)").matches || /** @type {any} */ (navigator).standalone === true;
  return describeBrowser({ userAgent: navigator.userAgent, secure: window.isSecureContext, href: location.href, standalone, touch: navigator.maxTouchPoints, has, goOn });
}

/** @param {string} name */
function has(name) {
  if (name === "crypto.subtle") return Boolean(window.crypto?.subtle);
  if (name === "serviceWorker") return "serviceWorker" in navigator;
  if (name === "dialog") return "HTMLDialogElement" in window;
  return name in window;
}
