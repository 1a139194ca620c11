// Two versions of one field: who chooses, what a choice comes to, and how a waiting choice shows.

const APPRAISERS = ["chapter", "head", "contact"];

/** Staff settle these on the web: no phone chooses them. */
const OFFICE = ["delete", "place"];

/**
 * Whether this person is named to choose; the server asks the same again at arrival.
 * @param {Record<string, any>} data of the conflict @param {{id: string, role: string} | null} me
 */
export function maySettle(data, me) {
  if (!me || data.state !== "open" || OFFICE.includes(data.field)) return false;
  return data.to === `person:${me.id}` || (data.to === "role:chapter" && APPRAISERS.includes(me.role));
}

/** The value that a choice writes. @param {Record<string, any>} data of the conflict @param {Record<string, any>} set `pick` or `value` */
export const chosenValue = (data, set) => ("value" in set ? set.value : (data[set.pick]?.value ?? null));

/**
 * A choice writes the field as an edit of the chooser's: every `resolve` among what waits is followed by that patch of the
 * document in question, under the same id, so that a later edit names it in `after`. Its base is the one fixed at the choice.
 * @param {import("./overlay.js").Mutation[]} pending in order @param {Map<string, Record<string, any>>} conflicts data by id
 * @returns {import("./overlay.js").Mutation[]}
 */
export function withChoices(pending, conflicts) {
  return pending.flatMap((mutation) => {
    const data = mutation.op === "resolve" ? conflicts.get(mutation.doc) : undefined;
    if (!data || OFFICE.includes(data.field)) return [mutation];
    const base = mutation.base?.[data.field] ?? 0;
    return [mutation, { ...mutation, op: "update", type: data.type, doc: data.doc, base, after: {}, set: { [data.field]: chosenValue(data, mutation.set ?? {}) } }];
  });
}
