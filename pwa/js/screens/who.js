// Who is using the phone: every entry from now on carries this person's name.
import { html } from "lit-html";
import { t } from "../text/text.js";
import { frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";

export const who = { name: "who", view };

/** @param {any} ctx */
function view(ctx) {
  const s = ctx.status;
  const choose = async (/** @type {string} */ id) => {
    const { ok } = await ctx.attempt(() => ctx.app.choosePerson(id));
    if (ok) ctx.go("#/");
    if (ok && location.hash === "#/") ctx.reload();
  };
  return frame({
    title: t("who.title"),
    back: s.me ? "#/settings" : null,
    body: html`<p class="lead">${t("who.hint")}</p><ul class="card rows">${s.people.map((/** @type {any} */ p) => html`<li><button type="button" class="row" aria-pressed=${p.id === s.me?.id} @click=${() => choose(p.id)}>
      <span class="face" aria-hidden="true">${p.name.trim().split(/\s+/).pop()?.[0] ?? ""}</span><span class="grow"><strong>${p.name}</strong><small>${t(`role.${p.role}`)} · ${p.place ?? ""}</small></span>${icon(p.id === s.me?.id ? "accepted" : "next", p.id === s.me?.id ? "" : "faint")}</button></li>`)}</ul>
      <a class="alt wide" href="#/pair">${icon("add")}<span>${t("who.add")}</span></a>`,
  });
}
