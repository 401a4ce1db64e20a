/** The right side of the review: findings, and the four groups of codes. */

import { madeBy } from "../codes-view.js";
import { element, fromTemplate, part } from "../dom.js";
import { findingsAround } from "../findings.js";
import { makeCard } from "./cards.js";
import { groupsOf, proposedOrder } from "./model.js";

const GROUPS = [
  { tier: "final", title: "Final codes", about: "In the order of the claim.", none: "No code is taken yet." },
  { tier: "code", title: "Suggested", about: "Should be coded: accept or reject each.", none: "Every suggestion is decided." },
  { tier: "candidate", title: "Candidates", about: "Relevant; you decide.", none: "No candidates." },
  { tier: "discarded", title: "Discarded", about: "Left out, with the reason.", none: "Nothing was left out." },
];

function groupOf({ tier, title, about, none }, cards, folded, onFold) {
  const group = fromTemplate("t-group");
  group.dataset.tier = tier;
  part(group, "title").textContent = title;
  part(group, "count").textContent = String(cards.length);
  part(group, "about").textContent = about;
  const list = part(group, "list");
  list.append(...cards.map((card) => card.box));
  if (!cards.length) list.append(element("li", none, "empty"));
  if (tier === "discarded" && cards.length) {
    const button = element("button", folded ? "Show" : "Hide", "quiet fold");
    button.type = "button";
    button.setAttribute("aria-expanded", String(!folded));
    button.setAttribute("aria-label", `${folded ? "Show" : "Hide"} what was discarded`);
    button.addEventListener("click", onFold);
    part(group, "count").after(" ", button);
    list.hidden = folded;
  }
  return group;
}

function orderHint(order, onOrder) {
  const hint = element("p", "The rules propose another order: ", "order-hint");
  hint.append(element("span", order.map(({ code }) => code).join(", "), "card-code"));
  const button = element("button", "Use it");
  button.type = "button";
  button.addEventListener("click", () => onOrder(order));
  hint.append(" ", button);
  return hint;
}

/**
 * Renders a review into `root`; gives its cards in the order of the page. `view` says what is open:
 * `{spansOf, handlers, editable, folded, onFold, onOrder}`.
 */
export function renderReview(root, review, view) {
  const entries = groupsOf(review);
  const cards = [];
  const groups = GROUPS.map((group) => {
    const mine = entries[group.tier].map((entry) =>
      makeCard(entry, view.spansOf(entry.item), view.handlers, view.editable, review.setting),
    );
    cards.push(...mine);
    return groupOf(group, mine, view.folded, view.onFold);
  });
  const order = view.editable ? proposedOrder(review) : null;
  if (order) groups[0].querySelector("ol").before(orderHint(order, view.onOrder));
  const [above, below] = findingsAround(review.findings, cards, review.overrides ?? review.coder_overrides);
  root.replaceChildren(...above, ...groups, ...below, element("p", madeBy(review.result), "made-by"));
  return cards;
}
