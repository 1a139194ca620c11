// The browser began an empty database: what the second copy still has goes to the commune as a file.
import { html, nothing } from "lit-html";
import { t } from "../text/text.js";
import { alt } from "../ui/frame.js";
import { icon } from "../ui/icon.js";

/** Nothing, unless something was lost. @param {any} ctx */
export function lostCard(ctx) {
  const { lost } = ctx.status;
  if (!lost) return nothing;
  const hand = async () => {
    const { ok, value } = await ctx.attempt(() => ctx.app.exportLost());
    if (!ok) return;
    for (const { name, file } of value) ctx.device.download(name, file);
    ctx.ui.handed = true;
    ctx.redraw();
  };
  return html`<section class="card pad"><h2 class="strong">${icon("incomplete", "warnicon")} ${t("lost.title")}</h2><p>${t("lost.text", { photos: lost.photos, texts: lost.mutations })}</p>
    <div class="buttons">${alt("save", t("lost.do"), hand)}${ctx.ui.handed ? alt("received", t("lost.handed"), () => ctx.attempt(() => ctx.app.forgetLost())) : nothing}</div></section>`;
}
