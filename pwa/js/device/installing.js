// "Cài ứng dụng": keeps the browser's offer until our own button is tapped.

/** @param {() => void} changed called when the offer comes or goes */
export function createInstalling(changed) {
  /** @type {any} */
  let offer = null;
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    changed();
  });
  window.addEventListener("appinstalled", () => {
    offer = null;
    changed();
  });
  return {
    ready: () => Boolean(offer),
    async ask() {
      const now = offer;
      offer = null;
      await now?.prompt();
      return now?.userChoice;
    },
  };
}
