// The facade: the only thing that screens talk to.
import { APP_VERSION, KEEP_MS } from "../../../sync/js/protocol.js";
import { identity, sign } from "./identity.js";
import { createGallery } from "./gallery.js";
import { claimDrafts, createLocking, ownDraft } from "./locking.js";
import { createRound } from "./round.js";
import { createSaving } from "./save.js";
import { createState } from "./state.js";
import { createTalk } from "./talk.js";
import { createTriggers } from "./triggers.js";
import { createUploader } from "./upload.js";
import { createView } from "./view.js";

/** @param {{store: any, net: any, env: any}} parts env: now, iso, room, random, wifi, locks, channel */
export function createApp({ store, net, env }) {
  const state = createState({ store, env });
  const locking = createLocking({ store, env, state });
  const view = createView({ store, state });
  const changed = () => { env.channel?.postMessage("changed"); state.refresh(); };
  const saving = createSaving({ store, view, env, state, changed });
  const talking = createTalk({ store, view, state, saving, changed });
  state.counting(async () => ({ toChoose: await view.toChoose(), parcels: ((await store.meta("parcels")) ?? []).filter((/** @type {any} */ p) => p.state === "waiting").length }));
  /** @type {Promise<any> | null} */
  let reading = null;
  const read = () => (reading ??= import("./rare.js").then((rare) => rare.createRare({ store, net, env, state, view, saving, locking, changed })).catch((error) => { reading = null; throw Object.assign(error, { code: "part.absent" }); }));
  const rarely = (/** @type {string} */ name) => async (/** @type {any[]} */ ...all) => (await read())[name](...all);
  /** What is carried for others goes whenever there is a line, whoever this phone is to the commune. */
  const sendParcels = async () => { if ((await store.meta("parcels"))?.some((/** @type {any} */ p) => p.state === "waiting")) await rarely("sendParcels")(); };
  const deposit = { sendParcels, handOver: rarely("handOver"), handOverDrafts: rarely("handOverDrafts"), handOverRest: rarely("handOverRest") };
  const byCode = { "auth.required": rarely("renew"), "device.unknown": rarely("repeatPairing"), "device.cloned": rarely("becomeAnother"), "seq.gap": rarely("renumberFrom"), epoch: rarely("afterRestore") };
  const mends = { byCode, forRestored: rarely("forRestored") };
  const finishChoices = async (/** @type {boolean} */ all = false) => { if (Object.keys((await store.meta("choices")) ?? {}).length) await rarely("finishChoices")(all); };
  const round = createRound({ store, net, env, state, deposit, mends });
  const uploader = createUploader({ store, net, env, state, mended: round.mended });
  const gallery = createGallery({ store, net, env, view, state });
  const triggers = createTriggers({ net, env, state, round, uploader, gallery, deposit, store });

  let going = false;

  /** @param {boolean} [held] what no screen waits for begins with `go`, after the first one stands */
  async function start(held = false) {
    await saving.finishRemovals().catch(() => {});
    await finishChoices(true).catch(() => {});
    env.on("hidden", () => finishChoices(true).catch(() => {}));
    await state.load();
    await locking.open().catch(() => {});
    await claimDrafts(store, state.status().me).catch(() => {});
    env.channel?.addEventListener("message", () => state.load());
    if (!held) await go();
  }

  /** Tidies up, then syncs for the first time. */
  async function go() {
    if (going) return;
    going = true;
    await store.prune(new Date(env.now() - KEEP_MS).toISOString()).catch(() => {});
    triggers.start();
    store.reserve().catch(() => {});
    store.settleCopies().then((/** @type {boolean} */ lost) => lost && state.load()).catch(() => {});
  }

  /** @param {{code: string, citizen?: any}} call */
  async function pair({ code, citizen }) {
    const who = await identity(store);
    const tidy = code.toUpperCase().replace(/[^0-9A-Z]/g, "");
    const known = (await store.meta("pair_calls")) ?? [];
    const body = { code: tidy, device: { id: who.id, name: env.deviceName(), platform: env.platform(), key: who.key }, signature: await sign(who, `pair\n${tidy}`), ...(citizen ? { citizen: { id: (await store.meta(`self:${tidy}`)) ?? crypto.randomUUID(), ...citizen } } : {}) };
    if (body.citizen) await store.setMeta(`self:${tidy}`, body.citizen.id);
    const answer = await net.pair(body);
    await store.setMeta("pair_calls", [...known.filter((/** @type {any} */ c) => c.code !== tidy), body]);
    await paired(answer);
    return { ok: true };
  }

  /** @param {any} answer */
  async function paired(answer) {
    const next = (await store.meta("next")) ?? 1;
    const outbox = await store.outbox();
    const first = outbox[0]?.seq ?? next;
    if (answer.next !== first) await store.renumberOutbox(answer.next);
    for (const [key, value] of Object.entries({ people: answer.people, scopes: answer.scopes, year: answer.year, commune: answer.commune, paired: true })) await store.setMeta(key, value);
    if (!(await store.meta("epoch"))) await store.setMeta("epoch", answer.epoch);
    const { [answer.person.id]: _forgotten, ...pins } = (await store.meta("pins")) ?? {};
    await store.setMeta("pins", pins);
    await store.setMeta("me", answer.person.id);
    await state.load();
    locking.unlock();
    changed();
    await triggers.now();
  }

  const own = (/** @type {string} */ key) => ownDraft(state.status().me, key);

  return {
    version: APP_VERSION,
    subscribe: state.subscribe, status: state.status, start, go, pair,
    stop: async () => { await triggers.stop(); env.channel?.close(); await store.close(); },
    choosePerson: async (/** @type {string} */ id, /** @type {string} */ pin) => { await rarely("choosePerson")(id, pin); changed(); },
    setPin: rarely("setPin"), touch: locking.touch, lockIfIdle: locking.lockIfIdle, lock: locking.lock,
    setPhotoPolicy: async (/** @type {string} */ policy) => { await store.setMeta("photo_policy", policy); await state.load(); state.wake(); },
    pause: async () => { await store.setMeta("paused", true); await state.load(); },
    resume: async () => { await store.setMeta("paused", false); await state.load(); await triggers.now(true); },
    sendNow: () => triggers.now(true),
    consent: async () => (await view.programmeOf(await view.year()))?.consent ?? null,
    places: async () => (await store.docsOf("place")).map((/** @type {any} */ p) => ({ id: p.data.place, name: p.data.name, kind: p.data.kind })),
    searchPeople: view.searchPeople, dossier: view.dossier, queue: view.queue,
    registerCitizen: saving.registerCitizen, setFields: saving.setFields, addPhoto: saving.addPhoto,
    /** The revision behind what is shown of a document now, for a form that is drawn from it. */
    basisOf: async (/** @type {string} */ id) => (await view.one(id)).basis,
    setCaption: (/** @type {string} */ id, /** @type {string} */ text, /** @type {any} */ basis) => saving.setFields(id, "evidence", { caption: text }, basis),
    movePhoto: saving.movePhoto, removePhoto: saving.removePhoto, undo: saving.undo, confirm: saving.confirm, submit: saving.submit, appraise: saving.appraise,
    withdraw: (/** @type {string} */ citizen) => saving.command(citizen, "withdraw", "submitted"),
    reopen: (/** @type {string} */ citizen, /** @type {string} */ reason) => saving.command(citizen, "reopen", "appraised", reason ? { reason } : {}),
    conflicts: rarely("conflicts"), conflict: rarely("conflict"), choose: rarely("choose"), undoChoice: rarely("undoChoice"), finishChoices,
    say: talking.say, talk: talking.talk, talkSeen: talking.talkSeen,
    photoUrl: gallery.photoUrl, releaseUrl: gallery.releaseUrl, hamletPhotosPlan: gallery.plan, downloadHamletPhotos: gallery.download,
    draft: (/** @type {string} */ key) => store.draft(own(key)), saveDraft: (/** @type {string} */ key, /** @type {any} */ value) => store.setDraft(own(key), value), clearDraft: (/** @type {string} */ key) => store.removeDraft(own(key)),
    returnTo: () => store.meta("return_to"),
    setReturnTo: (/** @type {any} */ value) => store.setMeta("return_to", value ? { at: env.iso(), ...value } : null),
    parcels: rarely("parcels"), takeParcel: rarely("takeParcel"), dropParcel: rarely("dropParcel"),
    exportUnsent: rarely("exportUnsent"), exportLost: rarely("exportLost"),
    forgetLost: async () => { await store.forgetLost(); await state.load(); },
  };
}
