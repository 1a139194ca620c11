// The camera in the page: opens the stream, grabs a still, torch, always lets the camera go.

const REASONS = /** @type {Record<string, string>} */ ({ NotAllowedError: "refused", SecurityError: "refused", NotReadableError: "busy", AbortError: "busy", TrackStartError: "busy" });

const FIRST_FRAME_MS = 4000;

/** Opens a camera. Throws {code: refused | busy | absent}. @param {string} facing environment or user */
export async function open(facing) {
  if (!navigator.mediaDevices?.getUserMedia) throw problem("absent");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: { ideal: facing }, width: { ideal: 1920 }, height: { ideal: 1440 } } });
    return cameraOf(stream);
  } catch (error) {
    throw problem(REASONS[/** @type {Error} */ (error).name] ?? "absent");
  }
}

const problem = (/** @type {string} */ code) => Object.assign(new Error(code), { code });

/** @param {MediaStream} stream */
function cameraOf(stream) {
  const [track] = stream.getVideoTracks();
  /** @type {HTMLVideoElement | null} */
  let shown = null;
  return {
    hasTorch: Boolean(/** @type {any} */ (track.getCapabilities?.())?.torch),
    /** @param {HTMLVideoElement} video */
    show(video) {
      shown = video;
      video.srcObject = stream;
      video.play().catch(() => {});
    },
    stop() {
      for (const one of stream.getTracks()) one.stop();
      if (shown) shown.srcObject = null;
    },
    /** @param {boolean} on @returns {Promise<boolean>} whether it burns now */
    async torch(on) {
      try {
        await track.applyConstraints(/** @type {any} */ ({ advanced: [{ torch: on }] }));
        return on;
      } catch {
        return false;
      }
    },
    grab: () => still(shown, track),
  };
}

/** A tap on the shutter may come before the camera's first frame. @param {HTMLVideoElement} video */
const firstFrame = (video) => new Promise((done) => {
  video.addEventListener("loadeddata", done, { once: true });
  setTimeout(done, FIRST_FRAME_MS);
});

/** A still of what the finder shows: the frame itself, so that what was seen is what is kept.
 * @param {HTMLVideoElement | null} video @param {MediaStreamTrack} track @returns {Promise<ImageBitmap>} */
async function still(video, track) {
  if (video && !video.videoWidth) await firstFrame(video);
  if (!video?.videoWidth || track.readyState !== "live") throw problem("busy");
  return createImageBitmap(video);
}
