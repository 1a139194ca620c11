// What the screen shows: the server's copy with the patches that still wait, in order.

/** @typedef {{seq: number, id: string, by?: string, op: string, type: string, doc: string, base?: any, after?: Record<string, string>, set?: Record<string, any>, expect?: string, at: string}} Mutation */
/** @typedef {{id: string, type: string, rev: number, data: Record<string, any>, scopes?: string[]}} Doc */

const NEXT_STATE = /** @type {Record<string, string>} */ ({ submit: "submitted", withdraw: "draft", appraise: "appraised", reopen: "submitted", confirm: "confirmed" });

/**
 * @param {Doc | undefined} doc the server's copy, if any
 * @param {Mutation[]} pending of this document, by number
 * @returns {(Doc & {pending: boolean}) | null} null where there is nothing, or it is deleted
 */
export function overlay(doc, pending) {
  if (!doc && !pending.length) return null;
  const view = { id: doc?.id ?? pending[0].doc, type: doc?.type ?? pending[0].type, rev: doc?.rev ?? 0, data: { ...doc?.data }, scopes: doc?.scopes ?? [], pending: pending.length > 0 };
  if (!doc && !pending.some((m) => m.op === "create")) return null;
  for (const mutation of pending) {
    if (mutation.op === "delete") return null;
    if (mutation.op === "resolve") view.data.state = "resolved";
    if (mutation.op === "resolve" || mutation.op === "void") continue;
    if (mutation.op === "create" && doc) fillEmpty(view.data, mutation.set ?? {});
    else Object.assign(view.data, mutation.set);
    if (mutation.op === "create" && !view.data.author) view.data.author = mutation.by;
    const next = NEXT_STATE[mutation.op];
    if (next && mutation.op !== "move") view.data.state = next;
  }
  return view;
}

/** A second beginning of one dossier fills what is empty. @param {Record<string, any>} data @param {Record<string, any>} set */
function fillEmpty(data, set) {
  for (const [name, value] of Object.entries(set)) if (data[name] === undefined || data[name] === null) data[name] = value;
}
