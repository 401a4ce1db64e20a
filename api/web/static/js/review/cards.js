/** One card for each entry of the review: a line of the final codes, a suggestion, or what was left out. */

import { fillBody, likelyLine } from "../cards.js";
import { element, fromTemplate, part, plural } from "../dom.js";
import { keyHint } from "../keys.js";
import { STATUS, likelihood, systemName } from "../words.js";
import { fieldsOf } from "./fields.js";

let made = 0;

const ORIGIN = { accepted: "", added: "added by hand" };

/** The words of the note that speak for a code, in short. */
function quoteOf({ evidence }) {
  if (!evidence.length) return "no mention";
  const [{ text, section, assertion }] = evidence;
  const quote = text.length > 44 ? `${text.slice(0, 42)}…` : text;
  const where = [section.replaceAll("_", " "), STATUS[assertion.status]].filter(Boolean).join(", ");
  const more = evidence.length > 1 ? `, ${evidence.length} mentions` : "";
  return `“${quote}”${where ? ` in ${where}` : ""}${more}`.replace("in negated", "negated").replace("in history", "history");
}

function tagsOf({ item, line, reason }) {
  const tags = [];
  if (line) tags.push(line.instead_of ? `instead of ${line.instead_of}` : ORIGIN[line.origin]);
  if (reason ?? item.reason) tags.push(reason ? `you: ${reason}` : item.reason);
  tags.push(quoteOf(item));
  if (item.system !== "icd-10-cm") tags.push(systemName(item.system));
  if (item.listed === false) tags.push("not in the loaded edition");
  return tags.filter(Boolean);
}

function tool(label, action, run) {
  const button = element("button", `${label} `, "tool");
  button.type = "button";
  button.append(keyHint("review", action));
  button.addEventListener("click", run);
  return button;
}

/** What can be done with an entry, as buttons with their keys. */
function toolsOf(entry, handlers) {
  const run = (action) => () => handlers.onDo(action, entry.key);
  const isFinal = entry.tier === "final";
  const tools = [];
  if (!isFinal) tools.push(tool("Accept", "accept", run("accept")));
  if (isFinal || !entry.reason) tools.push(tool(isFinal ? "Take out" : "Reject", "reject", run("reject")));
  tools.push(tool("Replace", "replace", run("replace")));
  if (isFinal) tools.push(tool("Up", "sequenceUp", run("sequenceUp")), tool("Down", "sequenceDown", run("sequenceDown")));
  tools.push(tool("Why", "details", run("details")), tool("Definition", "lookup", run("lookup")));
  return tools;
}

function titleOf(box, { item, tier }) {
  part(box, "code").textContent = item.code;
  part(box, "display").textContent = item.display;
  if (item.probability !== undefined && tier !== "final") {
    part(box, "side").append(likelyLine(item.probability));
    part(box, "word").textContent = likelihood(item.probability);
  }
}

/**
 * A card: `{key, tier, item, spans, box, head}` with `open(isOpen)` for its reasons and `select(isSelected)`.
 * `handlers`: `onDo(action, key)`, `onQuote(span)`, `onCode(system, code)`, `onTake(key, code)`, `onField(…)`.
 */
export function makeCard(entry, spans, handlers, editable, setting) {
  const isFinal = entry.tier === "final";
  const box = fromTemplate(isFinal ? "t-line" : "t-card");
  const head = box.querySelector(".card-head");
  const body = part(box, "body");
  const tools = part(box, "tools");
  body.id = `card-${(made += 1)}`;
  head.setAttribute("aria-controls", body.id);
  head.tabIndex = -1;
  box.dataset.code = entry.item.code;
  box.dataset.system = entry.item.system;
  box.dataset.entry = entry.key;
  titleOf(box, entry);
  part(box, "tags").textContent = tagsOf(entry).join(" · ");
  if (entry.item.specificity?.length) {
    part(box, "tags").append(" · ", element("span", "could be more specific", "tag-hint"));
  }
  if (isFinal) {
    part(box, "number").textContent = String(entry.line.sequence);
    part(box, "fields").append(...fieldsOf(entry.line, setting, editable, handlers));
    box.draggable = editable;
    head.setAttribute("aria-label", `${entry.line.sequence}. ${entry.item.code} ${entry.item.display}`);
  }
  const card = { ...entry, spans, box, head };
  card.open = (isOpen) => {
    if (isOpen && !body.childElementCount) {
      const onTake = editable && ((code) => handlers.onTake(entry.key, code));
      fillBody(body, { explanation: [], alternatives: [], ...entry.item }, spans, { ...handlers, onTake });
    }
    body.hidden = !isOpen;
    head.setAttribute("aria-expanded", String(isOpen));
  };
  card.isOpen = () => !body.hidden;
  card.select = (isSelected) => {
    if (isSelected) box.dataset.selected = "";
    else delete box.dataset.selected;
    head.tabIndex = isSelected ? 0 : -1;
    if (isSelected && editable && !tools.childElementCount) tools.append(...toolsOf(entry, handlers));
    tools.hidden = !(isSelected && editable);
  };
  return card;
}

/** A sentence for who listens: what the card is. */
export const spoken = ({ item }) => `${item.code} ${item.display}, ${plural(item.evidence.length, "mention")}`;
