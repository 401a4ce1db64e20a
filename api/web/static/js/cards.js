/** One card for each suggestion or discarded code, built from the page's templates. */

import { element, fromTemplate, part, plural } from "./dom.js";
import { STATUS, likelihood, percent, systemName } from "./words.js";

let made = 0;

export function likelyLine(probability) {
  const line = element("span", "", "likely");
  const bar = element("i");
  bar.setAttribute("aria-hidden", "true");
  bar.style.setProperty("--share", String(probability));
  line.append(element("b", percent(probability)), bar);
  return line;
}

function tagsOf(item) {
  const mentions = item.evidence.length ? plural(item.evidence.length, "mention") : "no mention";
  const tags = [systemName(item.system), mentions];
  if (item.sequence) tags.push(`sequence ${item.sequence}`);
  if (item.poa) tags.push(`POA ${item.poa}`);
  if (item.modifiers?.length) tags.push(`modifier ${item.modifiers.join(", ")}`);
  if (item.units) tags.push(plural(item.units, "unit"));
  if (item.diagnoses?.length) tags.push(`for ${item.diagnoses.join(", ")}`);
  if (item.listed === false) tags.push("not in the loaded edition");
  if (item.reason) tags.push(item.reason);
  return tags.join(" · ");
}

function section(title, items) {
  const made = fromTemplate("t-part");
  part(made, "title").textContent = title;
  part(made, "list").append(...items);
  return made;
}

function reasonLine({ message, weight }) {
  const line = fromTemplate("t-reason");
  const sign = weight < 0 ? "lowers" : "raises";
  const number = part(line, "weight");
  number.dataset.sign = sign;
  number.append(`${weight < 0 ? "−" : "+"}${Math.abs(weight).toFixed(2)}`, element("span", ` ${sign} the score:`, "hidden"));
  part(line, "message").textContent = message;
  return line;
}

function evidenceLine(evidence, span, onQuote) {
  const line = fromTemplate("t-evidence");
  part(line, "quote").textContent = evidence.text;
  const { status, cue } = evidence.assertion;
  const says = STATUS[status] && cue ? `${STATUS[status]} by “${cue.text}”` : STATUS[status];
  part(line, "where").textContent = [evidence.section.replaceAll("_", " "), evidence.document, says].filter(Boolean).join(" · ");
  line.querySelector("button").addEventListener("click", () => onQuote(span));
  return line;
}

function alternativeLine(system, alternative, index, { onCode, onTake }) {
  const { code, display, why } = alternative;
  const line = fromTemplate("t-alternative");
  const link = part(line, "code");
  link.textContent = code;
  link.addEventListener("click", () => onCode(system, code));
  part(line, "display").textContent = display;
  part(line, "why").textContent = why;
  if (onTake) {
    const take = element("button", "use", "take");
    take.type = "button";
    take.setAttribute("aria-label", `Use ${code} instead`);
    if (index < 9) take.prepend(element("kbd", String(index + 1)), " ");
    take.addEventListener("click", () => onTake({ system, code }));
    line.append(" ", take);
  }
  return line;
}

/** Fills a card's body the first time it is opened. */
export function fillBody(body, item, spans, handlers) {
  const { onQuote, onCode } = handlers;
  const { specificity = [], explanation = [], alternatives = [], evidence } = item;
  if (specificity.length) body.append(section("More specific if the note said", specificity.map((s) => element("li", s))));
  if (evidence.length) body.append(section("Evidence", evidence.map((e, i) => evidenceLine(e, spans[i], onQuote))));
  if (explanation.length) body.append(section("Why", explanation.map(reasonLine)));
  if (alternatives.length) {
    body.append(section("Alternatives", alternatives.map((a, i) => alternativeLine(item.system, a, i, handlers))));
  }
  const look = element("button", `Look up ${item.code}`, "code-link");
  look.type = "button";
  look.addEventListener("click", () => onCode(item.system, item.code));
  body.append(look);
}

/**
 * A card: its element, its button, and `toggle()`.
 * `spans` are the evidence's places in the note, in the same order.
 */
export function makeCard(item, tier, spans, handlers) {
  const box = fromTemplate("t-card");
  const head = box.querySelector(".card-head");
  const body = part(box, "body");
  body.id = `card-${(made += 1)}`;
  head.setAttribute("aria-controls", body.id);
  box.dataset.code = item.code;
  box.dataset.system = item.system;
  part(box, "code").textContent = item.code;
  part(box, "display").textContent = item.display;
  part(box, "tags").textContent = tagsOf(item);
  if (item.specificity?.length) part(box, "tags").append(" · ", element("span", "could be more specific", "tag-hint"));
  if (item.probability !== undefined) {
    part(box, "side").append(likelyLine(item.probability));
    part(box, "word").textContent = likelihood(item.probability);
  }
  const card = { box, head, item, tier, spans };
  card.toggle = () => {
    const open = body.hidden;
    if (open && !body.childElementCount) fillBody(body, item, spans, handlers);
    body.hidden = !open;
    head.setAttribute("aria-expanded", String(open));
  };
  return card;
}
