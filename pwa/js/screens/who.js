// Who is using the phone: every entry from now on carries this person's name. Switched offline, with a PIN where one was set.
import { html, nothing } from "lit-html";
import { problemText, t } from "../text/text.js";
import { field } from "../ui/field.js";
import { alt, big, frame } from "../ui/frame.js";
import { icon } from "../ui/icon.js";

export const who = { name: "who", view };

/** @param {any} ctx */
function view(ctx) {
  const s = ctx.status;
  const open = s.me && !s.locked;
  const asked = ctx.ui.asked && s.people.find((/** @type {any} */ p) => p.id === ctx.ui.asked);
  return frame({
    title: t("who.title"),
    back: open ? "#/settings" : null,
    body: asked ? askPin(ctx, asked) : html`<p class="lead">${t(s.locked ? "who.locked" : "who.hint")}</p>
      <ul class="card rows">${s.people.map((/** @type {any} */ p) => html`<li><button type="button" class="row" aria-pressed=${open && p.id === s.me?.id} @click=${() => pick(ctx, p)}>
      <span class="face" aria-hidden="true">${p.name.trim().split(/\s+/).pop()?.[0] ?? ""}</span><span class="grow"><strong>${p.name}</strong><small>${t(`role.${p.role}`)} · ${p.place ?? ""}${p.pin ? html` · ${t("who.haspin")}` : nothing}</small></span>${open && p.id === s.me?.id ? icon("accepted") : icon("next", "faint")}</button></li>`)}</ul>
      <a class="alt wide" href="#/pair">${icon("add")}<span>${t("who.add")}</span></a>
      ${open ? ownPin(ctx, s) : nothing}`,
  });
}

/** @param {any} ctx @param {any} p */
function pick(ctx, p) {
  const s = ctx.status;
  if (!s.locked && p.id === s.me?.id) return ctx.go("#/");
  if (!p.pin) return enter(ctx, p, "");
  Object.assign(ctx.ui, { asked: p.id, pin: "", error: "" });
  ctx.redraw();
  document.getElementById("pin")?.focus();
}

/** @param {any} ctx @param {any} p @param {string} pin */
async function enter(ctx, p, pin) {
  const same = p.id === ctx.status.me?.id;
  try {
    await ctx.app.choosePerson(p.id, pin);
  } catch (error) {
    Object.assign(ctx.ui, { pin: "", error: problemText(/** @type {any} */ (error).code) });
    return ctx.redraw();
  }
  Object.assign(ctx.ui, { asked: "", pin: "", error: "" });
  if (same) return ctx.reload();
  if (location.hash === "#/") return ctx.restart();
  return ctx.go("#/");
}

/** @param {any} ctx @param {any} p */
function askPin(ctx, p) {
  const { ui } = ctx;
  const submit = (/** @type {Event} */ event) => { event.preventDefault(); enter(ctx, p, ui.pin); };
  return html`<form class="stacked" @submit=${submit}><p class="lead">${t("pin.ask", { name: p.name })}</p>
    ${pinField(ctx, t("pin.label"), ui.error)}
    <div class="buttons">${alt("back", t("pin.back"), () => { ui.asked = ""; ctx.redraw(); })}<button class="big" ?disabled=${!/^\d{4,6}$/.test(ui.pin ?? "")}>${icon("accepted")}<span>${t("pin.open")}</span></button></div></form>
    <p class="soft small">${t("pin.forgot")}</p>`;
}

/** @param {any} ctx @param {string} label @param {string} [error] */
const pinField = (ctx, label, error) => field({ id: "pin", label, value: ctx.ui.pin ?? "", type: "password", mode: "numeric", max: 6, error, input: (v) => { ctx.ui.pin = v.replace(/\D/g, ""); ctx.ui.error = ""; ctx.redraw(); } });

/** Setting, changing and taking away one's own. @param {any} ctx @param {any} s */
function ownPin(ctx, s) {
  const { ui } = ctx;
  const has = s.people.find((/** @type {any} */ p) => p.id === s.me.id)?.pin;
  const keep = async (/** @type {string} */ pin) => {
    const { ok } = await ctx.attempt(() => ctx.app.setPin(pin));
    if (!ok) return;
    Object.assign(ui, { setting: false, pin: "" });
    ctx.toast(t(pin ? "pin.kept" : "pin.gone"));
  };
  return html`<section class="card pad"><h2 class="strong">${t("pin.own", { name: s.me.name })}</h2><p class="soft small">${t("pin.why")}</p>
    ${ui.setting ? html`${pinField(ctx, t("pin.new"))}<div class="buttons">${alt("close", t("cancel"), () => { ui.setting = false; ctx.redraw(); })}${big("save", t("save"), () => keep(ui.pin), !/^\d{4,6}$/.test(ui.pin ?? ""))}</div>`
      : html`<div class="buttons">${alt("edit", t(has ? "pin.change" : "pin.set"), () => { ui.setting = true; ui.pin = ""; ctx.redraw(); })}${has ? alt("remove", t("pin.remove"), () => keep("")) : nothing}</div>`}
    ${has || s.people.length > 1 ? html`<button type="button" class="alt wide" @click=${() => ctx.app.lock()}>${icon("pause")}<span>${t("who.lock")}</span></button>` : nothing}</section>`;
}
