// Comments on a dossier or a photo: only ever added to, both ways, also without signal.
import { dossierId, wellFormed } from "../../../sync/js/protocol.js";
import { sha1 } from "./identity.js";

/** @param {{store: any, view: any, state: any, saving: any, changed: () => void}} parts */
export function createTalk({ store, view, state, saving, changed }) {
  /** @param {string} citizenId @param {string} text @param {string} [on] a photo; else the dossier */
  async function say(citizenId, text, on) {
    if (!text.trim()) throw Object.assign(new Error("value.missing"), { code: "value.missing" });
    const { id, first } = await saving.beginning(citizenId);
    await saving.keep([...first, await saving.mutation("create", "comment", crypto.randomUUID(), { base: 0, set: { on: on ?? id, text: wellFormed(text.trim()) } })]);
  }

  /** What was said, oldest first, what waits last. @param {string} citizenId @param {string} [on] */
  async function talk(citizenId, on) {
    const about = on ?? (await dossierId(citizenId, await view.year(), sha1));
    const me = await state.me();
    const typed = new Map((await store.outbox()).filter((/** @type {any} */ m) => m.type === "comment").map((/** @type {any} */ m) => [m.doc, m.at]));
    return (await view.all("comment")).filter((/** @type {any} */ c) => c.data.on === about).map((/** @type {any} */ c) => ({
      id: c.id, text: c.data.text, by: c.data.author_name ?? "", mine: c.data.author === me?.id, at: c.data.updated_at ?? typed.get(c.id) ?? null, waits: typed.has(c.id),
    })).sort((/** @type {any} */ a, /** @type {any} */ b) => Number(a.waits) - Number(b.waits) || String(a.at ?? "").localeCompare(String(b.at ?? "")));
  }

  /** @param {string} citizenId @param {string} [on] */
  async function talkSeen(citizenId, on) {
    const about = on ?? (await dossierId(citizenId, await view.year(), sha1));
    const last = (await talk(citizenId, on)).filter((/** @type {any} */ c) => !c.waits).pop();
    const seen = (await store.meta("talk_seen")) ?? {};
    const key = `${(await state.me())?.id} ${about}`;
    if (!last || seen[key] >= last.at) return;
    await store.setMeta("talk_seen", { ...seen, [key]: last.at });
    changed();
  }

  return { say, talk, talkSeen };
}

/** How much was said about each document, and how much of it this person has not read. @param {any[]} comments @param {Record<string, string>} seen @param {any} me */
export function tallyTalk(comments, seen, me) {
  /** @type {Map<string, {all: number, fresh: number}>} */
  const found = new Map();
  for (const { data } of comments) {
    const count = found.get(data.on) ?? { all: 0, fresh: 0 };
    count.all += 1;
    if (data.author !== me?.id && data.updated_at > (seen[`${me?.id} ${data.on}`] ?? "")) count.fresh += 1;
    found.set(data.on, count);
  }
  return found;
}
