// Where a photo was taken: only after the person agreed in settings, and never waited for longer than a shot takes.
const KEY = "keep_place";

export function agreed() {
  try {
    return localStorage.getItem(KEY) === "yes";
  } catch {
    return false;
  }
}

export function agree(/** @type {boolean} */ yes) {
  try {
    localStorage.setItem(KEY, yes ? "yes" : "no");
  } catch {
    // Without storage the answer stays no.
  }
}

/** Degrees and metres, or null: no consent, no fix, refused. @returns {Promise<{lat: number, lon: number, accuracy: number} | null>} */
export function now() {
  if (!agreed() || !navigator.geolocation) return Promise.resolve(null);
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude, accuracy: Math.round(coords.accuracy) }),
      () => resolve(null),
      { enableHighAccuracy: true, timeout: 5000, maximumAge: 60_000 },
    );
  });
}
