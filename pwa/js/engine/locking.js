// One phone, several people: whose turn it is, and the question asked again when the phone lay unused.

export const LOCK_MS = 5 * 60 * 1000;
const NOTE_MS = 20_000;

/** @param {{store: any, env: any, state: any}} parts */
export function createLocking({ store, env, state }) {
  let used = 0;
  let noted = 0;

  /** Asked only where there is a choice, or a PIN. */
  const asks = () => state.status().people.length > 1 || state.status().people.some((/** @type {any} */ p) => p.pin);

  /** Somebody touches the phone. */
  function touch() {
    if (state.status().locked) return;
    used = env.now();
    if (Math.abs(used - noted) < NOTE_MS) return;
    noted = used;
    store.setMeta("used_at", used).catch(() => {});
  }

  /** A clock that was set back counts as time that passed. */
  function lockIfIdle() {
    if (!state.status().paired || state.status().locked || !asks() || Math.abs(env.now() - used) < LOCK_MS) return;
    state.set({ locked: true });
  }

  /** When the app opens: a browser that was killed a minute ago goes on. */
  async function open() {
    used = (await store.meta("used_at")) ?? 0;
    lockIfIdle();
    touch();
  }

  function unlock() {
    state.set({ locked: false });
    noted = 0;
    touch();
  }

  /** Hands the phone on. */
  function lock() {
    if (asks()) state.set({ locked: true });
  }

  return { touch, lockIfIdle, open, unlock, lock };
}

/** Each person's drafts stand under their own name. @param {any} me @param {string} key */
export const ownDraft = (me, key) => (me ? `@${me.id}/${key}` : key);

/** Drafts of an app that knew one person become that person's. @param {any} store @param {any} me */
export async function claimDrafts(store, me) {
  if (!me) return;
  await store.run(["drafts"], "readwrite", async (/** @type {any} */ tx) => {
    const drafts = tx.objectStore("drafts");
    for (const key of await drafts.getAllKeys()) {
      if (key.startsWith("@")) continue;
      if (!(await drafts.count(ownDraft(me, key)))) await drafts.put(await drafts.get(key), ownDraft(me, key));
      await drafts.delete(key);
    }
  });
}
