/** A code's definition: title, validity, hierarchy and notes. */

import { showCode } from "./api.js";
import { byId, element } from "./dom.js";
import { NOTES, systemName } from "./words.js";

function factsOf({ system, billable, valid_from, valid_to, parent, children, source }) {
  const since = valid_from ? `valid from ${valid_from}` : "";
  const until = valid_to ? `until ${valid_to}` : "";
  const below = children.length ? `${children.length} more specific below` : "";
  const facts = [billable ? "billable" : "not billable", since, until, parent && `under ${parent}`, below, source];
  return [systemName(system), ...facts].filter(Boolean).join(" · ");
}

function notesOf(notes) {
  return Object.entries(notes).flatMap(([kind, lines]) => {
    const list = element("ul");
    list.append(...lines.map((line) => element("li", line)));
    return [element("h3", NOTES[kind] ?? kind), list];
  });
}

/** Open the dialog on one code. */
export async function openCode(system, code) {
  const dialog = byId("code-dialog");
  const body = byId("code-dialog-body");
  const title = element("h2", code);
  title.id = "code-dialog-title";
  body.replaceChildren(title);
  if (!dialog.open) dialog.showModal();
  try {
    const entry = await showCode(system, code);
    title.textContent = `${entry.code} ${entry.display}`;
    body.append(element("p", factsOf(entry), "muted"), ...notesOf(entry.notes));
  } catch (error) {
    body.append(element("p", error.problem?.detail ?? String(error)));
  }
}
