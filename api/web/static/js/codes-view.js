/** The findings and the three groups of codes. */

import { element, fromTemplate, part } from "./dom.js";
import { makeCard } from "./cards.js";
import { findingsAround } from "./findings.js";
import { systemName } from "./words.js";

const GROUPS = [
  { tier: "code", title: "Codes", about: "Should be coded.", none: "No code reaches this group." },
  { tier: "candidate", title: "Candidates", about: "Relevant; you decide.", none: "No candidates." },
  { tier: "discarded", title: "Discarded", about: "Seen and left out.", none: "Nothing was left out." },
];

/** The model and the editions that the result stands on. */
export function madeBy({ model, terminology }) {
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
