/** A code as its release defines it: title, validity, place in the hierarchy, notes. */

import { showCode } from "./api.js";
import { element } from "./dom.js";
import { NOTES, systemName } from "./words.js";

const MOST_CHILDREN = 40;

/** Whether a code may stand on a claim of this day, and if not, why; an empty string when it may. */
export function whyNot({ billable, valid_from, valid_to, children }, day) {
  if (!billable) return children.length ? "not billable: choose a more specific code below" : "not billable";
  if (valid_from && day < valid_from) return `not valid on ${day}: only from ${valid_from}`;
  if (valid_to && day > valid_to) return `not valid on ${day}: only until ${valid_to}`;
  return "";
}

function notesOf(notes) {
  return Object.entries(notes).flatMap(([kind, lines]) => {
    const list = element("ul", "", "definition-notes");
    list.append(...lines.map((line) => element("li", line)));
    return [element("h3", NOTES[kind] ?? kind), list];
  });
}

/** A list of codes that lead on through the hierarchy; their titles come after. */
function codeLinks(system, codes, onCode, signal) {
  const list = element("ul", "", "definition-codes");
  for (const code of codes.slice(0, MOST_CHILDREN)) {
    const line = element("li");
    const link = element("button", code, "code-link");
    link.type = "button";
    link.addEventListener("click", () => onCode(system, code));
    const title = element("span");
    line.append(link, " ", title);
    list.append(line);
    showCode(system, code, signal).then(
      (entry) => {
        title.textContent = entry.display;
      },
      () => {}, // the code alone still leads on
    );
  }
  if (codes.length > MOST_CHILDREN) list.append(element("li", `and ${codes.length - MOST_CHILDREN} more`, "muted"));
  return list;
}

/** What stands of `entry` on the page; `onCode(system, code)` goes to its parent or a child. */
export function definitionOf(entry, day, onCode, signal) {
  const { system, code, display, valid_from, valid_to, parent, children, source } = entry;
  const problem = whyNot(entry, day);
  const dates = [valid_from && `valid from ${valid_from}`, valid_to && `until ${valid_to}`].filter(Boolean).join(" ");
  const fits = element("p", problem || `billable, valid on ${day}`, problem ? "definition-bad" : "definition-good");
  const title = element("h3", "", "definition-title");
  title.append(element("span", code, "card-code"), ` ${display}`);
  const parts = [title, fits, element("p", [systemName(system), dates].filter(Boolean).join(" · "), "muted")];
  if (parent) parts.push(element("h3", "Under"), codeLinks(system, [parent], onCode, signal));
  if (children.length) parts.push(element("h3", `Below: ${children.length}`), codeLinks(system, children, onCode, signal));
  parts.push(...notesOf(entry.notes), element("p", source, "muted definition-source"));
  return parts;
}
