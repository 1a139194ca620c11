// Choosing between two versions of a field: kept at once, undone for a while, then a `resolve` in the outbox.
import { chosenValue, maySettle } from "../../../sync/js/conflicts.js";
import { TYPES } from "../../../sync/js/fields.js";
import { wellFormed } from "../../../sync/js/protocol.js";

export const CHOICE_UNDO_MS = 15_000;
const fail = (/** @type {string} */ code) => { throw Object.assign(new Error(code), { code }); };

/** @param {{store: any, view: any, env: any, state: any, saving: any, changed: () => void}} parts */
export function createSettling({ store, view, env, state, saving, changed }) {
  /**
   * @param {string} id of the conflict @param {{pick: "mine" | "theirs"} | {value: any}} choice
   * @param {number} rev of the card that the person saw
   */
  async function choose(id, choice, rev) {
    const { view: conflict } = await view.one(id);
    if (!conflict || !maySettle(conflict.data, await state.me())) return fail("resolve.other");
    if (conflict.rev !== rev) return fail("resolve.moved");
    const { doc, type, field } = conflict.data;
    const set = "value" in choice ? { value: typeof choice.value === "string" ? wellFormed(choice.value) : choice.value } : { pick: choice.pick };
    if ("value" in set && !TYPES[type]?.[field]?.ok(set.value)) return fail("value.invalid");
    const { basis } = await view.one(doc);
    const base = { rev, [field]: basis.fields[field]?.base ?? basis.rev };
    const mutation = await saving.mutation("resolve", "conflict", id, { base, set });
    const choices = (await store.meta("choices")) ?? {};
    await store.setMeta("choices", { ...choices, [id]: { mutation, until: env.now() + CHOICE_UNDO_MS } });
    await changed();
    setTimeout(() => finishChoices().catch(() => {}), CHOICE_UNDO_MS + 200);
    return { value: chosenValue(conflict.data, set) };
  }

  /** @param {string} id @returns {Promise<boolean>} false where it has gone into the outbox already */
  async function undoChoice(id) {
    const { [id]: taken, ...rest } = (await store.meta("choices")) ?? {};
    if (!taken) return false;
    await store.setMeta("choices", rest);
    await changed();
    return true;
  }

  /** Into the outbox what can be undone no more; all of it where the app goes out of sight. @param {boolean} [all] */
  async function finishChoices(all = false) {
    const choices = (await store.meta("choices")) ?? {};
    const due = Object.keys(choices).filter((id) => all || choices[id].until <= env.now());
    if (!due.length) return;
    const rest = Object.fromEntries(Object.entries(choices).filter(([id]) => !due.includes(id)));
    await saving.keep(due.map((id) => choices[id].mutation), { meta: { choices: rest } });
  }

  return { choose, undoChoice, finishChoices };
}
