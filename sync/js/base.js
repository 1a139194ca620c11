// The revision behind the value that a person saw, per field, fixed when the form is drawn.

/**
 * The base of a field: that of the oldest pending patch of the same field, else the server copy's revision.
 * `after` is this device's latest pending mutation of the field that the form showed.
 * @param {import("./overlay.js").Doc | undefined} doc @param {import("./overlay.js").Mutation[]} pending of this document, by number
 * @returns {{rev: number, fields: Record<string, {base: number, after: string}>}} what a form must hand back
 */
export function basis(doc, pending) {
  /** @type {Record<string, {base: number, after: string}>} */
  const fields = {};
  for (const mutation of pending) {
    for (const name of Object.keys(mutation.set ?? {})) {
      const base = fields[name]?.base ?? baseOf(mutation, name);
      fields[name] = { base, after: mutation.id };
    }
  }
  return { rev: doc?.rev ?? 0, fields };
}

/** @param {import("./overlay.js").Mutation} mutation @param {string} name */
const baseOf = (mutation, name) => (typeof mutation.base === "object" ? (mutation.base?.[name] ?? 0) : (mutation.base ?? 0));

/**
 * Splits an edit so that one update never mixes fields of different bases.
 * @param {Record<string, any>} set @param {{rev: number, fields: Record<string, {base: number, after: string}>}} shown
 * @returns {{base: number, after: Record<string, string>, set: Record<string, any>}[]}
 */
export function splitByBase(set, shown) {
  /** @type {Map<number, {base: number, after: Record<string, string>, set: Record<string, any>}>} */
  const parts = new Map();
  for (const [name, value] of Object.entries(set)) {
    const known = shown.fields[name];
    const base = known?.base ?? shown.rev;
    const part = parts.get(base) ?? { base, after: {}, set: {} };
    part.set[name] = value;
    if (known) part.after[name] = known.after;
    parts.set(base, part);
  }
  return [...parts.values()];
}

/** A command's base, a map per field. @param {Record<string, any>} set @param {{rev: number, fields: Record<string, {base: number, after: string}>}} shown */
export function commandBase(set, shown) {
  /** @type {Record<string, number>} */
  const base = {};
  /** @type {Record<string, string>} */
  const after = {};
  for (const name of Object.keys(set)) {
    base[name] = shown.fields[name]?.base ?? shown.rev;
    if (shown.fields[name]) after[name] = shown.fields[name].after;
  }
  return { base, after };
}
