/** How numbers and names of the result read on the page. */

const LIKELY = [
  [0.95, "almost certain"],
  [0.8, "very likely"],
  [0.6, "likely"],
  [0.4, "about even"],
  [0.2, "less likely"],
  [0, "unlikely"],
];

export const likelihood = (probability) => LIKELY.find(([least]) => probability >= least)[1];

export function percent(probability) {
  if (probability > 0.99 && probability < 1) return ">99 %";
  if (probability > 0 && probability < 0.01) return "<1 %";
  return `${Math.round(probability * 100)} %`;
}

const SYSTEMS = { "icd-10-cm": "ICD-10-CM", "icd-10-pcs": "ICD-10-PCS", cpt: "CPT", hcpcs: "HCPCS" };
export const systemName = (system) => SYSTEMS[system] ?? system;

/** In the order in which the page shows them. */
export const LEVELS = { error: "Errors", warning: "Warnings", info: "Good to know" };

export const STATUS = {
  present: "",
  negated: "negated",
  possible: "possible",
  hypothetical: "hypothetical",
  historical: "history",
  family: "family",
};

export const NOTES = {
  inclusion_term: "Includes the terms",
  includes: "Includes",
  excludes1: "Excludes 1: not coded here",
  excludes2: "Excludes 2: not included here",
  code_first: "Code first",
  use_additional_code: "Use additional code",
  code_also: "Code also",
  note: "Note",
  seventh_character: "7th character",
};

const UNITS = [
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
];

/** How long ago an instant was, in words. */
export function ago(instant) {
  const seconds = (Date.now() - Date.parse(instant)) / 1000;
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [0, ""];
  if (!size) return "just now";
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** An instant as the time of day, with the date where it is not today. */
export function clock(instant) {
  const at = new Date(instant);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === new Date().toDateString() ? time : `${at.toLocaleDateString()} ${time}`;
}
