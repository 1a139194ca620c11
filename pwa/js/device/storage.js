// Room on the phone, and the browser's promise not to clear it.

/** @returns {Promise<{freeBytes: number | null, persisted: boolean | null}>} */
export async function estimate() {
  const room = await navigator.storage?.estimate?.().catch(() => null);
  const persisted = await navigator.storage?.persisted?.().catch(() => null);
  const freeBytes = room?.quota === undefined ? null : Math.max(0, room.quota - (room.usage ?? 0));
  return { freeBytes, persisted: persisted ?? null };
}

/** Asks to keep the data for good; called on a tap or after a save, when people see why. @returns {Promise<boolean>} */
export async function persist() {
  try {
    return Boolean(await navigator.storage?.persist?.());
  } catch {
    return false;
  }
}

/** Hands a file to the person. @param {string} name @param {Blob} file */
export function download(name, file) {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
