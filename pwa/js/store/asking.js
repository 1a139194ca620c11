// Reads asked for at the same moment go in one transaction, one view of the store; the same question is asked once.

/** @typedef {{work: (tx: any) => Promise<any>, answer: Promise<any>, tell: (value: any) => void, fail: (error: any) => void}} Question */

/** @param {(stores: string[], mode: "readonly", work: (tx: any) => any) => Promise<any>} run */
export function createAsking(run) {
  /** @type {{stores: Set<string>, questions: Map<string, Question>} | null} */
  let open = null;

  /** @param {{stores: Set<string>, questions: Map<string, Question>}} asked */
  async function answer({ stores, questions }) {
    const all = [...questions.values()];
    try {
      const values = await run([...stores], "readonly", (tx) => Promise.all(all.map((question) => question.work(tx))));
      for (const [at, question] of all.entries()) question.tell(values[at]);
    } catch (error) {
      for (const question of all) question.fail(error);
    }
  }

  /**
   * @param {string} name of the question: one name, one meaning @param {string[]} stores @param {(tx: any) => Promise<any>} work
   * @returns {Promise<any>} a list is the asker's own, what is in it is shared
   */
  return async function ask(name, stores, work) {
    if (!open) {
      const asked = { stores: new Set(), questions: new Map() };
      open = asked;
      queueMicrotask(() => { open = null; answer(asked); });
    }
    for (const store of stores) open.stores.add(store);
    let question = open.questions.get(name);
    if (!question) {
      /** @type {any} */
      const made = { work };
      made.answer = new Promise((tell, fail) => Object.assign(made, { tell, fail }));
      open.questions.set(name, made);
      question = /** @type {Question} */ (made);
    }
    const value = await question.answer;
    return Array.isArray(value) ? [...value] : value;
  };
}
