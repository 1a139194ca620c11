// What a registration needs, on both ways in: a form that is whole, and the version of the consent text.
import { t } from "../text/text.js";

/** Version of our own consent sentence in text/vi.js, for phones that have not got the commune's yet; raise it whenever that sentence changes. */
export const CONSENT_VERSION = "2026-11";
export const GROUPS = ["1", "2", "3"];

/** What is wrong with the form, by field. @param {any} f @param {number} year */
export function formErrors(f, year) {
  /** @type {Record<string, string>} */
  const errors = {};
  const born = Number(f.birth_year);
  if (!f.full_name.trim()) errors.full_name = t("register.bad.name");
  if (!/^\d{4}$/.test(f.birth_year) || born < 1900 || born > year) errors.birth_year = t("register.bad.year");
  if (!GROUPS.includes(f.group)) errors.group = t("register.bad.group");
  if (!f.how) errors.how = t("register.bad.consent");
  return errors;
}
