// Photos from the phone's own camera or gallery, one at a time in memory; each saved before the next is read.
import { problemText, t } from "../text/text.js";

/**
 * Opens the phone's picker and keeps what comes back. The route is noted first: a camera may kill the browser.
 * @param {any} ctx @param {{citizenId: string, indicator: number, kind?: string, caption?: string, replaces?: string, place?: string}} target
 * @param {boolean} [camera] the phone's camera instead of the gallery
 */
export async function pickPhotos(ctx, target, camera = false) {
  await ctx.app.setReturnTo({ route: location.hash, camera });
  const files = await ctx.device.picking.choose({ camera, many: !camera && !target.replaces });
  await ctx.app.setReturnTo({ route: location.hash });
  let saved = 0;
  let words = "";
  for (const [n, file] of files.entries()) {
    if (files.length > 1) ctx.toast(t("capture.working", { n: n + 1, total: files.length }), { name: "waiting" });
    const photo = await keep(ctx, target, file, camera ? "camera" : "library");
    if (!photo) continue;
    saved += 1;
    words = photo.decoded ? words : t("capture.asis");
  }
  if (saved) ctx.toast(words || (saved > 1 ? t("capture.many", { n: saved }) : t("saved")));
  return saved;
}

/** @param {any} ctx @param {any} target @param {{blob: Blob, taken: string}} file @param {string} source */
async function keep(ctx, target, file, source) {
  try {
    const photo = await ctx.device.picture.shrink(file.blob);
    await ctx.app.addPhoto({ ...target, ...photoFields(photo), captured_at: file.taken, source });
    return photo;
  } catch (error) {
    const code = /** @type {any} */ (error)?.code;
    ctx.toast(t(`capture.${code}`) === `capture.${code}` ? problemText(code) : t(`capture.${code}`), { name: "incomplete" });
    return null;
  }
}

/** What addPhoto wants of a shrunk picture. @param {any} photo */
export const photoFields = (photo) => ({ bytes: photo.bytes, type: photo.type, width: photo.width, height: photo.height, thumb: photo.thumb });
