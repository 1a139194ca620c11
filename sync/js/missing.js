// What a dossier still lacks before it is sent in: told, never forbidden.

/**
 * @param {Record<string, any>} data of the dossier @param {Record<number, number>} photoCounts by indicator
 * @param {{min_total: number, min_each: number}} rule [plan II.2b]
 * @returns {{code: "score" | "evidence" | "low" | "total", indicator?: number, short?: number}[]}
 */
export function missing(data, photoCounts, rule) {
  /** @type {{code: "score" | "evidence" | "low" | "total", indicator?: number, short?: number}[]} */
  const found = [];
  let total = 0;
  for (let no = 1; no <= 10; no += 1) {
    const score = data[`self.${no}`];
    if (!score) found.push({ code: "score", indicator: no });
    else if (score < rule.min_each) found.push({ code: "low", indicator: no });
    if (!photoCounts[no] && !data[`note.${no}`]) found.push({ code: "evidence", indicator: no });
    total += score || 0;
  }
  if (total < rule.min_total) found.push({ code: "total", short: rule.min_total - total });
  return found;
}

/** Points so far; unscored counts nothing. @param {Record<string, any>} data @param {string} who self, chapter or final */
export function total(data, who) {
  let sum = 0;
  for (let no = 1; no <= 10; no += 1) sum += data[`${who}.${no}`] || 0;
  return sum;
}
