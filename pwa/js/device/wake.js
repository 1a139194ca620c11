// Keeps the screen on while photos go up, where the browser can.

export function createWake() {
  /** @type {any} */
  let lock = null;
  let wanted = false;
  const hold = async () => {
    if (!wanted || lock || document.hidden) return;
    try {
      lock = await /** @type {any} */ (navigator).wakeLock?.request("screen");
      lock?.addEventListener("release", () => { lock = null; });
    } catch {
      lock = null;
    }
  };
  document.addEventListener("visibilitychange", hold);
  return {
    /** @param {boolean} on */
    keep(on) {
      wanted = on;
      if (on) return hold();
      return lock?.release();
    },
  };
}
