// The form of one mutation, as sync/fields.py checks it: the same codes from the same cases.

/** @typedef {{ok: (value: any) => boolean, policy: string}} Spec */

const MAX_MUTATION_BYTES = 64 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const isUuid = (/** @type {any} */ v) => typeof v === "string" && UUID.test(v);
const whole = (/** @type {number} */ low, /** @type {number} */ high) => (/** @type {any} */ v) => v === null || (Number.isInteger(v) && v >= low && v <= high);
const keepable = (/** @type {string} */ v) => !v.includes("\0") && !/\p{Cs}/u.test(v);
const text = (/** @type {number} */ most) => (/** @type {any} */ v) => v === null || (typeof v === "string" && [...v].length <= most && keepable(v));
const oneOf = (/** @type {any[]} */ ...all) => (/** @type {any} */ v) => v === null || all.includes(v);
const needed = (/** @type {(v: any) => boolean} */ ok) => (/** @type {any} */ v) => v !== null && ok(v);
const or = (/** @type {(v: any) => boolean} */ ok) => (/** @type {any} */ v) => v === null || ok(v);
const any = () => true;

/** "name policy" to check. @param {Record<string, (value: any) => boolean>} table @returns {Record<string, Spec>} */
const specs = (table) => Object.fromEntries(Object.entries(table).map(([key, ok]) => {
  const [name, policy] = key.split(" ");
  return [name, { ok, policy }];
}));

/** @param {Record<string, (value: any) => boolean>} table */
function numbered(table) {
  /** @type {Record<string, (value: any) => boolean>} */
  const all = {};
  for (const [key, ok] of Object.entries(table)) for (let no = 1; no <= 10; no += 1) all[key.replace(" ", `.${no} `)] = ok;
  return all;
}

const score = whole(1, 10);
const time = (/** @type {any} */ v) => typeof v === "string" && v.length <= 40 && !Number.isNaN(Date.parse(v));

/** @type {Record<string, Record<string, Spec>>} */
export const TYPES = {
  citizen: specs({
    "place command": needed(whole(1, 2 ** 31 - 1)), "full_name staff": (v) => typeof v === "string" && v.trim() !== "" && [...v.trim()].length <= 120 && keepable(v),
    "birth_year staff": whole(1890, 2100), "gender staff": oneOf("female", "male", "other"), "group staff": whole(1, 3),
    "setting staff": oneOf("family", "clan", "community", "unit"), "state command": oneOf("unconfirmed", "confirmed"),
    "phone last": text(40), "note last": text(4000), "consent append": (v) => Array.isArray(v) && v.length <= 50,
  }),
  dossier: specs({
    "citizen fixed": isUuid, "year fixed": needed(whole(2021, 2100)),
    ...numbered({ "self citizen": score, "note citizen": text(4000), "chapter chapter": score, "final staff": score, "verdict command": oneOf("", "incomplete"), "verdict_reason command": text(1000) }),
    "chapter_note chapter": text(4000), "state command": any, "reason command": text(1000),
  }),
  evidence: specs({
    "dossier fixed": isUuid, "indicator fixed": needed(score), "kind fixed": text(40), "sha256 fixed": (v) => /^[0-9a-f]{64}$/.test(v),
    "bytes fixed": whole(0, 64 * 1024 * 1024), "width fixed": whole(0, 100_000), "height fixed": whole(0, 100_000),
    "captured_at fixed": or(time), "source fixed": text(20), "position fixed": any, "thumbhash fixed": text(200),
    "caption author": text(1000), "verdict command": oneOf("accepted", "retake", "incomplete"), "reason command": text(1000),
    "replaces fixed": or(isUuid), "moved_from fixed": or(isUuid),
  }),
  comment: specs({ "on fixed": isUuid, "text fixed": needed(text(4000)) }),
  conflict: specs({ "doc fixed": isUuid, "type fixed": text(20), "field command": any, "base command": any, "theirs command": any, "mine command": any, "to command": any, "state command": any }),
};

/** What a command may carry in `set`, besides its next state. @type {Record<string, string[]>} */
const COMMANDS = {
  "submit dossier": [], "withdraw dossier": [], "appraise dossier": ["chapter.", "chapter_note"], "reopen dossier": ["reason"], "return dossier": ["reason"],
  "settle dossier": ["final."], "decide dossier": [], "judge dossier": ["verdict.", "verdict_reason."], "judge evidence": ["verdict", "reason"],
  "delete evidence": [], "delete citizen": [], "move citizen": ["place"], "confirm citizen": [], "resolve conflict": ["pick", "value"],
};
const NEEDED = /** @type {Record<string, string[]>} */ ({ citizen: ["place", "full_name"], dossier: ["citizen", "year"], evidence: ["dossier", "indicator", "sha256"], comment: ["on", "text"] });

/** The stable code of what is wrong with a mutation's form, or null. @param {any} mutation @param {number} [sizeBytes] @returns {string | null} */
export function fault(mutation, sizeBytes = new TextEncoder().encode(JSON.stringify(mutation)).length) {
  const { op, type, doc, set = {} } = mutation;
  if (sizeBytes > MAX_MUTATION_BYTES) return "mutation.too_large";
  if (op === "void") return null;
  if (typeof type !== "string" || !Object.keys(TYPES).includes(type)) return "type.unknown";
  if (!isUuid(doc)) return "doc.invalid";
  if (typeof set !== "object" || set === null || Array.isArray(set)) return "set.invalid";
  if (!basesOk(mutation)) return "base.invalid";
  const plain = op === "create" || op === "update";
  if (!plain && !COMMANDS[`${op} ${type}`]) return "op.unknown";
  if (!plain && Object.keys(set).some((name) => !COMMANDS[`${op} ${type}`].some((a) => name === a || (a.endsWith(".") && name.startsWith(a))))) return "field.unknown";
  for (const [name, value] of Object.entries(set)) {
    const code = op === "resolve" ? null : faultOf(op, TYPES[type][name], name, value ?? null);
    if (code) return code;
  }
  return op === "create" && (NEEDED[type] ?? [""]).some((name) => !(name in set)) ? "value.missing" : null;
}

/** @param {string} op @param {Spec | undefined} spec @param {string} name @param {any} value */
function faultOf(op, spec, name, value) {
  if (!spec) return "field.unknown";
  const plain = op === "create" || op === "update";
  if (plain && spec.policy === "command" && !(op === "create" && name === "place")) return "field.command";
  if (op === "update" && spec.policy === "fixed") return "immutable";
  return spec.ok(value) ? null : "value.invalid";
}

/** @param {any} mutation */
function basesOk({ after = {}, base = 0 }) {
  if (typeof after !== "object" || after === null || !Object.values(after).every(isUuid)) return false;
  return typeof base === "object" && base !== null ? Object.values(base).every(Number.isInteger) : Number.isInteger(base);
}
