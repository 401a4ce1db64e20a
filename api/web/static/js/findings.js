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

function findingLine({ message, codes, reference, fix, rule }, cards) {
  const line = fromTemplate("t-finding");
  line.dataset.rule = rule;
  part(line, "message").textContent = message;
  part(line, "fix").textContent = fix ?? "";
  part(line, "fix").hidden = !fix;
  part(line, "codes").append(...[...new Set(codes)].map((code) => findingCode(code, cards)));
  part(line, "codes").hidden = !codes.length;
  part(line, "from").textContent = reference;
  return line;
}

/** The findings by level, what must be mended first: a list of the levels that have any. */
function levelsOf(findings, cards) {
  const levels = [];
  for (const [level, title] of Object.entries(LEVELS)) {
    const mine = findings.filter((finding) => finding.level === level);
    if (!mine.length) continue;
    const group = fromTemplate("t-level");
    group.dataset.level = level;
    part(group, "title").textContent = title;
    part(group, "count").textContent = String(mine.length);
    part(group, "list").append(...mine.map((finding) => findingLine(finding, cards)));
    levels.push(group);
  }
  return levels;
}

/** What a coder must mend, to stand above the codes; and what is only good to know, to stand below them. */
export function findingsAround(findings, cards) {
  const above = levelsOf(findings.filter(({ level }) => level !== "info"), cards);
  const below = levelsOf(findings.filter(({ level }) => level === "info"), cards);
  const box = fromTemplate("t-findings");
  box.append(...above);
  const rest = element("div", "", "findings");
  rest.append(...below);
  return [above.length ? [box] : [], below.length ? [rest] : []];
}
