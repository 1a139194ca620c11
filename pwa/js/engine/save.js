// Saving: every act becomes mutations in the outbox, in one strict transaction. Never waits for the network.
import { commandBase, splitByBase } from "../../../sync/js/base.js";
import { fault } from "../../../sync/js/fields.js";
import { dossierId, wellFormed } from "../../../sync/js/protocol.js";
import { sha1, sha256Hex } from "./identity.js";
import { rests } from "./upload.js";

const UNDO_MS = 6000;
const fail = (/** @type {string} */ code) => { throw Object.assign(new Error(code), { code }); };

/** @param {{store: any, view: any, env: any, state: any, changed: () => void}} parts */
export function createSaving({ store, view, env, state, changed }) {
  /** @param {string} op @param {string} type @param {string} doc @param {any} more */
  async function mutation(op, type, doc, more) {
    const me = await state.me();
    return { id: crypto.randomUUID(), ...(me ? { by: me.id } : {}), op, type, doc, at: env.iso(), ...more };
  }

  /** @param {any[]} mutations @param {any} [more] */
  async function keep(mutations, more) {
    for (const each of mutations) {
      const code = fault(each);
      if (code) fail(code);
    }
    await store.save(mutations, more);
    changed();
    state.wake();
  }

  const clean = (/** @type {Record<string, any>} */ set) => Object.fromEntries(Object.entries(set).map(([k, v]) => [k, typeof v === "string" ? wellFormed(v) : v]));

  /** The mutation that begins a dossier, or none where it is there. @param {string} citizenId */
  async function beginning(citizenId) {
    const year = await view.year();
    const id = await dossierId(citizenId, year, sha1);
    const { view: known } = await view.one(id);
    return { id, first: known ? [] : [await mutation("create", "dossier", id, { base: 0, set: { citizen: citizenId, year } })] };
  }

  /** @param {string} doc @param {string} type @param {Record<string, any>} set @param {any} basis @param {string} [citizenId] */
  async function setFields(doc, type, set, basis, citizenId) {
    const shown = basis ?? (await view.one(doc)).basis;
    const first = type === "dossier" && !(await view.one(doc)).view ? (await beginning(citizenId ?? (await citizenOf(doc)))).first : [];
    const parts = await Promise.all(splitByBase(clean(set), shown).map((part) => mutation("update", type, doc, part)));
    await keep([...first, ...parts]);
    for (const part of parts) for (const name of Object.keys(part.set)) shown.fields[name] = { base: part.base, after: part.id };
  }

  /** Whose dossier an id is: ids are made of the citizen and the year. @param {string} doc */
  async function citizenOf(doc) {
    const year = await view.year();
    for (const citizen of await view.all("citizen")) if ((await dossierId(citizen.id, year, sha1)) === doc) return citizen.id;
    return fail("citizen.unknown");
  }

  /** @param {any} photo `place`: the route to reopen at once it is kept, written with it */
  async function addPhoto(photo) {
    const me = await state.me();
    const sha256 = await sha256Hex(photo.bytes);
    const { id: dossier, first } = await beginning(photo.citizenId);
    const id = crypto.randomUUID();
    const set = clean({ dossier, indicator: photo.indicator, sha256, bytes: photo.bytes.byteLength, width: photo.width ?? null, height: photo.height ?? null, captured_at: photo.captured_at ?? env.iso(), source: photo.source ?? "camera", ...(photo.kind ? { kind: photo.kind } : {}), ...(photo.caption ? { caption: photo.caption } : {}), ...(photo.position ? { position: photo.position } : {}), ...(photo.replaces ? { replaces: photo.replaces } : {}), ...(photo.moved_from ? { moved_from: photo.moved_from } : {}) });
    const create = await mutation("create", "evidence", id, { base: 0, set });
    const thumb = photo.thumb ? { key: `${sha256}:thumb`, bytes: photo.thumb, type: "image/jpeg", used_at: env.now(), size: photo.thumb.byteLength } : undefined;
    await keep([...first, create], { photo: { by: me?.id ?? "", sha256, type: photo.type ?? "image/jpeg", size: photo.bytes.byteLength, state: "waiting", at: env.iso() }, bytes: photo.bytes, thumb, draft: photo.draft, ...(photo.place ? { meta: { return_to: { at: env.iso(), route: photo.place } } } : {}) });
    return { id, sha256 };
  }

  /** A new entry with the same bytes, the old one deleted. @param {string} id @param {{citizenId: string, indicator: number}} to */
  async function movePhoto(id, to) {
    const { view: old, basis } = await view.one(id);
    if (!old) return fail("photo.absent");
    const { id: dossier, first } = await beginning(to.citizenId);
    const { author: _author, updated_at: _at, verdict: _v, reason: _r, replaces: _p, ...rest } = old.data;
    const fresh = crypto.randomUUID();
    const create = await mutation("create", "evidence", fresh, { base: 0, set: { ...rest, dossier, indicator: to.indicator, moved_from: id } });
    const remove = await mutation("delete", "evidence", id, { base: { [id]: basis.rev } });
    await keep([...first, create, remove]);
    return { id: fresh };
  }

  /** Removals read and write one list: one at a time. */
  let turn = Promise.resolve();
  /** @type {any} */
  let removing;

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  function inTurn(work) {
    const result = turn.then(work);
    turn = result.then(() => {}, () => {});
    return result;
  }

  /** Hidden at once, deleted when the time to undo is over. @param {string} id */
  const removePhoto = (id) => inTurn(async () => {
    await noteRemovals({ ...((await store.meta("removals")) ?? {}), [id]: env.now() + UNDO_MS });
    return { id };
  });

  /** @param {{id: string}} token */
  const undo = ({ id }) => inTurn(async () => {
    const { [id]: _gone, ...rest } = (await store.meta("removals")) ?? {};
    await noteRemovals(rest);
  });

  /** @param {Record<string, number>} removals */
  async function noteRemovals(removals) {
    await store.setMeta("removals", removals);
    changed();
    finishLater(removals);
  }

  /** Also after the browser was killed in the time to undo. @param {Record<string, number>} removals when each is due */
  function finishLater(removals) {
    clearTimeout(removing);
    const next = Math.min(...Object.values(removals));
    if (Number.isFinite(next)) removing = setTimeout(() => finishRemovals().catch(() => {}), Math.min(UNDO_MS, Math.max(0, next - env.now())) + 200);
  }

  /** @param {boolean} [all] those too that could still be undone */
  const finishRemovals = (all = false) => inTurn(async () => {
    const removals = (await store.meta("removals")) ?? {};
    const now = env.now(); // a clock that was set back makes none wait longer than it should
    const due = Object.keys(removals).filter((id) => all || removals[id] <= now || removals[id] > now + UNDO_MS);
    const mutations = [];
    const hashes = new Set();
    for (const id of due) {
      const { view: known, basis } = await view.one(id);
      if (!known) continue;
      mutations.push(await mutation("delete", "evidence", id, { base: { [id]: basis.rev } }));
      hashes.add(known.data.sha256);
    }
    const rest = Object.fromEntries(Object.entries(removals).filter(([id]) => !due.includes(id)));
    if (due.length) await keep(mutations, { meta: { removals: rest }, release: await refused(hashes) });
    finishLater(rest);
  });

  /** What the commune cannot take and no entry names any more. @param {Set<string>} hashes @returns {Promise<string[]>} */
  async function refused(hashes) {
    const named = new Set((await view.all("evidence")).map((/** @type {any} */ e) => e.data.sha256));
    const resting = new Set((await store.photos()).filter(rests).map((/** @type {any} */ p) => p.sha256));
    return [...hashes].filter((sha256) => resting.has(sha256) && !named.has(sha256));
  }

  /** @param {any} person */
  async function registerCitizen(person) {
    const me = await state.me();
    const id = crypto.randomUUID();
    const { consent, ...fields } = person;
    const set = clean(Object.fromEntries(Object.entries({ place: me?.place_id ?? me?.place, ...fields }).filter(([, v]) => v !== undefined && v !== null && v !== "")));
    if (consent) set.consent = [{ ...consent, at: env.iso(), by: me?.id }];
    await keep([await mutation("create", "citizen", id, { base: 0, set })]);
    return id;
  }

  /** @param {string} citizenId @param {string} op @param {string} expect @param {Record<string, any>} [set] @param {any} [basis] */
  async function command(citizenId, op, expect, set = {}, basis = undefined) {
    const { id, first } = await beginning(citizenId);
    const shown = basis ?? (await view.one(id)).basis;
    const { base, after } = commandBase(set, shown);
    await keep([...first, await mutation(op, "dossier", id, { base, after, expect, ...(Object.keys(set).length ? { set: clean(set) } : {}) })]);
  }

  /** Who registered by the hamlet's shared code is whom they say. @param {string} citizenId */
  async function confirm(citizenId) {
    const { basis } = await view.one(citizenId);
    await keep([await mutation("confirm", "citizen", citizenId, { base: basis.rev, expect: "unconfirmed" })]);
  }

  /** @param {string} citizenId */
  async function submit(citizenId) {
    await finishRemovals(true); // after it the photo could not be taken away any more
    const dossier = await view.dossier(citizenId);
    if (!dossier) return fail("citizen.unknown");
    await command(citizenId, "submit", dossier.state === "returned" ? "returned" : "draft");
  }

  /** @param {string} citizenId @param {{scores: Record<number, number>, note?: string}} given @param {any} basis */
  async function appraise(citizenId, { scores, note }, basis) {
    const set = Object.fromEntries(Object.entries(scores).map(([no, score]) => [`chapter.${no}`, score]));
    await command(citizenId, "appraise", "submitted", note ? { ...set, chapter_note: note } : set, basis);
  }

  return { mutation, keep, beginning, setFields, addPhoto, movePhoto, removePhoto, undo, finishRemovals, registerCitizen, confirm, submit, appraise, command };
}
