// What screens read: server copies with pending patches, people, dossiers, the queue.
import { basis } from "../../../sync/js/base.js";
import { maySettle, withChoices } from "../../../sync/js/conflicts.js";
import { missing, total } from "../../../sync/js/missing.js";
import { overlay } from "../../../sync/js/overlay.js";
import { dossierId, fold } from "../../../sync/js/protocol.js";
import { sha1 } from "./identity.js";
import { tallyTalk } from "./talk.js";
import { rests } from "./upload.js";

const APPRAISERS = ["chapter", "head", "contact"];
const EDITABLE = ["draft", "returned", "none"];
const RULE = { min_total: 80, min_each: 5 };

/** @param {{store: any, state: any}} parts */
export function createView({ store, state }) {
  /** All of one type with what waits on top. @param {string} type @returns {Promise<any[]>} */
  async function all(type) {
    const [docs, outbox, hidden] = await Promise.all([store.docsOf(type), allPending(), removals()]);
    /** @type {Map<string, any[]>} */
    const pending = new Map();
    for (const mutation of outbox) if (mutation.type === type) pending.set(mutation.doc, [...(pending.get(mutation.doc) ?? []), mutation]);
    const known = new Map(docs.map((/** @type {any} */ doc) => [doc.id, doc]));
    for (const id of pending.keys()) if (!known.has(id)) known.set(id, undefined);
    return [...known].filter(([id]) => !hidden.has(id)).map(([id, doc]) => overlay(doc, pending.get(id) ?? [])).filter(Boolean);
  }

  /** All that waits, in order: choices between two versions count from the tap on. */
  async function allPending() {
    const [pending, choices, conflicts] = await Promise.all([store.pending(), store.meta("choices"), store.docsOf("conflict")]);
    return withChoices([...pending, ...Object.values(choices ?? {}).map((/** @type {any} */ c) => c.mutation)], new Map(conflicts.map((/** @type {any} */ c) => [c.id, c.data])));
  }

  /** @param {string} id */
  async function one(id) {
    const [doc, all] = await Promise.all([store.doc(id), allPending()]);
    const pending = all.filter((/** @type {any} */ m) => m.doc === id);
    return { view: overlay(doc, pending), basis: basis(doc, pending), doc, pending };
  }

  /** A phone of several holds what all of them may see; each sees their own part. @returns {Promise<(citizenId: string) => boolean>} */
  async function reader() {
    const [me, citizens] = await Promise.all([state.me(), all("citizen")]);
    const places = new Map(citizens.map((c) => [c.id, c.data.place]));
    return (citizenId) => (me?.role === "citizen" ? me.citizen === citizenId : Boolean(me) && (places.get(citizenId) ?? me.place_id) === me.place_id);
  }

  /** How many cards wait for this person's choice; one that can still be undone is none. */
  async function toChoose() {
    const [me, conflicts, mayRead] = await Promise.all([state.me(), all("conflict"), reader()]);
    return conflicts.filter((c) => maySettle(c.data, me) && mayRead(c.data.citizen)).length;
  }

  const removals = async () => new Map(Object.entries((await store.meta("removals")) ?? {}));
  const year = async () => (await store.meta("year")) ?? new Date().getFullYear();

  async function placeNames() {
    return new Map((await store.docsOf("place")).map((/** @type {any} */ p) => [p.data.place, p.data.name]));
  }

  /** @param {string} text */
  async function searchPeople(text) {
    const wanted = fold(text ?? "");
    const [citizens, dossiers, evidence, names, photos, now, conflicts, me] = await Promise.all([all("citizen"), all("dossier"), all("evidence"), placeNames(), store.photos(), year(), all("conflict"), state.me()]);
    const talk = await talked();
    const mayRead = await reader();
    const ofYear = new Map(dossiers.filter((d) => d.data.year === now).map((d) => [d.data.citizen, d]));
    const counts = tally(evidence, (e) => e.data.dossier);
    const fresh = tally(evidence.filter((e) => talk.get(e.id)?.fresh), (e) => e.data.dossier);
    const waiting = new Set(photos.filter((/** @type {any} */ p) => p.state !== "received").map((/** @type {any} */ p) => p.sha256));
    const toChoose = tally(conflicts.filter((c) => maySettle(c.data, me)), (c) => c.data.citizen);
    const unsent = tally(evidence.filter((e) => waiting.has(e.data.sha256)), (e) => e.data.dossier);
    return citizens.filter((c) => mayRead(c.id) && fold(c.data.full_name ?? "").includes(wanted)).map((c) => {
      const dossier = ofYear.get(c.id);
      return { id: c.id, full_name: c.data.full_name, birth_year: c.data.birth_year ?? null, group: c.data.group ?? null, placeName: names.get(c.data.place) ?? "", dossierState: dossier?.data.state ?? (dossier ? "draft" : "none"), photoCount: counts.get(dossier?.id) ?? 0, waiting: (unsent.get(dossier?.id) ?? 0) + (dossier?.pending || c.pending ? 1 : 0), unconfirmed: c.data.state === "unconfirmed", toChoose: toChoose.get(c.id) ?? 0, fresh: Boolean(talk.get(dossier?.id)?.fresh || fresh.get(dossier?.id)) };
    }).sort((a, b) => lastName(a.full_name).localeCompare(lastName(b.full_name), "vi"));
  }

  /** What was said, by document. */
  async function talked() {
    return tallyTalk(await all("comment"), (await store.meta("talk_seen")) ?? {}, await state.me());
  }

  /** @param {string} citizenId */
  async function dossier(citizenId) {
    const [{ view: citizen }, now, me] = await Promise.all([one(citizenId), year(), state.me()]);
    if (!citizen || !(await reader())(citizenId)) return null;
    const id = await dossierId(citizenId, now, sha1);
    const { view, basis: shown } = await one(id);
    const data = seenBy(me, view?.data ?? {});
    const [evidence, indicators, programme, names, conflicts] = await Promise.all([evidenceOf(id), indicatorsOf(now), programmeOf(now), placeNames(), all("conflict")]);
    const talk = await talked();
    const dossierState = view ? (data.state ?? "draft") : "none";
    const rule = { min_total: programme?.min_total ?? RULE.min_total, min_each: programme?.min_each ?? RULE.min_each };
    const open = conflicts.filter((c) => c.data.citizen === citizenId && c.data.state === "open");
    const held = new Map(open.filter((c) => c.data.doc === id).map((c) => [c.data.field, { id: c.id, yours: maySettle(c.data, me) }]));
    const counts = Object.fromEntries(tally(evidence.filter((e) => !e.replacedBy), (e) => e.indicator));
    const appraises = APPRAISERS.includes(me?.role) && me?.citizen !== citizenId;
    const shown_ = (/** @type {string} */ who) => total(data, who);
    return {
      citizen: { id: citizenId, ...citizen.data, placeName: names.get(citizen.data.place) ?? "" }, id, year: now, state: dossierState, reason: data.reason ?? "",
      total: shown_("self"), chapterTotal: shown_("chapter"), finalTotal: shown_("final"), editable: EDITABLE.includes(dossierState), mayAppraise: appraises && dossierState === "submitted", mayReopen: appraises && dossierState === "appraised",
      mayEditSelf: EDITABLE.includes(dossierState), waitingReview: open.some((c) => !maySettle(c.data, me)), conflicts: open.filter((c) => maySettle(c.data, me)).map((c) => c.id), rule, missing: missing(data, counts, rule), talk: talk.get(id) ?? null, mayConfirm: appraises && citizen.data.state === "unconfirmed", chapterNote: data.chapter_note ?? "", basis: shown, consent: programme?.consent ?? null,
      indicators: indicators.map((/** @type {any} */ i) => indicator(i, data, evidence.map((e) => ({ ...e, talk: talk.get(e.id) ?? null })), held, citizen.data.group ?? 1)),
    };
  }

  /** @param {any} i @param {Record<string, any>} data @param {any[]} evidence @param {Map<string, {id: string, yours: boolean}>} held @param {number} group */
  function indicator(i, data, evidence, held, group) {
    const cards = ["self", "note", "chapter"].map((name) => held.get(`${name}.${i.no}`)).filter(Boolean);
    return {
      no: i.no, title: i.title, competence: i.competence, asks: i.asks, digital: Boolean(i.digital), guide: i.guides?.[group] ?? {}, kinds: i.kinds ?? [], sample: Boolean(i.sample),
      self: data[`self.${i.no}`] ?? null, note: data[`note.${i.no}`] ?? "", chapter: data[`chapter.${i.no}`] ?? null, final: data[`final.${i.no}`] ?? null,
      held: cards[0] ?? null, yours: cards.find((c) => c?.yours) ?? null, verdict: data[`verdict.${i.no}`] ?? "", verdictReason: data[`verdict_reason.${i.no}`] ?? "",
      photos: evidence.filter((e) => e.indicator === i.no),
    };
  }

  /** The photos of a dossier, oldest first. @param {string} id */
  async function evidenceOf(id) {
    const [found, photos, cached, me, coming] = await Promise.all([all("evidence"), store.photos(), store.cachedKeys(), state.me(), store.meta("on_its_way")]);
    const mine = found.filter((e) => e.data.dossier === id);
    const replaced = new Map(mine.filter((e) => e.data.replaces).map((e) => [e.data.replaces, e.id]));
    const states = new Map(photos.map((/** @type {any} */ p) => [p.sha256, p]));
    const here = new Set(cached);
    const onItsWay = new Set(coming ?? []);
    const dossierDoc = (await one(id)).view;
    const open = EDITABLE.includes(dossierDoc?.data.state ?? "none");
    return mine.map((e) => photoOf(e, states.get(e.data.sha256), absence(e.data.sha256, here, onItsWay), replaced, me, open, dossierDoc)).sort((a, b) => (String(a.captured_at) < String(b.captured_at) ? -1 : 1));
  }

  /** Whether others' photo is on this phone, or not even with the commune yet. @param {string} sha256 @param {Set<string>} here @param {Set<string>} onItsWay */
  const absence = (sha256, here, onItsWay) => (here.has(`${sha256}:thumb`) ? "received" : onItsWay.has(sha256) ? "on_its_way" : "not_here");

  /** @param {any} e @param {any} photo @param {string} others the status where it is not this phone's own @param {Map<string, string>} replaced @param {any} me @param {boolean} open @param {any} dossierDoc */
  function photoOf(e, photo, others, replaced, me, open, dossierDoc) {
    const own = e.data.author === me?.id;
    const sending = state.sending() === e.data.sha256;
    let status = "received";
    if (photo && photo.state !== "received") status = sending ? "sending" : "waiting";
    else if (!photo) status = others;
    return {
      id: e.id, sha256: e.data.sha256, indicator: e.data.indicator, caption: e.data.caption ?? "", kind: e.data.kind ?? null, captured_at: e.data.captured_at ?? null, source: e.data.source ?? "camera", bytes: e.data.bytes ?? 0,
      status, reason: e.data.reason ?? "", verdict: e.data.verdict ?? "", replacedBy: replaced.get(e.id) ?? null, mine: own, canRemove: open && (own || (me?.citizen && me.citizen === dossierDoc?.data.citizen)), stuck: photo?.reason ?? null,
    };
  }

  async function indicatorsOf(/** @type {number} */ now) {
    const found = (await store.docsOf("indicator")).map((/** @type {any} */ d) => d.data).filter((/** @type {any} */ d) => d.year === now);
    return found.sort((/** @type {any} */ a, /** @type {any} */ b) => a.no - b.no);
  }

  async function programmeOf(/** @type {number} */ now) {
    return (await store.docsOf("programme")).map((/** @type {any} */ d) => d.data).find((/** @type {any} */ d) => d.year === now) ?? null;
  }

  /** What waits, goes up, or was received lately, by person. */
  async function queue() {
    const [outbox, photos, evidence, dossiers, citizens, conflicts] = await Promise.all([store.outbox(), store.photos(), all("evidence"), all("dossier"), all("citizen"), store.docsOf("conflict")]);
    const conflictsOf = new Map(conflicts.map((/** @type {any} */ c) => [c.id, c.data.citizen]));
    const citizenOf = new Map(dossiers.map((d) => [d.id, d.data.citizen]));
    const open = new Set(dossiers.filter((d) => EDITABLE.includes(d.data.state ?? "draft")).map((d) => d.id));
    const names = new Map(citizens.map((c) => [c.id, c.data.full_name]));
    /** @type {Map<string, any>} */
    const people = new Map();
    const put = (/** @type {string} */ citizenId, /** @type {any} */ item) => {
      const entry = people.get(citizenId) ?? { personName: names.get(citizenId) ?? "", citizenId, items: [] };
      entry.items.push(item);
      people.set(citizenId, entry);
    };
    for (const m of outbox) put(ownerOf(m, citizenOf, evidence, conflictsOf), { kind: "text", op: m.op, type: m.type, label: "", state: "waiting", reason: state.reason(), at: m.at, bytes: JSON.stringify(m).length });
    const bySha = new Map(evidence.map((e) => [e.data.sha256, e]));
    for (const p of photos) {
      const e = bySha.get(p.sha256);
      if (!e && p.state === "received") continue;
      const status = p.state === "received" ? "received" : state.sending() === p.sha256 ? "sending" : "waiting";
      put(citizenOf.get(e?.data.dossier) ?? "", { kind: "photo", label: e ? String(e.data.indicator) : "", indicator: e?.data.indicator ?? null, sha256: p.sha256, state: status, reason: status === "waiting" ? (p.reason ?? state.reason()) : null, at: p.at, bytes: p.size, rests: rests(p), ...(rests(p) && open.has(e?.data.dossier) ? { remove: e.id } : {}) });
    }
    const mayRead = await reader();
    const [open_, closed] = [true, false].map((may) => [...people.values()].filter((group) => (!group.citizenId || mayRead(group.citizenId)) === may));
    return closed.length ? [...open_, { personName: "", citizenId: "", others: closed.reduce((sum, group) => sum + group.items.filter((/** @type {any} */ item) => item.state !== "received").length, 0), items: [] }] : open_;
  }

  return { all, one, reader, toChoose, searchPeople, dossier, queue, year, placeNames, programmeOf, indicatorsOf };
}

