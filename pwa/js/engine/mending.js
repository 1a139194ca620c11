// The server's refusals, each with its mending: sign in anew, another id, other numbers, a server back from a backup.
import { KEEP_MS } from "../../../sync/js/protocol.js";
import { identity, makeIdentity, sign, thumbprint } from "./identity.js";

/** @param {{store: any, net: any, env: any}} parts */
export function createMending({ store, net, env }) {
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

  return { renew, repeatPairing, becomeAnother, renumberFrom, afterRestore, forRestored };
}
