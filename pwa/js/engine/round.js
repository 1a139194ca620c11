// One sync round: read the batch, post, apply the answer whole. The server's refusals, each with its mending.
import { batch, nextPage, nextSize } from "../../../sync/js/outbox.js";
import { APP_VERSION, VERSION } from "../../../sync/js/protocol.js";
import { identity } from "./identity.js";

/** @param {{store: any, net: any, env: any, state: any, deposit: any, mends: {byCode: Record<string, (body: any) => Promise<unknown>>, forRestored: (epoch: string) => Promise<void>}}} parts */
export function createRound({ store, net, env, state, deposit, mends }) {
  let most = 50;
  let pageBytes = 65536;
  /** The mutation that was refused as too large by itself. */
  let alone = "";

  /** Sends all text and pulls all pages. @returns {Promise<any[]>} what the server says of photos */
  async function run() {
    let answer;
    let photos = [];
    let pages = 0;
    do {
      answer = await mended(once, 6);
      if (answer.photos) photos = answer.photos;
      pages += 1;
    } while (pages < 500 && (answer.more || (await store.outbox()).length > 0 && answer.advanced));
    if ((await store.meta("oversize"))?.length) await deposit.handOverRest();
    return photos;
  }

  async function once() {
    const body = await request();
    const context = { now: "", sent: body.mutations.at(-1)?.seq ?? 0 };
    const began = env.now();
    let answer;
    try {
      answer = await net.sync(body);
    } catch (error) {
      const { code, body: told } = /** @type {any} */ (error);
      if (code === "too_large") most = Math.min(most, nextSize(Math.max(1, body.mutations.length), 0, true));
      if (code === "app.too_old" && told?.ack !== undefined) noticed(await store.acknowledged({ ack: told.ack, results: told.results ?? [] }, { ...context, now: env.iso() }));
      throw error;
    }
    if (answer.v !== VERSION) throw Object.assign(new Error("portal"), { code: "portal" });
    const took = env.now() - began;
    most = nextSize(most, took, false);
    pageBytes = nextPage(pageBytes, took);
    const { lost, results, stranded } = await store.applyAnswer(answer, { ...context, now: env.iso() });
    noticed(results);
    await leaveBehind(answer.scopes, lost, stranded);
    state.skew(answer.now);
    return { ...answer, advanced: body.mutations.length > 0 && answer.ack >= body.mutations[0].seq };
  }

  /** Drafts go by deposit, then what no scope gives is purged; told in one sentence. @param {string[]} scopes @param {string[]} lost @param {string[]} stranded */
  async function leaveBehind(scopes, lost, stranded) {
    const handed = stranded.length > 0 && (await deposit.handOverDrafts(stranded));
    const left = handed ? (await store.purge(scopes)).lost : lost;
    if (left.length) await state.notice("scope.lost", left.join(","));
    else if (handed) await state.notice("draft.handed", "");
  }

  /** @param {any[]} results */
  function noticed(results) {
    for (const { mutation, result } of results) state.noticeResult(mutation, result);
  }

  async function request() {
    const [who, outbox, photos, cursors, epoch, room] = await Promise.all([identity(store), store.outbox(), store.photos(), store.meta("cursors"), store.meta("epoch"), env.room()]);
    const waiting = photos.filter((/** @type {any} */ p) => p.state !== "received");
    const oldest = [...outbox.map((/** @type {any} */ m) => m.at), ...waiting.map((/** @type {any} */ p) => p.at)].sort()[0] ?? null;
    return {
      v: VERSION, app: APP_VERSION, device: who.id, now: env.iso(), epoch, limit: Math.round(pageBytes),
      waiting: { mutations: outbox.length, photos: waiting.length, oldest_at: oldest, free_bytes: room.freeBytes, persisted: room.persisted },
      cursors: cursors ?? {}, photos: waiting.slice(0, 200).map((/** @type {any} */ p) => ({ sha256: p.sha256, by: p.by })), mutations: batch(outbox, most),
    };
  }

  /** Runs a step again after mending what the server refused. @param {() => Promise<any>} step @param {number} tries @returns {Promise<any>} */
  async function mended(step, tries) {
    try {
      return await step();
    } catch (error) {
      const { code, body } = /** @type {any} */ (error);
      const mend = /** @type {Record<string, (body: any) => Promise<unknown>>} */ ({ ...mends.byCode, too_large: shrink })[code];
      if (!mend || tries <= 0) throw error;
      return mended(async () => { await mend(body ?? {}); return step(); }, tries - 1);
    }
  }

  async function shrink() {
    const [first] = await store.outbox();
    if (alone !== first?.id || !first) {
      alone = most === 1 && first ? first.id : "";
      return;
    }
    alone = "";
    const spent = { id: first.id, op: "void", type: first.type, doc: first.doc, at: first.at, by: first.by };
    const oversize = [...((await store.meta("oversize")) ?? []), first];
    await store.renumberOutbox(first.seq, { oversize }, (/** @type {any[]} */ all) => all.map((m) => (m.id === first.id ? spent : m)));
    await state.notice("mutation.too_large", first.id);
  }

  /**
   * The phone is emptied and takes a new name at once; not where something was saved meanwhile.
   * @param {Set<string>} kept ids and hashes that the server keeps @returns {Promise<boolean>}
   */
  async function forget(kept) {
    if (!(await store.forget(kept))) return false;
    await identity(store);
    return true;
  }

  return { run, mended, forget, forRestored: mends.forRestored };
}