/** When others' scores are shown to the person they are about. */
const SHOWN = /** @type {Record<string, string[]>} */ ({ chapter: ["returned", "not_eligible", "decided"], chapter_note: ["returned", "not_eligible", "decided"], final: ["not_eligible", "decided"] });

/** A phone that the chapter uses too holds more of a dossier than its citizen is shown. @param {any} me @param {Record<string, any>} data */
const seenBy = (me, data) => (me?.role !== "citizen" ? data : Object.fromEntries(Object.entries(data).filter(([name]) => SHOWN[name.split(".")[0]]?.includes(data.state) ?? true)));

/** @param {any} m @param {Map<string, string>} citizenOf @param {any[]} evidence @param {Map<string, string>} conflictsOf */
function ownerOf(m, citizenOf, evidence, conflictsOf) {
  if (m.type === "citizen") return m.doc;
  if (m.type === "conflict") return conflictsOf.get(m.doc) ?? "";
  if (m.type === "dossier") return m.set?.citizen ?? citizenOf.get(m.doc) ?? "";
  if (m.type === "comment" && citizenOf.has(m.set.on)) return citizenOf.get(m.set.on) ?? "";
  const dossier = m.set?.dossier ?? evidence.find((e) => e.id === m.doc || e.id === m.set?.on)?.data.dossier;
  return citizenOf.get(dossier) ?? "";
}

/** @template T @param {T[]} items @param {(item: T) => any} key @returns {Map<any, number>} */
function tally(items, key) {
  const counts = new Map();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** Vietnamese lists go by the given name, then the rest. @param {string} name */
const lastName = (name) => `${(name ?? "").split(" ").slice(-1)[0]} ${name}`;
