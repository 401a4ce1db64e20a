/** Why a code is turned down: the short list, by key. */

export const REJECT = [
  ["1", "Not documented in the note"],
  ["2", "Negated or ruled out"],
  ["3", "History only, not current"],
  ["4", "Uncertain, and not coded as such in this setting"],
  ["5", "Not evaluated or treated at this visit"],
  ["6", "Integral to another code"],
  ["7", "A more specific code applies"],
];
