// A PIN guards against mix-ups among people who share a phone. It is no safe: who holds the phone holds its data.

const ROUNDS = 100_000;
const TRIES = 5;
const WAIT_MS = 60_000;
const fail = (/** @type {string} */ code) => { throw Object.assign(new Error(code), { code }); };
const base64 = (/** @type {ArrayBuffer} */ bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** @param {string} pin @param {string} salt @param {number} rounds @returns {Promise<string>} PBKDF2 with SHA-256, 32 bytes in base64 */
async function derive(pin, salt, rounds) {
  const text = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveBits"]);
  return base64(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text.encode(salt), iterations: rounds }, key, 256));
}

/** @param {{store: any, env: any, state: any, locking: any}} parts */
export function createPins({ store, env, state, locking }) {
  /** @param {string} id @param {string} [pin] four to six digits, where this person has one */
  async function choosePerson(id, pin = "") {
    const pins = (await store.meta("pins")) ?? {};
    if (pins[id]) await check(id, pins[id], pin);
    await store.setMeta("me", id);
    await state.load();
    locking.unlock();
  }

  /** @param {string} id @param {{salt: string, rounds: number, hash: string}} kept @param {string} pin */
  async function check(id, kept, pin) {
    if (!pin) return fail("pin.needed");
    const tries = (await store.meta("pin_tries")) ?? {};
    const mine = tries[id] ?? { n: 0, until: 0 };
    const left = mine.until - env.now();
    if (left > 0 && left <= WAIT_MS) return fail("pin.wait");
    const right = (await derive(pin, kept.salt, kept.rounds)) === kept.hash;
    const n = right ? 0 : mine.n + 1;
    await store.setMeta("pin_tries", { ...tries, [id]: { n: n % TRIES, until: n >= TRIES ? env.now() + WAIT_MS : 0 } });
    if (!right) return fail(n >= TRIES ? "pin.wait" : "pin.wrong");
  }

  /** For the person who uses the phone now; empty takes it away. @param {string} pin */
  async function setPin(pin) {
    const me = await state.me();
    if (!me || state.status().locked) return fail("pin.needed");
    if (pin && !/^\d{4,6}$/.test(pin)) return fail("pin.short");
    const { [me.id]: _old, ...others } = (await store.meta("pins")) ?? {};
    const salt = crypto.randomUUID();
    await store.setMeta("pins", pin ? { ...others, [me.id]: { salt, rounds: ROUNDS, hash: await derive(pin, salt, ROUNDS) } } : others);
    await state.load();
    locking.touch();
  }

  return { choosePerson, setPin };
}
