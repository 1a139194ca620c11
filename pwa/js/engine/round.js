// One sync round: read the batch, post, apply the answer whole. The server's refusals, each with its mending.
import { batch, nextPage, nextSize } from "../../../sync/js/outbox.js";
import { APP_VERSION, KEEP_MS, VERSION } from "../../../sync/js/protocol.js";
import { identity, makeIdentity, sign, thumbprint } from "./identity.js";

/** @param {{store: any, net: any, env: any, state: any, deposit: any}} parts */
export function createRound({ store, net, env, state, deposit }) {
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
      const mend = /** @type {Record<string, (body: any) => Promise<unknown>>} */ ({ "auth.required": renew, "device.unknown": repeatPairing, "device.cloned": becomeAnother, "seq.gap": renumberFrom, epoch: afterRestore, too_large: shrink })[code];
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

  /** A new cookie without a code. @param {any} body */
  async function renew(body) {
    if (!body.challenge) throw Object.assign(new Error("auth.required"), { code: "auth.required" });
    const who = await identity(store);
    await net.renew({ device: who.id, challenge: body.challenge, signature: await sign(who, `renew\n${body.challenge}\n\n`) });
  }

  /**
   * A backup older than this phone: its kept pair calls are made again; a copy asks once more for its own id.
   * @param {any} body
   */
  async function repeatPairing(body) {
    const [calls, origin] = await Promise.all([store.meta("pair_calls"), store.meta("cloned_from")]);
    if (!calls?.length) return again();
    const answers = [];
    for (const call of calls) answers.push(await net.pair(call).catch(again));
    if (!origin) return renumberTo(answers[answers.length - 1].next);
    const who = await identity(store);
    return renumberTo((await renewAsClone(origin, who, body.challenge)).next);
  }

  /** Only a new code helps. @param {any} [error] @returns {any} */
  function again(error) {
    if (error && !["pair.spent", "pair.unknown", "pair.taken"].includes(error.code)) throw error;
    throw Object.assign(new Error("auth.required"), { code: "auth.required" });
  }

  /** @param {any} who @param {any} clone @param {string} challenge */
  async function renewAsClone(who, clone, challenge) {
    const signature = await sign(who, `renew\n${challenge}\n${clone.id}\n${await thumbprint(clone.key)}`);
    return net.renew({ device: who.id, challenge, clone: { id: clone.id, key: clone.key }, signature });
  }

  /** Another copy of this phone used our numbers: an id of our own, numbered from 1. @param {any} body */
  async function becomeAnother(body) {
    const who = await identity(store);
    const fresh = (await store.meta("clone")) ?? (await makeIdentity());
    await store.setMeta("clone", fresh);
    const answer = await renewAsClone(who, fresh, body.challenge);
    const origin = (await store.meta("cloned_from")) ?? who;
    await store.renumberOutbox(answer.next, { identity: fresh, clone: undefined, cloned_from: origin });
  }

  /** @param {any} body */
  const renumberFrom = (body) => renumberTo(body.expected);

  /** @param {number} next */
  const renumberTo = (next) => store.renumberOutbox(next);

  /** The server came back from a backup: what it may lack is sent again, ids unchanged. @param {any} body */
  async function afterRestore(body) {
    await store.sendAgain(body, new Date(env.now() - KEEP_MS).toISOString());
  }

  /** For a phone that is not let in any more. @param {string} epoch the server's */
  async function forRestored(epoch) {
    if ((await store.meta("epoch")) !== epoch) await afterRestore({ epoch, expected: 1 });
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

  return { run, mended, forget, forRestored };
}
