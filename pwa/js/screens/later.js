// Screens that come in a second file, kept by the worker with the rest: the first load stays small.
import { addWords, t } from "../text/text.js";
import { empty, frame } from "../ui/frame.js";

/** @type {Promise<any> | null} */
let reading = null;

function read() {
  reading ??= import("./more.js").then((more) => { addWords(more.words); return more; }).catch(() => { reading = null; throw Object.assign(new Error("part.absent"), { code: "part.absent" }); });
  return reading;
}

/** A sheet of more.js. @param {string} name */
export const sheet = (name) => async (/** @type {any} */ ctx, /** @type {any[]} */ ...all) => {
  const { ok, value } = await ctx.attempt(read);
  if (ok) value.sheets[name](ctx, ...all);
};

/** A screen that becomes itself when it is first opened. @param {string} name of a screen in more.js */
export function later(name) {
  /** @type {any} */
  const screen = {
    name,
    async load(/** @type {any} */ ctx) {
      const more = await read();
      Object.assign(screen, { load: undefined }, more.screens[name]);
      return screen.load?.(ctx);
    },
    view: () => frame({ title: t("app.name"), back: "#/", body: empty("info", t("problem.part.absent")) }),
  };
  return screen;
}
