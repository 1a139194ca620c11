// The phone's own picker. The real input stays in the page until it answers; bytes are copied out at once, before a cloud file can vanish.

/**
 * @param {{camera: boolean, many: boolean}} how
 * @returns {Promise<{blob: Blob, taken: string}[]>} empty when the person turned back
 */
export function choose({ camera, many }) {
  const input = document.createElement("input");
  input.type = "file";
  // Not image/*: iOS turns HEIC into JPEG only for a list of exact types.
  input.accept = "image/jpeg,image/png";
  input.multiple = many;
  input.hidden = true;
  if (camera) input.setAttribute("capture", "environment");
  document.body.append(input);
  return new Promise((resolve) => {
    const end = (/** @type {any[]} */ files) => {
      input.remove();
      resolve(files);
    };
    input.addEventListener("change", () => end([...(input.files ?? [])].map((file) => pickedFile(file, camera))));
    input.addEventListener("cancel", () => end([]));
    input.click();
  });
}

/** One file of another kind, from the phone's folders. @param {string} accept @returns {Promise<{name: string, file: Blob} | null>} */
export function chooseFile(accept) {
  const input = Object.assign(document.createElement("input"), { type: "file", accept, hidden: true });
  document.body.append(input);
  return new Promise((resolve) => {
    const end = () => {
      const file = input.files?.[0];
      input.remove();
      resolve(file ? { name: file.name, file } : null);
    };
    input.addEventListener("change", end);
    input.addEventListener("cancel", end);
    input.click();
  });
}

/** @param {File} file @param {boolean} camera */
function pickedFile(file, camera) {
  const at = camera || !file.lastModified ? Date.now() : file.lastModified;
  return { blob: file, taken: new Date(at).toISOString() };
}
