/** A review as the page groups it: no DOM, no calls. */

export const keyOf = ({ system, code }) => `${system}:${code}`;

/** The codes that were offered, and those that a coder added, by key. */
function itemsOf({ result, codes, decisions }) {
  const added = decisions.filter(({ details }) => details.display).map(({ details }) => ({ ...(details.by ?? details), display: details.display }));
  const bare = [...added, ...codes].map(({ system, code, display }) => ({ system, code, display, evidence: [] }));
  return new Map([...bare, ...result.discarded, ...result.suggestions].map((item) => [keyOf(item), item]));
}

/**
 * The entries of the four groups, each `{key, tier, item}`; those of `final` have their `line`, those that the coder
 * turned down their `reason`.
 */
export function groupsOf(review) {
  const items = itemsOf(review);
  const chosen = new Set(review.codes.map(keyOf));
  const turnedDown = new Map(review.rejected.map((one) => [keyOf(one), one]));
  const entry = (tier, item, more) => ({ key: keyOf(item), tier, item, ...more });
  const open = (tier) =>
    review.result.suggestions
      .filter((item) => item.tier === tier && !chosen.has(keyOf(item)) && !turnedDown.has(keyOf(item)))
      .map((item) => entry(tier, item));
  return {
    final: review.codes.map((line) => entry("final", { ...plain(items.get(keyOf(line))), ...line }, { line })),
    code: open("code"),
    candidate: open("candidate"),
    discarded: [
      ...review.rejected.filter((one) => !chosen.has(keyOf(one))).map((one) =>
        entry("discarded", { ...plain(items.get(keyOf(one)) ?? { ...one, display: "", evidence: [] }) }, { reason: one.reason }),
      ),
      ...review.result.discarded
        .filter((item) => !chosen.has(keyOf(item)) && !turnedDown.has(keyOf(item)))
        .map((item) => entry("discarded", item)),
    ],
  };
}

/** An item without what stands on a line of the claim. */
function plain({ poa, modifiers, units, diagnoses, sequence, tier, ...item }) {
  return item;
}

/** The order that the rules propose, as the codes of a decision; `null` when the codes stand in it already. */
export function proposedOrder({ sequence, codes }) {
  const left = [...codes];
  const order = [];
  for (const { code } of sequence) {
    const at = left.findIndex((line) => line.code === code);
    if (at >= 0) order.push(...left.splice(at, 1));
  }
  order.push(...left);
  if (order.every((line, index) => line === codes[index])) return null;
  return order.map(({ system, code }) => ({ system, code }));
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether a review is as a decision would leave it: then it was kept, though its answer was lost. */
export function isDone({ action, record }, review) {
  if (action !== "decisions") return false;
  const line = review.codes.find((one) => keyOf(one) === keyOf(record));
  switch (record.kind) {
    case "accepted":
    case "added":
      return line !== undefined;
    case "rejected":
      return review.rejected.some((one) => keyOf(one) === keyOf(record));
    case "replaced":
      return review.codes.some((one) => keyOf(one) === keyOf(record.by));
    case "reordered":
      return same(review.codes.map(keyOf), record.order.map(keyOf));
    case "poa":
      return line !== undefined && (line.poa ?? null) === record.poa;
    case "units":
      return line !== undefined && (line.units ?? null) === record.units;
    case "modifiers":
      return line !== undefined && same(line.modifiers ?? [], record.modifiers);
    case "linked":
      return line !== undefined && same(line.diagnoses ?? [], record.diagnoses);
    default:
      return false;
  }
}

/** What was changed against the suggestions, for the summary before submitting. */
export function changesOf(review) {
  const { code, discarded } = groupsOf(review);
  const turnedDown = discarded.filter(({ reason }) => reason !== undefined && !reason.startsWith("replaced by "));
  return {
    replaced: review.codes.filter(({ origin }) => origin === "replaced"),
    added: review.codes.filter(({ origin }) => origin === "added"),
    rejected: turnedDown.map(({ item, reason }) => ({ ...item, reason })),
    undecided: code.map(({ item }) => item),
  };
}
