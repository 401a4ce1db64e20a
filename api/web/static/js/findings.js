/** What the rules say of a list of codes. */

import { element, fromTemplate, part } from "./dom.js";
import { LEVELS } from "./words.js";

/** A finding's code: a button that selects its card, or text where the list has no such code. */
function findingCode(code, cards) {
  const card = cards.find(({ item }) => item.code === code);
  if (!card) return element("span", code, "card-code");
  const link = element("button", code, "code-link");
  link.type = "button";
  link.addEventListener("click", () => {
    card.head.focus();
    card.box.scrollIntoView({ block: "nearest" });
  });
  return link;
}

/** What the coder said of a finding that the codes were submitted in spite of. */
function overrideOf({ rule, codes }, overrides) {
  const about = (one) => [one.rule, ...[...one.codes].sort()].join("\n");
  return overrides.find((one) => about(one) === about({ rule, codes }));
}

function findingLine({ message, codes, reference, fix, rule }, cards, overrides) {
  const line = fromTemplate("t-finding");
  line.dataset.rule = rule;
  part(line, "message").textContent = message;
  part(line, "fix").textContent = fix ?? "";
  part(line, "fix").hidden = !fix;
  part(line, "codes").append(...[...new Set(codes)].map((code) => findingCode(code, cards)));
  part(line, "codes").hidden = !codes.length;
  part(line, "from").textContent = reference;
  const over = overrideOf({ rule, codes }, overrides);
  if (over) line.append(element("p", `Submitted in spite of it by ${over.user}: ${over.reason}`, "override"));
  return line;
}

/** The findings by level, what must be mended first: a list of the levels that have any. */
function levelsOf(findings, cards, overrides) {
  const levels = [];
  for (const [level, title] of Object.entries(LEVELS)) {
    const mine = findings.filter((finding) => finding.level === level);
    if (!mine.length) continue;
    const group = fromTemplate("t-level");
    group.dataset.level = level;
    part(group, "title").textContent = title;
    part(group, "count").textContent = String(mine.length);
    part(group, "list").append(...mine.map((finding) => findingLine(finding, cards, overrides)));
    levels.push(group);
  }
  return levels;
}

/** What a coder must mend, to stand above the codes; and what is only good to know, to stand below them. */
export function findingsAround(findings, cards, overrides = []) {
  const above = levelsOf(findings.filter(({ level }) => level !== "info"), cards, overrides);
  const below = levelsOf(findings.filter(({ level }) => level === "info"), cards, overrides);
  const box = fromTemplate("t-findings");
  box.append(...above);
  const rest = element("div", "", "findings");
  rest.append(...below);
  return [above.length ? [box] : [], below.length ? [rest] : []];
}
