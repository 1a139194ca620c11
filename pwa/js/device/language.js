// The chosen language, kept beside the store so that the first frame already speaks it.
const KEY = "language";

export function keep(/** @type {string} */ code) {
  try {
    localStorage.setItem(KEY, code);
  } catch {
    // A browser that keeps nothing speaks Vietnamese again next time.
  }
}

export function chosen() {
  try {
    return localStorage.getItem(KEY) ?? "vi";
  } catch {
    return "vi";
  }
}
