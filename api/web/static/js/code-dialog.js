/** A dialog with a code's definition, on the page of a new note. */

import { showCode } from "./api.js";
import { definitionOf } from "./definition.js";
import { byId, element } from "./dom.js";

const today = () => new Date().toLocaleDateString("sv"); // the Swedish form of a date is ISO's

/** Open the dialog on one code. */
export async function openCode(system, code) {
  const dialog = byId("code-dialog");
  const body = byId("code-dialog-body");
  const title = element("h2", `Code ${code}`);
  title.id = "code-dialog-title";
  body.replaceChildren(title);
  if (!dialog.open) dialog.showModal();
  const day = document.querySelector("[name=date_of_service]")?.value || today();
  try {
    body.append(...definitionOf(await showCode(system, code), day, openCode));
  } catch (error) {
    body.append(element("p", error.problem?.detail ?? String(error)));
  }
}
