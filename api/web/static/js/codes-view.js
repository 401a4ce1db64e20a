/** The findings and the three groups of codes. */

import { element, fromTemplate, part } from "./dom.js";
import { makeCard } from "./cards.js";
import { LEVELS, systemName } from "./words.js";

const GROUPS = [
  { tier: "code", title: "Codes", about: "Should be coded.", none: "No code reaches this group." },
  { tier: "candidate", title: "Candidates", about: "Relevant; you decide.", none: "No candidates." },
  { tier: "discarded", title: "Discarded", about: "Seen and left out.", none: "Nothing was left out." },
];

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
function findingsAround(findings, cards) {
  const above = levelsOf(findings.filter(({ level }) => level !== "info"), cards);
  const below = levelsOf(findings.filter(({ level }) => level === "info"), cards);
  const box = fromTemplate("t-findings");
  box.append(...above);
  const rest = element("div", "", "findings");
  rest.append(...below);
  return [above.length ? [box] : [], below.length ? [rest] : []];
}

/** The model and the editions that the result stands on. */
function madeBy({ model, terminology }) {
  const editions = Object.entries(terminology).map(([system, edition]) => `${systemName(system)} ${edition}`);
  return [`Model ${model.name} ${model.version}`, ...editions].join(" · ");
}

/** Renders a result into `root` and gives its cards, in the order of the page. */
export function renderCodes(root, result, spansOf, handlers) {
  const all = [
    ...result.suggestions.map((item) => ({ item, tier: item.tier })),
    ...result.discarded.map((item) => ({ item, tier: "discarded" })),
  ];
  const cards = [];
  const groups = GROUPS.map(({ tier, title, about, none }) => {
    const mine = all.filter((one) => one.tier === tier).map(({ item }) => makeCard(item, tier, spansOf(item), handlers));
    const group = fromTemplate("t-group");
    group.dataset.tier = tier;
    part(group, "title").textContent = title;
    part(group, "count").textContent = String(mine.length);
    part(group, "about").textContent = about;
    const list = part(group, "list");
    list.append(...mine.map((card) => card.box));
    if (!mine.length) list.append(element("li", none, "empty"));
    cards.push(...mine);
    return group;
  });
  const [above, below] = findingsAround(result.findings, cards);
  root.replaceChildren(...above, ...groups, ...below, element("p", madeBy(result), "made-by"));
  root.scrollTop = 0;
  return cards;
}
