// Two versions of a field as the screens show them: whose, from which phone, with the photos they are about.
import { maySettle } from "../../../sync/js/conflicts.js";

/** @param {{store: any, state: any, view: any}} parts */
export function createConflicts({ store, state, view }) {
  /** All that this person may see, own choices first, oldest first. @returns {Promise<any[]>} */
  async function conflicts() {
    const [me, all, choices, docs, mayRead] = await Promise.all([state.me(), view.all("conflict"), store.meta("choices"), store.docsOf("conflict"), view.reader()]);
    const held = new Map(docs.map((/** @type {any} */ d) => [d.id, d.data]));
    const open = all.filter((/** @type {any} */ c) => (c.data.state === "open" || choices?.[c.id]) && mayRead(c.data.citizen));
    const shown = await Promise.all(open.map((/** @type {any} */ c) => card(c, held.get(c.id), me, choices?.[c.id])));
    return shown.sort((a, b) => Number(b.yours) - Number(a.yours) || (a.mine.at < b.mine.at ? -1 : 1));
  }

  /** @param {string} id */
  async function conflict(id) {
    return (await conflicts()).find((one) => one.id === id) ?? null;
  }

  /** @param {any} c with what waits @param {any} data as the server has it @param {any} me @param {any} choice */
  async function card(c, data, me, choice) {
    const { field, doc, citizen } = data;
    const [name, number] = field.split(".");
    const dossier = await view.dossier(citizen);
    const entry = data.type === "evidence" ? dossier?.indicators.flatMap((/** @type {any} */ i) => i.photos).find((/** @type {any} */ p) => p.id === doc) : null;
    const no = Number(number) || entry?.indicator || null;
    const indicator = dossier?.indicators.find((/** @type {any} */ i) => i.no === no) ?? null;
    return {
      id: c.id, rev: c.rev, field, name, no, title: indicator?.title ?? "", guide: indicator?.guide ?? {}, citizenId: citizen, personName: dossier?.citizen.full_name ?? "",
      kind: ["self", "chapter", "final"].includes(name) ? "score" : "text", photos: entry ? [entry] : (indicator?.photos ?? []).filter((/** @type {any} */ p) => !p.replacedBy),
      yours: maySettle(data, me), to: data.to, before: data.base?.value ?? null, theirs: side(data.theirs), mine: side(data.mine),
      chosen: choice ? choice.mutation.set : null, last: await lastTry(c.id),
    };
  }

  /** @param {any} said */
  function side(said) {
    const own = said?.device === state.status().device?.id;
    const office = String(said?.device ?? "").startsWith("web:");
    return { value: said?.value ?? null, by: said?.by_name ?? "", at: said?.device_at ?? said?.at ?? null, phone: said?.device_name ?? "", here: own, office };
  }

  /** What was chosen before on a card that moved on meanwhile. @param {string} id */
  async function lastTry(id) {
    const tries = (await store.done()).filter((/** @type {any} */ m) => m.op === "resolve" && m.doc === id && m.result?.result === "rejected");
    return tries.sort((/** @type {any} */ a, /** @type {any} */ b) => (a.done_at < b.done_at ? -1 : 1)).pop()?.set ?? null;
  }

  return { conflicts, conflict };
}
