// The service worker: registered once, a new one waits until the person agrees and never while taking a photo.
import { scriptAddress } from "./trusted.js";

/** @param {string} address @param {(apply: () => void) => void} offered called with the way to apply it */
export async function registerWorker(address, offered) {
  try {
    const registration = await navigator.serviceWorker.register(/** @type {any} */ (scriptAddress(address)), { updateViaCache: "none" });
    const offer = () => registration.waiting && navigator.serviceWorker.controller && offered(() => apply(registration));
    offer();
    followOthers(offered);
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
    return registration;
  } catch (error) {
    console.warn("worker", error);
    return null;
  }
}

let applying = false;

/** @param {ServiceWorkerRegistration} registration */
function apply(registration) {
  applying = true;
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  registration.waiting?.postMessage({ type: "apply_update" });
}

/** Another tab took the new version: this one goes on with its own until the person agrees. @param {(apply: () => void) => void} offered */
function followOthers(offered) {
  if (!navigator.serviceWorker.controller) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => applying || offered(() => location.reload()));
}
